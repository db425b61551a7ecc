"""What a client sends, and what the server behind the proxy sees of it (RFC 9110, section 7.6)."""

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
    opened,
    stage,
)
from tests.proxying.behind import post as posted

OWN = {"x-forwarded-host", "x-forwarded-for", "x-forwarded-proto", "forwarded", "via", "host"}
ELEMENT = 'for=127.0.0.1;proto=http;host="a"'  # the proxy's own in Forwarded


@in_loop
async def test_a_plain_request():
    """All of it, to the byte."""
    async with stage("front") as (behind, port):
        await ask(port, get(b"X-One: 1\r\nx-one:  2 \r\nAccept: */*\r\n", b"/a%20b?c=d&e"))
        assert behind.requests[0].raw == (
            b"GET /a%20b?c=d&e HTTP/1.1\r\nHost: a\r\n"
            b"x-one: 1\r\nx-one: 2\r\naccept: */*\r\n"
            b"X-Forwarded-Host: a\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n"
            b'Forwarded: for=127.0.0.1;proto=http;host="a"\r\nVia: 1.1 course-proxy\r\n\r\n'
        )


# The client's lines, and the lines that come out, without those that the proxy always writes.
PASSED_ON = {
    "plain fields": (b"X-A: 1\r\nCookie: a=b\r\nX-A: 2\r\n", ["x-a: 1", "cookie: a=b", "x-a: 2"]),
    "empty and strange values": (b"X:\r\nY: \xff,;\tz\r\n", ["x: ", "y: \xff,;\tz"]),
    "of one connection": (
        b"Keep-Alive: 5\r\nTE: trailers\r\nTrailer: X\r\nProxy-Connection: close\r\nUpgrade: h2c\r\n"
        b"Proxy-Authorization: Basic x\r\nProxy-Authenticate: x\r\nX: y\r\n",
        ["x: y"],
    ),
    "Proxy-Authentication-Info": (b"Proxy-Authentication-Info: x\r\n", []),
    "named by Connection": (b"Connection: X-A ,x-B\r\nX-A: 1\r\nx-b: 2\r\nX-C: 3\r\n", ["x-c: 3"]),
    "named by two": (b"Connection: a\r\nA: 1\r\nB: 2\r\nConnection: keep-alive,\tb\r\nC: 3\r\n", ["c: 3"]),
    "named: close": (b"Connection: close\r\nClose: 1\r\n", ["close: 1"]),
    "Connection itself": (b"Connection: keep-alive, Upgrade\r\nUpgrade: h2c\r\n", []),
    "twins of what it writes": (
        b"X_Forwarded_For: 1.1.1.1\r\nx-forwarded_proto: https\r\nContent_Length: 5\r\n"
        b"Transfer_Encoding: chunked\r\nX_Forwarded_Host: b\r\nMax_Forwards: 1\r\nX_Other: y\r\n",
        ["x_other: y"],
    ),
    "Max-Forwards of a GET": (b"Max-Forwards: 0\r\n", []),
}  # fmt: skip


@every_door
@pytest.mark.parametrize("case", PASSED_ON)
@in_loop
async def test_other_fields(door, case):
    lines, expected = PASSED_ON[case]
    async with stage(door) as (behind, port):
        await ask(port, get(lines))
        rest = [f"{k}: {v}" for k, v in behind.requests[0].headers if k not in OWN]
        assert rest == expected


