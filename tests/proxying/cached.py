"""What stands around a cache in these tests: a clock that the test turns, and a server that says
what the test wants.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import Any

from helpers.proxying import Cache, ReverseProxy, Standalone
from tests.proxying.behind import Behind, Line, Seen, ask, opened
from tests.web.talk import Answer, Heard, talk

START = 1_800_000_000.0
Reply = Callable[[Seen], bytes | None]


class Clock:
    """Seconds since 1970, when the test says so."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now

    def date(self, ahead: float = 0) -> str:
        """An HTTP date."""
        return formatdate(self.now + ahead, usegmt=True)


def says(
    body: bytes = b"ok", *lines: str, status: int = 200, date: str = "", length: int | None = None
) -> bytes:
    """The bytes of an answer. `lines`: fields; `length`: what Content-Length says, if not the truth."""
    size = len(body) if length is None else length
    fields = [f"Date: {date}"] if date else []
    if status not in (204, 304):
        fields.append(f"Content-Length: {size}")
    head = "".join(f"{line}\r\n" for line in [f"HTTP/1.1 {status} X", *fields, *lines])
    return head.encode("latin-1") + b"\r\n" + body


class World:
    """A proxy with a cache, and one server behind it.

    Attributes:
        reply: what the server says to a request: bytes, None for nothing at all.
        clock, cache, behind, port: the parts.
    """

    def __init__(self, behind: Behind, cache: Cache, clock: Clock) -> None:
        self.behind, self.cache, self.clock, self.port = behind, cache, clock, 0
        self.reply: Reply = lambda seen: self.says(b"ok", "Cache-Control: max-age=60")

    def says(self, body: bytes = b"ok", *lines: str, **more: Any) -> bytes:
        """As `says`, with the clock's date."""
        return says(body, *lines, date=more.pop("date", self.clock.date()), **more)

    def always(self, body: bytes = b"ok", *lines: str, **more: Any) -> None:
        """Let the server say this from now on; 304 to a request with the ETag of the lines."""
        tags = [line.partition(": ")[2] for line in lines if line.startswith("ETag: ")]

        def reply(seen: Seen) -> bytes:
            if tags and seen.all("if-none-match") == tags:
                return self.says(b"", *lines, status=304)
            return self.says(body, *lines, **more)

        self.reply = reply

    @property
    def asked(self) -> int:
        """How many requests the server has seen."""
        return len(self.behind.requests)

    async def get(
        self,
        target: str = "/",
        *lines: str,
        method: str = "GET",
        host: str = "a",
        body: bytes = b"",
    ) -> Answer:
        """A client's request, and the answer to it."""
        if body or method in ("POST", "PUT", "PATCH"):
            lines = (*lines, f"Content-Length: {len(body)}")
        head = "".join(
            f"{line}\r\n" for line in [f"{method} {target} HTTP/1.1", f"Host: {host}", *lines]
        )
        return await ask(self.port, head.encode("latin-1") + b"\r\n" + body)


def status_of(answer: Answer) -> str:
    """What the cache says of an answer, in the last member of Cache-Status."""
    last = answer.headers["cache-status"].rpartition("course-proxy")[2]
    return last.removeprefix("; ")


def without(fields: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name not in names}


async def _talk(world: World, line: Line) -> None:
    while seen := await line.request():
        said = world.reply(seen)
        if said is not None:
            line.say(said)


@asynccontextmanager
async def cached(door: str = "serve", **options: Any) -> AsyncIterator[World]:
    """Such a world. `options`: of the cache; `proxy`: of the proxy, as a dict."""
    more = options.pop("proxy", {})
    clock = Clock()
    cache = Cache(clock=clock, **{"wait": 1_000, **options})  # nobody goes on out of impatience
    behind = Behind()
    world = World(behind, cache, clock)
    behind.script = lambda line: _talk(world, line)
    async with behind, opened(door, ReverseProxy([behind.url], cache=cache, **more)) as port:
        world.port = port
        yield world


@asynccontextmanager
async def two_doors(
    door: str, reply: Reply, hangs_up: Callable[[Seen], object] = lambda seen: False
) -> AsyncIterator[int]:
    """The port of a proxy with a cache and the real time; in a process of its own, or in this one."""

    async def script(line) -> None:
        while seen := await line.request():
            line.say(reply(seen))
            if hangs_up(seen):
                return

    async with Behind(script) as behind:
        if door == "serve":
            async with opened(
                door, ReverseProxy([behind.url], cache=Cache(stale_if_error=9))
            ) as port:
                yield port
        else:
            proxy = await asyncio.to_thread(Standalone, [behind.url], cache=10_000_000)
            try:
                yield proxy.port
            finally:
                await asyncio.to_thread(proxy.stop)


def request(line: str, *fields: str, body: str = "", host: str = "good") -> bytes:
    lines = [f"{line} HTTP/1.1", *([f"Host: {host}"] if host else []), *fields]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")


async def say(port: int, raw: bytes) -> Heard:
    """Whatever it is; the proxy answers, or hangs up."""
    return await talk(port, [raw], [raw.split()[0].decode()], seconds=20)
