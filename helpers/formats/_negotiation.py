"""Which representation a client likes best: the header Accept (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PARAMETER = re.compile(rf"[ \t]*;[ \t]*(?:({_TOKEN})=({_TOKEN}|{_QUOTED}))?")
_RANGE = re.compile(rf"[ \t]*({_TOKEN})/({_TOKEN})")
_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
_MEMBER = re.compile(rf"(?:{_QUOTED}|[^,])+")

LONGEST = 4096
"""Characters; whoever sends a longer Accept has not said anything."""


class _Range(NamedTuple):
    """A member of Accept: what it fits, and how well that is liked (0: not at all)."""

    kind: str
    subtype: str
    parameters: dict[str, str]
    weight: float

    def precision(self, offered: _Range) -> int:
        """How closely this names what is offered; 0: it does not name it."""
        if self.kind not in ("*", offered.kind) or self.subtype not in ("*", offered.subtype):
            return 0
        if not self.parameters.items() <= offered.parameters.items():
            return 0
        return 1 + (self.kind != "*") + (self.subtype != "*") + len(self.parameters)


def best_of(accept: str, offered: Sequence[str]) -> str | None:
    """What to send: the media type that weighs most for the client.

    The closest range decides on a type's weight: ``text/plain`` before ``text/*`` before ``*/*``.
    Of equals the one that the server names first is taken. Members that are malformed are passed
    over; a header without a good one says nothing, and anything will do.

    Args:
        accept: the header's value; of several header fields, joined with commas.
        offered: the media types that the server has, the best first.

    Returns:
        One of `offered`; None if the client takes none of them: 406.

    Raises:
        ValueError: something offered is no media type.
    """
    members = _MEMBER.findall(accept) if len(accept) <= LONGEST else []
    ranges = [one for one in map(_parse, members) if one]
    weights = {name: _weight(name, ranges) for name in offered}
    best = max(weights, key=weights.__getitem__, default=None)
    return best if best is not None and weights[best] > 0 else None


def _weight(name: str, ranges: list[_Range]) -> float:
    offer = _parse(name)
    if offer is None:
        raise ValueError(f"{name!r} is no media type.")
    if not ranges:
        return 1.0
    closest = max(ranges, key=lambda one: one.precision(offer))
    return closest.weight if closest.precision(offer) else 0.0


def _parse(text: str) -> _Range | None:
    """The parts of ``audio/*;q=0.2``; None if it is not of that form."""
    found = _RANGE.match(text)
    if not found or (found[1] == "*" and found[2] != "*"):
        return None
    at, weight, parameters = found.end(), 1.0, {}
    while part := _PARAMETER.match(text, at):
        at = part.end()
        name, value = (part[1] or "").lower(), part[2] or ""
        if name == "q":
            if not _WEIGHT.fullmatch(value):
                return None
            weight = float(value)
        elif name:
            parameters[name] = re.sub(r"\\(.)", r"\1", value.strip('"')).lower()
    if text[at:].strip(" \t"):
        return None
    return _Range(found[1].lower(), found[2].lower(), parameters, weight)
