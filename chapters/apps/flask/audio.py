"""Which part of a file a request asks for (RFC 9110, section 14.2)."""

import re
from decimal import Decimal

from werkzeug.datastructures import Headers


def byte_range(headers: Headers, size: int) -> tuple[int, int] | None:
    """The first byte and the one after the last; None if the whole file is to be sent."""
    found = re.fullmatch("bytes=([0-9]*)-([0-9]*)", headers.get("Range", ""), re.IGNORECASE)
    if found is None or found[0].endswith("=-") or "If-Range" in headers:
        return None
    first, last = found.groups()
    if not first:
        return max(size - number(last), 0), size
    if last and number(last) < number(first):
        return None
    return number(first), min(number(last or size), size - 1) + 1


def number(digits: str | int) -> int:
    return int(Decimal(digits))  # int() alone refuses more than 4300 digits
