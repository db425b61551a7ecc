"""What stands around a proxy in these tests: servers behind it, and two ways to have it in front.

A `Behind` notes every byte that comes, has h11 read it as strictly as it can, and says whatever a
test wants. The proxy in front of it runs in uvicorn ("serve") or in its own server ("front").
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import h11
import pytest

from helpers import serve
from helpers.proxying import ReverseProxy
from helpers.proxying._front import Front
from tests.web.talk import Answer, talk

HOST = "127.0.0.1"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
DOORS = ("serve", "front")
every_door = pytest.mark.parametrize("door", DOORS)
PATIENCE = 10.0  # seconds; it decides only how long a failing test takes


@dataclass
class Seen:
    """One request as a server saw it; header names in lower case."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    raw: bytes = b""

    def all(self, name: str) -> list[str]:
        """The values of all lines with a name."""
        return [value for key, value in self.headers if key == name]


class Line:
    """One connection to a server.

    Attributes:
        raw: all bytes that came.
        heads: requests whose head came; their bodies fill up as they come.
    """

    def __init__(
        self, behind: Behind, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.behind, self._reader, self.writer = behind, reader, writer
        self.raw = bytearray()
        self.heads: list[Seen] = []
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        self._begin = 0  # where the request that comes now begins in raw

    async def _event(self) -> Any:
        """h11's next event; None if the connection ends before it."""
        while (event := self._parser.next_event()) is h11.NEED_DATA:
            data = await self._reader.read(1 << 16)
            self.raw += data
            self._parser.receive_data(data)
        return None if isinstance(event, h11.ConnectionClosed) else event

    async def head(self) -> Seen | None:
        """The next request as soon as its head is here; None if there is none."""
        event = await self._event()
        if event is None:
            return None
        fields = [(name.decode(), value.decode("latin-1")) for name, value in event.headers]
        self.heads.append(Seen(event.method.decode(), event.target.decode(), fields))
        return self.heads[-1]

    async def piece(self) -> bytes:
        """The next bytes of the body; none at its end."""
        event = await self._event()
        if isinstance(event, h11.Data):
            self.heads[-1].body += event.data
            return bytes(event.data)
        rest = self._parser.trailing_data[0]
        end = len(self.raw) - len(rest)
        self.heads[-1].raw = bytes(self.raw[self._begin : end])
        self._begin = end
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        if rest:
            self._parser.receive_data(rest)
        self.behind.requests.append(self.heads[-1])
        return b""

    async def request(self) -> Seen | None:
        """The next request with all of its body; None if the connection ends first."""
        if await self.head() is None:
            return None
        while await self.piece():
            pass
        return self.heads[-1]

    def say(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)

    def reset(self) -> None:
        """End the connection as a crash does: the other side gets an error."""
        on = (1).to_bytes(4, "little") + bytes(4)  # struct linger: on, after 0 seconds
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, on)
        self.writer.transport.abort()

    async def ended(self) -> None:
        """Wait until the other side has hung up."""
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(1 << 16):
                pass


Script = Callable[[Line], Awaitable[None]]


def answering(*answers: bytes) -> Script:
    """Answer requests one after the other, on whatever connection; the last is said again."""
    left = list(answers) or [OK]

    async def script(line: Line) -> None:
        while await line.request():
            line.say(left.pop(0) if len(left) > 1 else left[0])

    return script


def once(answer: bytes) -> Script:
    """On each connection answer one request, and hang up."""

    async def script(line: Line) -> None:
        if await line.request():
            line.say(answer)

    return script


def named(name: str) -> Script:
    """Say a name."""
    return answering(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name.encode())
    )


@dataclass
class Behind:
    """A server on a free port: `async with Behind(script) as behind`.

    Attributes:
        script: what each connection is given to; None: every request is answered with OK.
        requests: those that were complete, in this order.
        lines: all connections so far; `open` counts those that are still there.
        complaints: what h11 could not read.
        cut: connections that ended in the middle of a request.
    """

    script: Script | None = None
    port: int = 0
    requests: list[Seen] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    cut: int = 0
    open: int = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def __aenter__(self) -> Behind:
        self._tasks: set[asyncio.Task] = set()
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for task in (tasks := set(self._tasks)):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        line = Line(self, reader, writer)
        self.lines.append(line)
        self.open += 1
        try:
            await (self.script or answering())(line)
        except h11.RemoteProtocolError as error:
            if reader.at_eof():
                self.cut += 1
            else:
                self.complaints.append(str(error))
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.close()


@asynccontextmanager
async def opened(door: str, proxy: Any) -> AsyncIterator[int]:
    """The port of a proxy that runs in one of the two servers."""
    if door == "serve":
        with serve(proxy) as server:
            yield server.port
    else:
        async with Front(proxy) as front:
            yield front.port


@asynccontextmanager
async def stage(
    door: str, script: Script | None = None, **options: Any
) -> AsyncIterator[tuple[Behind, int]]:
    """One server, and a proxy with such options in front of it."""
    async with Behind(script) as behind:
        async with opened(door, ReverseProxy([behind.url], **options)) as port:
            yield behind, port


def get(lines: bytes = b"", target: bytes = b"/", method: bytes = b"GET") -> bytes:
    """A request's bytes."""
    return method + b" " + target + b" HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n"


def post(body: bytes = b"hello", lines: bytes = b"", method: bytes = b"POST") -> bytes:
    """The bytes of a request with a body."""
    return get(b"Content-Length: %d\r\n" % len(body) + lines, method=method) + body


async def ask(port: int, raw: bytes = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") -> Answer:
    """The one answer to a request, on a connection of its own."""
    heard = await talk(port, [raw], [raw.partition(b" ")[0].decode("latin-1")], seconds=PATIENCE)
    assert heard.answers, f"no answer: {heard}"
    assert not heard.complaint and not heard.rest, heard
    return heard.answers[0]


async def until(condition: Callable[[], Any]) -> Any:
    """Let the loop turn until a condition is true, and return its value."""
    async with asyncio.timeout(PATIENCE):
        while not (value := condition()):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.002)
    return value


def in_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run an async test; the loop may hear of no error, and no task may be left."""

    @functools.wraps(test)
    def run(*arguments: Any, **more: Any) -> None:
        problems: list[dict] = []

        async def whole() -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: problems.append(context))
            async with asyncio.timeout(60):
                await test(*arguments, **more)
            mine = asyncio.current_task()
            await until(lambda: asyncio.all_tasks() == {mine})

        asyncio.run(whole())
        assert not problems, f"the loop heard of errors: {problems}"

    return run
