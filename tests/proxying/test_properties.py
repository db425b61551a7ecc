"""Whatever fields, bodies and pieces: they come through unchanged. Whatever bytes: it lives on.

The property tests play many rounds on one event loop, with one proxy and one server behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.proxying import ReverseProxy
from tests.proxying.behind import DOORS, OK, Behind, ask, get, opened
from tests.web.talk import parse

TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
DROPPED = set(  # those of one connection, and those that the proxy writes itself
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
        "expect",
        "forwarded",
        "host",
        "max-forwards",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
    ]
)
NAMES = st.text(TOKEN, min_size=1, max_size=12).filter(
    lambda name: name.replace("_", "-") not in DROPPED
)
VALUES = st.text([chr(code) for code in (9, *range(32, 127), *range(128, 256))], max_size=30).map(
    lambda value: value.strip("\t ")
)
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=8)
PIECES = st.lists(st.binary(max_size=3000), max_size=6)
CUTS = st.lists(st.integers(1, 400), min_size=1, max_size=12)
quickly = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
OF_ANSWERS = {"date", "server", "via", "content-length", "transfer-encoding", "connection"}


class World:
    """A loop that stays open, with a server whose answer is `answer`, and a proxy on a port."""

    def __init__(self, door: str) -> None:
        self._runner = asyncio.Runner()
        self._stack = contextlib.AsyncExitStack()
        self.answer = OK
        self.problems: list[dict] = []
        self._runner.run(self._start(door))

    async def _start(self, door: str) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self.problems.append(context))
        self.behind = await self._stack.enter_async_context(Behind(self._script))
        proxy = ReverseProxy([self.behind.url], timeout=5)
        self.port = await self._stack.enter_async_context(opened(door, proxy))

    async def _script(self, line: Any) -> None:
        while await line.request():
            line.say(self.answer)
            if self.answer is not OK:
                return

    def run(self, scenario: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        async def in_time() -> Any:
            async with asyncio.timeout(10):
                return await scenario(*arguments)

        return self._runner.run(in_time())

    def close(self) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()
        assert self.problems == []


@pytest.fixture(params=DOORS)
def world(request):
    found = World(request.param)
    yield found
    found.close()


@pytest.fixture
def front():
    found = World("front")
    yield found
    found.close()


async def exchange(port: int, raw: bytes, cuts: list[int], enough: int = 1) -> bytes:
    """Send bytes in pieces of such sizes, and what came back until so many answers are there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    at = number = 0
    with contextlib.suppress(ConnectionError):
        while at < len(raw):
            size = cuts[number % len(cuts)]
            writer.write(raw[at : at + size])
            await asyncio.sleep(0)
            at, number = at + size, number + 1
    said = b""
    with contextlib.suppress(ConnectionError):
        while len(parse(said, ["GET"], False).answers) < enough and (
            data := await reader.read(65536)
        ):
            said += data
    writer.transport.abort()
    return said


def lines_of(fields: list[tuple[str, str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode("latin-1")


def chunks_of(pieces: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in pieces if one) + b"0\r\n\r\n"


@given(fields=FIELDS, pieces=PIECES, cuts=CUTS, chunked=st.booleans())
@quickly
def test_a_request_comes_through(world, fields, pieces, cuts, chunked):
    body = b"".join(pieces)
    frame = b"Transfer-Encoding: chunked\r\n" if chunked else b"Content-Length: %d\r\n" % len(body)
    raw = get(lines_of(fields) + frame, b"/a?b", b"PUT") + (chunks_of(pieces) if chunked else body)
    said = world.run(exchange, world.port, raw, cuts)
    assert parse(said, ["PUT"], False).statuses == [200]
    seen = world.behind.requests[-1]
    assert (seen.method, seen.target, seen.body) == ("PUT", "/a?b", body)
    assert [field for field in seen.headers if field[0] not in DROPPED] == fields


@given(fields=FIELDS.filter(lambda fields: not OF_ANSWERS & {name for name, _ in fields}), pieces=PIECES,
       frame=st.sampled_from(["length", "chunks", "end"]))  # fmt: skip
@quickly
def test_an_answer_comes_through(world, fields, pieces, frame):
    body = b"".join(pieces)
    lines = {
        "length": b"Content-Length: %d\r\n" % len(body),
        "chunks": b"Transfer-Encoding: chunked\r\n",
        "end": b"",
    }[frame]
    world.answer = (
        b"HTTP/1.1 200 OK\r\n"
        + lines_of(fields)
        + lines
        + b"\r\n"
        + (chunks_of(pieces) if frame == "chunks" else body)
    )
    answer = world.run(ask, world.port)
    assert (answer.status, answer.body) == (200, body)
    got = [
        tuple(line.split(": ", 1))
        for line in answer.raw.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    ]
    assert [(name, value) for name, value in got if name.lower() not in OF_ANSWERS] == fields


# Bytes that are nearly HTTP, and bytes that are not.
WORDS = [b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"0\r\n\r\n", b"5\r\nhello\r\n", b"HTTP/1.1", b"HTTP/1.0 200 OK\r\n",
         b"GET / HTTP/1.1\r\nHost: a\r\n", b"POST /x HTTP/1.1\r\nHost: a\r\n", b"Content-Length: 5\r\n", b"\r\n\r\n", b"hello",
         b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"X: y\r\n",
         b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 204 No Content\r\n", b"FFFFFFFF\r\n", b"\xff"]  # fmt: skip
NONSENSE = st.lists(st.sampled_from(WORDS) | st.binary(max_size=8), max_size=14).map(b"".join)
GOOD = get(target=b"/good")


@given(nonsense=NONSENSE, cuts=CUTS)
@quickly
def test_nonsense_of_clients_harms_nobody(front, nonsense, cuts):
    """Behind, h11 can read all that comes; others get their own answers beside and afterwards."""

    async def scenario() -> None:
        beside = asyncio.create_task(ask(front.port, GOOD))
        reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
        for at in range(0, len(nonsense), cuts[0]):
            writer.write(nonsense[at : at + cuts[0]])
            await asyncio.sleep(0)
        with contextlib.suppress(ConnectionError):
            writer.write_eof()
            assert parse(await reader.read(), ["GET"], True).complaint in ("", *CUT)
        writer.close()
        assert (await beside).body == (await ask(front.port, GOOD)).body == b"ok"

    front.answer = OK
    front.run(scenario)
    assert front.behind.complaints == []


CUT = (
    "peer closed connection without sending complete message body (received 0 bytes, expected 2)",
    "Receive buffer too long",
)


@given(nonsense=NONSENSE)
@quickly
def test_nonsense_of_servers_harms_nobody(front, nonsense):
    """The client gets an answer that h11 can read, or sees that it has no end; the next one is good."""

    async def scenario() -> None:
        front.answer = nonsense
        reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(get(b"Connection: close\r\n"))
        try:
            heard = parse(await reader.read(), ["GET"], True)
            assert len(heard.answers) <= 1
            assert heard.complaint or (len(heard.answers) == 1 and not heard.rest)
            assert not heard.complaint or "peer closed connection" in heard.complaint
        except ConnectionResetError:
            pass
        writer.close()
        front.answer = OK
        assert (await ask(front.port, GOOD)).body == b"ok"

    front.run(scenario)
