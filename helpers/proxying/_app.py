"""The reverse proxy: an ASGI app that has each request answered by one of several servers."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..balancing import Health, RoundRobin
from ._body import Receive
from ._cache import Cache
from ._cache_request import without_unkeyed
from ._checks import Checks
from ._errors import Refusal
from ._exchange import Exchange, Limits
from ._forwarding import Forwarded
from ._pool import Pool
from ._problem import send_problem
from ._servers import Algorithms, Servers
from ._statistics import Statistics

_PATH = re.compile(r"/[!-~]*")


class ReverseProxy:
    """Passes requests on to servers and their answers back::

        balancer = serve(ReverseProxy([a.url, b.url], LeastConnections))

    Which server gets a request is the algorithm's choice. One that can't be reached is left out
    for a while, and the request goes to the next. A request that a server may have seen is sent
    once more only if that does no harm: its method is idempotent (RFC 9110, section 9.2.2), no byte
    of an answer came, and its body was small enough to be kept.

    When nothing helps, the proxy answers with a problem (RFC 9457): 502 if no server could be
    reached or what it said was no HTTP, 503 if none is left to be tried, 504 if it took too long.

    Args:
        upstreams: the servers' URLs, or a mapping of URLs to weights.
        algorithm: a class of helpers.balancing, a function that takes such a mapping and returns an
            instance, or an instance that knows just these URLs.
        cache: keeps answers and gives them out again; None: each request goes to a server.
        retries: how often a request that a server may have seen is sent to another one. Servers
            that could not be reached do not count: all others are tried.
        timeout: seconds that a server may say nothing in the middle of a request.
        connect_timeout: seconds that a connection may take to come about.
        max_fails: failures after which a server is left out for a while (see Health); 0: never.
        fail_timeout: for how many seconds.
        check: a path that every server is asked for again and again, such as "/health"; None: no.
        check_every: seconds between two such checks.
        fall: failed checks in a row that take a server out.
        rise: good checks in a row that bring it back.
        slow_start: seconds over which the share of a server grows after it came back.

    Raises:
        ValueError: a URL or a number can't be used; the message says why.
        TypeError: something is of another kind than it has to be.
    """

    speaks_for_others = True  # its answers have their own Date and Server

    def __init__(
        self,
        upstreams: Iterable[str] | Mapping[str, float],
        algorithm: Algorithms = RoundRobin,
        cache: Cache | None = None,
        *,
        retries: int = 1,
        timeout: float = 30.0,
        connect_timeout: float = 1.0,
        max_fails: int = 1,
        fail_timeout: float = 10.0,
        check: str | None = None,
        check_every: float = 1.0,
        fall: int = 3,
        rise: int = 2,
        slow_start: float = 0.0,
    ) -> None:
        if cache is not None and not isinstance(cache, Cache):
            raise TypeError(f"cache is a Cache() or None, and not {type(cache).__name__}.")
        if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
            raise ValueError(f"retries is a whole number from 0 on, and not {retries!r}.")
        for name, seconds in (
            ("timeout", timeout),
            ("connect_timeout", connect_timeout),
            ("check_every", check_every),
        ):
            number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
            if not (number and 0 < seconds < float("inf")):
                raise ValueError(f"{name} is a number of seconds above 0, and not {seconds!r}.")
        if check is not None and not (isinstance(check, str) and _PATH.fullmatch(check)):
            raise ValueError(f"check is a path, such as '/health', and not {check!r}.")

        def health() -> Health:
            return Health(
                max_fails=max_fails,
                fail_timeout=fail_timeout,
                fall=fall,
                rise=rise,
                slow_start=slow_start,
            )

        health()  # which raises a ValueError if a number can't be used, also if there is no server
        self._cache = cache
        self._limits = Limits(retries, timeout, connect_timeout)
        self._servers = Servers(upstreams, algorithm, health, slow_start > 0)
        self._checks = check and Checks(self._servers, check, check_every, connect_timeout)
        # What belongs to one event loop. Usually there is one, that of the server that runs it.
        self._pools: dict[asyncio.AbstractEventLoop, Pool] = {}
        self._tasks: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}

    # What people do with it, from any thread.

    def add(self, url: str, weight: float = 1) -> None:
        """Let a further server have requests. Raises ValueError: it has it already, or a bad URL."""
        self._servers.add(url, weight)

    def remove(self, url: str) -> None:
        """Let a server have no more requests. Those that it has are answered."""
        address = self._servers.remove(url).address
        for loop, pool in list(self._pools.items()):
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(pool.forget, address)

    def drain(self, url: str) -> None:
        """Let a server finish what it has, and give it nothing new, until `undrain`."""
        self._servers.drain(url, True)

    def undrain(self, url: str) -> None:
        """Let a server have requests again."""
        self._servers.drain(url, False)

    def set_weight(self, url: str, weight: float) -> None:
        """Change a server's weight: its share of the requests, if the algorithm heeds weights."""
        self._servers.set_weight(url, weight)

    def statistics(self) -> Statistics:
        """What was counted so far; a table with a row per server."""
        return self._servers.statistics()

    # What the server calls.

    async def __call__(self, scope: Any, receive: Receive, send: Any) -> None:
        """Answer one request (ASGI specification 3.0)."""
        kind = scope["type"]
        if kind == "http":
            try:
                if self._cache:
                    scope = {**scope, "headers": without_unkeyed(scope["headers"])}
                request = Forwarded(scope)
            except Refusal as refusal:
                await send_problem(send, refusal, close=True)
                return
            if self._cache is None:
                await self._ask(request, receive, send)
                return
            try:
                await self._cache.answer(request, receive, send, self._ask)
            except Refusal as refusal:
                await send_problem(send, refusal, close=False)
        elif kind == "lifespan":
            await self._live(receive, send)
        elif kind == "websocket":
            await send({"type": "websocket.close"})  # which servers turn into 403
        else:
            raise NotImplementedError(f"A proxy for HTTP has no answer to {kind}.")

    async def _ask(self, request: Forwarded, receive: Receive, send: Any) -> None:
        """Have a server answer."""
        await Exchange(request, receive, send, self._servers, self._pool(), self._limits).run()

    async def _live(self, receive: Receive, send: Any) -> None:
        """Open with the server, and close with it."""
        await receive()
        self._pool()
        await send({"type": "lifespan.startup.complete"})
        try:
            await receive()
        finally:
            await self._close()
        await send({"type": "lifespan.shutdown.complete"})

    def _pool(self) -> Pool:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            for other in [one for one in self._pools if one.is_closed()]:
                del self._pools[other]
                self._tasks.pop(other, None)
            pool = self._pools[loop] = Pool(loop)
            if self._checks:
                self._tasks[loop] = loop.create_task(self._checks.run(pool))
        return pool

    async def _close(self) -> None:
        """End all that belongs to this event loop."""
        loop = asyncio.get_running_loop()
        if self._cache:
            await self._cache.close()
        if pool := self._pools.pop(loop, None):
            pool.close()
        if task := self._tasks.pop(loop, None):
            task.cancel()
            await asyncio.wait({task})
