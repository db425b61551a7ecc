"""The widget's JavaScript writes a song as `helpers.formats` does, byte for byte, in all formats."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.formats import FORMATS, FormatError
from helpers.formats._fields import NAMES, fields_of
from helpers.music import SONGS, Song, find_song
from helpers.widgets._module import module_text
from helpers.widgets.format_bytes import CODECS
from tests.formats.songs import SONGS as ANY_SONG
from tests.widgets.conftest import Node, node_with

ROLES = {"name", "value", "frame"}
each_format = pytest.mark.parametrize("form", FORMATS.values(), ids=list(FORMATS))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("formats")
    with node_with(module_text(*CODECS), "format_bytes_node.mjs", folder) as call:
        yield call


def test_the_same_formats_in_the_same_order(node: Node) -> None:
    assert node("names") == list(FORMATS)


@each_format
def test_the_catalogue(node: Node, form) -> None:
    for song in SONGS:
        assert node("bytes", fields_of(song), form.name) == form.encode(song).hex(), song.id


@each_format
@settings(max_examples=200)
@given(song=ANY_SONG)
def test_any_song_that_python_can_write(node: Node, form, song: Song) -> None:
    try:
        expected = form.encode(song)
    except FormatError:
        return
    assert node("bytes", fields_of(song), form.name) == expected.hex()


@settings(max_examples=500)
@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_floats_as_python_writes_them(node: Node, number: float) -> None:
    assert node("float", number) == repr(number)


@each_format
def test_each_part_belongs_to_a_field_or_to_none(node: Node, form) -> None:
    song = find_song("fur-elise")
    parts = node("parts", fields_of(song), form.name)
    assert "".join(digits for _, _, digits in parts) == form.encode(song).hex()
    assert {field for field, _, _ in parts} <= {*NAMES, ""}
    assert {role for _, role, _ in parts} <= ROLES and all(digits for _, _, digits in parts)
    title = [bytes.fromhex(digits) for field, role, digits in parts
             if (field, role) == ("title", "value")]  # fmt: skip
    assert title == ["Für Elise".encode()]


def test_who_writes_names(node: Node) -> None:
    """Avro writes none, Protocol Buffers numbers, all others names."""
    song = fields_of(find_song("fur-elise"))
    names = {
        name: b"".join(
            bytes.fromhex(d) for _, role, d in node("parts", song, name) if role == "name"
        )
        for name in FORMATS
    }
    assert names.pop("Avro") == b""
    pitches = [note["pitch"] for note in song["melody"]]
    tags = 7 + len(song["aliases"]) + 2 * len(pitches) + sum(one is not None for one in pitches)
    assert len(names["Protocol Buffers"]) == tags, "a number of one byte for each"
    del names["Protocol Buffers"]
    assert all(b"composer" in written for written in names.values())
