"""MessagePack, with msgpack (the specification: github.com/msgpack/msgpack, spec.md).

What it can't carry: whole numbers below -2^63 or from 2^64 on. Times are its extension type -1,
with nanoseconds since 1970 and no time zone. A map may hold a name twice; that is refused here.
"""

from __future__ import annotations

from typing import Any

import msgpack

from ..music import Song
from ._errors import FormatError
from ._fields import fields_of, song_of
from ._limits import DEEPEST, checked, deeper

NAME = "MessagePack"
MEDIA_TYPE = "application/vnd.msgpack"

_AS_DATETIME = 3


def encode(song: Song) -> bytes:
    """The song as a map.

    Raises:
        FormatError: MessagePack can't carry one of its values.
    """
    return pack(fields_of(song))


def decode(data: bytes) -> Song:
    """The song in a MessagePack map.

    Raises:
        FormatError: the bytes are no MessagePack, or no song.
    """
    return song_of(unpack(data), NAME)


def pack(value: Any) -> bytes:
    """Any value that MessagePack knows.

    Raises:
        FormatError: it does not know it.
    """
    try:
        return msgpack.packb(value, datetime=True)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise FormatError(f"{NAME} can't carry this: {error}.") from error


def unpack(data: bytes) -> Any:
    """The value in a MessagePack message.

    Raises:
        FormatError: it is no MessagePack, it has more or fewer bytes than it should, a name comes
            twice, or it is nested deeper than `DEEPEST`.
    """
    data = checked(data, NAME)
    try:
        value = msgpack.unpackb(data, timestamp=_AS_DATETIME, object_pairs_hook=_once)
    except msgpack.ExtraData as error:
        raise FormatError(f"{NAME}: {len(error.extra)} bytes are left behind the value.") from error
    except FormatError:
        raise
    except (ValueError, OverflowError, TypeError, RecursionError, msgpack.UnpackException) as error:
        words = str(error) or type(error).__name__
        raise FormatError(f"{NAME}: {words.rstrip('.')}.") from error
    if deeper(value):
        raise FormatError(f"{NAME}: nested deeper than {DEEPEST}.")
    return value


def _once(members: list[tuple[Any, Any]]) -> dict[Any, Any]:
    found = dict(members)
    if len(found) < len(members):
        raise FormatError(f"{NAME}: a name comes twice in one map.")
    return found
