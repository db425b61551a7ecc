"""A song as plain dictionaries, lists, texts and numbers, and back.

Formats that know such values carry a song in this form. What comes back is checked here, once for
all of them: whoever decodes a message from outside can rely on the types of a `Song`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..music import Note, Song
from ._errors import FormatError

_TEXTS = ("id", "title", "composer", "key", "genre")
_NUMBERS = ("year", "tempo")
NAMES = ("id", "title", "composer", "year", "key", "tempo", "genre", "melody", "aliases")
"""The fields of a song, in the order in which they are written."""


def fields_of(song: Song) -> dict[str, Any]:
    """The song's fields, by name.

    Raises:
        TypeError: it is not a `Song`.
    """
    if not isinstance(song, Song):
        raise TypeError(f"encode takes a Song, not {type(song).__name__}.")
    return {**song.as_dict(), "aliases": list(song.aliases)}


def song_of(fields: Any, name: str) -> Song:
    """The song with these fields.

    Args:
        fields: what a library made of a message; anything may be in it.
        name: the format's name, for the error.

    Raises:
        FormatError: a field is missing, unknown, or of the wrong type.
    """
    if not isinstance(fields, Mapping):
        raise FormatError(f"{name}: the message is no song, it is {_kind(fields)}.")
    for field in fields:
        if field not in NAMES:
            raise FormatError(f"{name}: a song has no field {str(field)[:40]!r}.")
    for field in NAMES:
        if field not in fields:
            raise FormatError(f"{name}: the song has no {field}.")
    for field in _TEXTS:
        _require(isinstance(fields[field], str), name, field, "text", fields[field])
    for field in _NUMBERS:
        _require(_whole(fields[field]), name, field, "a whole number", fields[field])
    for field in ("melody", "aliases"):
        _require(isinstance(fields[field], list), name, field, "a list", fields[field])
    for alias in fields["aliases"]:
        _require(isinstance(alias, str), name, "alias", "text", alias)
    values = {field: fields[field] for field in (*_TEXTS, *_NUMBERS)}
    return Song(
        **values,
        melody=tuple(_note(one, name) for one in fields["melody"]),
        aliases=tuple(fields["aliases"]),
    )


def _note(note: Any, name: str) -> Note:
    _require(isinstance(note, Mapping), name, "note", "an object", note)
    if set(note) != {"pitch", "beats"}:
        raise FormatError(f"{name}: a note has a pitch and beats, and nothing else.")
    pitch, beats = note["pitch"], note["beats"]
    _require(pitch is None or isinstance(pitch, str), name, "pitch", "text or nothing", pitch)
    number = _whole(beats) or isinstance(beats, float)
    _require(number and _finite(beats), name, "beats", "a number", beats)
    return Note(pitch, float(beats))


def _require(right: bool, name: str, field: str, wanted: str, value: Any) -> None:
    if not right:
        raise FormatError(f"{name}: {field} is {wanted}, not {_kind(value)}.")


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond the largest float
        return False


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, int) and value.bit_length() > 128:
        return "a very long number"  # Python writes no more than 4,300 digits
    if isinstance(value, str | int | float):
        return f"{type(value).__name__} {str(value)[:40]!r}"
    return type(value).__name__
