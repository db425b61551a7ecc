"""What the proxy does not pass on, and the problem (RFC 9457) that it answers with instead."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from helpers.proxying import ReverseProxy
from tests.proxying.behind import PATIENCE, ask, every_door, get, in_loop, opened, post, stage
from tests.web.talk import talk

ALLOW = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
# A request, the status, and words of the detail. Both servers let these through to the proxy.
REFUSED = {
    "TRACE": (get(method=b"TRACE"), 405, "TRACE would show"),
    "CONNECT": (b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501, "opens no tunnels"),
    "WebSocket": (
        get(b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
        501, "no WebSockets"),
    "another expectation": (get(b"Expect: tea\r\n"), 417, "100-continue"),
    "a good and another one": (post(b"x", b"Expect: 100-continue, tea\r\n"), 417, "100-continue"),
    "a bad Host": (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "Host is not one name"),
    "Host with blanks": (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "Host is not one name"),
    "Host with a user": (b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, "Host is not one name"),
    "Host with a quote": (b'GET / HTTP/1.1\r\nHost: a";for=b\r\n\r\n', 400, "Host is not one name"),
    "a user in the target": (get(target=b"http://u:p@a/"), 400, "Host is not one name"),
    "no path": (get(target=b"a.html"), 400, "not a path"),
    "a fragment": (get(target=b"/a#b"), 400, "not a path"),
    "an asterisk": (get(target=b"*"), 400, "not a path"),
    "another scheme": (get(target=b"ftp://a/"), 400, "not a path"),
    "lines that are too long": (
        get(b"".join(b"X-%d: %b\r\n" % (n, b"y" * 300) for n in range(100)) + b"Z: %b\r\n" % (b"z" * 5000)),
        431, "too|longer"),
    "many lines": (get(b"X: y\r\n" * 201), 431, "more than|too many"),
    "HTTP/2.0 as text": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", (505, 400), "HTTP"),
    "chunked in HTTP/1.0": (
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "than chunked"),
    "length and chunked": (
        get(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", method=b"POST") + b"0\r\n\r\n",
        400, "contradict each other"),
}  # fmt: skip


@every_door
@pytest.mark.parametrize("case", REFUSED)
@in_loop
async def test_refused(door, case):
    raw, status, words = REFUSED[case]
    async with stage(door) as (behind, port):
        heard = await talk(port, [raw], ["GET"], expected=2, seconds=PATIENCE)
        [answer] = heard.answers
        assert answer.status in (status if isinstance(status, tuple) else (status,))
        assert heard.closed and answer.headers["connection"].lower() == "close"
        assert re.search(words, answer.body.decode())
        if "via" in answer.headers:  # and not the server's in front of it
            check_problem(answer)
        assert answer.headers.get("allow") == (ALLOW if status == 405 else None)
        assert behind.requests == behind.lines == []


def check_problem(answer):
    """Whether it is a problem, and repeats nothing of the request."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem = json.loads(answer.body)
    assert list(problem) == ["type", "title", "status", "detail"]
    assert problem["type"] == "about:blank" and problem["status"] == answer.status
    assert problem["detail"].endswith(".")


@in_loop
async def test_who_is_refused_can_read_why():
    """To close at once would destroy the answer on its way (RFC 9112, section 9.6)."""
    async with stage("front") as (_, port):
        raw = get(b"X : y\r\n", method=b"POST") + bytes(5_000_000)
        for _ in range(5):
            heard = await talk(port, [raw], ["POST"], expected=2, seconds=PATIENCE)
            assert heard.statuses == [400] and heard.closed


@every_door
@in_loop
async def test_two_hosts(door):
    """h11 refuses them itself; nobody behind hears of either."""
    async with stage(door) as (behind, port):
        for lines in (b"Host: a\r\n", b"Host: b\r\n"):
            assert (await ask(port, get(lines))).status == 400
        assert behind.lines == []


@every_door
@in_loop
async def test_other_upgrades_are_not_passed_on(door):
    """Who asks for h2c gets his answer in HTTP/1.1, as RFC 9110, section 7.8, allows."""
    async with stage(door) as (behind, port):
        lines = (
            b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
        )
        assert (await ask(port, get(lines))).status == 200
        names = {name for name, _ in behind.requests[0].headers}
        assert not names & {"upgrade", "connection", "http2-settings"}


@every_door
@in_loop
async def test_who_waits_for_the_word_gets_it(door):
    """Expect (RFC 9110, section 10.1.1) is answered by the server in front, and not passed on."""
    async with stage(door) as (behind, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head, body = post(b"hello", b"Expect: 100-continue\r\n").split(b"\r\n\r\n")
        writer.write(head + b"\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        assert behind.requests == []
        writer.write(body)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.close()
        assert behind.requests[0].body == b"hello"
        assert behind.requests[0].all("expect") == []
        assert (await ask(port, get(b"Expect: 100-continue\r\n"))).interim == []


@every_door
@in_loop
async def test_when_nobody_is_there(door):
    """Refused is 502, nobody left is 503; the next request is answered on the same connection."""
    proxy = ReverseProxy(["http://127.0.0.1:1"])
    async with opened(door, proxy) as port:
        heard = await talk(port, [get() + post()], ["GET"], expected=2, seconds=PATIENCE)
        assert heard.statuses == [502, 502]
        proxy.remove("http://127.0.0.1:1")
        assert (await ask(port)).status == 503
        for answer in [*heard.answers, await ask(port)]:
            check_problem(answer)
        assert json.loads(heard.answers[0].body) == {
            "type": "about:blank",
            "title": "Bad Gateway",
            "status": 502,
            "detail": "No server could be reached.",
        }


def test_what_is_no_http():
    async def say(message):
        said.append(message)

    said: list[dict] = []
    proxy = ReverseProxy(["http://127.0.0.1:1"])
    asyncio.run(proxy({"type": "websocket"}, None, say))
    assert said == [{"type": "websocket.close"}]
    with pytest.raises(NotImplementedError, match="no answer to smoke signals"):
        asyncio.run(proxy({"type": "smoke signals"}, None, say))
