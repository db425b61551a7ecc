"""CSV (RFC 4180), with Python's own csv: a line of names, and a line of values.

What it can't carry: a list inside a field, so the melody is a line of notes of our own and each
alias a column of its own; types; nothing as against an empty text. The names of the columns are
there only because the first line says so.
"""

from __future__ import annotations

import csv
from io import StringIO

from ..music import Song
from ._errors import FormatError
from ._limits import checked
from ._texts import song_from, texts_of

NAME = "CSV"
MEDIA_TYPE = "text/csv; charset=utf-8; header=present"


def encode(song: Song) -> bytes:
    """Two records: the names of the fields, and their values.

    Raises:
        FormatError: a value holds half a character (a surrogate).
    """
    names, values = zip(*texts_of(song, NAME), strict=True)
    stream = StringIO(newline="")
    csv.writer(stream, lineterminator="\r\n").writerows([names, values])
    try:
        return stream.getvalue().encode()
    except UnicodeEncodeError as error:
        raise FormatError(f"{NAME} can't carry half a character, it is UTF-8 here.") from error


def decode(data: bytes) -> Song:
    """The song in two records.

    Raises:
        FormatError: there are more or fewer, of different lengths, or they are no song.
    """
    try:
        text = checked(data, NAME).decode()
        records = list(csv.reader(StringIO(text, newline=""), strict=True))
    except UnicodeDecodeError as error:
        raise FormatError(f"{NAME} is UTF-8 here, and byte {error.start} is not.") from error
    except csv.Error as error:
        raise FormatError(f"{NAME}: {error}.") from error
    if len(records) != 2:
        raise FormatError(f"{NAME}: a song has two lines, names and values, not {len(records)}.")
    names, values = records
    if len(names) != len(values):
        raise FormatError(f"{NAME}: {len(names)} names and {len(values)} values.")
    if not text.endswith("\r\n"):
        raise FormatError(f"{NAME}: the last line has no end, so something is missing.")
    return song_from(zip(names, values, strict=True), NAME)
