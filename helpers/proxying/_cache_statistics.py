"""What a cache has done, counted; and Cache-Status, which says it of one answer (RFC 9211)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from html import escape

from ._forwarding import NAME

_STYLE = "border-collapse:collapse;font:inherit;color:inherit;background:transparent;margin:0"
_CELL = "padding:.2em .7em;border-bottom:1px solid currentColor;text-align:"


def cache_status(
    *,
    hit: bool = False,
    forward: str = "",
    status: int = 0,
    ttl: int | None = None,
    stored: bool = False,
    collapsed: bool = False,
    detail: str = "",
) -> bytes:
    """One member of a Cache-Status field (RFC 9211, section 2).

    Args:
        hit: the answer came out of the cache, without asking a server.
        forward: why a server was asked: "uri-miss", "vary-miss", "stale", "request", "method",
            "bypass".
        status: what that server said, if the client got something else.
        ttl: for how many more seconds the answer is fresh; below zero: stale for so long.
        stored: it is kept.
        collapsed: it waited for the answer to another request.
        detail: something for people.
    """
    parts = [NAME.decode()]
    if hit:
        parts.append("hit")
    if forward:
        parts.append(f"fwd={forward}")
    if status:
        parts.append(f"fwd-status={status}")
    if ttl is not None:
        parts.append(f"ttl={ttl}")
    if stored:
        parts.append("stored")
    if collapsed:
        parts.append("collapsed")
    if detail:
        parts.append(f'detail="{detail}"')
    return "; ".join(parts).encode()


@dataclass(frozen=True)
class CacheStatistics:
    """A snapshot of what was counted.

    Attributes:
        hits: answers that came out of the cache while they were fresh.
        stale: answers that came out of it although they were stale.
        revalidated: a server said that the kept answer is still good (304).
        collapsed: requests that waited for the answer to another one.
        misses: requests for which a server made an answer.
        passed: requests that no cache may answer, such as POST.
        entries: answers that are kept now.
        bytes: what they take, roughly.
        evicted: answers that had to go because there was no room.
    """

    hits: int = 0
    stale: int = 0
    revalidated: int = 0
    collapsed: int = 0
    misses: int = 0
    passed: int = 0
    entries: int = 0
    bytes: int = 0
    evicted: int = 0

    @property
    def hit_ratio(self) -> float:
        """The share of the requests that a cache may answer, for which no server sent a body."""
        saved = self.hits + self.stale + self.revalidated + self.collapsed
        return saved / (saved + self.misses) if saved + self.misses else 0.0

    def __repr__(self) -> str:
        counted = "  ".join(f"{one.name} {getattr(self, one.name):,}" for one in fields(self))
        return f"{counted}  hit ratio {self.hit_ratio:.0%}"

    def _repr_html_(self) -> str:
        rows = [(one.name, f"{getattr(self, one.name):,}") for one in fields(self)]
        rows.append(("hit ratio", f"{self.hit_ratio:.0%}"))
        body = "".join(
            f'<tr><th scope="row" style="{_CELL}left;font-weight:inherit">{escape(name)}</th>'
            f'<td style="{_CELL}right">{value}</td></tr>'
            for name, value in rows
        )
        return (
            f'<table style="{_STYLE}"><caption style="text-align:left;caption-side:top;'
            f'padding:.2em 0">What the cache has counted</caption><tbody>{body}</tbody></table>'
        )
