"""A melody in one line, for formats that know nothing but text: ``E5:0.25 D#5:0.25 R:1``."""

from __future__ import annotations

import math
import re

from ..music import Note
from ._errors import FormatError

_WORD = re.compile(r"(R|[^\s:]+):([0-9.e+-]+)")


def written(melody: tuple[Note, ...], name: str) -> str:
    """PITCH:BEATS for each note, parted by blanks; R is a rest.

    Args:
        melody: the notes.
        name: the format's name, for the error.

    Raises:
        FormatError: a pitch holds a blank or a colon, or is the letter R, which is a rest.
    """
    words = []
    for note in melody:
        pitch = "R" if note.pitch is None else note.pitch
        word = f"{pitch}:{note.beats!r}"
        if note.pitch == "R" or not _WORD.fullmatch(word):
            raise FormatError(f"{name} can't carry the pitch {note.pitch!r} in a line of notes.")
        words.append(word)
    return " ".join(words)


def read(line: str, name: str) -> tuple[Note, ...]:
    """The notes in a line.

    Raises:
        FormatError: a word is not PITCH:BEATS.
    """
    notes = []
    for word in line.split():
        found = _WORD.fullmatch(word)
        try:
            beats = float(found[2]) if found else math.nan
        except ValueError:
            beats = math.nan
        if not found or not math.isfinite(beats):
            raise FormatError(f"{name}: {word[:40]!r} is no note such as E5:0.25.")
        notes.append(Note(None if found[1] == "R" else found[1], beats))
    return tuple(notes)
