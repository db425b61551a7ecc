"""A song as texts only, for formats without types: each field a name and a text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..music import Song
from . import _notation
from ._errors import FormatError
from ._fields import NAMES, fields_of, song_of

_WHOLE = re.compile(r"-?[0-9]{1,640}")
"""Python reads no more than 4,300 digits, and nobody writes a year with more than 640."""


def texts_of(song: Song, name: str) -> list[tuple[str, str]]:
    """Each field's name and text; a song with three aliases has three fields named alias.

    Raises:
        FormatError: the melody can't be written as a line.
    """
    fields = fields_of(song)
    aliases = [("alias", alias) for alias in fields.pop("aliases")]
    fields["melody"] = _notation.written(song.melody, name)
    return [(field, str(value)) for field, value in fields.items()] + aliases


def song_from(pairs: Iterable[tuple[str, str]], name: str) -> Song:
    """The song with these fields.

    Raises:
        FormatError: a field is missing, unknown, comes twice, or is no number where it should be.
    """
    fields: dict[str, object] = {"aliases": (aliases := [])}
    for field, text in pairs:
        if field == "alias":
            aliases.append(text)
        elif field in fields or field == "aliases":
            raise FormatError(f"{name}: {field[:40]} comes twice.")
        elif field in ("year", "tempo"):
            if not _WHOLE.fullmatch(text):
                raise FormatError(f"{name}: {field} is a whole number, not {text[:40]!r}.")
            fields[field] = int(text)
        else:
            fields[field] = text
    if "melody" in fields:
        notes = _notation.read(str(fields["melody"]), name)
        fields["melody"] = [{"pitch": note.pitch, "beats": note.beats} for note in notes]
    return song_of({key: fields[key] for key in (*NAMES, *fields) if key in fields}, name)
