"""The widget's JavaScript does what pymongo's bson does: the same bytes, and the same document back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import bson
import pytest
from bson import json_util
from bson.datetime_ms import DatetimeMS
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from helpers.widgets import BsonBytes
from helpers.widgets.bson_bytes import SONG
from tests.widgets.conftest import Node, node_with

SPECIAL = frozenset(json_util._PARSERS_SET)  # in Extended JSON these names are no fields
INT32 = (-(2**31), 2**31 - 1)
INT64 = (-(2**63), 2**63 - 1)
LAST_DATE = 253_402_300_799_999  # milliseconds: the end of the year 9999
CODEC = bson.CodecOptions(datetime_conversion=bson.DatetimeConversion.DATETIME_MS)
OPTIONS = {"datetime_conversion": bson.DatetimeConversion.DATETIME_MS}
RELAXED = json_util.JSONOptions(json_mode=json_util.JSONMode.RELAXED, **OPTIONS)
CANONICAL = json_util.JSONOptions(json_mode=json_util.JSONMode.CANONICAL, **OPTIONS)

texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(["\ufeffx", "a\0b", "\u2028", "é🎵"]),  # a BOM is a character like others
)
names = st.one_of(
    st.sampled_from(["_id", "title", "10", "2", "__proto__", "constructor", "$set", "a.b", ""]),
    texts.map(lambda text: text.replace("\0", "")),
).filter(lambda name: name not in SPECIAL)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(*INT32),
    st.integers(*INT64).map(bson.Int64),
    st.integers(-3, 3).map(bson.Int64),
    st.sampled_from([*INT32, INT32[0] - 1, INT32[1] + 1, *INT64]),
    st.floats(allow_nan=False),
    st.sampled_from([float("nan"), float("inf"), -0.0, 1e16, 1e-5, 123456789012345680.0]),
    texts,
    st.binary(min_size=12, max_size=12).map(bson.ObjectId),
    st.integers(-LAST_DATE, LAST_DATE).map(DatetimeMS),
    st.integers(*INT64).map(DatetimeMS),
    st.binary(max_size=20),
    st.builds(bson.Binary, st.binary(max_size=20), st.sampled_from([0, 1, 3, 4, 5, 128, 255])),
    st.builds(bson.Timestamp, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
    st.sampled_from([bson.MinKey(), bson.MaxKey()]),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=12), st.dictionaries(names, inner, max_size=4)
    ),
    max_leaves=12,
)
documents = st.dictionaries(names, values, max_size=6)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("bson")
    with node_with(BsonBytes._esm, "bson_bytes_node.mjs", folder) as call:
        yield call


def in_order(document: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The fields as pymongo writes them: `_id` before all others."""
    return sorted(document.items(), key=lambda field: field[0] != "_id")


def all_fields(fields: list[tuple[str, Any]], path: str = "") -> Iterator[tuple[str, str, Any]]:
    """(path, name, value) of each field, in the order of the bytes."""
    for name, value in fields:
        own = f"{path}{name}"
        yield own, name, value
        if isinstance(value, Mapping):
            yield from all_fields(list(value.items()), f"{own}.")
        elif isinstance(value, list):
            yield from all_fields([(str(at), one) for at, one in enumerate(value)], f"{own}.")


def element(name: str, value: Any) -> bytes:
    """One field alone, with type and name."""
    return bson.encode({name: value})[4:-1]


@settings(max_examples=400)
@given(documents, st.booleans(), st.sampled_from([None, 0, 2]))
def test_javascript_encodes_as_pymongo_does(
    node: Node, document: dict[str, Any], escaped: bool, indent: int | None
) -> None:
    exact = json_util.dumps(document, json_options=CANONICAL, ensure_ascii=escaped, indent=indent)
    assert bytes.fromhex(node("encode", exact)) == bson.encode(document)
    relaxed = json_util.dumps(document, json_options=RELAXED, ensure_ascii=escaped)
    again = json_util.loads(relaxed, json_options=RELAXED)
    assert bytes.fromhex(node("encode", relaxed)) == bson.encode(again)


