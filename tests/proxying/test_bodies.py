"""Bodies flow through the proxy as they come, in both directions, and never pile up in it."""

from __future__ import annotations

import asyncio
import hashlib
import random

import pytest

from helpers.proxying import ReverseProxy
from tests.proxying.behind import (
    OK,
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

LARGE = 10_000_000
CHUNKED = b"Transfer-Encoding: chunked\r\n"
STREAM = b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n"


@every_door
@in_loop
async def test_a_request_reaches_the_server_before_it_ends(door):
    async with stage(door) as (behind, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(get(CHUNKED, method=b"POST"))
        for word in (b"one", b"two", b"three"):
            writer.write(b"%x\r\n%b\r\n" % (len(word), word))
            await until(lambda word=word: behind.lines and word in behind.lines[0].raw)
            assert behind.requests == []
        writer.write(b"0\r\n\r\n")
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
        writer.close()
        assert behind.requests[0].body == b"onetwothree"


@every_door
@in_loop
async def test_an_answer_reaches_the_client_before_it_ends(door):
    async def script(line):
        await line.request()
        line.say(STREAM)
        while word := await words.get():
            line.say(b"%x\r\n%b\r\n" % (len(word), word))
        line.say(b"0\r\n\r\n")

    words: asyncio.Queue[bytes] = asyncio.Queue()
    async with stage(door, script) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(get())
        await reader.readuntil(b"\r\n\r\n")
        for word in (b"one", b"two", b"three"):
            words.put_nowait(word)
            await reader.readuntil(word)
        words.put_nowait(b"")
        assert await reader.readuntil(b"0\r\n\r\n") == b"\r\n0\r\n\r\n"
        writer.close()


@every_door
@in_loop
async def test_both_at_the_same_time(door):
    """The answer begins before the request has ended, and each word comes back at once."""

    async def script(line):
        await line.head()
        line.say(STREAM)
        while piece := await line.piece():
            line.say(b"%x\r\n%b\r\n" % (len(piece), piece))
        line.say(b"0\r\n\r\n")

    async with stage(door, script) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(get(CHUNKED, method=b"POST"))
        for word in (b"first", b"second", b"third"):
            writer.write(b"%x\r\n%b\r\n" % (len(word), word))
            await reader.readuntil(word)
        writer.write(b"0\r\n\r\n")
        await reader.readuntil(b"0\r\n\r\n")
        writer.close()


@every_door
@pytest.mark.parametrize("coding", ["length", "chunks"])
@in_loop
async def test_large_ones_come_through_unchanged(door, coding):
    data = random.Random(7).randbytes(LARGE)
    if coding == "length":
        raw = post(data)
    else:
        pieces = [data[at : at + 99_991] for at in range(0, LARGE, 99_991)]
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        raw = get(CHUNKED, method=b"POST") + chunks + b"0\r\n\r\n"

    async def script(line):
        """Take the body piece by piece, without h11, which is slow; then send as much back."""
        reader = line._reader
        head = await reader.readuntil(b"\r\n\r\n")
        digest, left = hashlib.sha256(), LARGE
        while left:
            size = left
            if coding == "chunks":
                size = int(await reader.readuntil(b"\r\n"), 16)
            while size:
                size -= len(piece := await reader.read(min(size, 1 << 18)))
                left -= len(piece)
                digest.update(piece)
            if coding == "chunks":
                assert await reader.readexactly(2) == b"\r\n"
        if coding == "chunks":
            assert await reader.readexactly(5) == b"0\r\n\r\n"
        seen.append((head, digest.hexdigest()))
        line.say(raw.replace(raw[: raw.index(b"\r\n\r\n")],
                             b"HTTP/1.1 200 OK\r\n" + (b"Content-Length: %d" % LARGE
                             if coding == "length" else CHUNKED.strip()), 1))  # fmt: skip
        await line.ended()

    seen: list[tuple[bytes, str]] = []
    async with stage(door, script) as (_, port):
        answer = await ask_fast(port, raw)
        assert seen[0][1] == hashlib.sha256(data).hexdigest()
        assert answer == data


async def ask_fast(port: int, raw: bytes) -> bytes:
    """The body of an answer, read by Python's own client's rules instead of h11's."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    head = await reader.readuntil(b"\r\n\r\n")
    if b"chunked" not in head.lower():
        data = await reader.readexactly(LARGE)
    else:
        data = b""
        pieces = []
        while size := int(await reader.readuntil(b"\r\n"), 16):
            pieces.append(await reader.readexactly(size))
            await reader.readexactly(2)
        data = b"".join(pieces)
    writer.close()
    return data


async def stuck(sent: list[int]) -> int:
    """How much went out until no more was taken: the number stays the same for many turns."""
    same, last = 0, -1
    while same < 50:
        await asyncio.sleep(0.002)
        same, last = (same + 1, last) if last == sent[0] and last > 0 else (0, sent[0])
    return last


@every_door
@in_loop
async def test_a_client_that_does_not_read_holds_the_server_up(door):
    async def script(line):
        await line.request()
        line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        while sent[0] < 100_000_000:
            line.say(bytes(50_000))
            await line.writer.drain()
            sent[0] += 50_000

    sent = [0]
    async with stage(door, script) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(get())
        assert await stuck(sent) < 30_000_000  # what three sockets and some buffers hold
        before = sent[0]
        left = 20_000_000
        while left > 0:
            left -= len(await reader.read(1 << 18))
        await until(lambda: sent[0] > before)
        writer.transport.abort()


@every_door
@in_loop
async def test_a_server_that_does_not_read_holds_the_client_up(door):
    async def script(line):
        line.writer.transport.pause_reading()
        await released.wait()

    sent, released = [0], asyncio.Event()

    async def push(writer):
        while True:
            writer.write(bytes(50_000))
            await writer.drain()
            sent[0] += 50_000

    async with stage(door, script) as (_, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(get(b"Content-Length: 100000000\r\n", method=b"POST"))
        pushing = asyncio.create_task(push(writer))
        assert await stuck(sent) < 30_000_000
        pushing.cancel()
        writer.transport.abort()
        released.set()


@every_door
@pytest.mark.parametrize("when", ["before the answer", "in the answer", "in the request"])
@in_loop
async def test_a_client_that_leaves_lets_the_server_go(door, when):
    """The server is not called a failure for it."""

    async def script(line):
        await line.head()
        arrived.set()
        if when == "in the answer":
            line.say(STREAM + b"2\r\nhe\r\n")
        await line.ended()
        ended.set()

    arrived, ended = asyncio.Event(), asyncio.Event()
    async with Behind(script) as behind:
        proxy = ReverseProxy([behind.url])
        async with opened(door, proxy) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            raw = get() if when != "in the request" else get(b"Content-Length: 9\r\n") + b"x"
            writer.write(raw)
            await arrived.wait()
            if when == "in the answer":
                await reader.readuntil(b"he")
            writer.close()
            await ended.wait()
            await until(lambda: proxy.statistics()[behind.url].open == 0)
            assert proxy.statistics()[behind.url].failures == 0


@every_door
@in_loop
async def test_an_answer_that_does_not_wait_for_the_body(door):
    """The client gets it at once; neither connection is used again (RFC 9112, section 9.5)."""

    async def script(line):
        await line.head()
        line.say(OK.replace(b"200 OK", b"413 Too Large"))
        await line.ended()

    async with stage(door, script) as (behind, port):
        answer = await ask(port, get(b"Content-Length: 1000\r\n", method=b"POST") + b"x")
        assert answer.status == 413
        assert answer.headers.get("connection", "close") == "close"
        await until(lambda: behind.open == 0)
