"""The fields that a cache lives by: Cache-Control, dates and ages (RFC 9111, section 5).

A lifetime that can't be read is none, as section 4.2.1 advises: an answer that is fetched once too
often costs time, and one that is kept for too long is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate

from ._framing import Field

LONGEST = 2**31  # seconds; what is longer counts as this (section 1.2.2)

# "*+" never tries again with less, or a long value could keep the proxy busy for seconds.
_QUOTED = rb'"(?:[^"\\]|\\.)*+"'
_ELEMENT = re.compile(rb'(?:[^,"]|' + _QUOTED + rb")++")
_CLOSED = re.compile(rb'(?:[^"]|' + _QUOTED + rb")*+")
_SECONDS = re.compile(rb"[0-9]+")
_DAY, _MONTH, _TIME = rb"[A-Z][a-z]{2}", rb"[A-Z][a-z]{2}", rb"[0-9]{2}:[0-9]{2}:[0-9]{2}"
_DATE = re.compile(
    rb"%b, [0-9]{2} %b [1-9][0-9]{3} %b GMT"  # Sun, 06 Nov 1994 08:49:37 GMT
    rb"|[A-Z][a-z]{5,8}, [0-9]{2}-%b-[0-9]{2} %b GMT"  # Sunday, 06-Nov-94 08:49:37 GMT
    rb"|%b %b [ 0-9][0-9] %b [1-9][0-9]{3}"  # Sun Nov  6 08:49:37 1994
    % (_DAY, _MONTH, _TIME, _MONTH, _TIME, _DAY, _MONTH, _TIME)
)


class CacheControl:
    """The directives of a message's Cache-Control fields (section 5.2).

    Of a directive that comes twice, the first one counts (section 4.2.1).

    Args:
        values: the fields' values, in their order.
    """

    __slots__ = ("_directives",)

    def __init__(self, values: Iterable[bytes] = ()) -> None:
        self._directives: dict[bytes, bytes | None] = {}
        text = b",".join(values)
        # Where a quotation never ends, what seems to be inside it may be meant: all of it counts.
        quoted = b'"' in text and _CLOSED.fullmatch(text)
        for element in _ELEMENT.findall(text) if quoted else text.split(b","):
            said, equals, value = element.strip(b"\t ").partition(b"=")
            if name := said.rstrip(b"\t ").lower():
                value = value if name == said.lower() else b""  # a blank before "=" is a mistake
                self._directives.setdefault(name, value if equals else None)

    def __contains__(self, name: str) -> bool:
        return name.encode() in self._directives

    def __bool__(self) -> bool:
        return bool(self._directives)

    def seconds(self, name: str) -> int | None:
        """A directive's number of seconds; None if it is not there, 0 if it can't be read."""
        key = name.encode()
        if key not in self._directives:
            return None
        value = self._directives[key] or b""
        if len(value) > 1 and value[:1] == value[-1:] == b'"':
            value = value[1:-1]
        return read_seconds(value) or 0

    def most(self, name: str) -> int:
        """As `seconds`, but -1 if it is not there, and LONGEST if it says no number at all."""
        if self._directives.get(name.encode(), b"") is None:
            return LONGEST
        seconds = self.seconds(name)
        return -1 if seconds is None else seconds


def read_seconds(value: bytes) -> int | None:
    """A number of seconds, at most LONGEST (section 1.2.2); None if it is none."""
    if not _SECONDS.fullmatch(value):
        return None
    return min(int(value.lstrip(b"0")[:11] or b"0"), LONGEST)


def read_date(value: bytes) -> int | None:
    """Seconds since 1970, of a date in any of its three forms (RFC 9110, 5.6.7); else None."""
    if not _DATE.fullmatch(value):
        return None
    parts = parsedate(value.decode())
    try:
        if not parts or parts[5] > 60:
            return None
        second = min(parts[5], 59)  # 60 is a leap second
        return int(datetime(*parts[:5], second, tzinfo=UTC).timestamp())
    except (ValueError, OverflowError):  # such as 31 February, or an hour 24
        return None


def values_of(fields: Iterable[Field], wanted: bytes) -> list[bytes]:
    """The values of all fields with one name, given in lower case."""
    return [value for name, value in fields if name == wanted]


def elements_of(values: Iterable[bytes]) -> list[bytes]:
    """The elements of a list that may be spread over several fields (RFC 9110, section 5.6.1)."""
    found = (one.strip(b"\t ") for value in values for one in value.split(b","))
    return [one for one in found if one]


def entity_tags(values: Iterable[bytes]) -> list[bytes]:
    """The tags of an If-None-Match, without the mark of weak ones: they compare weakly."""
    return re.findall(rb'(?:W/)?("[^"]*"|\*)', b",".join(values))


def opaque(tag: bytes) -> bytes:
    """An entity tag without the mark of a weak one."""
    return tag.removeprefix(b"W/")