@settings(max_examples=400)
@given(documents)
def test_javascript_takes_apart_what_pymongo_encodes(node: Node, document: dict[str, Any]) -> None:
    encoded = bson.encode(document)
    found = node("dissect", encoded.hex())
    parts, fields = found["parts"], found["fields"]

    ends = [0, *(part["end"] for part in parts)]
    assert [part["start"] for part in parts] == ends[:-1], "each byte once, in order"
    assert ends[-1] == len(encoded)
    assert all(part["start"] < part["end"] for part in parts)

    assert bytes.fromhex(found["again"]) == encoded
    assert found["compact"] == json_util.dumps(
        bson.decode(encoded, CODEC),
        json_options=RELAXED,
        ensure_ascii=False,
        separators=(",", ":"),
    )

    expected = list(all_fields(in_order(document)))
    assert [field["path"] for field in fields] == ["", *(path for path, _, _ in expected)]
    whole, *rest = fields
    assert (whole["start"], whole["end"]) == (0, len(encoded))
    for at, (field, (_, name, value)) in enumerate(zip(rest, expected, strict=True), 1):
        assert encoded[field["start"] : field["end"]] == element(name, value)
        own = [part for part in parts if part["field"] == at]
        kind, *others = [(part["role"], encoded[part["start"] : part["end"]]) for part in own]
        assert kind == ("type", encoded[field["start"] : field["start"] + 1])
        if name:
            assert others.pop(0) == ("name", name.encode())
        assert others.pop(0) == ("terminator", b"\0")
        assert [role for role, _ in others] == roles_of(value), field["kind"]


def roles_of(value: Any) -> list[str]:
    """The roles of a value's own bytes, by the specification."""
    match value:
        case None | bson.MinKey() | bson.MaxKey():
            return []
        case str():
            return ["length", *(["value"] if value else []), "terminator"]
        case bytes():
            return ["length", "type", *(["value"] if value else [])]
        case list() | dict():
            return ["length", "terminator"]
        case bson.ObjectId():
            return ["value"] * 3
        case bson.Timestamp():
            return ["value"] * 2
    return ["value"]


@settings(max_examples=300)
@given(documents)
def test_the_page_shows_what_pymongo_says(node: Node, document: dict[str, Any]) -> None:
    text = json_util.dumps(document, json_options=CANONICAL, ensure_ascii=False)
    encoded = bson.encode(document)
    assume(len(encoded) <= 2048)
    found = node("bson", text)
    widget = BsonBytes(text)
    assert bytes.fromhex(found["bytes"]) == widget.bytes == encoded
    assert found["parts"] == node("dissect", encoded.hex())["parts"]


PIECES = [
    "{", "}", "[", "]", ",", ":", '"', "1", "-", ".5", "e9", "true", "nul", "\\", "\\u00e9", " ",
    "\n", "$oid", "$date", '"a":', "é", "🎵",
]  # fmt: skip
BASE = [
    SONG,
    '{"a": {"$numberLong": "7"}, "b": {"$numberDouble": "NaN"}, "c": [1, -0, 1e5, 2.50]}',
    '{"b": {"$binary": {"base64": "AQID", "subType": "00"}}, "t": {"$timestamp": {"t": 1, "i": 2}}}',
]


@settings(max_examples=600)
@given(st.data())
def test_text_with_errors_is_judged_as_python_judges_it(node: Node, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(BASE))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        gone = data.draw(st.integers(0, 2))
        text = text[:at] + data.draw(st.sampled_from(["", *PIECES])) + text[at + gone :]
    found = node("bson", text)
    try:
        encoded = BsonBytes(text).bytes
    except ValueError:
        assert "bad" in found, text
        return
    if "bad" not in found:
        assert bytes.fromhex(found["bytes"]) == encoded, text
    else:  # the page is stricter about what pymongo guesses at, and about nothing else
        assert any(f'"{name}"' in text for name in SPECIAL), (text, found["bad"])


@pytest.mark.parametrize(
    "written",
    [
        "2024-01-12T20:15:00.250Z", "2024-01-12T20:15:00.5Z", "1970-01-01T00:00:00Z",
        "2024-02-29T23:59:59.999+05:30", "2024-01-01T00:30:00-0100", "1969-12-31T23:59:59.001Z",
        "0099-03-01T12:00:00Z", "9999-12-31T23:59:59.999Z",
    ],
)  # fmt: skip
def test_dates_are_read_alike(node: Node, written: str) -> None:
    text = json.dumps({"at": {"$date": written}})
    assert bytes.fromhex(node("encode", text)) == BsonBytes(text).bytes


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("05000000", "a 00 byte ends the whole document"),
        ("0600000000", "the whole document has another length than it says"),
        ("050000000000", "something follows after the end of the document"),
        ("0700000006610000", "no type 06 is known here"),
        ("0c0000001061000100000000ff", "something follows after the end"),
        ("0c00000010610001", "the bytes end too early"),
        ("0a0000000861000200", "a bool is 00 or 01"),
        ("0e0000000261000000000000", "the bytes end too early"),
        ("050000", "the bytes end too early"),
    ],
)
def test_bytes_that_are_no_bson_are_refused(node: Node, digits: str, words: str) -> None:
    assert words in node("dissect", digits)["bad"]
