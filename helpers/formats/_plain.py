"""Plain text: one line a field, ``title: Für Elise``, and an empty line at the end.

A rule of our own, so nobody but us can read it. What it can't carry: line breaks in a value (a new
line is a new field), and types: all is text, and the reader has to know what is a number.
"""

from __future__ import annotations

from ..music import Song
from ._errors import FormatError
from ._limits import checked
from ._texts import song_from, texts_of

NAME = "plain text"
MEDIA_TYPE = "text/plain; charset=utf-8"


def encode(song: Song) -> bytes:
    """One line for each field, and one for each alias.

    Raises:
        FormatError: a value holds a line break, or half a character (a surrogate).
    """
    pairs = texts_of(song, NAME)
    for field, value in pairs:
        if value.splitlines() not in ([], [value]):  # whatever some reader takes for a line's end
            raise FormatError(f"{NAME} can't carry this {field}: it has a line break.")
    try:
        return "".join(f"{field}: {value}\n" for field, value in pairs).encode() + b"\n"
    except UnicodeEncodeError as error:
        raise FormatError(f"{NAME} can't carry half a character, it is UTF-8.") from error


def decode(data: bytes) -> Song:
    """The song in such lines.

    Raises:
        FormatError: a line is no field, or the fields are no song.
    """
    try:
        text = checked(data, NAME).decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"{NAME} is UTF-8 here, and byte {error.start} is not.") from error
    if not text.endswith("\n\n"):
        raise FormatError(f"{NAME}: no empty line at the end, so something is missing.")
    pairs = []
    for line in text[:-2].split("\n"):
        field, colon, value = line.partition(": ")
        if not colon:
            raise FormatError(f"{NAME}: {line[:40]!r} is no line such as title: Für Elise.")
        pairs.append((field, value))
    return song_from(pairs, NAME)
