"""Consistent hashing: when a server comes or goes, only its own share of the keys moves."""

from __future__ import annotations

import math
from bisect import bisect_left
from zlib import crc32

from ._algorithm import Algorithm, Request, Servers
from ._hashing import Key, client_of, key_bytes

MOST_POINTS = 1_000_000


class ConsistentHash(Algorithm):
    """Servers and keys lie on one ring of 2**32 places; a key belongs to the next server on it.

    Each server has many points on the ring, 160 for each unit of weight, so that the shares come
    out nearly even. If a server is added, it takes over the keys just before its points: of K keys
    about K/n with n servers, and no key moves between two old servers. If one is away, its keys go
    to whoever is next, and come back with it.

    With a bound, a server takes no more at once than bound times its fair share of the open
    requests; what is too much goes on to the next server on the ring (it needs `acquire` and
    `release`).

    One choice costs O(log p) for p points, and a walk along the ring if servers are away or full. A
    change of servers or weights costs O(p log p).
    Sources: D. Karger et al., "Consistent Hashing and Random Trees", STOC 1997; V. Mirrokni,
    M. Thorup and M. Zadimoghaddam, "Consistent Hashing with Bounded Loads", SODA 2018; the points
    are those of nginx, ngx_http_upstream_module, "hash ... consistent" (ketama).

    Args:
        servers: see Algorithm.
        key: what of a request counts; its client's address if nothing is given.
        points: on the ring, for each unit of weight.
        bound: above 1, such as 1.25; None: no bound.

    Raises:
        ValueError: `points` or `bound` is out of range, or the weights would need more than
            1,000,000 points: divide them all by the same number.
    """

    def __init__(
        self,
        servers: Servers,
        key: Key | None = None,
        points: int = 160,
        bound: float | None = None,
    ) -> None:
        if isinstance(points, bool) or not isinstance(points, int) or points < 1:
            raise ValueError(f"points is a whole number from 1 on, and not {points!r}.")
        if bound is not None and not (isinstance(bound, (int, float)) and 1 < bound < math.inf):
            raise ValueError(f"bound is a number above 1, and not {bound!r}.")
        self._key = key or client_of
        self._points = points
        self._bound = bound
        super().__init__(servers)

    def _pick(self, able: dict[str, float], request: Request) -> str:
        start = bisect_left(self._places, crc32(key_bytes(self._key, request)))
        turns = range(start, start + len(self._owners))
        around = (self._owners[turn % len(self._owners)] for turn in turns)
        passed = set()
        for name in around:
            if name not in passed and name in able and self._has_room(name, able):
                return name
            passed.add(name)
        return next(iter(able))  # its weight is too small for a single point

    def _has_room(self, name: str, able: dict[str, float]) -> bool:
        if self._bound is None:
            return True
        all_open = sum(self._open[other] for other in able)
        share = able[name] / sum(able.values())
        return self._open[name] < math.ceil(self._bound * (all_open + 1) * share)

    def _allow(self, weights: dict[str, float]) -> None:
        if sum(int(weight * self._points) for weight in weights.values()) > MOST_POINTS:
            raise ValueError(
                f"The weights need more than {MOST_POINTS:,} points on the ring, "
                f"{self._points} for each unit: divide all weights by the same number."
            )

    def _changed(self) -> None:
        ring: dict[int, str] = {}
        for name, weight in self._weights.items():
            for place in points_of(name, int(weight * self._points)):
                ring.setdefault(place, name)  # where two meet, the first stays
        self._places = sorted(ring)
        self._owners = [ring[place] for place in self._places]


def points_of(name: str, count: int) -> list[int]:
    """The places of a server: each the checksum of its name with the place before."""
    host, colon, port = name.removeprefix("http://").rpartition(":")
    if not colon or not port.isdecimal():
        host, port = name.removeprefix("http://"), ""
    base = crc32(f"{host}\0{port}".encode())
    places, before = [], 0
    for _ in range(count):
        before = crc32(before.to_bytes(4, "little"), base)
        places.append(before)
    return places
