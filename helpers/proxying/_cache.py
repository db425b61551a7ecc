"""A shared cache in a reverse proxy: it keeps answers, and gives them out again (RFC 9111).

It is all our own code. hishel, the library for HTTP caches in Python, was tried first: see
benchmarks/cache_suite.md for how both, nginx and Apache do on a public test suite for caches.
It passes fewer tests, and its middleware reads each answer to the end before it passes any of it
on, where a proxy of songs has to stream. Requests that wait for the answer to another one, memory
with a bound and Cache-Status are what chapter 7 is about, and would have to stand around it.

One key is host and target, byte by byte, with the request's fields that the answer's Vary names.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from ._body import Receive
from ._cache_entry import Entry, Freshness
from ._cache_fetch import Ask, Fetch, Outcome
from ._cache_reply import reply
from ._cache_request import CacheRequest, Verdict
from ._cache_statistics import CacheStatistics, cache_status
from ._cache_store import Key, Store
from ._errors import Refusal
from ._forwarding import Forwarded

MOST_ALONE = 1_000  # URLs that are remembered as not worth waiting for
ALONE_FOR = 60.0  # seconds


class Cache:
    """Keeps answers in memory: `ReverseProxy(urls, RoundRobin, cache=Cache())`.

    What may be kept, and for how long, is what each answer says. The arguments are for what it
    leaves open.

    Args:
        max_bytes: how much all answers together may take; what was used longest ago goes.
        largest: bytes of one body at most; None: an eighth of max_bytes.
        heuristic: an answer that does not say how long it is fresh, but when it was last modified,
            is fresh for this share of the time since then, a day at most; 0: it is not kept.
        negative: seconds for which errors such as 404 are kept that do not say it themselves.
        stale_if_error: seconds for which a stale answer may stand in for an error of a server (500,
            502, 503, 504), where the answer does not say it itself.
        wait: seconds that a request waits for the answer to another one at most.
        clock: gives seconds since 1970; for experiments with time, in which servers write a Date
            that goes by it, too.

    Raises:
        ValueError: a number can't be used; the message says why.
        TypeError: the clock is no function.
    """

    def __init__(
        self,
        max_bytes: int = 64 * 1024 * 1024,
        *,
        largest: int | None = None,
        heuristic: float = 0.1,
        negative: int = 0,
        stale_if_error: int = 0,
        wait: float = 5.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        for name, number in (
            ("max_bytes", max_bytes),
            ("largest", 0 if largest is None else largest),
            ("heuristic", heuristic),
            ("negative", negative),
            ("stale_if_error", stale_if_error),
            ("wait", wait),
        ):
            if isinstance(number, bool) or not isinstance(number, (int, float)):
                raise ValueError(f"{name} is a number, and not {number!r}.")
            if not 0 <= number < float("inf"):
                raise ValueError(f"{name} is a number from 0 on, and not {number!r}.")
        if not callable(clock):
            raise TypeError(f"clock is a function that returns seconds, and not {clock!r}.")
        self.store = Store(max_bytes)
        self.freshness = Freshness(heuristic=heuristic, negative=int(negative))
        self.largest = max_bytes // 8 if largest is None else largest
        self.clock = clock
        self.fetches: set[Fetch] = set()
        self.turns = itertools.count(1)
        self._stale_if_error, self._wait = stale_if_error, wait
        self._counts: Counter[str] = Counter()
        self._flights: dict[tuple[Any, Key], asyncio.Future[Outcome]] = {}
        self._alone: OrderedDict[Key, float] = OrderedDict()
        self._renewals: set[asyncio.Task[None]] = set()

    # What people do with it, from any thread.

    def statistics(self) -> CacheStatistics:
        """What was counted so far."""
        return CacheStatistics(
            **self._counts,
            entries=len(self.store),
            bytes=self.store.size,
            evicted=self.store.evicted,
        )

    def purge(self, path: str | None = None) -> int:
        """Forget what is kept for a path (with its query), or everything; how many that were."""
        target = None if path is None else path.encode()
        for fetch in list(self.fetches):
            if target is None or fetch.key[1] == target:
                fetch.outdated = True
        return self.store.drop_target(target)

    # What the proxy does with it.

    async def answer(self, forwarded: Forwarded, receive: Receive, send: Any, ask: Ask) -> None:
        """Answer a request, out of the cache or by having a server asked.

        Args:
            forwarded: the request.
            receive, send: of the ASGI app.
            ask: has a server answer.
        """
        request = CacheRequest(forwarded)
        if request.method not in ("GET", "HEAD"):
            await Fetch(self, request, send, None, "method").run(receive, ask)
            return
        if forwarded.length != 0 or request.precondition:  # a body would be no part of the key
            await Fetch(self, request, send, None, "bypass").run(receive, ask)
            return
        waited, waited_for = False, ""
        while True:
            entry = self.store.find(request.key, forwarded.fields)
            reason = self._reason(request, entry)
            if entry and not reason:
                await self._use(request, entry, send, ask, waited_for)
                return
            if "only-if-cached" in request.control:  # RFC 9111, section 5.2.1.7
                label = cache_status(detail="only-if-cached")
                detail = "Nothing is kept for this request that may be used."
                raise Refusal(504, detail, [(b"cache-status", label)])
            fetch = Fetch(self, request, send, entry, reason)
            if waited or not request.may_share or self._goes_alone(request.key):
                await fetch.run(receive, ask)
                return
            name = (asyncio.get_running_loop(), request.key)
            flight = self._flights.get(name)
            if flight is None:
                await self._lead(name, fetch, receive, ask)
                return
            waited_for = waited_for or reason
            await asyncio.wait({flight}, timeout=self._wait)
            # if whoever led has left, somebody else has to; else nobody waits twice
            waited = not (flight.done() and flight.result() is Outcome.LEFT)

    def _reason(self, request: CacheRequest, entry: Entry | None) -> str:
        """Why a server has to be asked, in the words of Cache-Status; empty: it has not."""
        if entry is None:
            return "vary-miss" if self.store.has(request.key) else "uri-miss"
        verdict = request.judge(entry, self.clock())
        return {Verdict.STALE: "stale", Verdict.ASKED: "request"}.get(verdict, "")

    async def _use(
        self, request: CacheRequest, entry: Entry, send: Any, ask: Ask, waited_for: str
    ) -> None:
        """Answer with what is kept."""
        ttl = entry.ttl(self.clock())
        if waited_for:
            self.count("collapsed")
            label = cache_status(forward=waited_for, ttl=ttl, collapsed=True)
        else:
            self.count("hits" if ttl > 0 else "stale")
            label = cache_status(hit=True, ttl=ttl)
        if request.judge(entry, self.clock()) is Verdict.USE_AND_REFRESH and not entry.refreshing:
            entry.refreshing = True
            renewal = asyncio.get_running_loop().create_task(self._renew(request, entry, ask))
            self._renewals.add(renewal)
            renewal.add_done_callback(self._renewals.discard)
        await self.send_kept(request, entry, send, label)

    async def _renew(self, request: CacheRequest, entry: Entry, ask: Ask) -> None:
        """Ask a server in the background (RFC 5861, section 3)."""

        async def nobody_leaves() -> Any:
            await asyncio.get_running_loop().create_future()

        try:
            await Fetch(self, request.for_renewal(), None, entry, "stale").run(nobody_leaves, ask)
        finally:
            entry.refreshing = False

    async def _lead(self, name: Any, fetch: Fetch, receive: Receive, ask: Ask) -> None:
        """Ask a server while others wait for what comes of it."""
        fetch.flight = self._flights[name] = name[0].create_future()
        try:
            await fetch.run(receive, ask)
        finally:
            del self._flights[name]
            fetch.land(Outcome.LEFT)
            lasting = fetch.status < 500 and not fetch.outdated  # else it may be over soon
            if fetch.flight.result() is Outcome.NOT_KEPT and lasting:
                self._remember_alone(name[1])

    def _goes_alone(self, key: Key) -> bool:
        """Whether to wait is no use: what came from there last was nothing to be kept."""
        until = self._alone.get(key)
        return until is not None and until > time.monotonic()

    def _remember_alone(self, key: Key) -> None:
        self._alone[key] = time.monotonic() + ALONE_FOR
        self._alone.move_to_end(key)
        if len(self._alone) > MOST_ALONE:
            self._alone.popitem(last=False)

    async def send_kept(self, request: CacheRequest, entry: Entry, send: Any, label: bytes) -> None:
        """Answer with what is kept, whatever its age."""
        own = [
            (b"age", str(entry.age(self.clock())).encode()),
            (b"cache-status", entry.cache_status + label),
        ]
        status, fields, body = reply(request, entry, own)
        with contextlib.suppress(OSError):  # the client has left
            await send({"type": "http.response.start", "status": status, "headers": fields})
            await send({"type": "http.response.body", "body": body})

    def may_stand_in(self, entry: Entry) -> bool:
        """Whether a stale answer may be used in the place of an error."""
        longest = self._stale_if_error if entry.if_error is None else entry.if_error
        good = entry.may_be_stale and entry.status < 500
        return good and max(0, -entry.ttl(self.clock())) < longest

    def forget(self, key: Key) -> None:
        """Drop what is kept for a URL, and do not keep what is on its way."""
        for fetch in list(self.fetches):
            if fetch.key == key:
                fetch.outdated = True
        self.store.drop(key)

    def count(self, what: str) -> None:
        self._counts[what] += 1

    async def close(self) -> None:
        """End the renewals of this event loop."""
        loop = asyncio.get_running_loop()
        mine = {one for one in self._renewals if one.get_loop() is loop}
        for renewal in mine:
            renewal.cancel()
        if mine:
            with contextlib.suppress(Exception):
                await asyncio.wait(mine)
