"""All formats, by name."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from ..music import Song
from . import _avro, _bson, _cbor, _csv, _json, _messagepack, _plain, _protobuf, _xml


class Format(NamedTuple):
    """A way to write a song.

    Attributes:
        name: as people say it.
        media_type: for the HTTP header ``Content-Type``.
        encode: takes a song, gives bytes.
        decode: takes bytes, gives the song.
        pack, unpack: the same for any value, where the format needs no schema; else None.
    """

    name: str
    media_type: str
    encode: Callable[[Song], bytes]
    decode: Callable[[bytes], Song]
    pack: Callable[[Any], bytes] | None
    unpack: Callable[[bytes], Any] | None


def _format(module: ModuleType) -> Format:
    pack, unpack = getattr(module, "pack", None), getattr(module, "unpack", None)
    return Format(module.NAME, module.MEDIA_TYPE, module.encode, module.decode, pack, unpack)


_MODULES = (_plain, _csv, _json, _xml, _messagepack, _cbor, _bson, _avro, _protobuf)
FORMATS: dict[str, Format] = {module.NAME: _format(module) for module in _MODULES}
"""Each format by its name: first those that are text, then the binary ones."""
