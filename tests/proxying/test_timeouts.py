"""Who is too slow: 408 for the client, 504 for the server; and who only takes time to read."""

from __future__ import annotations

import asyncio
import socket

import pytest

from helpers.proxying import ReverseProxy, _cycle, _front
from tests.proxying.behind import (
    Behind,
    ask,
    every_door,
    get,
    in_loop,
    opened,
    post,
    stage,
    until,
)
from tests.web.talk import talk

LENGTH = b"Content-Length: 9\r\n"


async def never(line):
    await line.request()
    await line.ended()


@every_door
@pytest.mark.parametrize("raw", [get(), post()], ids=["GET", "POST"])
@in_loop
async def test_a_server_that_says_nothing(door, raw):
    """504, and nobody else is asked: that would take just as long again."""
    async with Behind(never) as slow, Behind() as other:
        proxy = ReverseProxy([slow.url, other.url], timeout=0.1)
        async with opened(door, proxy) as port:
            answer = await ask(port, raw)
            assert (answer.status, b"too long to answer" in answer.body) == (504, True)
            assert answer.headers["content-type"] == "application/problem+json"
            assert proxy.statistics()[slow.url].failures == 1
            await until(lambda: slow.open == 0)
            assert other.requests == []


@every_door
@in_loop
async def test_a_server_that_stops_in_the_middle(door):
    async def script(line):
        await line.request()
        line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
        await line.ended()

    async with stage(door, script, timeout=0.1) as (_, port):
        heard = await talk(port, [get()], ["GET"], seconds=10)
        assert heard.answers == [] and heard.closed and heard.complaint


@every_door
@in_loop
async def test_a_server_that_takes_no_more(door):
    """It reads nothing of a body that is too large for the sockets' buffers."""

    async def script(line):
        line.writer.transport.pause_reading()
        await done.wait()

    done = asyncio.Event()
    async with stage(door, script, timeout=0.2) as (_, port):
        answer = await ask(port, post(bytes(30_000_000)))
        done.set()
        assert answer.status == 504


@every_door
@pytest.mark.parametrize("body", [b"", b"x", b"xxxx"])
@in_loop
async def test_a_client_that_stops_in_the_middle(door, body):
    """408; a server that waits for the rest is let go, and is not to blame."""
    async with Behind() as behind:
        proxy = ReverseProxy([behind.url], timeout=0.1)
        async with opened(door, proxy) as port:
            raw = get(LENGTH, method=b"POST") + body
            heard = await talk(port, [raw], ["POST"], expected=2, seconds=10)
            assert heard.statuses == [408] and heard.closed
            assert heard.answers[0].headers["content-type"] == "application/problem+json"
            await until(lambda: behind.open == 0)
            assert behind.requests == [] and bool(behind.lines) == bool(body)
            assert proxy.statistics()[behind.url].failures == 0


@in_loop
async def test_who_reads_slowly_is_given_time():
    """The server waits for the client, for more than twice the timeout; both are well.

    The request's body had to wait for the server before, which must make no difference.
    """

    async def script(line):
        line.writer.transport.pause_reading()
        await begun.wait()
        line.writer.transport.resume_reading()
        await line.request()
        line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n" + bytes(30_000_000))
        await line.ended()

    begun = asyncio.Event()
    async with stage("front", script, timeout=1) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(post(bytes(8_000_000)))
        asyncio.get_running_loop().call_later(0.1, begun.set)
        await reader.readexactly(1)
        end = asyncio.get_running_loop().time() + 2.2
        await until(lambda: asyncio.get_running_loop().time() > end)
        left = 30_000_000
        while data := await reader.read(1 << 18):
            left -= len(data)
            if left < 0:  # the rest of the head was more than nothing
                break
        assert left < 0
        writer.transport.abort()


@in_loop
async def test_a_head_that_does_not_come():
    """The proxy's own server has no patience for it; uvicorn has no limit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_front, "HEAD", 0.0)
        async with stage("front") as (behind, port):
            begun = (b"GET / HTTP/1.1\r\nHo", get() + b"GET /", b"G")
            for heard in await asyncio.gather(
                *(talk(port, [raw], ["GET"], expected=3, seconds=10) for raw in begun)
            ):
                assert heard.statuses[-1] == 408 and heard.closed
            assert len(behind.requests) == 1


@in_loop
async def test_a_client_that_asks_for_nothing():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_front, "IDLE", 0.0)
        async with stage("front") as (behind, port):
            asked, silent = await asyncio.gather(
                talk(port, [get()], ["GET"], expected=2, seconds=10),
                talk(port, [], ["GET"], seconds=10),
            )
            assert asked.statuses == [200] and asked.closed
            assert silent.closed and not silent.rest
            assert len(behind.requests) == 1


@in_loop
async def test_a_client_that_takes_nothing_of_its_answer():
    async def script(line):
        await line.request()
        line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n" + bytes(30_000_000))
        await line.ended()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_cycle, "WRITE", 0.0)
        async with stage("front", script) as (behind, port):
            _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
            writer.write(get())
            await until(lambda: behind.lines)
            await until(lambda: behind.open == 0)
            writer.transport.abort()


@in_loop
async def test_a_connection_that_does_not_come_about():
    """Its backlog is full, so nobody says yes or no; the next server is asked."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        for _ in range(3):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(full.getsockname())
            waiting.append(one)
        async with Behind() as behind:
            url = f"http://127.0.0.1:{full.getsockname()[1]}"
            proxy = ReverseProxy([url, behind.url], connect_timeout=0.1)
            async with opened("front", proxy) as port:
                assert (await ask(port, post())).status == 200
                assert proxy.statistics()[url].failures == 1
                proxy.remove(behind.url)
                answer = await ask(port, post())
                assert (answer.status, b"reached" in answer.body) == (502, True)
        for one in waiting:
            one.close()
