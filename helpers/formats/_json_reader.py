"""A reader for JSON, written by hand: all of RFC 8259 in one page.

It accepts what the grammar accepts, a name that comes twice too (the last one wins), and refuses
everything else. Beyond the grammar it refuses what no Python value is: half a character
(section 8.2), numbers beyond a float's range (section 6), and nesting deeper than `DEEPEST_BY_HAND`
(section 9 allows such limits).
"""

from __future__ import annotations

import math
import re
from typing import Any, NoReturn

from ._errors import FormatError
from ._limits import DEEPEST_BY_HAND, checked

_BLANKS = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_CODE = re.compile(r"[0-9a-fA-F]{4}")
_WORDS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}
_ESCAPES = dict(zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True))


def read_json(data: bytes) -> Any:
    """The value in a JSON text in UTF-8.

    Raises:
        FormatError: the bytes are no JSON text; the message says where.
    """
    try:
        text = checked(data, "JSON").decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"JSON is UTF-8, and byte {error.start} is not.") from None
    value, at = json_value(text, 0)
    if at < len(text):
        _fail(text, at, "the end")
    return value


def json_value(text: str, at: int, depth: int = 0) -> tuple[Any, int]:
    """The value that begins here, blanks before it allowed, and the place behind it and its blanks."""
    at = _BLANKS.match(text, at).end()
    first = text[at : at + 1]
    if first == "{":
        value, at = _object(text, at + 1, depth + 1)
    elif first == "[":
        value, at = _array(text, at + 1, depth + 1)
    elif first == '"':
        value, at = _string(text, at + 1)
    elif first in _WORDS and text.startswith(_WORDS[first][0], at):
        word, value = _WORDS[first]
        at += len(word)
    else:
        value, at = _number(text, at)
    return value, _BLANKS.match(text, at).end()


def _object(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    members: dict[str, Any] = {}
    at, more = _begin(text, at, "}", depth)
    while more:
        at = _BLANKS.match(text, at).end()
        name, at = _string(text, _expect(text, at, '"'))
        at = _expect(text, _BLANKS.match(text, at).end(), ":")
        members[name], at = json_value(text, at, depth)
        at, more = _next(text, at, "}")
    return members, at


def _array(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    values = []
    at, more = _begin(text, at, "]", depth)
    while more:
        value, at = json_value(text, at, depth)
        values.append(value)
        at, more = _next(text, at, "]")
    return values, at


def _begin(text: str, at: int, close: str, depth: int) -> tuple[int, bool]:
    """The place of the first member, and whether there is one."""
    if depth > DEEPEST_BY_HAND:
        raise FormatError(f"JSON: nested deeper than {DEEPEST_BY_HAND}.")
    at = _BLANKS.match(text, at).end()
    return (at + 1, False) if text[at : at + 1] == close else (at, True)


def _next(text: str, at: int, close: str) -> tuple[int, bool]:
    """The place behind the comma or the closing bracket, and whether it was a comma."""
    if text[at : at + 1] == ",":
        return at + 1, True
    return _expect(text, at, close), False


def _string(text: str, at: int) -> tuple[str, int]:
    """The string whose opening quote stands before this place."""
    parts = []
    while True:
        plain = _PLAIN.match(text, at)
        parts.append(plain[0])
        at = plain.end()
        if text[at : at + 1] == '"':
            value = "".join(parts)
            return value, at + 1
        at = _expect(text, at, "\\")
        part, at = _escaped(text, at)
        parts.append(part)


def _escaped(text: str, at: int) -> tuple[str, int]:
    """The character that an escape stands for; `at` is behind the backslash."""
    letter = text[at : at + 1]
    if letter in _ESCAPES:
        return _ESCAPES[letter], at + 1
    code, at = _code(text, at)
    if 0xD800 <= code < 0xDC00 and text.startswith("\\u", at):
        low, behind = _code(text, at + 1)
        if 0xDC00 <= low < 0xE000:
            return chr(0x10000 + (code - 0xD800) * 0x400 + low - 0xDC00), behind
    if 0xD800 <= code < 0xE000:
        _fail(text, at - 6, "a whole character, and this is half of one")
    return chr(code), at


def _code(text: str, at: int) -> tuple[int, int]:
    digits = _CODE.match(text, _expect(text, at, "u"))
    if not digits:
        _fail(text, at + 1, "four hexadecimal digits")
    return int(digits[0], 16), digits.end()


def _number(text: str, at: int) -> tuple[int | float, int]:
    found = _NUMBER.match(text, at)
    if not found:
        _fail(text, at, "a value")
    if found[1] is None and found[2] is None:
        try:
            return int(found[0]), found.end()
        except ValueError:
            _fail(text, at, "a number of fewer digits")
    number = float(found[0])
    if math.isinf(number):
        _fail(text, at, "a number within the range of a float")
    return number, found.end()


def _expect(text: str, at: int, character: str) -> int:
    if text[at : at + 1] != character:
        _fail(text, at, f"{character} ")
    return at + 1


def _fail(text: str, at: int, wanted: str) -> NoReturn:
    there = repr(text[at : at + 10]) if at < len(text) else "the end"
    raise FormatError(f"JSON: at character {at} is {there}, expected {wanted.strip()}.")
