"""The Python side of the BSON widget, its words, and the module that the page gets."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Iterator
from typing import Any

import bson
import pytest
import traitlets

from helpers.widgets import BsonBytes
from helpers.widgets.bson_bytes import LARGEST, LONGEST_TEXT, NOT_SHOWN, SONG
from tests.widgets.conftest import Node, node_with

SEARCHED = {
    "_id": bson.ObjectId("65a19d94e4b0c1a2b3d4e5f6"),
    "title": "Für Elise",
    "year": 1810,
    "composer": {"name": "Ludwig van Beethoven", "born": 1770},
    "tags": ["piano", "bagatelle"],
    "tempo": 72.5,
    "added": datetime.datetime(2024, 1, 12, 20, 15),
    "public": True,
    "lyrics": None,
    "plays": bson.Int64(5_000_000_000),
}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("bson")
    with node_with(BsonBytes._esm, "bson_bytes_node.mjs", folder) as call:
        yield call


def test_it_begins_with_a_song() -> None:
    widget = BsonBytes()
    assert widget.document == SONG
    assert bson.decode(widget.bytes) == SEARCHED
    assert widget.bytes == bson.encode(SEARCHED)


def test_the_bytes_follow_the_document() -> None:
    widget = BsonBytes('{"year": 1810}')
    assert widget.bytes == bson.encode({"year": 1810})
    widget.document = '{"year": 1811, "tempo": 1.0}'
    assert widget.bytes == bson.encode({"year": 1811, "tempo": 1.0})


def test_a_mapping_becomes_text_with_one_line_a_field() -> None:
    widget = BsonBytes(SEARCHED)
    assert len(widget.document.splitlines()) == 12
    assert '  "title": "Für Elise",' in widget.document
    assert widget.bytes == bson.encode(SEARCHED)
    assert BsonBytes({}).bytes == bson.encode({})


def test_a_small_int64_stays_one() -> None:
    song = {"plays": bson.Int64(7), "days": [bson.Int64(-1), 1, {"n": bson.Int64(0)}]}
    assert BsonBytes(song).bytes == bson.encode(song)


def test_the_same_cell_can_run_twice() -> None:
    first, second = BsonBytes(), BsonBytes()
    first.document = "{}"
    assert second.document == SONG
    assert first.model_id != second.model_id
    first.close()
    first.close()


@pytest.mark.parametrize("document", [None, 7, [{"year": 1810}], b"{}"])
def test_what_is_neither_text_nor_mapping(document: Any) -> None:
    with pytest.raises(TypeError) as refused:
        BsonBytes(document)
    assert str(refused.value) == (
        "BsonBytes takes a document as text in Extended JSON or as a mapping, "
        f"and this is {type(document).__name__}."
    )


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ('{"year": }', "This is no JSON: line 1, column 10: Expecting value."),
        ("[1]", "A document stands between braces, and has fields: {...}."),
        ('{"$oid": "65a19d94e4b0c1a2b3d4e5f6"}', "A document stands between braces"),
        ('{"a": 1, "a": 2}', "The field 'a' is here for the second time."),
        ('{"a": NaN}', 'JSON has no NaN: write {"$numberDouble": "NaN"}.'),
        ('{"a": {"$uuid": ""}}', "$uuid has a meaning in Extended JSON that this picture"),
        ('{"a": 9223372036854775808}', "BSON cannot hold this document: MongoDB can only handle"),
        ('{"a": "\\ud800"}', "BSON cannot hold this document: "),
        ('{"a\\u0000": 1}', "BSON cannot hold this document: "),
        ('{"a": {"$oid": "65"}}', "BSON cannot hold this document: '65' is not a valid ObjectId"),
        ('{"a":' * 100_00 + "1" + "}" * 100_00, "This text has 60001 characters"),
        ('{"a":' * 3000 + "1" + "}" * 3000, "There are too many documents in documents here."),
        ('{"a": "' + "x" * 2048 + '"}', "This document takes 2061 bytes, and the picture shows"),
        ({1: "x"}, "BSON cannot hold this document: a field's name is text, and 1 is none"),
        ({"a": {1: "x"}}, "BSON cannot hold this document: a field's name is text, and 1"),
        ({"a": 2**70}, "BSON cannot hold this document: MongoDB can only handle"),
        ({"a": object()}, "BSON cannot hold this document: "),
    ],
)
def test_what_is_no_document_is_refused_with_a_reason(document: Any, words: str) -> None:
    with pytest.raises(ValueError) as refused:
        BsonBytes(document)
    assert str(refused.value).startswith(words)
    if isinstance(document, str):
        widget = BsonBytes()
        with pytest.raises(traitlets.TraitError) as unset:
            widget.document = document
        assert str(unset.value) == str(refused.value)
        assert widget.document == SONG


def test_without_pymongo_the_picture_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bson", None)
    widget = BsonBytes('{"year": 1810}')
    with pytest.raises(ModuleNotFoundError, match="need the package pymongo, which is not here"):
        _ = widget.bytes


def test_the_module_is_one_that_a_page_can_load(node: Node) -> None:
    names, kind_of_render = node("exports")
    assert kind_of_render == "function"
    assert {"default", "encode", "dissect", "readDocument"} <= set(names)
    for asked in ("import ", "http:", "https:", "fetch(", "eval("):
        assert asked not in BsonBytes._esm, asked


def test_both_sides_have_the_same_limits(node: Node) -> None:
    found = node("constants")
    assert (found["largest"], found["longest"]) == (LARGEST, LONGEST_TEXT)
    assert tuple(found["notShown"]) == NOT_SHOWN


@pytest.mark.parametrize(
    ("at", "path", "role", "how"),
    [
        (0, "", "length", "int32, little-endian: d5 00 00 00 = 213: the whole document takes"),
        (4, "_id", "type", "one byte: 07 = objectId"),
        (9, "_id", "value", "uint32, big-endian: 65 a1 9d 94 = 1705090452 seconds since 1970 ="),
        (13, "_id", "value", "5 bytes as they are: e4 b0 c1 a2 b3, one random number"),
        (18, "_id", "value", "3 bytes, big-endian: d4 e5 f6 = 13952502, one more"),
        (28, "title", "length", "int32, little-endian: 0b 00 00 00 = 11: so many bytes of text"),
        (32, "title", "value", 'UTF-8: 46 c3 bc 72 20 45 6c 69 73 65 = "Für Elise": 9 charac'),
        (42, "title", "terminator", "00 ends the text."),
        (44, "year", "name", 'UTF-8: 79 65 61 72 = "year"'),
        (48, "year", "terminator", "00 ends the name."),
        (49, "year", "value", "int32, little-endian: 12 07 00 00 = 1810"),
        (63, "composer", "length", "int32, little-endian: 2e 00 00 00 = 46: the document takes"),
        (120, "tags.0", "name", 'UTF-8: 30 = "0"'),
        (149, "tags", "terminator", "00 where the next type would stand: the array ends here."),
        (157, "tempo", "value", "64-bit floating point (IEEE 754), little-endian: 00 00 00 00 00"),
        (172, "added", "value", "int64, little-endian: a0 45 50 ff 8c 01 00 00 = 1705090500000 mi"),
        (188, "public", "value", "one byte: 01 = true"),
        (189, "lyrics", "type", "one byte: 0a = null. No bytes follow for the value: the type sa"),
        (204, "plays", "value", "int64, little-endian: 00 f2 05 2a 01 00 00 00 = 5000000000"),
        (
            212,
            "",
            "terminator",
            "00 where the next type would stand: the whole document ends here.",
        ),
    ],
)
def test_what_is_told_about_a_byte(node: Node, at: int, path: str, role: str, how: str) -> None:
    found = node("bson", SONG)
    (part,) = [one for one in found["parts"] if one["start"] <= at < one["end"]]
    assert (found["fields"][part["field"]]["path"], part["role"]) == (path, role)
    assert part["how"].startswith(how)


def test_what_is_told_about_a_field(node: Node) -> None:
    assert node("told", SONG, 3, None) == [
        "year (int32)",
        "10 bytes, bytes 43 to 52: type 1, field name 4, closing 00 1, value 4",
        "int32, little-endian: 12 07 00 00 = 1810.",
    ]
    assert node("told", SONG, 4, None) == [
        "composer (document)",
        "56 bytes, bytes 53 to 108: type 1, field name 8, closing 00 2, length 4, fields inside 41",
        "2 fields.",
    ]
    assert node("told", SONG, 0, None)[0] == "The whole document"
    assert node("told", '{"": ""}', 1, None) == [
        '"" (string)',
        "7 bytes, bytes 4 to 10: type 1, closing 00 2, length 4",
        "an empty value.",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Line 1, column 1: the text ends, and a value is missing."),
        ("{", "Line 1, column 2: the text ends, and a } is missing."),
        ('{"a": 1', "Line 1, column 8: the text ends, and a } is missing."),
        ('{\n  "a": 1\n  "b": 2}', "Line 3, column 3: a comma or a } is missing."),
        ('{"a": 1,}', "Line 1, column 8: there is a comma too many, as nothing follows it."),
        ('{"a": [1 2]}', "Line 1, column 10: a comma or a ] is missing."),
        ('{"a" 1}', "Line 1, column 6: a colon is missing after the field's name."),
        ('{"a":}', "Line 1, column 6: a value is missing."),
        ("{a: 1}", "Line 1, column 2: a field's name stands between double quotes."),
        ("{'a': 1}", "Line 1, column 2: a field's name stands between double quotes."),
        (
            "{\"a\": 'x'}",
            "Line 1, column 7: text stands between double quotes, not single ones.",
        ),
        ('{"a": x}', "Line 1, column 7: text stands between double quotes."),
        ('{"a": True}', "Line 1, column 7: JSON writes true, not True."),
        ('{"a": None}', "Line 1, column 7: JSON writes null, not None."),
        ('{"a": NaN}', 'Line 1, column 7: JSON has no NaN: write {"$numberDouble": "NaN"}.'),
        ('{"a": constructor}', "Line 1, column 7: text stands between double quotes."),
        ('{"a": 01}', "Line 1, column 7: this is no number as JSON writes it."),
        ('{"a": 1.}', "Line 1, column 7: this is no number as JSON writes it."),
        ('{"a": .5}', "Line 1, column 7: this is no number as JSON writes it."),
        ('{"a": #}', "Line 1, column 7: no value starts like this."),
        (
            '{"a": "x}',
            "Line 1, column 7: the text that starts here has no double quote at its end.",
        ),
        ('{"a": "\\x"}', "Line 1, column 8: JSON knows no \\x in a text: a backslash itself"),
        ('{"a": "\n"}', "Line 1, column 8: no line break or other control character stands"),
        ('{"a": "\\ud800"}', "Line 1, column 7: half a surrogate pair is no character, and UTF-8"),
        ('{"a": 1, "a": 2}', 'Line 1, column 10: the field "a" is here for the second time.'),
        ('{"a\\u0000": 1}', "Line 1, column 2: BSON ends a field's name with a 00 byte, so that"),
        ("{} 1", "Line 1, column 4: something follows after the end of the document."),
        ("[1]", "A document stands between braces: { and }."),
        ('{"$numberInt": "1"}', "A document has fields, each with a name and a value, and this is"),
        ('{"a": 9223372036854775808}', "Line 1, column 7: this whole number does not fit into 64"),
        ('{"a": {"$oid": "6"}}', "Line 1, column 7: an ObjectId is written with 24 hexadecimal"),
        ('{"a": {"$oid": "65a19d94e4b0c1a2b3d4e5f6", "b": 1}}', "Line 1, column 7: $oid stands al"),
        ('{"a": {"$numberInt": "3000000000"}}', "Line 1, column 7: an int32 is a whole number"),
        ('{"a": {"$numberLong": "1.5"}}', "Line 1, column 7: an int64 is written in digits"),
        ('{"a": {"$numberLong": 7}}', "Line 1, column 7: an int64 is written in digits"),
        ('{"a": {"$date": "2023-02-29T00:00:00Z"}}', "Line 1, column 7: there is no such day"),
        ('{"a": {"$date": "yesterday"}}', 'Line 1, column 7: a date is written like "2024-01-12'),
        ('{"a": {"$binary": "AQID"}}', "Line 1, column 7: binary data is written"),
        ('{"a": {"$timestamp": {"t": -1, "i": 1}}}', "Line 1, column 7: a timestamp is written"),
        ('{"a": {"$minKey": 2}}', 'Line 1, column 7: this is written {"$minKey": 1}.'),
        ('{"a": {"$numberDecimal": "1"}}', "Line 1, column 7: $numberDecimal has a meaning in Ex"),
        ('{"a":' * 101 + "1" + "}" * 101, "Line 1, column 506: MongoDB takes 100 levels of doc"),
        ("[" * 9000 + "]" * 9000, "Line 1, column 102: MongoDB takes 100 levels of documents in"),
        (" " * 20_001, "This text has 20001 characters, and the picture takes up to 20000."),
        ('{"a": "' + "x" * 2048 + '"}', "This document takes 2061 bytes, and the picture shows"),
    ],
)
def test_one_sentence_says_what_is_wrong(node: Node, text: str, sentence: str) -> None:
    said = node("bson", text)["bad"]
    assert said.startswith(sentence)
    assert said.endswith(".") and "\n" not in said


def test_100_levels_are_taken(node: Node) -> None:
    text = '{"a":' * 100 + "1" + "}" * 100
    assert bytes.fromhex(node("bson", text)["bytes"]) == BsonBytes(text).bytes