# The client's lines, a field, and its values as they come out.
WRITTEN = {
    "no Via": (b"", "via", ["1.1 course-proxy"]),
    "Via is appended": (b"Via: 1.0 a\r\nVia: HTTP/2 b (c)\r\n", "via", ["1.0 a, HTTP/2 b (c), 1.1 course-proxy"]),
    "X-Forwarded-For is appended": (
        b"X-Forwarded-For: 1.2.3.4, ::1\r\nX-Forwarded-For: unknown\r\n", "x-forwarded-for",
        ["1.2.3.4, ::1, unknown, 127.0.0.1"]),
    "X-Forwarded-For that is none": (
        b"X-Forwarded-For: 1.2.3.4, <script>\r\n", "x-forwarded-for", ["127.0.0.1"]),
    "an empty X-Forwarded-For": (b"X-Forwarded-For:\r\n", "x-forwarded-for", ["127.0.0.1"]),
    "X-Forwarded-Proto is replaced": (b"X-Forwarded-Proto: https\r\n", "x-forwarded-proto", ["http"]),
    "X-Forwarded-Host is replaced": (b"X-Forwarded-Host: evil\r\n", "x-forwarded-host", ["a"]),
    "Forwarded is appended": (
        b'Forwarded: for=1.2.3.4;by="[::1]:5", For=b\r\nForwarded: proto=https\r\n', "forwarded",
        [f'for=1.2.3.4;by="[::1]:5", For=b, proto=https, {ELEMENT}']),
    "Forwarded with quotes inside": (
        b'Forwarded: for="a\\",b"\r\n', "forwarded", [f'for="a\\",b", {ELEMENT}']),
    "Forwarded with an open quote": (b'Forwarded: for="1.2.3.4\r\n', "forwarded", [ELEMENT]),
    "Forwarded that is none": (b"Forwarded: 1.2.3.4\r\n", "forwarded", [ELEMENT]),
    "Forwarded with a bad second line": (
        b"Forwarded: for=a\r\nForwarded: ;;\r\n", "forwarded", [ELEMENT]),
    "named by Connection, and yet": (
        b"Connection: x-forwarded-for, via, forwarded, host, x-forwarded-proto\r\n"
        b"X-Forwarded-For: 1.2.3.4\r\nVia: 1.1 b\r\n", "x-forwarded-for", ["1.2.3.4, 127.0.0.1"]),
}  # fmt: skip


@every_door
@pytest.mark.parametrize("case", WRITTEN)
@in_loop
async def test_fields_about_the_way(door, case):
    lines, name, expected = WRITTEN[case]
    async with stage(door) as (behind, port):
        await ask(port, get(lines))
        seen = behind.requests[0]
        assert seen.all(name) == expected
        assert len(seen.all("via")) == len(seen.all("host")) == 1


# The first line and Host, and what comes out: target, Host and X-Forwarded-Host.
TARGETS = {
    "Host with a port": (b"GET / HTTP/1.1\r\nHost: b:80", "/", "b:80", ["b:80"]),
    "an IPv6 Host": (b"GET / HTTP/1.1\r\nHost: [::1]:80", "/", "[::1]:80", ["[::1]:80"]),
    "a query": (b"GET /?a=/?b HTTP/1.1\r\nHost: a", "/?a=/?b", "a", ["a"]),
    "dots stay": (b"GET /a/../b//c/./%2e%2e%2f HTTP/1.1\r\nHost: a", "/a/../b//c/./%2e%2e%2f", "a", ["a"]),
    "absolute": (b"GET http://b:1/x?y HTTP/1.1\r\nHost: a", "/x?y", "b:1", ["b:1"]),
    "absolute, no path": (b"GET http://b HTTP/1.1\r\nHost: b", "/", "b", ["b"]),
    "absolute, only a query": (b"GET http://b?x HTTP/1.1\r\nHost: b", "/?x", "b", ["b"]),
    "absolute, https": (b"GET HTTPS://b/x HTTP/1.1\r\nHost: b", "/x", "b", ["b"]),
    "HTTP/1.0 with Host": (b"GET / HTTP/1.0\r\nHost: a", "/", "a", ["a"]),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\nHost: a", "*", "a", ["a"]),
}  # fmt: skip


