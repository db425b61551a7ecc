"""What may go into a store: one set of rules, so that all five engines refuse the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ..music import Listen, Song

SEARCHABLE: dict[str, type] = {
    "id": str,
    "title": str,
    "composer": str,
    "year": int,
    "key": str,
    "tempo": int,
    "genre": str,
}
"""The fields of a song that `find` can look for, with their types."""

FIELDS = (*SEARCHABLE, "melody")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT32, _INT64 = 2**31, 2**63


def document_of(song: Song | Mapping[str, Any]) -> dict[str, Any]:
    """The song as a dictionary with the fields of `FIELDS`, each checked.

    Raises:
        TypeError: it is no song, or a field has the wrong type.
        ValueError: a field is missing, unknown, or has a value that no store can keep.
    """
    if isinstance(song, Song):
        song = song.as_dict()
    if not isinstance(song, Mapping):
        raise TypeError(
            f"songs: a song is a Song or a dictionary of its fields, not {_show(song)}."
        )
    for name in song:
        if name not in FIELDS:
            raise ValueError(f"A song has no field {_show(name)}. It has {', '.join(FIELDS)}.")
    for name in FIELDS:
        if name not in song:
            raise ValueError(f"The song has no {name}. A song has {', '.join(FIELDS)}.")
    checked = {name: checked_field(name, song[name]) for name in SEARCHABLE}
    return {**checked, "melody": _melody(song["melody"])}


def checked_field(name: str, value: Any) -> str | int:
    """The value of one searchable field, or TypeError or ValueError."""
    if SEARCHABLE[name] is str:
        return text(name, value)
    return whole_number(name, value, -_INT32, _INT32 - 1)


def checked_search(fields: Mapping[str, Any]) -> dict[str, str | int]:
    """What `find` is asked for, or TypeError or ValueError."""
    for name in fields:
        if name == "melody":
            raise ValueError("melody cannot be searched: find compares text and whole numbers.")
        if name not in SEARCHABLE:
            raise ValueError(f"A song has no field {name!r}. find knows {', '.join(SEARCHABLE)}.")
    return {name: checked_field(name, value) for name, value in fields.items()}


def checked_listen(listen: Listen) -> Listen:
    """The listen, its time in UTC; or TypeError or ValueError, which name what is wrong."""
    if not isinstance(listen, Listen):
        raise TypeError(f"listens: a Listen each, not {_show(listen)}.")
    whole_number("id", listen.id, 0, _INT64 - 1)
    text("listener", listen.listener)
    text("song_id", listen.song_id)
    whole_number("seconds", listen.seconds, 0, _INT32 - 1)
    if not isinstance(listen.at, datetime):
        raise TypeError(f"at is a datetime, not {_show(listen.at)}.")
    if listen.at.utcoffset() is None:
        raise ValueError("at has no time zone, so nobody knows when it was: add tzinfo=UTC.")
    if listen.at.microsecond % 1000:
        raise ValueError("at is in whole milliseconds: MongoDB and Cassandra keep no finer time.")
    if listen.at.tzinfo is UTC:
        return listen
    try:
        at = listen.at.astimezone(UTC)
    except OverflowError:
        raise ValueError("at is outside the years 1 to 9999 in UTC.") from None
    return Listen(listen.id, listen.listener, listen.song_id, at, listen.seconds)


def text(name: str, value: Any) -> str:
    """The value, if it is text that every engine can keep; else TypeError or ValueError."""
    if not isinstance(value, str):
        raise TypeError(f"{name} is text, not {_show(value)}.")
    if not value:
        raise ValueError(f"{name} is empty.")
    if "\0" in value:
        raise ValueError(f"{name} holds a NUL character, which PostgreSQL cannot keep in a text.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} holds half a character (a surrogate), not UTF-8.") from None
    return str(value)


def whole_number(name: str, value: Any, low: int, high: int) -> int:
    """The value, if it is a whole number from `low` to `high`; else TypeError or ValueError."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} is a whole number, not {_show(value)}.")
    if not low <= value <= high:
        raise ValueError(f"{name} is from {low} to {high}, not {value}.")
    return int(value)


def milliseconds(at: datetime) -> int:
    """A time as milliseconds since 1970-01-01 in UTC, exactly."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _melody(notes: Any) -> list[dict[str, Any]]:
    if not isinstance(notes, list | tuple):
        raise TypeError(f"melody is a list of notes, not {_show(notes)}.")
    return [_note(place, note) for place, note in enumerate(notes)]


def _note(place: int, note: Any) -> dict[str, Any]:
    where = f"melody[{place}]"
    if not isinstance(note, Mapping):
        raise TypeError(f"{where} is a dictionary with pitch and beats, not {_show(note)}.")
    if set(note) != {"pitch", "beats"}:
        raise ValueError(f"{where} has the fields pitch and beats and no other.")
    pitch, beats = note["pitch"], note["beats"]
    if pitch is not None:
        pitch = text(f"{where}: pitch", pitch)
    if not isinstance(beats, int | float) or isinstance(beats, bool):
        raise TypeError(f"{where}: beats is a number, not {_show(beats)}.")
    if not 0 < beats <= 1e6 or not math.isfinite(beats):
        raise ValueError(f"{where}: beats is more than 0 and at most 1,000,000, not {beats}.")
    return {"pitch": pitch, "beats": float(beats)}


def _show(value: Any) -> str:
    """A value as an error message shows it: short."""
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
