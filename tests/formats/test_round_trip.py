"""What is encoded comes back the same, or `encode` says that it can't be carried, and is right."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.formats import FORMATS, FormatError
from helpers.music import SONGS, Note, Song
from tests.formats.songs import SONGS as ANY_SONG
from tests.formats.songs import texts_of

each_format = pytest.mark.parametrize("form", FORMATS.values(), ids=list(FORMATS))
NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def carries(name: str, song: Song) -> bool:
    """What the modules' first lines promise, said once more without their code."""
    texts = texts_of(song)
    pitches = [note.pitch for note in song.melody if note.pitch is not None]
    in_a_line = not any(p in ("", "R") or re.search(r"[\s:]", p) for p in pitches)
    match name:
        case "plain text":
            return in_a_line and all(text.splitlines() in ([], [text]) for text in texts)
        case "CSV":
            return in_a_line
        case "XML":
            return not any(NOT_XML.search(text) for text in texts)
    return True


@each_format
def test_the_catalogue_comes_back(form):
    for song in SONGS:
        assert form.decode(form.encode(song)) == song


@each_format
@given(song=ANY_SONG)
def test_any_song_comes_back_or_is_refused_with_reason(form, song):
    try:
        data = form.encode(song)
    except FormatError:
        assert not carries(form.name, song)
        return
    assert form.decode(data) == song
    assert carries(form.name, song)


@each_format
def test_the_same_song_gives_the_same_bytes(form):
    assert form.encode(SONGS[0]) == form.encode(SONGS[0])


@each_format
@pytest.mark.parametrize("half", ["\ud83c", "a\udfb5b"])
def test_half_a_character_is_no_text(form, half):
    with pytest.raises(FormatError):
        form.encode(Song("id", half, "", 1, "", 1, "", (Note("A4", 1.0),)))


@each_format
def test_encode_takes_songs_and_decode_takes_bytes(form):
    with pytest.raises(TypeError, match="takes a Song"):
        form.encode({"id": "fur-elise"})
    with pytest.raises(TypeError, match="is bytes"):
        form.decode("fur-elise")


# Formats without a schema: any value

SCHEMALESS = [form for form in FORMATS.values() if form.pack]
each_schemaless = pytest.mark.parametrize("form", SCHEMALESS, ids=[one.name for one in SCHEMALESS])
NOON = datetime(2026, 1, 5, 12, 30, 15, 123456, UTC)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@each_schemaless
@given(value=st.dictionaries(st.text(max_size=5), VALUES, max_size=4))
def test_any_dictionary_comes_back(form, value):
    if form.name == "BSON" and "\0" in repr_of_names(value):
        with pytest.raises(FormatError):
            form.unpack(form.pack(value))
    else:
        back = form.unpack(form.pack(value))
        assert back == value
        assert list(back) == list(value), "the order of the names"


def repr_of_names(value) -> str:
    if isinstance(value, dict):
        return "".join([*value, *map(repr_of_names, value.values())])
    return "".join(map(repr_of_names, value)) if isinstance(value, list) else ""


def outcome(form, value):
    """What becomes of a value: the value that comes back, or "refused"."""
    try:
        return form.unpack(form.pack({"value": value}))["value"]
    except FormatError:
        return "refused"


LOST = {
    # value: what comes back from JSON, MessagePack, CBOR, BSON; True stands for the value itself
    2**53 + 1: (True, True, True, True),
    2**63: (True, True, True, "refused"),
    2**64: (True, "refused", True, "refused"),
    -(2**63) - 1: (True, "refused", True, "refused"),
    b"\x00\xff": ("refused", True, True, True),
    math.inf: ("refused", True, True, True),
    NOON: ("refused", True, True, NOON.replace(microsecond=123000)),
    NOON.astimezone(timezone(timedelta(hours=1))): ("refused", True, True, NOON.replace(microsecond=123000)),
    None: (True, True, True, True),
}  # fmt: skip


@pytest.mark.parametrize("value", LOST, ids=[str(value) for value in LOST])
def test_what_each_can_and_cannot_carry(value):
    for form, expected in zip(SCHEMALESS, LOST[value], strict=True):
        assert outcome(form, value) == (value if expected is True else expected), form.name


@each_schemaless
def test_nan(form):
    back = outcome(form, math.nan)
    assert back == "refused" if form.name == "JSON" else math.isnan(back)


def test_who_keeps_the_zone_of_a_time():
    there = NOON.astimezone(timezone(timedelta(hours=1)))
    kept = {form.name: outcome(form, there).utcoffset() for form in SCHEMALESS[1:]}
    assert kept == {
        "MessagePack": timedelta(0),
        "CBOR": timedelta(hours=1),
        "BSON": timedelta(0),
    }


@each_schemaless
def test_missing_is_not_null(form):
    assert form.unpack(form.pack({"pitch": None})) == {"pitch": None}
    assert form.unpack(form.pack({})) == {}
    assert form.pack({"pitch": None}) != form.pack({})


@each_schemaless
def test_one_is_not_one_point_zero(form):
    for value in (1, 1.0, True):
        assert type(outcome(form, value)) is type(value)


def test_protocol_buffers_do_not_tell_missing_from_empty_unless_optional():
    form = FORMATS["Protocol Buffers"]
    bare = form.decode(b"\n\x02id")
    assert (bare.title, bare.year, bare.melody) == ("", 0, ())
    assert form.decode(form.encode(bare)) == bare
    notes = (Note(None, 1.0), Note("", 1.0))
    assert form.decode(form.encode(Song("id", "", "", 0, "", 0, "", notes))).melody == notes
