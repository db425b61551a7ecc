"""A request that the cache can't answer by itself: a server is asked, and what it says is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from ._body import Receive
from ._cache_entry import Entry, selecting_fields
from ._cache_fields import values_of
from ._cache_keeping import SAY_NOTHING, why_forbidden, why_not_kept
from ._cache_request import CacheRequest
from ._cache_statistics import cache_status
from ._cache_store import Key
from ._forwarding import Forwarded

if TYPE_CHECKING:
    from ._cache import Cache

Ask = Callable[[Forwarded, Receive, Any], Awaitable[None]]
"""Has a server answer: the request, and the two functions of an ASGI app."""

_SAFE = frozenset(["GET", "HEAD", "OPTIONS", "TRACE"])  # RFC 9110, section 9.2.1
_ERRORS = frozenset([500, 502, 503, 504])  # RFC 5861, section 4


class Outcome(Enum):
    """What came of a request that others wait for."""

    KEPT = "its answer is kept, or was kept before and is good"
    NOT_KEPT = "its answer is for nobody else"
    LEFT = "it ended without an answer, for example because its client hung up"


class Fetch:
    """One such request. It stands in for the client's `send`, and so sees all of the answer.

    Args:
        cache: whose request it is.
        request: the client's.
        send: the client's; None: a renewal in the background, which nobody waits for.
        entry: what is kept already, but not good enough.
        reason: why a server is asked, in the words of Cache-Status.

    Attributes:
        flight: what others wait for, if they do; it is told as soon as the outcome is known.
        outdated: what it tells was changed meanwhile, and is not to be kept.
        status: of the answer; 0 until that is here.
    """

    def __init__(
        self,
        cache: Cache,
        request: CacheRequest,
        send: Any,
        entry: Entry | None,
        reason: str,
    ) -> None:
        self.key = request.key
        self._cache, self._request, self._send = cache, request, send
        self._entry, self._reason = entry, reason
        self.flight: asyncio.Future[Outcome] | None = None
        self.outdated = False
        self._draft: Entry | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        self.status = 0
        self._held_back = False  # the client gets what is kept instead

    def land(self, outcome: Outcome) -> None:
        """Tell those who wait, once."""
        if self.flight and not self.flight.done():
            self.flight.set_result(outcome)

    async def run(self, receive: Receive, ask: Ask) -> None:
        """Ask a server, and have the client answered."""
        cache, request, entry = self._cache, self._request, self._entry
        forwarded = request.forwarded
        if entry and request.method == "GET":
            forwarded = request.asks_whether(entry)
        self._asked, self._turn = cache.clock(), next(cache.turns)
        cache.fetches.add(self)
        try:
            await ask(forwarded, receive, self)
        finally:
            cache.fetches.discard(self)
        if self._held_back and entry:
            await self._answer_with(entry)

    async def __call__(self, message: dict[str, Any]) -> None:
        """ASGI: a piece of the server's answer."""
        if message["type"] == "http.response.start":
            await self._take_head(message)
        else:
            await self._take_body(message)

    async def _take_head(self, message: dict[str, Any]) -> None:
        self._received = self._cache.clock()
        self.status, headers = message["status"], message["headers"]
        if not values_of(headers, b"date"):
            date = (b"date", formatdate(self._received, usegmt=True).encode())
            headers = [date, *headers]  # RFC 9110, section 6.6.1
        # the last ones may be for this client only, such as a cookie that leads it to its server
        self._fields = headers[: len(headers) - message.get("for_one_client", 0)]
        self._held_back = self._is_no_answer()
        if self._held_back:
            return
        self._forget_what_changed()
        why_not = "bypass" if self._reason == "bypass" else ""  # a body, say, is not in the key
        why_not = why_not or why_not_kept(self._request, self.status, self._fields)
        why_not = why_not or self._begin_draft()
        if self._entry and why_not and why_not not in SAY_NOTHING and self.status < 500:
            self._cache.store.replace(self.key, self._entry, None)  # this is what is true now
        if not (self._draft and self._draft.fresh(self._received)):
            self.land(Outcome.NOT_KEPT)  # no use to wait
        if self._send:
            self._cache.count("passed" if self._reason in ("method", "bypass") else "misses")
            headers = [one for one in headers if one[0] != b"cache-status"]
            label = self._label(self._draft, why_not)
            others = values_of(self._fields, b"cache-status")
            headers.append((b"cache-status", b", ".join([*others, label])))
            await self._send({**message, "headers": headers})

    def _is_no_answer(self) -> bool:
        """Whether this says only that what is kept is good, or has to do (RFC 5861, section 4)."""
        entry = self._entry
        if entry is None:
            return False
        if self.status == 304 and self._request.method == "GET":
            return bool(entry.conditions)
        return self.status in _ERRORS and self._cache.may_stand_in(entry)

    def _begin_draft(self) -> str:
        """Begin to keep the answer; if that is of no use, why not."""
        selecting = selecting_fields(self._fields, self._request.forwarded.fields)
        if selecting is None:
            return "vary"
        draft = Entry(
            self.status, self._fields, b"", selecting, self._asked, self._received,
            self._cache.freshness, self._turn,
        )  # fmt: skip
        if not draft.conditions and not draft.fresh(self._received):
            return "not fresh"
        lengths = values_of(self._fields, b"content-length")
        if lengths and int(lengths[0]) > self._cache.largest:
            return "too large"
        self._draft = draft
        return ""

    def _label(self, draft: Entry | None, why_not: str) -> bytes:
        if self._reason in ("method", "bypass"):
            return cache_status(forward=self._reason)
        ttl = draft.ttl(self._received) if draft else None
        return cache_status(forward=self._reason, ttl=ttl, stored=draft is not None, detail=why_not)

    async def _take_body(self, message: dict[str, Any]) -> None:
        if draft := self._draft:
            if body := message.get("body"):
                self._pieces.append(body)
                self._size += len(body)
            if self._size > self._cache.largest:
                self._draft, self._pieces = None, []
                self.land(Outcome.NOT_KEPT)
            elif not message.get("more_body", False):
                draft.body = b"".join(self._pieces)
                kept = self._cache.store.put(self.key, draft, lambda: not self.outdated)
                self.land(Outcome.KEPT if kept else Outcome.NOT_KEPT)
        if self._send and not self._held_back:
            await self._send(message)

    def _forget_what_changed(self) -> None:
        """Drop what a successful request with an unsafe method may have changed (section 4.4).

        The answer to HEAD may show it, too (section 4.3.5): then what is kept is renewed with it,
        or is not the same any more.
        """
        request, cache = self._request, self._cache
        if request.method not in _SAFE:
            if 200 <= self.status < 400:
                cache.forget(self.key)
                for name in (b"location", b"content-location"):
                    for value in values_of(self._fields, name):
                        if key := _same_host(self.key, value):
                            cache.forget(key)
        elif request.method == "HEAD" and self._entry and self.status == 200:
            if self._entry.is_the_same(self._fields):
                self._renew(self._entry)
            else:
                cache.forget(self.key)

    def _renew(self, entry: Entry) -> tuple[Entry, bool]:
        """Put what the server said of a kept answer into it; whether it is kept further on.

        What is said now may forbid to keep it, or may be for this client only.
        """
        renewed = entry.freshened(self._fields, self._asked, self._received, self._turn)
        selecting = selecting_fields(renewed.fields, self._request.forwarded.fields)
        why_not = why_forbidden(self._request, entry.status, renewed.fields)
        if selecting is None:
            why_not = why_not or "vary"
        else:
            renewed.selecting = selecting
        if why_not not in SAY_NOTHING:
            self._cache.store.replace(self.key, entry, None if why_not else renewed)
        return renewed, not why_not

    async def _answer_with(self, entry: Entry) -> None:
        """The client gets what is kept: it is good (304), or has to do in the place of an error."""
        good, kept = self.status == 304, True
        if good:
            entry, kept = self._renew(entry)
        self.land(Outcome.KEPT if kept else Outcome.NOT_KEPT)
        if self._send:
            self._cache.count("revalidated" if good else "stale")
            label = cache_status(
                forward=self._reason,
                status=self.status,
                ttl=entry.ttl(self._cache.clock()),
                detail="" if good else "stale-if-error",
            )
            await self._cache.send_kept(self._request, entry, self._send, label)


def _same_host(key: Key, reference: bytes) -> Key | None:
    """The key of a URL that an answer names, if it is on the same host (section 4.4)."""
    host, target = key
    try:
        url = urlsplit(urljoin(f"http://{host.decode()}{target.decode()}", reference.decode()))
    except ValueError:  # UnicodeDecodeError is one, too
        return None
    if url.scheme != "http" or url.netloc.lower().removesuffix(":80") != host.decode():
        return None
    query = f"?{url.query}" if url.query else ""
    return host, f"{url.path or '/'}{query}".encode()
