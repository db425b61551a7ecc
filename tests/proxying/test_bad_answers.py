"""Servers that answer badly: the client gets 502 or a cut connection, and never another's bytes.

RFC 9112, section 11.1, calls it response splitting when a byte of one answer gets into another.
"""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.proxying.behind import (
    OK,
    answering,
    ask,
    every_door,
    get,
    in_loop,
    once,
    post,
    stage,
    until,
)
from tests.web.talk import parse, talk

SECRET = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nSECRET"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def answer(lines: bytes, body: bytes = b"", status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 " + status + b"\r\n" + lines + b"\r\n" + body


# Their heads can't be read, or can be read in two ways.
UNREADABLE = {
    "length and chunked": answer(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + SECRET),
    "two lengths": answer(b"Content-Length: 2\r\nContent-Length: 3\r\n", b"abc"),
    "a list of lengths": answer(b"Content-Length: 2, 3\r\n", b"abc"),
    "a negative length": answer(b"Content-Length: -1\r\n", SECRET),
    "a length in hexadecimal": answer(b"Content-Length: 0x2\r\n", b"ab"),
    "an empty length": answer(b"Content-Length:\r\n", SECRET),
    "gzip, chunked": answer(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
    "chunked twice": answer(b"Transfer-Encoding: chunked\r\n" * 2, b"0\r\n\r\n"),
    "chunked in HTTP/1.0": CHUNKED.replace(b"1.1", b"1.0") + b"2\r\nok\r\n0\r\n\r\n",
    "a folded line": answer(b"X: a\r\n b\r\nContent-Length: 0\r\n"),
    "a blank before the colon": answer(b"Content-Length : 0\r\n"),
    "CR in a value": answer(b"X: a\rContent-Length: 9\r\nContent-Length: 0\r\n"),
    "LF in a value": answer(b"X: a\nContent-Length: 9\r\nContent-Length: 0\r\n"),
    "NUL in a value": answer(b"X: a\0b\r\nContent-Length: 0\r\n"),
    "no colon": answer(b"nothing\r\n"),
    "only LF": OK.replace(b"\r\n", b"\n"),
    "a status of two digits": answer(b"Content-Length: 0\r\n", status=b"20 OK"),
    "a status of 600": answer(b"Content-Length: 0\r\n", status=b"600 No"),
    "a status of 099": answer(b"Content-Length: 0\r\n", status=b"099 No"),
    "HTTP/2.0": OK.replace(b"1.1", b"2.0"),
    "HTTP/0.9": b"hello",
    "another protocol": b"220 ready\r\n",
    "nothing but NUL": bytes(2000),
    "a switch of protocols": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + SECRET,
    "17 interim answers": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 17 + OK,
    "endless interim answers": b"HTTP/1.1 100 Continue\r\n\r\n" * 5000,
    "a bad interim answer": b"HTTP/1.1 100 Continue\r\nX : y\r\n\r\n" + OK,
    "a head that is too long": answer(b"X: " + b"y" * 40_000 + b"\r\n") + OK,
    "too many lines": answer(b"X: y\r\n" * 201),
    "CR LF before": b"\r\n" + OK,
}  # fmt: skip


@every_door
@pytest.mark.parametrize("case", UNREADABLE)
@in_loop
async def test_502(door, case):
    """The connection to the server is not used again, and the client's stays."""
    async with stage(door, answering(UNREADABLE[case], OK)) as (behind, port):
        heard = await talk(port, [get() * 2], ["GET"], expected=2, seconds=10)
        assert heard.statuses == [502, 200] and not heard.rest
        assert heard.answers[0].headers["content-type"] == "application/problem+json"
        assert b"SECRET" not in heard.answers[0].body and heard.answers[1].body == b"ok"
        assert len(behind.lines) == len(behind.requests) == 2
        await until(lambda: behind.open == 1)


# It breaks off before its head is complete: what idempotent requests get twice is not POST's.
NOTHING = {"nothing": b"", "a part of a head": b"HTTP/1.1 200 OK\r\nContent-", "only 100": b"HTTP/1.1 100 C\r\n\r\n"}  # fmt: skip


@every_door
@pytest.mark.parametrize("case", NOTHING)
@in_loop
async def test_an_early_end(door, case):
    async with stage(door, once(NOTHING[case])) as (behind, port):
        found = await ask(port, post())
        assert (found.status, b"before it had answered" in found.body) == (502, True)
        assert len(behind.requests) == 1


# The head is good, and is passed on; then the client has to see that the end is missing.
CUT = {
    "a short body": answer(b"Content-Length: 5\r\n", b"he"),
    "a short chunk": CHUNKED + b"5\r\nhe",
    "no last chunk": CHUNKED + b"2\r\nhe\r\n",
    "half a trailer": CHUNKED + b"2\r\nhe\r\n0\r\nX: y\r\n",
    "a bad size": CHUNKED + b"2\r\nhe\r\n-2\r\nxx\r\n0\r\n\r\n",
    "a chunk that is longer": CHUNKED + b"2\r\nheXX0\r\n\r\n",
    "a size without an end": CHUNKED + b"2\r\nhe\r\n" + b"0" * 5000,
    "a bad trailer": CHUNKED + b"2\r\nhe\r\n0\r\nX : y\r\n\r\n",
}


@every_door
@pytest.mark.parametrize("case", CUT)
@in_loop
async def test_a_body_without_its_end(door, case):
    async def script(line):
        """The head and two bytes; the rest once the client has these."""
        await line.request()
        head, end, body = CUT[case].partition(b"he")
        line.say(head + end)
        await seen.wait()
        line.say(body)

    seen = asyncio.Event()
    async with stage(door, script) as (behind, port):
        said = await read_all(port, seen)
        assert b"X: y" not in said and len(behind.requests) == 1


@every_door
@in_loop
async def test_a_reset_is_no_end(door):
    """What goes to the end of the connection is complete only if the connection does not break."""

    async def script(line):
        await line.request()
        line.say(b"HTTP/1.1 200 OK\r\n\r\nhe")
        await seen.wait()
        line.reset()

    seen = asyncio.Event()
    async with stage(door, script) as (_, port):
        await read_all(port, seen)


async def read_all(port: int, seen: asyncio.Event) -> bytes:
    """What comes back to two requests: the beginning of one answer, and no end; set `seen` at it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(get() * 2)
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while data := await reader.read(1 << 16):
            said += data
            if b"he" in said.partition(b"\r\n\r\n")[2]:
                seen.set()
    writer.close()
    heard = parse(said, ["GET"], True)
    assert heard.answers == [] and heard.complaint, "half an answer was made a whole one"
    assert said.startswith(b"HTTP/1.1 200 ") and said.count(b"HTTP/1.") == 1
    return said


# More than was asked for: it is dropped, and so is the connection.
EXTRA = {
    "after a length": OK + SECRET,
    "after chunks": CHUNKED + b"2\r\nok\r\n0\r\n\r\n" + SECRET,
    "a second answer": OK + SECRET,
    "CR LF": OK + b"\r\n",
}


@every_door
@pytest.mark.parametrize("case", EXTRA)
@in_loop
async def test_bytes_after_an_answer(door, case):
    async with stage(door, answering(EXTRA[case], OK)) as (behind, port):
        heard = await talk(port, [get() * 3], ["GET"], expected=3, seconds=10)
        assert [found.body for found in heard.answers] == [b"ok"] * 3
        assert [len(line.heads) for line in behind.lines] == [1, 2]


@every_door
@in_loop
async def test_bytes_that_come_while_nobody_asks(door):
    """An answer to nobody: the connection is closed before the next request can get it."""

    async def script(line):
        await line.request()
        line.say(OK)
        if len(behind.lines) == 1:
            await more.wait()
            line.say(SECRET)
            await line.ended()
            ended.set()

    more, ended = asyncio.Event(), asyncio.Event()
    async with stage(door, script) as (behind, port):
        assert (await ask(port)).body == b"ok"
        more.set()
        await ended.wait()
        assert (await ask(port)).body == b"ok"
        assert len(behind.lines) == 2


# Answers that have no body whatever their fields say (RFC 9112, section 6.3, rules 1 and 2).
BARE = {
    "HEAD": (b"HEAD", answer(b"Content-Length: 6\r\n"), 200, "6"),
    "HEAD and chunks": (b"HEAD", answer(b"Transfer-Encoding: chunked\r\n"), 200, None),
    "HEAD without a word": (b"HEAD", answer(b""), 200, None),
    "304": (b"GET", answer(b'ETag: "a"\r\nContent-Length: 6\r\n', status=b"304 Not Modified"), 304, "6"),
    "204": (b"GET", answer(b"", status=b"204 No Content"), 204, None),
    "204 with a length": (b"GET", answer(b"Content-Length: 6\r\n", status=b"204 No Content"), 204, None),
}  # fmt: skip


@every_door
@pytest.mark.parametrize("case", BARE)
@in_loop
async def test_answers_without_a_body(door, case):
    method, said, status, length = BARE[case]
    async with stage(door, answering(said)) as (behind, port):
        raw = get(method=method)
        heard = await talk(port, [raw * 3], [method.decode()], expected=3, seconds=10)
        assert heard.statuses == [status] * 3 and not heard.rest
        for found in heard.answers:
            assert found.headers.get("content-length") == length
            assert status != 204 or "transfer-encoding" not in found.headers  # RFC 9112, 6.1
        assert len(behind.lines) == 1

    async with stage(door, answering(said + b"SECRET", OK)) as (behind, port):
        heard = await talk(port, [raw + get()], [method.decode(), "GET"], expected=2, seconds=10)
        assert heard.statuses == [status, 200] and heard.answers[1].body == b"ok"
        assert len(behind.lines) == 2
