"""JSON (RFC 8259), with Python's own json.

What it can't carry: bytes, times, NaN and infinities; it does not tell 1.0 from 1, nor a missing
member from one that is null unless the reader looks. Whole numbers may be of any size, but many
readers keep only those up to 2^53 exactly (section 6). Names that come twice are allowed by the
grammar and unpredictable in practice (section 4), so they are refused here.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from ..music import Song
from ._errors import FormatError
from ._fields import fields_of, song_of
from ._limits import DEEPEST, checked

NAME = "JSON"
MEDIA_TYPE = "application/json"

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def encode(song: Song) -> bytes:
    """The song as a JSON object, without blanks between its parts.

    Raises:
        FormatError: a text holds half a character (a surrogate).
    """
    return pack(fields_of(song))


def decode(data: bytes) -> Song:
    """The song in a JSON text.

    Raises:
        FormatError: the text is no JSON, or no song.
    """
    return song_of(unpack(data), NAME)


def pack(value: Any) -> bytes:
    """Any value that JSON knows, as UTF-8.

    Raises:
        FormatError: JSON does not know it.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise FormatError(f"{NAME} can't carry this: {error}.") from error


def unpack(data: bytes) -> Any:
    """The value in a JSON text.

    Raises:
        FormatError: it is no JSON, a name comes twice, a number is beyond a float's range, or it
            is nested deeper than `DEEPEST`.
    """
    try:
        text = checked(data, NAME).decode()
        if _depth(text) > DEEPEST:
            raise FormatError(f"{NAME}: nested deeper than {DEEPEST}.")
        return json.loads(
            text, object_pairs_hook=_once, parse_constant=_refuse, parse_float=_finite
        )
    except UnicodeDecodeError as error:
        raise FormatError(f"{NAME} is UTF-8, and byte {error.start} is not.") from error
    except FormatError:
        raise
    except ValueError as error:
        raise FormatError(f"{NAME}: {error}.") from error


def _depth(text: str) -> int:
    """How deep the brackets go that are not inside of strings."""
    depth = deepest = 0
    for character in _STRING.sub("", text):
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise FormatError(f"{NAME}: the name {twice[:40]!r} comes twice in one object.")
    return found


def _refuse(word: str) -> None:
    raise FormatError(f"{NAME} has no {word}.")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise FormatError(f"{NAME}: {digits[:40]} is beyond the range of a float.")
    return number
