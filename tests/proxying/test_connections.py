"""Connections to the servers: used again whenever that is safe, and closed in time."""

from __future__ import annotations

import asyncio

import pytest

from helpers.proxying import ReverseProxy, _pool
from tests.proxying.behind import (
    OK,
    Behind,
    answering,
    ask,
    every_door,
    get,
    in_loop,
    opened,
    post,
    stage,
    until,
)
from tests.proxying.conftest import sockets
from tests.web.talk import talk

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"


@every_door
@pytest.mark.parametrize("said", [OK, CHUNKED], ids=["length", "chunks"])
@in_loop
async def test_many_requests_use_one_connection_per_server(door, said):
    """From many clients, one after the other, whatever the method is."""
    async with Behind(answering(said)) as one, Behind(answering(said)) as other:
        async with opened(door, ReverseProxy([one.url, other.url])) as port:
            for number in range(20):
                raw = post(bytes(number)) if number % 2 else get()
                assert (await ask(port, raw)).status == 200
            heard = await talk(port, [get() * 20], ["GET"], expected=20, seconds=10)
            assert heard.statuses == [200] * 20
            for behind in (one, other):
                assert [len(line.heads) for line in behind.lines] == [20]


@every_door
@in_loop
async def test_as_many_as_are_needed_at_the_same_time(door):
    async def script(line):
        while await line.request():
            waiting.append(line)
            await all_here.wait()
            line.say(OK)

    waiting, all_here = [], asyncio.Event()
    async with stage(door, script) as (behind, port):
        asking = [asyncio.create_task(ask(port)) for _ in range(10)]
        await until(lambda: len(waiting) == 10 or any(one.done() for one in asking))
        all_here.set()
        await asyncio.gather(*asking)  # one that failed tells why
        for _ in range(10):
            await ask(port)
        assert len(behind.lines) == 10


# An answer after which the connection can't carry another request.
LAST = {
    "Connection: close": OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
    "close in a list": OK.replace(b"\r\n\r\n", b"\r\nConnection: x ,CLOSE\r\n\r\n"),
    "HTTP/1.0": OK.replace(b"1.1", b"1.0"),
    "HTTP/1.0 with keep-alive": OK.replace(b"1.1", b"1.0").replace(
        b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n"
    ),
    "bytes that nobody asked for": OK + b"x",
}


@every_door
@pytest.mark.parametrize("case", LAST)
@in_loop
async def test_not_used_again(door, case):
    """The proxy closes it, although the server would not."""
    async with stage(door, answering(LAST[case])) as (behind, port):
        for _ in range(3):
            assert (await ask(port)).status == 200
        assert [len(line.heads) for line in behind.lines] == [1, 1, 1]
        await until(lambda: behind.open == 0)


@every_door
@in_loop
async def test_what_the_client_wants_of_its_connection_is_no_matter(door):
    async with stage(door) as (behind, port):
        for raw in (get(b"Connection: close\r\n"), b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", get()):
            assert (await ask(port, raw)).status == 200
        assert len(behind.lines) == 1
        assert all(seen.all("connection") == [] for seen in behind.requests)


@every_door
@in_loop
async def test_a_server_that_closes_is_connected_to_anew(door):
    """It ends the connection while nobody asks: the next request does not go there."""

    async def script(line):
        await line.request()
        line.say(OK)

    async with stage(door, script) as (behind, port):
        for _ in range(3):
            assert (await ask(port, post())).status == 200
            await until(lambda: behind.open == 0)
        assert len(behind.requests) == 3


@every_door
@in_loop
async def test_idle_ones_are_closed(door):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_pool, "LONGEST_IDLE", 0.02)
        async with stage(door) as (behind, port):
            for _ in range(2):
                assert (await ask(port)).status == 200
                await until(lambda: behind.open == 0)
            assert len(behind.requests) == 2


@every_door
@in_loop
async def test_only_so_many_idle_ones(door):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_pool, "MOST_IDLE", 3)
        waiting, all_here = [], asyncio.Event()

        async def script(line):
            while await line.request():
                waiting.append(line)
                await all_here.wait()
                line.say(OK)

        async with stage(door, script) as (behind, port):
            asking = [asyncio.create_task(ask(port)) for _ in range(8)]
            await until(lambda: len(waiting) == 8)
            all_here.set()
            await asyncio.gather(*asking)
            await until(lambda: behind.open == 3)


@every_door
@in_loop
async def test_those_to_a_removed_server_are_closed(door):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_pool, "LONGEST_IDLE", 3600)
        async with Behind() as behind:
            proxy = ReverseProxy([behind.url])
            async with opened(door, proxy) as port:
                await ask(port)
                assert behind.open == 1
                proxy.remove(behind.url)
                await until(lambda: behind.open == 0)


@every_door
@in_loop
async def test_nothing_is_open_after_stop(door):
    """Not the idle ones, not those in the middle of a request, and no listener."""

    async def script(line):
        while seen := await line.request():
            if seen.target == "/never":
                await line.ended()
            line.say(OK)

    before = sockets()
    async with Behind(script) as behind:
        with_server = sockets()
        async with opened(door, ReverseProxy([behind.url], check="/health")) as port:
            assert (await ask(port)).status == 200
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(get(target=b"/never"))
            await until(lambda: "/never" in [seen.target for seen in behind.requests])
            assert len(sockets()) > len(with_server)
        assert await reader.read() == b""
        writer.close()
        await until(lambda: behind.open == 0)
        await until(lambda: sockets() <= with_server)
    await until(lambda: sockets() <= before)


@in_loop
async def test_one_proxy_can_run_again():
    """In one server after the other, and in two at once: each has connections of its own."""
    async with Behind() as behind:
        proxy = ReverseProxy([behind.url])
        for door in ("serve", "front", "serve"):
            async with opened(door, proxy) as port:
                assert (await ask(port)).status == 200
        async with opened("serve", proxy) as one, opened("front", proxy) as other:
            for port in (one, other, one, other):
                assert (await ask(port)).status == 200
        assert [len(line.heads) for line in behind.lines] == [1, 1, 1, 2, 2]
        await until(lambda: behind.open == 0)
