"""An answer out of the cache: all of it, a part, or the word that the client's copy is still good."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ._cache_entry import Entry
from ._cache_fields import entity_tags, opaque, read_date
from ._framing import Field

if TYPE_CHECKING:
    from ._cache_request import CacheRequest

_ONE_RANGE = re.compile(rb"bytes=[\t ]*([0-9]{0,18})-([0-9]{0,18})[\t ]*", re.IGNORECASE)
_OF_A_BODY = frozenset(
    [b"content-length", b"content-type", b"content-encoding", b"content-range", b"content-md5"]
)

Reply = tuple[int, list[Field], bytes]  # status, fields, body


def reply(request: CacheRequest, entry: Entry, own: list[Field]) -> Reply:
    """What a client gets of an answer that is kept.

    Args:
        request: what the client asked.
        entry: the answer.
        own: the fields that the cache adds.
    """
    if entry.status == 200:
        if request.conditional and _is_good(request, entry):
            kept = [one for one in entry.passed_on if one[0] not in _OF_A_BODY]
            return 304, kept + own, b""
        if request.range and request.method == "GET" and _may_be_cut(request, entry):
            if part := _part(request.range, len(entry.body)):
                return _cut(entry, own, *part)
            if part is not None:
                fields = [one for one in entry.passed_on if one[0] in (b"date", b"via")]
                length = (b"content-range", b"bytes */%d" % len(entry.body))
                return 416, [*fields, length, (b"content-length", b"0"), *own], b""
    fields = entry.passed_on
    if entry.status != 204:
        length = (b"content-length", str(len(entry.body)).encode())
        fields = [*(one for one in fields if one[0] != b"content-length"), length]
    return entry.status, fields + own, b"" if request.method == "HEAD" else entry.body


def _is_good(request: CacheRequest, entry: Entry) -> bool:
    """Whether the client's own copy is the one that is kept (RFC 9110, section 13.2.2)."""
    if request.if_none_match:
        tags = entity_tags(request.if_none_match)
        return b"*" in tags or (bool(entry.etag) and opaque(entry.etag) in tags)
    since = read_date(request.if_modified_since)
    modified = read_date(entry.modified) if entry.modified else entry.date  # RFC 9111, 4.3.2
    return since is not None and modified is not None and modified <= since


def _may_be_cut(request: CacheRequest, entry: Entry) -> bool:
    """If-Range has to name the very version that is kept (RFC 9110, section 13.1.5)."""
    wanted = request.if_range
    if not wanted:
        return True
    if wanted.startswith(b'"'):
        return wanted == entry.etag
    return wanted == entry.modified and _is_strong(entry)


def _is_strong(entry: Entry) -> bool:
    """Whether its date stands for one version only: a minute passed since (RFC 9110, 8.8.2.2)."""
    modified = read_date(entry.modified)
    return modified is not None and modified + 60 <= entry.asked


def _part(field: bytes, length: int) -> tuple[int, int] | tuple[()] | None:
    """The first byte and the one after the last; (): there is no such part; None: send all."""
    match = _ONE_RANGE.fullmatch(field)
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, length - int(last)), length
        return (start, end) if start < end else ()
    start = int(first)
    if last and int(last) < start:
        return None
    end = min(int(last) + 1, length) if last else length
    return (start, end) if start < length else ()


def _cut(entry: Entry, own: list[Field], start: int, end: int) -> Reply:
    """A part of it (RFC 9110, section 15.3.7)."""
    kept = [one for one in entry.passed_on if one[0] not in (b"content-length", b"content-range")]
    fields = [
        (b"content-range", b"bytes %d-%d/%d" % (start, end - 1, len(entry.body))),
        (b"content-length", str(end - start).encode()),
    ]
    return 206, kept + fields + own, entry.body[start:end]
