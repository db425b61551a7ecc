"""An answer that is kept: how old it is, how long it is fresh, and for which requests it is one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ._cache_fields import (
    LONGEST,
    CacheControl,
    elements_of,
    opaque,
    read_date,
    read_seconds,
    values_of,
)
from ._forwarding import OURS
from ._framing import Field

# What a client may be told to keep without having said how long (RFC 9110, section 15.1), of what
# this proxy can keep at all; errors are kept only if `negative` is set.
HEURISTIC = frozenset([200, 203, 204, 300, 301, 308])
NEGATIVE = frozenset([404, 405, 410, 414, 501])
# A 304 does not say these about the body that is kept (RFC 9111, section 3.2).
_NOT_FRESHENED = frozenset(
    [b"content-encoding", b"content-length", b"content-md5", b"content-range", b"etag", b"age"]
)
# Lists, in which spaces after a comma say nothing. In other fields every byte counts.
_LISTS = frozenset([b"accept", b"accept-charset", b"accept-encoding", b"accept-language"])
_WEIGHT = 500  # bytes that an answer takes besides its body and its fields, roughly

Selecting = tuple[tuple[bytes, bytes | None], ...]


@dataclass(frozen=True)
class Freshness:
    """How long answers are fresh that do not say so themselves (section 4.2.2).

    Args:
        heuristic: the share of the time since the answer was last modified.
        longest: seconds that this may come to at most.
        negative: seconds for errors such as 404.
    """

    heuristic: float = 0.1
    longest: int = 86_400
    negative: int = 0


@dataclass
class Entry:
    """One answer with its body, and what it was the answer to.

    Attributes:
        status: of the answer.
        fields: as a client gets them, without Age.
        body: all of it.
        selecting: the request's fields that Vary names, with their values in one line; None where
            there is none.
        asked, received: seconds since 1970, when the request left and when the answer's head came.
        lifetime: seconds for which it is fresh.
        initial_age: how old it was when it came (section 4.2.3).
        turn: the number of the request; what was asked for later has a higher one.
    """

    status: int
    fields: list[Field]
    body: bytes
    selecting: Selecting
    asked: float
    received: float
    rules: Freshness
    turn: int = 0
    lifetime: int = field(init=False)
    initial_age: float = field(init=False)

    def __post_init__(self) -> None:
        control = CacheControl(values_of(self.fields, b"cache-control"))
        ages = values_of(self.fields, b"age")
        self.fields = [one for one in self.fields if one[0] != b"age"]
        date = read_date(_only(values_of(self.fields, b"date")))
        self.date = date = int(self.received) if date is None else date
        self.lifetime = lifetime_of(self.status, self.fields, control, date, self.rules)
        self.initial_age = _initial_age(ages, date, self.asked, self.received)
        self.etag = _only(values_of(self.fields, b"etag"))
        self.modified = _only(values_of(self.fields, b"last-modified"))
        self.no_cache = "no-cache" in control
        # s-maxage is proxy-revalidate, too (section 5.2.2.10)
        self.may_be_stale = not self.no_cache and not any(
            name in control for name in ("must-revalidate", "proxy-revalidate", "s-maxage")
        )
        self.while_revalidate = control.seconds("stale-while-revalidate") or 0
        self.if_error = control.seconds("stale-if-error")
        self.refreshing = False  # somebody is at it, in the background
        self.cache_status = b"".join(v + b", " for v in values_of(self.fields, b"cache-status"))
        self.passed_on = [one for one in self.fields if one[0] != b"cache-status"]

    @property
    def size(self) -> int:
        """Bytes that it takes, roughly."""
        chosen = sum(len(name) + len(value or b"") for name, value in self.selecting)
        return len(self.body) + sum(len(n) + len(v) for n, v in self.fields) + chosen + _WEIGHT

    def age(self, now: float) -> int:
        """Seconds since a server made it or last said that it is good.

        If the clock was set back since, nobody knows, and it counts as very old.
        """
        passed = now - self.received
        if passed < -1:
            return LONGEST
        return int(min(self.initial_age + max(0.0, passed), LONGEST))

    def ttl(self, now: float) -> int:
        """For how many more seconds it is fresh; below zero, for how long it has been stale."""
        return self.lifetime - self.age(now)

    def fresh(self, now: float) -> bool:
        return self.ttl(now) > 0

    @property
    def conditions(self) -> list[Field]:
        """The fields that ask a server whether it is still good (section 4.3.1)."""
        found = []
        if self.etag:
            found.append((b"if-none-match", self.etag))
        if self.modified:
            found.append((b"if-modified-since", self.modified))
        return found

    def answers(self, request_fields: Iterable[Field]) -> bool:
        """Whether it is an answer to a request with these fields (section 4.1)."""
        return not self.selecting or self.selecting == select(
            [name for name, _ in self.selecting], request_fields
        )

    def freshened(self, fields: list[Field], asked: float, received: float, turn: int = 0) -> Entry:
        """It with what a 304, or the answer to a HEAD, says of it (sections 3.2, 4.3.4)."""
        new = [one for one in fields if one[0] not in _NOT_FRESHENED]
        names = {name for name, _ in new}
        kept = [one for one in self.fields if one[0] not in names]
        ages = [one for one in fields if one[0] == b"age"]
        return Entry(
            self.status,
            kept + new + ages,
            self.body,
            self.selecting,
            asked,
            received,
            self.rules,
            turn,
        )

    def is_the_same(self, fields: list[Field]) -> bool:
        """Whether an answer's fields speak of the body that is kept (section 4.3.5)."""
        for name, mine in (
            (b"etag", self.etag),
            (b"last-modified", self.modified),
            (b"content-length", str(len(self.body)).encode()),
        ):
            if (theirs := _only(values_of(fields, name))) and opaque(theirs) != opaque(mine):
                return False
        return True


