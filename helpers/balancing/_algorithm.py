"""What all algorithms share: the servers with their weights, and the requests that are open."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Servers = Iterable[str] | Mapping[str, float]


class NoServer(Exception):
    """No server is left that could be chosen."""


@dataclass(frozen=True)
class Request:
    """All of a request that an algorithm may look at.

    Attributes:
        client: the client's address, such as "203.0.113.7".
        path: the target's path and query.
        headers: its header fields, by lower-case name.
        cookies: its cookies, by name.
    """

    client: str = "127.0.0.1"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)


ANY = Request()  # for algorithms that look at nothing


class Algorithm:
    """The base of all algorithms: a subclass says in `_pick` whose turn it is.

    Not to be called by several threads at once.

    Args:
        servers: the servers' names, each of weight 1; or a mapping of names to weights. A server of
            weight 2 is meant to get twice as much as one of weight 1, one of weight 0 nothing.

    Raises:
        ValueError: a name stands twice or is no text, or a weight is no number from 0 on.
    """

    def __init__(self, servers: Servers) -> None:
        self._weights: dict[str, float] = {}
        self._open: dict[str, int] = {}
        if isinstance(servers, str):
            raise ValueError(f"servers is a list of names, and not one name: [{servers!r}].")
        weighted = isinstance(servers, Mapping)
        for name in servers:
            self._add(name, servers[name] if weighted else 1)
        self._changed()

    @property
    def servers(self) -> Mapping[str, float]:
        """The weight of each server, in the order in which they came. To read only."""
        return MappingProxyType(self._weights)

    @property
    def connections(self) -> Mapping[str, int]:
        """How many requests each server has open. To read only."""
        return MappingProxyType(self._open)

    def choose(self, request: Request | None = None, *, without: Collection[str] = ()) -> str:
        """The server for a request.

        Args:
            request: what is known of it, with the attributes of Request; most need nothing.
            without: servers that must not be chosen now: dead, draining or tried already.

        Raises:
            NoServer: none is left.
            ValueError: an argument is of the wrong kind.
        """
        if isinstance(without, str):
            raise ValueError(
                f"without is a collection of names, and not one name: {{{without!r}}}."
            )
        able = {name: w for name, w in self._weights.items() if w and name not in without}
        if not able:
            raise NoServer(self._why_none())
        return self._pick(able, request or ANY)

    def add(self, name: str, weight: float = 1) -> None:
        """A further server, from now on. Raises ValueError as the class does."""
        self._add(name, weight)
        self._changed()

    def remove(self, name: str) -> None:
        """A server leaves; requests that it still has may be released. Raises ValueError: unknown."""
        self._known(name)
        del self._weights[name]
        if not self._open[name]:
            del self._open[name]
        self._changed()

    def set_weight(self, name: str, weight: float) -> None:
        """Change a server's weight. Raises ValueError: it is unknown, or the weight is no weight."""
        self._known(name)
        self._put(name, weight)
        self._changed()

    def acquire(self, name: str) -> None:
        """A request goes to this server. Raises ValueError: it is unknown."""
        self._known(name)
        self._open[name] += 1

    def release(self, name: str) -> None:
        """A request to this server is over. Raises ValueError: it has none open."""
        if not self._open.get(name):
            raise ValueError(f"{name!r} has no open request: each release needs an acquire before.")
        self._open[name] -= 1
        if name not in self._weights and not self._open[name]:
            del self._open[name]  # it was removed while it was at work

    def cookie_for(self, request: Request, name: str) -> str | None:
        """A Set-Cookie value that the answer must carry, if this server has answered."""
        return None

    def _pick(self, able: dict[str, float], request: Request) -> str:
        """The choice among servers that are there and weigh something: at least one."""
        raise NotImplementedError

    def _allow(self, weights: dict[str, float]) -> None:
        """Raise ValueError if these weights together are too much; nothing has changed yet."""

    def _changed(self) -> None:
        """Servers or weights have changed."""

    def _add(self, name: str, weight: float) -> None:
        if not isinstance(name, str) or not name:
            raise ValueError(f"A server's name is a text, and not {name!r}.")
        if name in self._weights:
            raise ValueError(f"The server {name!r} is there already.")
        self._put(name, weight)
        self._open.setdefault(name, 0)

    def _put(self, name: str, weight: float) -> None:
        checked = _weight(name, weight)
        self._allow({**self._weights, name: checked})
        self._weights[name] = checked

    def _known(self, name: str) -> None:
        if name not in self._weights:
            raise ValueError(f"There is no server {name!r}. There are: {_listed(self._weights)}.")

    def _why_none(self) -> str:
        if not self._weights:
            return "There is no server to choose from: the list is empty."
        return f"None of the servers may be chosen now: {_listed(self._weights)}."

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._weights})"


def lightest_load(able: dict[str, float], open_: Mapping[str, int]) -> list[str]:
    """The servers with the fewest open requests for their weight.

    Compared by cross multiplication: exact, where a division would round.
    """
    best: list[str] = []
    for name, weight in able.items():
        if best:
            here, there = open_[name] * able[best[0]], open_[best[0]] * weight
            if here > there:
                continue
            if here < there:
                best.clear()
        best.append(name)
    return best


def _weight(name: str, weight: float) -> float:
    number = isinstance(weight, (int, float)) and not isinstance(weight, bool)
    if not number or not math.isfinite(weight) or weight < 0:
        raise ValueError(f"The weight of {name!r} is a number from 0 on, and not {weight!r}.")
    return weight


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none at all"