@every_door
@pytest.mark.parametrize("case", TARGETS)
@in_loop
async def test_targets_and_hosts(door, case):
    raw, target, host, forwarded = TARGETS[case]
    async with stage(door) as (behind, port):
        assert (await ask(port, raw + b"\r\n\r\n")).status == 200
        seen = behind.requests[0]
        assert seen.raw.split(b"\r\n")[0].endswith(b" HTTP/1.1")
        assert (seen.target, seen.all("host")) == (target, [host])
        assert seen.all("x-forwarded-host") == forwarded


@every_door
@pytest.mark.parametrize("host", [b"", b"Host:\r\n"])
@in_loop
async def test_without_a_host(door, host):
    """HTTP/1.0 needs none, and any version may have an empty one: the server gets its own."""
    async with stage(door) as (behind, port):
        answer = await ask(port, b"GET / HTTP/1.0\r\n" + host + b"\r\n")
        assert (answer.status, answer.body) == (200, b"ok")
        seen = behind.requests[0]
        assert seen.all("host") == [f"127.0.0.1:{behind.port}"]
        assert seen.all("x-forwarded-host") == []
        assert seen.all("forwarded") == ["for=127.0.0.1;proto=http"]
        assert seen.all("via") == ["1.0 course-proxy"]


# A request with a body, and how it is framed for the server.
FRAMES = {
    "by length": (posted(b"hello"), ["5"], [], b"hello"),
    "in chunks": (get(b"Transfer-Encoding: chunked\r\n", method=b"PUT") + b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
                  [], ["chunked"], b"hello"),
    "with a trailer": (get(b"Transfer-Encoding: CHUNKED\r\nTrailer: X\r\n", method=b"PUT")
                       + b"5\r\nhello\r\n0\r\nX: y\r\n\r\n", [], ["chunked"], b"hello"),
    "an empty POST": (get(method=b"POST"), ["0"], [], b""),
    "a DELETE without": (get(method=b"DELETE"), [], [], b""),
    "a GET with": (posted(b"hello", method=b"GET"), ["5"], [], b"hello"),
    "named by Connection": (posted(b"hello", b"Connection: content-length, transfer-encoding\r\n"), ["5"], [], b"hello"),
    "as much as it says": (posted(b"x" * 70_000), ["70000"], [], b"x" * 70_000),
}  # fmt: skip


@every_door
@pytest.mark.parametrize("case", FRAMES)
@in_loop
async def test_the_body_is_framed_anew(door, case):
    raw, lengths, codings, body = FRAMES[case]
    async with stage(door) as (behind, port):
        assert (await ask(port, raw)).status == 200
        [seen] = behind.requests
        assert seen.all("content-length") == lengths
        assert seen.all("transfer-encoding") == codings
        assert seen.body == body
        assert seen.all("x") == seen.all("trailer") == []


@every_door
@in_loop
async def test_options_goes_so_many_hops_and_no_further(door):
    """Max-Forwards (RFC 9110, section 7.6.2); one that is no number is dropped."""
    async with stage(door) as (behind, port):
        for said, expected in ((b"5", ["4"]), (b"1", ["0"]), (b"x", []), (b"1, 2", [])):
            await ask(port, get(b"Max-Forwards: " + said + b"\r\n", method=b"OPTIONS"))
            assert behind.requests[-1].all("max-forwards") == expected
        answer = await ask(port, get(b"Max-Forwards: 0\r\n", b"*", b"OPTIONS"))
        assert answer.status == 200
        assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
        assert len(behind.requests) == 4


@every_door
@in_loop
async def test_a_request_that_goes_in_circles_is_ended(door):
    """The proxy is its own server: after ten rounds it says so, with 508 (RFC 5842)."""
    async with Behind(answering(OK)) as behind:
        proxy = ReverseProxy([behind.url])
        async with opened(door, proxy) as port:
            proxy.add(f"http://127.0.0.1:{port}")
            proxy.remove(behind.url)
            answer = await ask(port)
            assert answer.status == 508
            assert proxy.statistics()[f"http://127.0.0.1:{port}"].requests == 10
