"""CBOR (RFC 8949), with cbor2.

It carries what Python has: bytes, times with their zone (tag 0), whole numbers of any size (tag 2
and 3), NaN. A map may not hold a name twice (section 5.6).
"""

from __future__ import annotations

from typing import Any

import cbor2

from ..music import Song
from ._errors import FormatError
from ._fields import fields_of, song_of
from ._limits import DEEPEST, checked

NAME = "CBOR"
MEDIA_TYPE = "application/cbor"


def encode(song: Song) -> bytes:
    """The song as a map.

    Raises:
        FormatError: a text holds half a character (a surrogate).
    """
    return pack(fields_of(song))


def decode(data: bytes) -> Song:
    """The song in a CBOR map.

    Raises:
        FormatError: the bytes are no CBOR, or no song.
    """
    return song_of(unpack(data), NAME)


def pack(value: Any) -> bytes:
    """Any value that CBOR knows.

    Raises:
        FormatError: it does not know it.
    """
    try:
        return cbor2.dumps(value)
    except (cbor2.CBORError, TypeError, ValueError, RecursionError) as error:
        raise FormatError(f"{NAME} can't carry this: {error}.") from error


def unpack(data: bytes) -> Any:
    """The value in a CBOR message.

    Raises:
        FormatError: it is no CBOR, it has more or fewer bytes than it should, a name comes twice,
            or it is nested deeper than `DEEPEST`.
    """
    from io import BytesIO

    stream = BytesIO(checked(data, NAME))
    decoder = cbor2.CBORDecoder(
        stream,
        max_depth=DEEPEST,
        allow_duplicate_keys=False,
        strict_hashable_types=True,
        read_size=1,
    )
    try:
        value = decoder.decode()
    except (cbor2.CBORError, ValueError, OverflowError, TypeError, RecursionError) as error:
        raise FormatError(f"{NAME}: {str(error).rstrip('.')}.") from error
    if left := len(stream.read()):
        raise FormatError(f"{NAME}: {left} bytes are left behind the value.")
    return value
