"""Send a part of something: the Range request (RFC 9110, section 14)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fastapi import Request, Response

from ._problems import Problem

_ONE_RANGE = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.IGNORECASE)


def parse_range(field: str, length: int) -> tuple[int, int] | None:
    """Read a Range field that asks for one range of bytes.

    Args:
        field: the field's value, such as ``"bytes=0-99"``, ``"bytes=100-"`` or ``"bytes=-50"``.
        length: how many bytes there are.

    Returns:
        The first byte and the byte after the last, or ``None`` where the whole is to be sent: a
        server may ignore a Range that is malformed or asks for several parts (section 14.2).

    Raises:
        Problem: 416, the range begins after the end (section 15.5.17).
    """
    match = _ONE_RANGE.fullmatch(field)
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:  # "bytes=-50": the last 50 bytes
        wanted = _number(last)
        start, end = max(0, length - wanted), length
        satisfiable = wanted > 0 and length > 0
    else:
        start = _number(first)
        end = min(_number(last) + 1, length) if last else length
        if last and _number(last) < start:
            return None
        satisfiable = start < length
    if not satisfiable:
        headers = {"Content-Range": f"bytes */{length}"}
        raise Problem(416, "range-not-satisfiable", headers, length=length)
    return start, end


def _number(digits: str) -> int:
    # int() refuses thousands of digits, and so many are beyond the end of any file anyway
    return int(digits.lstrip("0")[:4000] or "0")


def ranged_response(
    request: Request, body: bytes, media_type: str, etag: str, headers: dict[str, str]
) -> Response:
    """Answer with the whole (200), the part asked for (206) or word that it is unchanged (304).

    If-None-Match comes first (RFC 9110, section 13.2.2); If-Range has to name the very version
    that is here, else the whole is sent (section 13.1.5). Only GET knows ranges (section 14.2).

    Raises:
        Problem: 416, the range begins after the end.
    """
    headers = {**headers, "Accept-Ranges": "bytes", "ETag": etag}
    if _matches(request.headers.getlist("if-none-match"), etag):
        return Response(None, 304, headers)
    field = request.headers.get("range")
    same_version = request.headers.get("if-range", etag) == etag
    part = None
    if field and same_version and request.method == "GET":
        part = parse_range(field, len(body))
    if part is None:
        return Response(body, 200, headers, media_type)
    start, end = part
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(body)}"
    return Response(body[start:end], 206, headers, media_type)


def _matches(fields: Sequence[str], etag: str) -> bool:
    """Whether If-None-Match names this version, by the weak comparison (RFC 9110, 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in ",".join(fields).split(",")]
    return "*" in tags or etag in tags
