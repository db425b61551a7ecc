"""The service's own copy of the catalogue: its order, its cursors, its counts of plays."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers.music._library import Library, place, read_cursor, song_id_for, write_cursor

from .support import SMALL_CATALOGUE, always_the_same, make_song


def test_songs_are_in_order_of_their_titles_whatever_their_case():
    titles = ["beta", "Alpha", "ALPHA 2", "Über", "alpha"]
    library = Library(make_song(f"s{n}", title) for n, title in enumerate(titles))
    assert [s.title for s in library.in_order()] == ["Alpha", "alpha", "ALPHA 2", "beta", "Über"]


def test_put_adds_and_replaces_and_remove_says_whether_it_was_there():
    library = Library([])
    library.put(make_song("one", "One"))
    library.put(make_song("one", "Uno"))
    assert [song.title for song in library.in_order()] == ["Uno"]
    assert "one" in library and "two" not in library
    assert library.get("two") is None
    assert library.remove("one") is True
    assert library.remove("one") is False
    assert library.in_order() == []


def test_two_libraries_share_nothing():
    one, other = Library(SMALL_CATALOGUE), Library(SMALL_CATALOGUE)
    one.remove("kalinka")
    one.count_play("fur-elise", None)
    assert "kalinka" in other
    assert other.plays("fur-elise") == 0


# ---- plays -----------------------------------------------------------------------------------


def test_a_key_counts_once_for_each_song():
    library = Library(SMALL_CATALOGUE)
    assert [library.count_play("kalinka", "k") for _ in range(3)] == [1, 1, 1]
    assert library.count_play("kalinka", "other") == 2
    assert library.count_play("kalinka", None) == 3
    assert library.count_play("kalinka", "k") == 1  # the first answer, repeated
    assert library.count_play("fur-elise", "k") == 1
    assert library.plays("kalinka") == 3


def test_the_last_thousand_keys_are_remembered():
    library = Library(SMALL_CATALOGUE)
    for n in range(1001):
        library.count_play("kalinka", f"key {n}")
    assert library.count_play("kalinka", "key 1") == 2
    assert library.count_play("kalinka", "key 0") == 1002


def test_a_song_that_was_removed_starts_from_nothing():
    library = Library(SMALL_CATALOGUE)
    kalinka = library.get("kalinka")
    library.count_play("kalinka", None)
    library.count_play("kalinka", "k")
    library.remove("kalinka")
    library.put(kalinka)
    assert library.plays("kalinka") == 0
    assert library.count_play("kalinka", "k") == 1
    assert library.plays("kalinka") == 1


# ---- cursors ---------------------------------------------------------------------------------


@always_the_same
@given(st.text(max_size=200))
@example("ﬃ" * 200)
@example("\N{GREEK SMALL LETTER IOTA WITH DIALYTIKA AND TONOS}" * 200)
@example("🎵" * 200)
@example('"\\' * 100)
@example("\ud800")
def test_a_cursor_is_read_back_and_fits_into_a_url(title):
    song = make_song("x" * 200, title)
    cursor = write_cursor(song)
    assert read_cursor(cursor) == place(song)
    assert cursor.isascii() and cursor.replace("-", "a").replace("_", "a").isalnum()
    if min(title, default="a") > "\x1f":  # the API takes no control characters
        assert len(cursor) <= 2000  # what the API reads


def packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "x",
        "no cursor",
        "ééé",
        "a" * 1000,
        "=" * 8,
        "////",
        packed(None),
        packed(5),
        packed("ab"),
        packed([]),
        packed(["a"]),
        packed(["a", 5]),
        packed([["a"], "b"]),
        packed(["a", "b", "c"]),
        packed({"a": 1, "b": 2}),
        base64.urlsafe_b64encode(b"9" * 5000).decode(),
        base64.urlsafe_b64encode(b"[" * 200_000).decode(),
        base64.urlsafe_b64encode(b'\xff["a","b"]').decode(),
    ],
)
def test_a_forged_cursor_is_a_value_error(forged):
    with pytest.raises(ValueError, match="`next` of an earlier page"):
        read_cursor(forged)


@always_the_same
@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda b: base64.b64encode(b).decode()))
def test_any_text_is_a_place_or_a_value_error(text):
    try:
        title, song_id = read_cursor(text)
    except ValueError:
        return
    assert isinstance(title, str) and isinstance(song_id, str)


# ---- ids -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "song_id"),
    [
        ("Für Elise", "fur-elise"),
        ("  The Sailor's Hornpipe! ", "the-sailors-hornpipe"),
        ("No. 5 / 6", "no-5-6"),
    ],
)
def test_the_id_of_a_title(title, song_id):
    assert song_id_for(title) == song_id


@always_the_same
@given(st.text(min_size=1, max_size=200))
@example("Калинка")
@example("㎨" * 200)
@example("ß" * 200)
def test_every_id_fits_the_pattern_of_the_addresses(title):
    song_id = song_id_for(title)
    assert len(song_id) <= 200
    assert all(part.isascii() and part.isalnum() for part in song_id.split("-"))
    assert song_id == song_id.lower() == song_id_for(title)


def test_titles_without_a_latin_letter_get_different_ids():
    assert song_id_for("Калинка") != song_id_for("Катюша")
