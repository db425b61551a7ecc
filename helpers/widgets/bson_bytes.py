"""The widget of chapter 4: a document as Extended JSON, and its BSON bytes taken apart.

The page encodes by itself, in ``bson_bytes_codec.js``, so that the widget is alive without Python.
With Python, pymongo's ``bson`` says what the bytes are; ``tests/widgets`` holds the two together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import anywidget
import traitlets

from ._module import module_text, read, without_comments

SONG = """{
  "_id": {"$oid": "65a19d94e4b0c1a2b3d4e5f6"},
  "title": "Für Elise",
  "year": 1810,
  "composer": {"name": "Ludwig van Beethoven", "born": 1770},
  "tags": ["piano", "bagatelle"],
  "tempo": 72.5,
  "added": {"$date": "2024-01-12T20:15:00Z"},
  "public": true,
  "lyrics": null,
  "plays": 5000000000
}"""
"""The document that the widget begins with: a value of each kind that chapter 4 speaks of."""
LARGEST = 2048  # bytes of a document
LONGEST_TEXT = 20_000  # characters of its text
NOT_SHOWN = (
    "$code", "$dbPointer", "$numberDecimal", "$ref", "$regex", "$regularExpression", "$symbol",
    "$undefined", "$uuid",
)  # fmt: skip
"""Names that Extended JSON gives a meaning, of types that the picture leaves out."""

_MODULES = (
    "dom.js",
    "bytes.js",
    "bson_bytes_json.js",
    "bson_bytes_codec.js",
    "bson_bytes_panel.js",
    "bson_bytes.js",
)


class BsonBytes(anywidget.AnyWidget):
    """See a document's BSON bytes, point at them, edit the document, and see the bytes follow.

    Args:
        document: text in MongoDB's Extended JSON (version 2), or a mapping as pymongo takes it.

    Attributes:
        document: the text, as the reader edits it. Text that is no document is not taken: the
            page says why, and in Python it raises ``traitlets.TraitError``.

    Raises:
        TypeError: the document is neither text nor a mapping.
        ValueError: it is no document, or one that the picture does not show.
    """

    _esm = without_comments(module_text(*_MODULES))
    _css = read("bson_bytes.css")

    document = traitlets.Unicode(SONG).tag(sync=True)

    def __init__(self, document: str | Mapping[str, Any] = SONG) -> None:
        if isinstance(document, Mapping):
            document = _as_text(document)
        elif not isinstance(document, str):
            raise TypeError(
                "BsonBytes takes a document as text in Extended JSON or as a mapping, "
                f"and this is {type(document).__name__}."
            )
        _encoded(document)
        super().__init__(document=document)

    @property
    def bytes(self) -> bytes:
        """The document in BSON, as pymongo encodes it.

        Raises:
            ModuleNotFoundError: pymongo, of which ``bson`` is a part, is not here.
        """
        encoded = _encoded(self.document)
        if encoded is None:
            raise ModuleNotFoundError(
                "The bytes in Python need the package pymongo, which is not here. "
                "The picture shows them without it."
            )
        return encoded

    @traitlets.validate("document")
    def _is_a_document(self, proposal: dict[str, Any]) -> str:
        try:
            _encoded(proposal["value"])
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None
        return proposal["value"]


def _encoded(text: str) -> bytes | None:
    """The document in BSON, or None where pymongo is not; raises ValueError, with a sentence."""
    if len(text) > LONGEST_TEXT:
        raise ValueError(
            f"This text has {len(text)} characters, and the picture takes up to {LONGEST_TEXT}."
        )
    try:
        import bson
        from bson import json_util
    except ModuleNotFoundError:
        return None
    # Dates far away, which datetime does not reach, are allowed in BSON.
    options = json_util.JSONOptions(datetime_conversion=bson.DatetimeConversion.DATETIME_AUTO)

    def value_of(pairs: list[tuple[str, Any]]) -> Any:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise _Unusable(f"The field {name!r} is here for the second time.")
            if name in NOT_SHOWN:
                raise _Unusable(
                    f"{name} has a meaning in Extended JSON that this picture does not show."
                )
            found[name] = value
        return json_util.object_hook(found, options)

    def no_json(word: str) -> Any:
        raise _Unusable(f'JSON has no {word}: write {{"$numberDouble": "{word}"}}.')

    try:
        document = json.loads(text, object_pairs_hook=value_of, parse_constant=no_json)
        if not isinstance(document, dict):
            raise _Unusable("A document stands between braces, and has fields: {...}.")
        encoded = bson.encode(document)
    except _Unusable:
        raise
    except json.JSONDecodeError as error:
        raise ValueError(
            f"This is no JSON: line {error.lineno}, column {error.colno}: {error.msg}."
        ) from None
    except RecursionError:
        raise ValueError("There are too many documents in documents here.") from None
    except Exception as error:  # pymongo has many kinds, not all of them its own
        raise ValueError(f"BSON cannot hold this document: {error}") from None
    if len(encoded) > LARGEST:
        raise ValueError(
            f"This document takes {len(encoded)} bytes, and the picture shows up to {LARGEST}; "
            "MongoDB itself takes up to 16 MiB."
        )
    return encoded


class _Unusable(ValueError):
    """Its text is the sentence for the reader."""


def _as_text(document: Mapping[str, Any]) -> str:
    """A mapping as Extended JSON, one line a field; raises ValueError, with a sentence."""
    from bson import json_util

    try:
        lines = [
            f"  {json.dumps(name, ensure_ascii=False)}: "
            f"{json_util.dumps(value, ensure_ascii=False)}"
            for name, value in _keeping_int64(document).items()
        ]
    except (TypeError, ValueError) as error:
        raise ValueError(f"BSON cannot hold this document: {error}") from None
    return "{\n" + ",\n".join(lines) + "\n}" if lines else "{}"


def _keeping_int64(value: Any) -> Any:
    """A value in which each small Int64 says that it is one: relaxed JSON alone forgets it."""
    from bson import Int64

    if isinstance(value, Int64) and -(2**31) <= value < 2**31:
        return {"$numberLong": str(value)}
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                raise ValueError(f"a field's name is text, and {name!r} is none")
        return {name: _keeping_int64(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_keeping_int64(inner) for inner in value]
    return value
