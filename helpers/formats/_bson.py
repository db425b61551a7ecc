"""BSON (bsonspec.org, version 1.1), with the package bson of pymongo.

A message is always a document, never a bare list or number. What it can't carry: whole numbers
beyond 64 bits, names with a zero byte; times lose what is finer than a millisecond, and their zone.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from ..music import Song
from ._errors import FormatError
from ._fields import fields_of, song_of
from ._limits import DEEPEST, checked, deeper

NAME = "BSON"
MEDIA_TYPE = "application/bson"


def encode(song: Song) -> bytes:
    """The song as a document.

    Raises:
        FormatError: BSON can't carry one of its values.
    """
    return pack(fields_of(song))


def decode(data: bytes) -> Song:
    """The song in a document.

    Raises:
        FormatError: the bytes are no BSON, or no song.
    """
    return song_of(unpack(data), NAME)


def pack(value: Any) -> bytes:
    """A dictionary of values that BSON knows.

    Raises:
        FormatError: it does not know them.
    """
    import bson
    import bson.errors

    try:
        return bson.encode(value)
    except (bson.errors.BSONError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise FormatError(f"{NAME} can't carry this: {str(error).rstrip('.')}.") from error


def unpack(data: bytes) -> dict[str, Any]:
    """The document in a BSON message; times come in UTC.

    Raises:
        FormatError: it is no BSON, it has more or fewer bytes than it should, a name comes twice,
            or it is nested deeper than `DEEPEST`.
    """
    import bson
    import bson.errors
    from bson.codec_options import CodecOptions

    options: CodecOptions[_Once] = CodecOptions(document_class=_Once, tz_aware=True)
    data = checked(data, NAME)
    try:
        value = _plain(bson.decode(data, options))
    except FormatError:
        raise
    except (bson.errors.BSONError, ValueError, OverflowError, TypeError, RecursionError) as error:
        raise FormatError(f"{NAME}: {str(error).rstrip('.')}.") from error
    if deeper(value):
        raise FormatError(f"{NAME}: nested deeper than {DEEPEST}.")
    return value


class _Once(MutableMapping[str, Any]):
    """What bson fills with a document's fields: a name that comes twice is an error."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self._fields:
            raise FormatError(f"{NAME}: the name {name[:40]!r} comes twice in one document.")
        self._fields[name] = value

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]

    def __delitem__(self, name: str) -> None:
        del self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


def _plain(value: Any) -> Any:
    if isinstance(value, _Once):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
