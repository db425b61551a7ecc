"""A reader for the wire format of Protocol Buffers, written by hand.

A message is a row of fields, each a tag and a value. The tag is a varint: the field's number, and
in its last three bits the wire type, which says how long the value is. No names, no real types:
those are in the schema (Protocol Buffers documentation, "Encoding").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ._errors import FormatError
from ._limits import checked

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""The wire types. 3 and 4, the groups of old, are refused."""


class Field(NamedTuple):
    """A field as it stands on the wire.

    Attributes:
        number: which field it is; the schema knows its name.
        wire_type: `VARINT`, `FIXED64`, `BYTES` or `FIXED32`.
        value: a whole number from 0 to 2^64 - 1, or bytes.
        raw: all its bytes, with the tag. Whoever does not know a field can keep it by these.
    """

    number: int
    wire_type: int
    value: int | bytes
    raw: bytes


def read_fields(data: bytes) -> Iterator[Field]:
    """Each field of a message, in the order of the wire.

    Raises:
        FormatError: the bytes are no message; the message says where.
    """
    data = checked(data, "Protocol Buffers")
    at = 0
    while at < len(data):
        begin = at
        tag, at = varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if number == 0 or number >= 1 << 29:
            raise FormatError(f"Protocol Buffers: no field has the number {number}, at {begin}.")
        if wire_type not in _READERS:
            raise FormatError(f"Protocol Buffers: wire type {wire_type} at {begin} is not read.")
        value, at = _READERS[wire_type](data, at)
        yield Field(number, wire_type, value, data[begin:at])


def varint(data: bytes, at: int = 0) -> tuple[int, int]:
    """A whole number, seven bits a byte, the lowest first, and the place behind it.

    Raises:
        FormatError: it has no last byte, or more than ten, or more than 64 bits.
    """
    number = 0
    for place, byte in enumerate(data[at : at + 10]):
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            if number >= 1 << 64:
                raise FormatError(f"Protocol Buffers: the number at {at} has more than 64 bits.")
            return number, at + place + 1
    raise FormatError(f"Protocol Buffers: the number at {at} has no end.")


def signed(number: int, bits: int = 64) -> int:
    """The value of an int32 or int64, which is written in two's complement."""
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >= 1 << (bits - 1) else number


def zigzag(number: int) -> int:
    """The value of a sint32 or sint64: 0, -1, 1, -2, 2 are written as 0, 1, 2, 3, 4."""
    return (number >> 1) ^ -(number & 1)


def packed(data: bytes) -> list[int]:
    """The numbers of a packed repeated field: varints, one behind the other.

    Raises:
        FormatError: the last one has no end.
    """
    numbers, at = [], 0
    while at < len(data):
        number, at = varint(data, at)
        numbers.append(number)
    return numbers


def _bytes(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = varint(data, at)
    return _exactly(data, at, size)


def _exactly(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    if at + size > len(data):
        raise FormatError(f"Protocol Buffers: {size:,} bytes should follow at {at}, and fewer do.")
    return data[at : at + size], at + size


_READERS: dict[int, Callable[[bytes, int], tuple[int | bytes, int]]] = {
    VARINT: varint,
    FIXED64: lambda data, at: _exactly(data, at, 8),
    BYTES: _bytes,
    FIXED32: lambda data, at: _exactly(data, at, 4),
}
