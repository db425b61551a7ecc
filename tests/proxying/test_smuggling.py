"""Raw bytes that two programs may read in two ways: the server behind sees one request, or none.

Each case is followed on its connection by a request for /next; if /hidden ever came, it was
smuggled (RFC 9112, section 11.2). tests/proxying/test_rfc.py looks at many more cases' statuses.
"""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from helpers.proxying._front import Front
from tests.proxying.behind import DOORS, Behind, every_door, get, in_loop, post, stage, until
from tests.web.talk import parse, talk

NEXT = get(target=b"/next")
HIDDEN = get(target=b"/hidden")
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def framed(lines: bytes, body: bytes) -> bytes:
    return get(lines, b"/first", b"POST") + body


def field(line: bytes) -> bytes:
    return get(line + b"\r\n", b"/first")


LAST = b"0\r\n\r\n"
# Refused by both: the status, and that nobody behind hears of anything.
REFUSED = {
    "length before chunked": (framed(b"Content-Length: 6\r\n" + CHUNKED, LAST + HIDDEN), 400),
    "chunked before length": (framed(CHUNKED + b"Content-Length: 3\r\n", b"8\r\n" + HIDDEN + LAST), 400),
    "length and xchunked": (framed(b"Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n", LAST), 400),
    "two lengths": (framed(b"Content-Length: 5\r\nContent-Length: 0\r\n", HIDDEN), 400),
    "a list of lengths": (framed(b"Content-Length: 5, 0\r\n", HIDDEN), 400),
    "a signed length": (framed(b"Content-Length: +5\r\n", b"hello"), 400),
    "a negative length": (framed(b"Content-Length: -1\r\n", HIDDEN), 400),
    "blanks in a length": (framed(b"Content-Length: 5 5\r\n", b"hello"), 400),
    "xchunked": (framed(b"Transfer-Encoding: xchunked\r\n", LAST + HIDDEN), (400, 501)),
    "chunked, identity": (framed(b"Transfer-Encoding: chunked, identity\r\n", LAST + HIDDEN), (400, 501)),
    "chunked twice": (framed(CHUNKED * 2, LAST + HIDDEN), (400, 501)),
    "vertical tab and chunked": (framed(b"Transfer-Encoding: \x0bchunked\r\n", LAST + HIDDEN), (400, 501)),
    "a blank before the colon": (framed(b"Transfer-Encoding : chunked\r\n", LAST + HIDDEN), 400),
    "a length with a blank": (framed(b"Content-Length : 5\r\n", b"hello" + HIDDEN), 400),
    "chunked in HTTP/1.0": (framed(CHUNKED, LAST + HIDDEN).replace(b"HTTP/1.1", b"HTTP/1.0", 1), 400),
    "NUL in a value": (field(b"X: a\0b"), 400),
    "CR in a value": (field(b"X: a\rb"), 400),
    "CR LF hidden in CR": (field(b"X: a\r\r\nTransfer-Encoding: chunked"), 400),
    "NUL in a name": (field(b"X\0: b"), 400),
    "no colon": (field(b"nothing"), 400),
    "an empty name": (field(b": b"), 400),
    "a blank in the target": (b"GET /first /hidden HTTP/1.1\r\nHost: a\r\n\r\n", 400),
}  # fmt: skip


@every_door
@pytest.mark.parametrize("case", REFUSED)
@in_loop
async def test_refused(door, case):
    raw, status = REFUSED[case]
    async with stage(door) as (behind, port):
        heard = await talk(port, [raw + NEXT], ["POST"], expected=2, seconds=20)
        assert len(heard.answers) == 1 and heard.closed and not heard.rest
        assert heard.statuses[0] in (status if isinstance(status, tuple) else (status,))
        assert behind.lines == []


# The head is good, so it may have gone on; but a server never gets a whole request.
BROKEN = {
    "a signed size": b"+5\r\nhello\r\n" + LAST,
    "a size in 0x": b"0x5\r\nhello\r\n" + LAST,
    "an underscore in a size": b"0_5\r\nhello\r\n" + LAST,
    "no size": b"\r\nhello\r\n" + LAST,
    "a chunk that is longer": b"4\r\nhello\r\n" + LAST,
    "a chunk that is shorter": b"6\r\nhello\r\n" + LAST + b"\r\n",
    "other bytes after a chunk": b"5\r\nhelloXX" + LAST,
    "LF after a size": b"5\nhello\r\n" + LAST,
    "LF in an extension": b"5;a\nhello\r\n" + LAST,
    "a size of 40 digits": b"0" * 39 + b"5\r\nhello\r\n" + LAST,
    "an extension without end": b"5;" + b"a" * 70_000,
    "a trailer that is none": b"5\r\nhello\r\n0\r\nX : y\r\n\r\n",
    "a folded trailer": b"5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n",
}


# h11 reads these, in the one way that there is: see test_what_h11_reads.
BY_H11 = ("a folded trailer", "a size of 40 digits")


