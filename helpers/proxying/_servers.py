"""The servers behind the proxy: who may be chosen, who was, and what came of it.

A notebook calls `drain` and the others from its own thread while requests are forwarded in the
server's thread, so all of this happens under one lock, and never for longer than a choice takes.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..balancing import Algorithm, Health, NoServer, Request, RoundRobin
from ._statistics import Row, Statistics
from ._urls import Address, address_of

_REMEMBERED = 500  # times of answers, of which the median is taken

Algorithms = type[Algorithm] | Callable[[dict[str, float]], Algorithm] | Algorithm


class Server:
    """One server.

    Attributes:
        url: its name.
        address: where to connect to.
        authority: the Host of requests that come without one.
    """

    def __init__(self, url: str, weight: float, health: Health) -> None:
        self.url, self.weight, self.health = url, weight, health
        self.address: Address = address_of(url)
        self.authority = url.partition("://")[2].rstrip("/").encode()
        self.draining = False
        self.share = 1.0  # what part of the weight the algorithm was told
        self.open = self.requests = self.failures = self.retries = 0
        self.times: deque[float] = deque(maxlen=_REMEMBERED)  # seconds until an answer's head


class Servers:
    """All servers of one proxy.

    Args:
        upstreams: URLs, or a mapping of URLs to weights.
        algorithm: a class of helpers.balancing, a function that takes such a mapping and returns
            an instance, or an instance that knows just these URLs.
        health: makes the Health of one server.
        slow_start: whether a server's share grows slowly after it has recovered.
    """

    def __init__(
        self,
        upstreams: Iterable[str] | Mapping[str, float],
        algorithm: Algorithms,
        health: Callable[[], Health],
        slow_start: bool,
    ) -> None:
        self._lock = threading.RLock()
        self._new_health = health
        weights = weights_of(upstreams)
        self._balancer = _balancer_of(algorithm, weights)
        if slow_start and type(self._balancer) is RoundRobin:
            raise ValueError(
                "slow_start has no effect with RoundRobin, which knows no weights: "
                "use WeightedRoundRobin."
            )
        known = self._balancer.servers
        self._servers = {url: Server(url, known[url], health()) for url in weights}
        self._look_closer = False  # nobody has failed, drained or been checked so far

    # What requests do with it.

    def choose(self, request: Request, tried: set[str]) -> Server:
        """The server for a request, which counts as open from now on; `leave` ends that.

        When all that are left rest after failed requests, one of these is tried after all: to lose
        the request for sure would help nobody.

        Raises:
            NoServer: none is left.
        """
        with self._lock:
            try:
                without = tried | self._not_now() if self._look_closer else tried
                url = self._balancer.choose(request, without=without)
            except NoServer:
                url = self._balancer.choose(request, without=tried | self._not_even_now())
            server = self._servers[url]
            self._balancer.acquire(server.url)
            server.open += 1
            server.requests += 1
            server.health.chosen()
            return server

    def leave(self, server: Server) -> None:
        """The request is over."""
        with self._lock:
            server.open -= 1
            self._balancer.release(server.url)  # which counts for one that was removed, too

    def answered(self, server: Server, seconds: float) -> None:
        """An answer's head came, so many seconds after the server was chosen."""
        server.times.append(seconds)
        if self._look_closer:
            with self._lock:
                server.health.answered()

    def failed(self, server: Server) -> None:
        """It did not answer."""
        with self._lock:
            server.failures += 1
            self._look_closer = True
            if len(self._servers) > 1:  # a server without others is always tried, as in nginx
                server.health.failed()

    def retried(self, server: Server) -> None:
        """It got a request that another server had failed."""
        server.retries += 1

    def checked(self, server: Server, good: bool) -> None:
        """An active check came out."""
        with self._lock:
            self._look_closer = True
            server.health.checked(good)

    def cookie_for(self, request: Request, server: Server) -> str | None:
        """A Set-Cookie value, if the algorithm wants the client to keep one."""
        with self._lock:
            return self._balancer.cookie_for(request, server.url)

    def all(self) -> list[Server]:
        """The servers now."""
        with self._lock:
            return list(self._servers.values())

    def _not_now(self) -> set[str]:
        """Those that get nothing new; on the way, weights follow slow starts."""
        found = set()
        for url, server in self._servers.items():
            state = server.health.state
            if server.draining or state == "down":
                found.add(url)
            self._scale(server)
        return found

    def _not_even_now(self) -> set[str]:
        """Those that are no last resort either."""
        return {
            url
            for url, server in self._servers.items()
            if server.draining or not (server.health.available or server.health.resting)
        }

    def _scale(self, server: Server) -> None:
        share = server.health.share
        if share != server.share:
            server.share = share
            self._balancer.set_weight(server.url, server.weight * share)

    # What people do with it.

    def add(self, url: str, weight: float) -> None:
        with self._lock:
            server = Server(url, weight, self._new_health())
            self._balancer.add(url, weight)
            self._servers[url] = server

    def remove(self, url: str) -> Server:
        with self._lock:
            server = self._find(url)
            self._balancer.remove(url)
            del self._servers[url]
            return server

    def drain(self, url: str, draining: bool) -> None:
        with self._lock:
            self._find(url).draining = draining
            self._look_closer = True

    def set_weight(self, url: str, weight: float) -> None:
        with self._lock:
            server = self._find(url)
            self._balancer.set_weight(url, weight)
            server.weight, server.share = weight, 1.0

    def statistics(self) -> Statistics:
        with self._lock:
            return Statistics([_row(server) for server in self._servers.values()])

    def _find(self, url: str) -> Server:
        if url not in self._servers:
            known = ", ".join(self._servers) or "none"
            raise ValueError(f"The proxy has no server {url!r}. It has: {known}.")
        return self._servers[url]


def _row(server: Server) -> Row:
    times = sorted(server.times)
    return Row(
        url=server.url,
        state="draining" if server.draining else server.health.state,
        weight=server.weight,
        requests=server.requests,
        failures=server.failures,
        retries=server.retries,
        open=server.open,
        median_ms=times[len(times) // 2] * 1000 if times else None,
    )


def weights_of(upstreams: Any) -> dict[str, float]:
    if isinstance(upstreams, str):
        raise TypeError(f"The servers are a list of URLs: write [{upstreams!r}].")
    try:
        pairs = upstreams.items() if isinstance(upstreams, Mapping) else [(u, 1) for u in upstreams]
    except TypeError:
        raise TypeError(
            "The servers are a list of URLs, or a mapping of URLs to weights, "
            f"and this is {type(upstreams).__name__}."
        ) from None
    weights: dict[str, float] = {}
    for url, weight in pairs:
        address_of(url)
        if url in weights:
            raise ValueError(f"{url} is in the list twice. For more requests, give it a weight.")
        weights[url] = weight
    return weights


def _balancer_of(algorithm: Any, weights: dict[str, float]) -> Algorithm:
    if callable(algorithm) and (isinstance(algorithm, type) or not hasattr(algorithm, "choose")):
        algorithm = algorithm(weights)
    if not (hasattr(algorithm, "choose") and hasattr(algorithm, "servers")):
        raise TypeError(
            "The algorithm is a class of helpers.balancing, such as RoundRobin, and this is "
            f"{type(algorithm).__name__}."
        )
    if set(algorithm.servers) != set(weights):
        raise ValueError(
            "The algorithm knows other servers than the proxy: give it just the proxy's URLs, "
            "or give the proxy the algorithm's class."
        )
    return algorithm


__all__ = ["NoServer", "Server", "Servers", "weights_of"]