def lifetime_of(
    status: int, fields: list[Field], control: CacheControl, date: int, rules: Freshness
) -> int:
    """For how many seconds an answer is fresh in a shared cache (section 4.2.1)."""
    for name in ("s-maxage", "max-age"):
        seconds = control.seconds(name)
        if seconds is not None:
            return seconds
    if expires := values_of(fields, b"expires"):
        end = read_date(_only(expires))
        return max(0, end - date) if end is not None else 0
    if status in NEGATIVE:
        return rules.negative
    modified = read_date(_only(values_of(fields, b"last-modified")))
    if modified is None or not (status in HEURISTIC or "public" in control):
        return 0
    return max(0, min(int((date - modified) * rules.heuristic), rules.longest))


def selecting_fields(fields: list[Field], request_fields: list[Field]) -> Selecting | None:
    """The request's fields that an answer's Vary names; None: no other request can match."""
    names = [name.lower() for name in elements_of(values_of(fields, b"vary"))]
    # Those that the proxy writes itself say something else to each server and client.
    if b"*" in names or any(name in OURS and name != b"host" for name in names):
        return None
    return select(names, request_fields)


def select(names: Iterable[bytes], request_fields: Iterable[Field]) -> Selecting:
    """Some of a request's fields, each in one line; an empty one is not the same as none."""
    lines: dict[bytes, list[bytes] | None] = dict.fromkeys(names)
    for name, value in request_fields:
        if name in lines:
            new = elements_of([value]) if name in _LISTS else [value]
            lines[name] = [*(lines[name] or ()), *new]
    return tuple(
        (name, None if found is None else b", ".join(found))
        for name, found in sorted(lines.items())
    )


def _initial_age(ages: list[bytes], date: int, asked: float, received: float) -> float:
    """How old an answer was when it came (section 4.2.3).

    Of several values of Age the first one counts, and what is no number does not (section 5.1).
    """
    said = (read_seconds(elements_of(ages)[0]) or 0) if elements_of(ages) else 0
    return max(0.0, received - date, said + (received - asked))


def _only(values: list[bytes]) -> bytes:
    """The value of a field that there may be once; several can't be read."""
    return values[0] if len(values) == 1 else b""
