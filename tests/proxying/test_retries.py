"""Which requests are sent once more, and to whom (RFC 9110, section 9.2.2).

The first server fails in one way or another; the second one is well.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from helpers.balancing import RoundRobin
from helpers.proxying import ReverseProxy
from tests.proxying.behind import (
    OK,
    Behind,
    ask,
    every_door,
    get,
    in_loop,
    named,
    once,
    opened,
    post,
    until,
)
from tests.web.talk import talk

REFUSES = "http://127.0.0.1:1"  # nobody listens there
IDEMPOTENT = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")
OTHERS = ("POST", "PATCH", "BREW", "get")


async def breaks_off(line):
    """Take a request, and hang up without a word."""
    await line.request()


async def resets(line):
    await line.request()
    line.reset()


@asynccontextmanager
async def two(door, script, **options) -> AsyncIterator[tuple[Behind, Behind, ReverseProxy, int]]:
    """A server that fails, one that is well, and a proxy that begins with the first."""
    async with Behind(script) as bad, Behind(named("well")) as well:
        proxy = ReverseProxy([bad.url, well.url], RoundRobin, **options)
        async with opened(door, proxy) as port:
            yield bad, well, proxy, port


def figures(proxy: ReverseProxy) -> list[tuple[int, int, int]]:
    return [(row.requests, row.failures, row.retries) for row in proxy.statistics()]


@every_door
@pytest.mark.parametrize("script", [breaks_off, resets])
@pytest.mark.parametrize("method", IDEMPOTENT)
@in_loop
async def test_an_idempotent_request_is_sent_once_more(door, method, script):
    async with two(door, script) as (bad, well, proxy, port):
        raw = get(method=method.encode()) if method != "PUT" else post(b"hello", method=b"PUT")
        answer = await ask(port, raw)
        assert answer.status == 200 and answer.body == (b"" if method == "HEAD" else b"well")
        [first], [second] = bad.requests, well.requests
        assert first.raw == second.raw
        assert figures(proxy) == [(1, 1, 0), (1, 0, 1)]


@every_door
@pytest.mark.parametrize("script", [breaks_off, resets])
@pytest.mark.parametrize("method", OTHERS)
@in_loop
async def test_others_are_not_once_somebody_may_have_seen_them(door, method, script):
    async with two(door, script) as (bad, well, proxy, port):
        answer = await ask(port, post(method=method.encode()))
        assert answer.status == 502
        assert len(bad.requests) == 1 and well.lines == []
        assert figures(proxy) == [(1, 1, 0), (0, 0, 0)]


@every_door
@pytest.mark.parametrize("retries", [0, 1])
@in_loop
async def test_any_goes_on_if_nobody_could_be_reached(door, retries):
    """Also without retries: nothing was sent to anybody yet."""
    async with Behind() as behind:
        proxy = ReverseProxy([REFUSES, behind.url], retries=retries)
        async with opened(door, proxy) as port:
            assert (await ask(port, post(bytes(200_000)))).status == 200
            assert behind.requests[0].body == bytes(200_000)
            assert figures(proxy) == [(1, 1, 0), (1, 0, 1)]


@every_door
@pytest.mark.parametrize(("retries", "seen"), [(0, 1), (1, 2), (2, 3), (9, 4)])
@in_loop
async def test_so_often_and_no_server_twice(door, retries, seen):
    servers = [Behind(breaks_off) for _ in range(4)]
    async with servers[0], servers[1], servers[2], servers[3]:
        proxy = ReverseProxy([one.url for one in servers], retries=retries, max_fails=0)
        async with opened(door, proxy) as port:
            assert (await ask(port)).status == 502
            assert [len(one.requests) for one in servers] == [1] * seen + [0] * (4 - seen)


@every_door
@in_loop
async def test_servers_that_refuse_do_not_count(door):
    async with Behind(named("well")) as well:
        proxy = ReverseProxy([f"http://127.0.0.1:{port}" for port in (1, 2, 3, 4)] + [well.url])
        async with opened(door, proxy) as port:
            assert (await ask(port)).body == b"well"


@every_door
@pytest.mark.parametrize(
    ("sizes", "status"), [((60_000,), 200), ((30_000, 30_000), 200), ((60_000, 60_000), 502)]
)
@in_loop
async def test_only_a_body_that_is_kept_is_sent_again(door, sizes, status):
    """All that has come when the first server breaks off; it has seen every byte."""

    async def script(line):
        await line.head()
        size = 0
        while piece := await line.piece():
            size += len(piece)
            seen.put_nowait(size)
            if size == sum(sizes):
                return

    seen: asyncio.Queue[int] = asyncio.Queue()
    async with two(door, script) as (_, well, _, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(get(b"Content-Length: %d\r\n" % sum(sizes), method=b"PUT"))
        sent = 0
        for size in sizes:
            writer.write(bytes(size))
            sent += size
            while await seen.get() < sent:
                pass
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        writer.close()
        assert [len(one.body) for one in well.requests] == ([sum(sizes)] if status == 200 else [])


@every_door
@in_loop
async def test_chunks_are_sent_again_too(door):
    async def script(line):
        await line.head()
        while len(line.heads[-1].body) < 5:
            await line.piece()

    async with two(door, script) as (_, well, _, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(get(b"Transfer-Encoding: chunked\r\n", method=b"PUT") + b"5\r\nhello\r\n")
        await until(lambda: well.lines)
        writer.write(b"6\r\n world\r\n0\r\n\r\n")
        assert (await reader.readuntil(b"well")).startswith(b"HTTP/1.1 200 ")
        writer.close()
        assert well.requests[0].body == b"hello world"


@every_door
@in_loop
async def test_none_after_the_first_byte_of_an_answer_to_the_client(door):
    """Not even a GET: it could end up with the halves of two answers."""

    async def script(line):
        await line.request()
        line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")

    async with two(door, script) as (_, well, proxy, port):
        heard = await talk(port, [get()], ["GET"], seconds=10)
        assert heard.answers == [] and heard.closed
        assert well.lines == [] and figures(proxy)[0] == (1, 1, 0)


@every_door
@in_loop
async def test_none_after_nonsense(door):
    """A server that says something wrong has worked on the request."""
    async with two(door, once(b"nonsense")) as (_, well, _, port):
        assert (await ask(port)).status == 502
        assert well.lines == []


# An idle connection that the server closes just when the next request is on its way.


async def goes_stale(line):
    """Answer once; then take the next request's bytes, and hang up as if it had not seen them."""
    await line.request()
    line.say(OK)
    if len(line.behind.lines) == 1:
        await line.head()
    else:
        while await line.request():
            line.say(OK)


@every_door
@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("PUT", 200), ("POST", 502)])
@in_loop
async def test_a_stale_connection(door, method, status):
    """The same server gets it on a new one, without a failure; but a POST might be done twice."""
    async with Behind(goes_stale) as behind, Behind() as other:
        proxy = ReverseProxy({behind.url: 1, other.url: 0}, retries=0)
        async with opened(door, proxy) as port:
            assert (await ask(port)).status == 200
            answer = await ask(port, post(method=method.encode()))
            assert answer.status == status
            assert [len(line.heads) for line in behind.lines] == [2, 1] if status == 200 else [2]
            assert proxy.statistics()[behind.url].failures == (status == 502)


@every_door
@in_loop
async def test_a_stale_connection_is_forgiven_once(door):
    """The new one breaks off, too: that is a failure."""

    async def script(line):
        await line.request()
        if len(line.behind.lines) == 1:
            line.say(OK)
            await line.request()

    async with Behind(script) as behind:
        proxy = ReverseProxy([behind.url], retries=0)
        async with opened(door, proxy) as port:
            assert (await ask(port)).status == 200
            assert (await ask(port)).status == 502
            assert [len(line.heads) for line in behind.lines] == [2, 1]
            assert figures(proxy) == [(2, 1, 0)]
