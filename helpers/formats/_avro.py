"""Avro (specification 1.12), with fastavro: the values alone, in the order of the schema.

No names and no types travel, so a reader without the writer's schema can do nothing with the
bytes. What it can't carry: whatever the schema does not name; whole numbers beyond 32 or 64 bits,
as the schema says.
"""

from __future__ import annotations

import json
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from ..music import Song
from ._errors import FormatError
from ._fields import fields_of, song_of
from ._limits import checked

NAME = "Avro"
MEDIA_TYPE = "avro/binary"
SCHEMA: dict[str, Any] = json.loads((Path(__file__).parent / "song.avsc").read_text("utf-8"))
"""What a song is, in Avro's own words."""


def encode(song: Song) -> bytes:
    """The song's values, as `SCHEMA` orders them.

    Raises:
        FormatError: a value does not fit its type in the schema.
    """
    import fastavro

    fields, stream = fields_of(song), BytesIO()
    try:
        fastavro.schemaless_writer(stream, _schema(), fields, strict=True)
    except (ValueError, TypeError, OverflowError) as error:
        raise FormatError(f"{NAME} can't carry this: {str(error).rstrip('.')}.") from error
    return stream.getvalue()


def decode(data: bytes) -> Song:
    """The song in such values.

    Raises:
        FormatError: the bytes do not fit the schema.
    """
    import fastavro

    stream = BytesIO(checked(data, NAME))
    try:
        fields = fastavro.schemaless_reader(stream, _schema(), None)
    except (ValueError, TypeError, OverflowError, EOFError, IndexError, MemoryError) as error:
        words = str(error).rstrip(".") or "the bytes end too early"
        raise FormatError(f"{NAME}: {words}.") from error
    if left := len(stream.read()):
        raise FormatError(f"{NAME}: {left} bytes are left behind the song.")
    return song_of(fields, NAME)


@cache
def _schema() -> Any:
    import fastavro

    return fastavro.parse_schema(SCHEMA)
