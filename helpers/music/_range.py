"""Send a part of something: the Range request (RFC 9110, section 14)."""

from __future__ import annotations

import re

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
    return int(digits[:19])  # more digits than any file has bytes; int() refuses thousands of them


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
    if _matches(request.headers.get("if-none-match"), etag):
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


def _matches(field: str | None, etag: str) -> bool:
    """Whether If-None-Match names this version, by the weak comparison (RFC 9110, 13.1.2)."""
    if field is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in field.split(",")]
    return "*" in tags or etag in tags
