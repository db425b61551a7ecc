"""Messages made of a list of fields: the bytes are those of protoc's own classes."""

from __future__ import annotations

import pytest

from helpers.calling import compile_proto
from helpers.formats import message_class


def test_the_bytes_are_those_of_protocs_class():
    fields = {1: ("title", "string"), 2: ("year", "sint32"), 9: ("plays", "repeated int64")}
    lines = "".join(f"{kind} {name} = {number};" for number, (name, kind) in fields.items())
    made, _ = compile_proto(
        f"syntax = 'proto3'; package versions; message Message {{ {lines} }}", "versions"
    )
    values = {"title": "Für Elise", "year": -1810, "plays": [1, 300, -1]}
    ours = message_class(fields)(**values).SerializeToString()
    assert ours == made.Message(**values).SerializeToString()
    assert message_class(fields).FromString(ours).plays == [1, 300, -1]


def test_versions_live_beside_each_other():
    old = message_class({1: ("title", "string")})
    new = message_class({1: ("title", "string"), 2: ("language", "string")})
    sent = new(title="Elise", language="de").SerializeToString()
    assert old.FromString(sent).SerializeToString() == sent, "unknown fields are kept"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({0: ("a", "string")}, "not 0"),
        ({1 << 29: ("a", "string")}, "1 to 536,870,911"),
        ({"1": ("a", "string")}, "not '1'"),
        ({1: ("a", "strin")}, "'strin' is no type"),
        ({1: ("a", "message")}, "'message' is no type"),
        ({1: ("a b", "string")}, "can't be the fields"),
        ({1: ("a", "string"), 2: ("a", "string")}, "can't be the fields"),
    ],
)
def test_what_no_message_has(fields, said):
    with pytest.raises(ValueError, match=said):
        message_class(fields)
