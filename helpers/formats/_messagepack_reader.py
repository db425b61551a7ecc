"""A reader for MessagePack, written by hand (the specification: github.com/msgpack/msgpack, spec.md).

The first byte of a value says its type, and for short values also its length.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import calcsize, unpack_from
from typing import Any, NamedTuple

from ._errors import FormatError
from ._limits import DEEPEST_BY_HAND, checked


class Extension(NamedTuple):
    """A value of a type that MessagePack leaves to others; -1 is a time.

    Attributes:
        kind: -128 to 127; below 0 it belongs to the specification.
        data: its bytes.
    """

    kind: int
    data: bytes


_NUMBERS = {
    0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
    0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
_WORDS = {0xC0: None, 0xC2: False, 0xC3: True}
# the type, and how its length is written
_LENGTHS = {
    0xC4: ("bytes", ">B"), 0xC5: ("bytes", ">H"), 0xC6: ("bytes", ">I"),
    0xC7: ("extension", ">B"), 0xC8: ("extension", ">H"), 0xC9: ("extension", ">I"),
    0xD9: ("text", ">B"), 0xDA: ("text", ">H"), 0xDB: ("text", ">I"),
    0xDC: ("array", ">H"), 0xDD: ("array", ">I"),
    0xDE: ("map", ">H"), 0xDF: ("map", ">I"),
}  # fmt: skip


def read_messagepack(data: bytes) -> Any:
    """The value in a MessagePack message.

    Raises:
        FormatError: the bytes are no MessagePack; the message says where.
    """
    data = checked(data, "MessagePack")
    try:
        value, at = messagepack_value(data, 0)
    except RecursionError:
        raise FormatError(f"MessagePack: nested deeper than {DEEPEST_BY_HAND}.") from None
    if at < len(data):
        raise FormatError(f"MessagePack: {len(data) - at} bytes are left behind the value.")
    return value


def messagepack_value(data: bytes, at: int, depth: int = 0) -> tuple[Any, int]:
    """The value that begins here, and the place behind it."""
    if depth > DEEPEST_BY_HAND:
        raise FormatError(f"MessagePack: nested deeper than {DEEPEST_BY_HAND}.")
    first, at = _number(data, at, ">B")
    if first < 0x80:  # a small number is its own type byte
        return first, at
    if first >= 0xE0:
        return first - 0x100, at
    if first in _WORDS:
        return _WORDS[first], at
    if first in _NUMBERS:
        return _number(data, at, _NUMBERS[first])
    if first < 0xC0:  # short maps, arrays and texts have their length in the type byte
        kind = "map" if first < 0x90 else "array" if first < 0xA0 else "text"
        size = first & (0x1F if kind == "text" else 0x0F)
    elif 0xD4 <= first <= 0xD8:
        kind, size = "extension", 1 << (first - 0xD4)
    elif first in _LENGTHS:
        kind, form = _LENGTHS[first]
        size, at = _number(data, at, form)
    else:
        raise FormatError(f"MessagePack: byte {at - 1} is c1, which is never used.")
    return _READERS[kind](data, at, size, depth)


def _number(data: bytes, at: int, form: str) -> tuple[Any, int]:
    behind = at + calcsize(form)
    if behind > len(data):
        raise FormatError(f"MessagePack: the bytes end in the middle of a value, at {at}.")
    return unpack_from(form, data, at)[0], behind


def _bytes(data: bytes, at: int, size: int, depth: int) -> tuple[bytes, int]:
    if at + size > len(data):
        raise FormatError(f"MessagePack: {size:,} bytes should follow at {at}, and fewer do.")
    return data[at : at + size], at + size


def _text(data: bytes, at: int, size: int, depth: int) -> tuple[str, int]:
    raw, behind = _bytes(data, at, size, depth)
    try:
        return raw.decode(), behind
    except UnicodeDecodeError:
        raise FormatError(f"MessagePack: the text at {at} is no UTF-8.") from None


def _extension(data: bytes, at: int, size: int, depth: int) -> tuple[Extension, int]:
    kind, at = _number(data, at, ">b")
    raw, behind = _bytes(data, at, size, depth)
    return Extension(kind, raw), behind


def _array(data: bytes, at: int, size: int, depth: int) -> tuple[list[Any], int]:
    values = []
    for _ in range(size):
        value, at = messagepack_value(data, at, depth + 1)
        values.append(value)
    return values, at


def _map(data: bytes, at: int, size: int, depth: int) -> tuple[dict[Any, Any], int]:
    members = {}
    for _ in range(size):
        name, at = messagepack_value(data, at, depth + 1)
        if isinstance(name, list | dict):
            raise FormatError("MessagePack: a name is no list and no map, for Python.")
        members[name], at = messagepack_value(data, at, depth + 1)
    return members, at


_READERS: dict[str, Callable[[bytes, int, int, int], tuple[Any, int]]] = {
    "bytes": _bytes,
    "text": _text,
    "extension": _extension,
    "array": _array,
    "map": _map,
}
