"""Which part of a file a request asks for (RFC 9110, section 14.2)."""

import re
from collections.abc import Mapping
from decimal import Decimal


def byte_range(headers: Mapping[str, str], size: int) -> tuple[int, int] | None:
    """The first byte and the one after the last; None if the whole file is to be sent."""
    found = re.fullmatch("bytes=([0-9]*)-([0-9]*)", headers.get("Range", ""), re.IGNORECASE)
    if found is None or found[0].endswith("=-") or "If-Range" in headers:
        return None
    first, last = found.groups()  # as Decimal: int() refuses more than 4,300 digits
    if not first:
        return size - int(min(Decimal(last), size)), size
    if last and Decimal(last) < Decimal(first):
        return None
    return int(min(Decimal(first), size)), int(min(Decimal(last or size), size - 1)) + 1