@pytest.mark.parametrize("first", [b"", b"3\r\nabc\r\n"], ids=["first chunk", "second chunk"])
@pytest.mark.parametrize(
    ("door", "case"),
    [(door, case) for door in DOORS for case in BROKEN if door == "front" or case not in BY_H11],
)
@in_loop
async def test_a_broken_body_is_never_taken_for_a_whole_one(door, case, first):
    """Whether it comes with the head, or when a server has already got some of it."""
    async with stage(door) as (behind, port):
        raw = get(CHUNKED, b"/first", b"POST")
        if not first:
            heard = await talk(port, [raw + BROKEN[case] + NEXT], ["POST"], 2, seconds=20)
        else:
            heard = await in_two_steps(behind, port, raw + first, BROKEN[case] + NEXT)
        assert [answer.status for answer in heard.answers] == [400]
        assert heard.closed and not heard.rest
        assert behind.requests == behind.complaints == []
        await until(lambda: behind.cut == len(behind.lines))
        assert behind.lines or not first


async def in_two_steps(behind: Behind, port: int, good: bytes, bad: bytes):
    """Send the bad part only when the server behind has some of the good one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(good)
    await until(lambda: behind.lines and b"abc" in behind.lines[0].raw)
    writer.write(bad)
    heard = b""
    with contextlib.suppress(ConnectionResetError):
        while data := await reader.read(1 << 16):
            heard += data
    writer.close()
    return parse(heard, ["POST"], True)


# Good, if unusual: what the server behind has to see, next to /next.
GOOD = {
    "chunk extensions": (framed(CHUNKED, b'5;a="\\"b";c=d\r\nhello\r\n0;e\r\n\r\n'), b"hello"),
    "sizes with zeros": (framed(CHUNKED, b"0005\r\nhello\r\n000\r\n\r\n"), b"hello"),
    "chunks of one byte": (framed(CHUNKED, b"1\r\nh\r\n" * 500 + LAST), b"h" * 500),
    "a trailer with a length": (framed(CHUNKED, b"5\r\nhello\r\n0\r\nContent-Length: 99\r\n\r\n"), b"hello"),
    "a request as a body": (framed(b"Content-Length: %d\r\n" % len(HIDDEN), HIDDEN), HIDDEN),
    "a request in a chunk": (framed(CHUNKED, b"%x\r\n%b\r\n" % (len(HIDDEN), HIDDEN) + LAST), HIDDEN),
    "a GET with a request": (get(b"Content-Length: %d\r\n" % len(HIDDEN), b"/first") + HIDDEN, HIDDEN),
    "the same length in Connection": (
        framed(b"Connection: content-length\r\nContent-Length: 5\r\n", b"hello"), b"hello"),
    "chunked in Connection": (
        framed(b"Connection: transfer-encoding\r\n" + CHUNKED, b"5\r\nhello\r\n" + LAST), b"hello"),
    "twins of the length": (framed(b"Content_Length: 50\r\nContent-Length: 5\r\n", b"hello"), b"hello"),
}  # fmt: skip


@every_door
@pytest.mark.parametrize("case", GOOD)
@in_loop
async def test_one_request_stays_one(door, case):
    raw, body = GOOD[case]
    async with stage(door) as (behind, port):
        heard = await talk(port, [raw + NEXT], ["POST"], expected=2, seconds=20)
        assert heard.statuses == [200, 200] and not heard.rest
        assert [seen.target for seen in behind.requests] == ["/first", "/next"]
        assert behind.requests[0].body == body
        assert behind.complaints == []


@every_door
@in_loop
async def test_many_at_once_are_answered_in_their_order(door):
    async with stage(door) as (behind, port):
        targets = [f"/{number}" for number in range(30)]
        raw = b"".join(post(target.encode()).replace(b" / ", b" %b " % target.encode())
                       for target in targets)  # fmt: skip
        heard = await talk(port, [raw], ["POST"], expected=30, seconds=20)
        assert heard.statuses == [200] * 30
        assert [seen.target for seen in behind.requests] == targets
        assert [seen.body.decode() for seen in behind.requests] == targets


@pytest.mark.parametrize("case", BY_H11)
@in_loop
async def test_what_h11_reads(case):
    """h11 is less strict there; what comes out behind the proxy is framed anew, without a doubt."""
    async with stage("serve") as (behind, port):
        raw = get(CHUNKED, b"/first", b"POST") + BROKEN[case] + NEXT
        await talk(port, [raw], ["POST"], expected=2, seconds=20)
        assert {seen.target for seen in behind.requests} <= {"/first", "/next"}
        assert behind.complaints == []


@in_loop
async def test_a_refused_head_request_gets_no_body():
    """RFC 9110, section 9.3.2: a client would take it for the next answer."""
    async with stage("front") as (_, port):
        for raw in (get(b"X : y\r\n", method=b"HEAD"), get(CHUNKED, method=b"HEAD") + b"x\r\n"):
            heard = await talk(port, [raw], ["HEAD"], expected=2, seconds=20)
            assert heard.statuses == [400] and heard.closed and not heard.rest


@in_loop
async def test_nothing_counts_after_a_mistake():
    """Bytes that would be right again come after a bad chunk, before the app has asked."""

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await send({"type": "lifespan.startup.complete"})
            return
        await go_on.wait()
        messages.append(await receive())

    messages, go_on = [], asyncio.Event()
    async with Front(app) as front:
        reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(get(CHUNKED, method=b"POST"))
        await until(lambda: front.tasks)
        [client] = front.clients
        client.data_received(b"x\r\n")
        client.data_received(b"2\r\nhi\r\n" + LAST + HIDDEN)
        go_on.set()
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()
        assert messages == [{"type": "http.disconnect"}]
