"""The body of a request, read as JSON."""

import json


def read_json(body: bytes) -> object:
    """The value that it stands for; ValueError if it is not JSON in UTF-8."""
    text = body.decode("utf-8-sig")
    try:
        return json.loads(text, parse_int=number, parse_float=number, parse_constant=not_json)
    except RecursionError:
        return None  # JSON, and too deep to be a song


def number(text: str) -> int | float:
    """As in JavaScript: of any length, and 1810.0 is 1810."""
    value = float(text)
    return int(value) if value.is_integer() else value


def not_json(word: str) -> None:
    raise ValueError(f"{word} is not JSON")  # Python would read NaN and Infinity
