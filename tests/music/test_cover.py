"""Covers: well-formed SVG, the same for the same song, one of its own for each, readable by all."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from helpers.music import SONGS, Note, find_song, render_cover

from .support import make_song

SVG = "{http://www.w3.org/2000/svg}"
each_song = pytest.mark.parametrize("song", SONGS, ids=lambda song: song.id)


@each_song
def test_is_a_square_picture_with_a_title(song):
    picture = ElementTree.fromstring(render_cover(song))
    assert picture.tag == f"{SVG}svg" and picture.get("role") == "img"
    assert picture.get("viewBox") == "0 0 240 240"
    title = picture[0]  # SVG 1.1, section 5.4: the first child, or old readers miss it
    assert title.tag == f"{SVG}title"
    assert title.text == f"Cover of {song.title}, by {song.composer}"


@each_song
def test_shows_every_note_inside_the_frame(song):
    picture = ElementTree.fromstring(render_cover(song))
    lights = [one for one in picture.iter(f"{SVG}circle") if one.get("r") == "2.6"]
    assert len(lights) == sum(note.pitch is not None for note in song.melody)
    for one in lights:
        assert 0 < float(one.get("cx")) < 240 and 0 < float(one.get("cy")) < 240


@each_song
def test_needs_nothing_from_outside(song):
    text = render_cover(song)
    assert "href" not in text and "<text" not in text and "font" not in text
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert len(text.encode()) < 16_000


def test_each_song_has_its_own():
    assert len({render_cover(song) for song in SONGS}) == len(SONGS)


def test_ids_differ_so_that_many_fit_into_one_page():
    ids = [name for song in SONGS for name in re.findall(r' id="([^"]+)"', render_cover(song))]
    assert len(ids) == len(set(ids)) == len(SONGS)


def test_is_the_same_in_every_process():
    code = "from helpers.music import *; print(render_cover(find_song('greensleeves')), end='')"
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, env=environment, check=True
        )
        assert done.stdout.decode() == render_cover(find_song("greensleeves"))


def test_older_songs_have_a_moon_and_newer_ones_a_sun():
    assert "a20 20" in render_cover(find_song("greensleeves"))
    assert 'r="20"' in render_cover(find_song("the entertainer"))


def test_marks_of_xml_in_a_title_are_harmless():
    text = render_cover(make_song(title="Rock & <Roll>"))
    assert "Rock & <Roll>" in ElementTree.fromstring(text)[0].text


@pytest.mark.parametrize("melody", [(), (Note(None, 1.0),), (Note("A4", 1.0),)])
def test_a_song_without_a_tune_has_a_cover_too(melody):
    assert "nan" not in render_cover(make_song(melody=melody))
    ElementTree.fromstring(render_cover(make_song(melody=melody)))
