"""The readers written by hand: public vectors, the libraries, and bytes that mean harm."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.formats import (
    FORMATS,
    Extension,
    FormatError,
    read_fields,
    read_json,
    read_messagepack,
)
from helpers.formats._protobuf_reader import packed, signed, varint, zigzag
from helpers.music import SONGS, find_song
from tests.formats.test_hostile import HOSTILE

VECTORS = Path(__file__).parent / "vectors"

# JSON: Nicolas Seriot's JSONTestSuite

SUITE = {
    name: one["text"].encode() if "text" in one else base64.b64decode(one["base64"])
    for name, one in json.loads((VECTORS / "json_test_suite.json").read_text("utf-8")).items()
}
SUITE["n_structure_100000_opening_arrays"] = b"[" * 100_000
SUITE["n_structure_open_array_object"] = b'[{"":' * 50_000 + b"\n"


def test_the_json_suite_is_complete():
    kinds = [name[0] for name in SUITE]
    assert [kinds.count(kind) for kind in "yni"] == [95, 188, 35]


@pytest.mark.parametrize("name", [name for name in SUITE if name[0] == "y"])
def test_json_that_must_be_accepted(name):
    assert read_json(SUITE[name]) == json.loads(SUITE[name])


@pytest.mark.parametrize("name", [name for name in SUITE if name[0] == "n"])
def test_json_that_must_be_refused(name):
    with pytest.raises(FormatError):
        read_json(SUITE[name])


@pytest.mark.parametrize("name", [name for name in SUITE if name[0] == "i"])
def test_json_that_may_be_either(name):
    try:
        value = read_json(SUITE[name])
    except FormatError:
        return
    assert value == json.loads(SUITE[name])


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON_VALUES = st.recursive(
    PLAIN | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(value=JSON_VALUES, indent=st.none() | st.integers(0, 3), ascii_only=st.booleans())
def test_json_of_any_value(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert same(read_json(text.encode()), value)


def same(one: Any, other: Any) -> bool:
    """Equal, and of equal types: 1 is not 1.0 and not True."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[k], other[k]) for k in one)
    return one == other and (
        not isinstance(one, float) or math.copysign(1, one) == math.copysign(1, other)
    )


@settings(max_examples=500)
@given(text=st.text(alphabet='[]{}",:\\u019eE+-.truefalsn \t\nd8', max_size=20))
def test_json_agrees_with_python_on_any_text(text):
    try:
        expected = json.loads(text, parse_constant=lambda word: 1 / 0)
    except (ValueError, ZeroDivisionError):
        with pytest.raises(FormatError):
            read_json(text.encode())
        return
    try:
        value = read_json(text.encode())
    except FormatError:
        assert "inf" in repr(expected) or "\\ud" in repr(expected)
    else:
        assert value == expected


@given(data=st.binary(max_size=60))
def test_readers_never_fall_over(data):
    for read in (read_json, read_messagepack, lambda raw: list(read_fields(raw))):
        try:
            read(data)
        except FormatError as error:
            assert str(error).endswith(".")


@pytest.mark.parametrize(
    ("read", "name"),
    [(read_json, "JSON"), (read_messagepack, "MessagePack"),
     (lambda raw: list(read_fields(raw)), "Protocol Buffers")],
    ids=["JSON", "MessagePack", "Protocol Buffers"],
)  # fmt: skip
def test_attacks_on_the_readers(read, name):
    for data in HOSTILE[name]:
        try:
            read(data)
        except FormatError as error:
            assert len(str(error)) < 600


# MessagePack: Yusuke Kawasaki's msgpack-test-suite

CASES = [
    (case, raw)
    for cases in json.loads((VECTORS / "msgpack_test_suite.json").read_text("utf-8")).values()
    for case in cases
    for raw in case["msgpack"]
]


def expected_of(case: dict[str, Any]) -> Any:
    if "binary" in case:
        return bytes.fromhex(case["binary"].replace("-", ""))
    if "ext" in case:
        kind, data = case["ext"]
        return Extension(kind, bytes.fromhex(data.replace("-", "")))
    if "bignum" in case:
        return int(case["bignum"])
    return next(case[name] for name in case if name not in ("msgpack", "timestamp"))


@pytest.mark.parametrize(("case", "raw"), CASES, ids=[raw[:24] for _, raw in CASES])
def test_messagepack_as_the_suite_says(case, raw):
    value = read_messagepack(bytes.fromhex(raw.replace("-", "")))
    if "timestamp" in case:
        assert value.kind == -1
        assert msgpack.Timestamp.from_bytes(value.data) == msgpack.Timestamp(*case["timestamp"])
    else:
        assert value == expected_of(case)


@given(value=st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False)
    | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(0, 9), inner),
    max_leaves=20,
))  # fmt: skip
def test_messagepack_of_any_value(value):
    assert same(read_messagepack(msgpack.packb(value)), value)


# Protocol Buffers: the examples of its documentation, "Encoding"


@pytest.mark.parametrize(
    ("raw", "number"), [("00", 0), ("01", 1), ("9601", 150), ("ac02", 300), ("8e02", 270)]
)
def test_varints(raw, number):
    assert varint(bytes.fromhex(raw)) == (number, len(raw) // 2)


def test_negative_numbers_take_ten_bytes():
    raw = bytes.fromhex("feffffffffffffffff01")
    assert (signed(varint(raw)[0]), signed(varint(raw)[0], 32)) == (-2, -2)


@pytest.mark.parametrize(
    ("written", "number"),
    [(0, 0), (1, -1), (2, 1), (3, -2), (0xFFFFFFFE, 0x7FFFFFFF), (0xFFFFFFFF, -0x80000000)],
)
def test_zigzag(written, number):
    assert zigzag(written) == number


def test_messages_of_the_documentation():
    assert [one[:3] for one in read_fields(bytes.fromhex("089601"))] == [(1, 0, 150)]
    assert [one[:3] for one in read_fields(b"\x12\x07testing")] == [(2, 2, b"testing")]
    (inner,) = read_fields(bytes.fromhex("1a03089601"))
    assert inner[:2] == (3, 2) and next(read_fields(inner.value)).value == 150
    (repeated,) = read_fields(bytes.fromhex("3206038e029ea705"))
    assert packed(repeated.value) == [3, 270, 86942]


@pytest.mark.parametrize(
    "raw", ["00", "07", "0b", "0c", "80", "0a05", "09aa", "0d01", "ff" * 10 + "01"]
)
def test_no_messages(raw):
    with pytest.raises(FormatError):
        list(read_fields(bytes.fromhex(raw)))


def test_songs_are_read_without_a_schema():
    for song in SONGS:
        data = FORMATS["Protocol Buffers"].encode(song)
        found = list(read_fields(data))
        assert b"".join(one.raw for one in found) == data
        by_number = {one.number: one.value for one in found}
        assert (by_number[1], by_number[4]) == (song.id.encode(), song.year)
        assert sum(one.number == 8 for one in found) == len(song.melody)


def test_what_is_not_known_can_be_kept():
    song = find_song("fur-elise")
    data = FORMATS["Protocol Buffers"].encode(song) + b"\xf8\x06\x2a"
    kept = b"".join(one.raw for one in read_fields(data) if one.number > 9)
    assert kept == b"\xf8\x06\x2a"
