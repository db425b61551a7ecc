"""What keeps a hostile message harmless: how long it may be, and how deep."""

from __future__ import annotations

from ._errors import FormatError

LARGEST = 1024 * 1024
"""Bytes that a message may have. Reading takes time and memory in proportion to them."""

DEEPEST = 32
"""How many containers a message may have one inside the other."""

DEEPEST_BY_HAND = 200
"""The same for the readers written by hand, which take all that the public vectors hold."""


def checked(data: bytes, name: str) -> bytes:
    """The message, if it is bytes and not too long.

    Args:
        data: the message.
        name: the format's name, for the error.

    Raises:
        TypeError: it is not bytes.
        FormatError: it has more than `LARGEST` bytes.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"A message in {name} is bytes, not {type(data).__name__}.")
    if len(data) > LARGEST:
        raise FormatError(f"{name}: {len(data):,} bytes are more than the {LARGEST:,} we read.")
    return bytes(data)


def deeper(value: object, left: int = DEEPEST) -> bool:
    """Whether lists and dictionaries are nested deeper than `left`."""
    if not isinstance(value, list | tuple | dict):
        return False
    if left == 0:
        return True
    inner = value.values() if isinstance(value, dict) else value
    return any(deeper(one, left - 1) for one in inner)
