"""What a server's answer becomes on its way to the client."""

from __future__ import annotations

import pytest

from helpers.proxying import ReverseProxy
from tests.proxying.behind import (
    OK,
    Behind,
    answering,
    ask,
    every_door,
    get,
    in_loop,
    once,
    opened,
    stage,
)
from tests.web.talk import talk

DATE = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"


def answer(lines: bytes, body: bytes = b"ok", status: bytes = b"200 OK") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 " + status + b"\r\n" + DATE + lines + length + b"\r\n" + body


# Lines of a server's head, and those that the client gets of them.
FIELDS = {
    "plain fields": (b"X-A: 1\r\nServer: x\r\nSet-Cookie: a=b\r\nset-cookie: c=d\r\n",
                     ["x-a: 1", "server: x", "set-cookie: a=b", "set-cookie: c=d"]),
    "of one connection": (
        b"Keep-Alive: timeout=5\r\nProxy-Authenticate: x\r\nProxy-Authentication-Info: x\r\n"
        b"Trailer: X\r\nUpgrade: h2c\r\nTE: x\r\nProxy-Connection: keep-alive\r\nX: y\r\n", ["x: y"]),
    "named by Connection": (b"Connection: X-A ,x-b\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\n", ["x-c: 3"]),
    "what Connection can't name": (b"Connection: content-length, date\r\nX: y\r\n", ["x: y"]),
    "strange values": (b"X:\r\nY: \xff\t\"\r\n", ["x: ", "y: \xff\t\""]),
}  # fmt: skip


@every_door
@pytest.mark.parametrize("case", FIELDS)
@in_loop
async def test_fields(door, case):
    lines, expected = FIELDS[case]
    async with stage(door, answering(answer(lines))) as (_, port):
        found = await ask(port)
        got = found.raw.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")[1:]
        assert [
            line for line in got if not line.startswith(("date", "via", "content-length"))
        ] == expected
        assert f"date: {DATE.decode()[6:-2]}" in got
        assert (found.headers["content-length"], found.headers["via"]) == ("2", "1.1 course-proxy")


@every_door
@pytest.mark.parametrize(
    ("said", "via"),
    [
        (OK.replace(b"1.1", b"1.0"), "1.0 course-proxy"),
        (answer(b"Via: 1.1 a\r\nVia: 2 b (c)\r\n"), "1.1 a, 2 b (c), 1.1 course-proxy"),
    ],
)
@in_loop
async def test_via_is_appended(door, said, via):
    async with stage(door, answering(said)) as (_, port):
        assert (await ask(port)).headers["via"] == via


@every_door
@in_loop
async def test_an_answer_without_a_date_gets_one(door):
    """RFC 9110, section 6.6.1."""
    async with stage(door) as (_, port):
        assert (await ask(port)).headers["date"].endswith(" GMT")


@every_door
@pytest.mark.parametrize(
    "said", [b"200 Fine", b"200", b"200 ", b"226 IM Used", b"404 \xff", b"418 Tea", b"299 Odd",
             b"399 Odd", b"499 Odd", b"599 Odd", b"503 Busy"]
)  # fmt: skip
@in_loop
async def test_statuses(door, said):
    """A server that says 503 has answered: it is no failure, and nobody else is asked."""
    async with Behind(answering(answer(b"", status=said))) as behind, Behind() as other:
        proxy = ReverseProxy([behind.url, other.url])
        async with opened(door, proxy) as port:
            found = await ask(port)
            assert (found.status, found.body) == (int(said[:3]), b"ok")
            assert proxy.statistics()[behind.url].failures == 0
            assert other.requests == []


BODIES = {
    "a length": (answer(b"", b"x" * 70_000), b"x" * 70_000),
    "no byte": (answer(b"", b""), b""),
    "chunks": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n",
               b"abcde"),
    "to the end": (b"HTTP/1.1 200 OK\r\n\r\nto the end", b"to the end"),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\nto the end", b"to the end"),
    "after others": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, b"ok"),
    "after 16 others": (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 16 + OK, b"ok"),
}  # fmt: skip


@every_door
@pytest.mark.parametrize("case", BODIES)
@in_loop
async def test_bodies(door, case):
    """However it is framed, it comes through; the client's connection stays."""
    said, body = BODIES[case]
    async with stage(door, once(said)) as (_, port):
        heard = await talk(port, [get() * 2], ["GET"], expected=2, seconds=10)
        assert [found.body for found in heard.answers] == [body] * 2
        assert not heard.rest and not heard.closed
        assert all("x" not in found.headers for found in heard.answers), "a trailer was passed on"


@every_door
@in_loop
async def test_an_old_client(door):
    """HTTP/1.0 knows no chunks: the end of the connection is the end of the answer."""
    async with stage(door, answering(BODIES["chunks"][0])) as (_, port):
        heard = await talk(port, [b"GET / HTTP/1.0\r\n\r\n"], ["GET"], expected=2, seconds=10)
        [found] = heard.answers
        assert heard.closed and found.body == b"abcde"
        assert "transfer-encoding" not in found.headers
