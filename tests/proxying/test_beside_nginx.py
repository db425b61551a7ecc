"""The same bytes through nginx and through our proxy, to the same server: they agree, or we say why.

nginx is set up to speak HTTP/1.1 with the server behind it, to keep the client's Host, and to add
what ours adds by itself.
"""

from __future__ import annotations

import asyncio
from typing import Any

from helpers.programs import Nginx, ProgramMissing
from helpers.proxying import ReverseProxy
from tests.browser_support import skip_or_fail
from tests.programs.conftest import nothing_left as no_program_left  # noqa: F401 - a fixture
from tests.proxying.behind import OK, Behind, every_door, get, in_loop, opened, post
from tests.web.talk import talk

NGINX = """
server {
    listen 127.0.0.1:PORT;
    location / {
        proxy_pass http://127.0.0.1:BEHIND;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_request_buffering off;
    }
}
"""
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LAST = b"0\r\n\r\n"


def line(first: bytes, more: bytes = b"Host: a\r\n") -> bytes:
    return first + b"\r\n" + more + b"\r\n"


def chunks(data: bytes, lines: bytes = CHUNKED) -> bytes:
    return get(lines, method=b"POST") + data


# What a client sends. The server answers with what it got: method, target and body.
SAID = {
    "GET": get(target=b"/a?b=c"),
    "HEAD": get(method=b"HEAD"),
    "POST": post(b"hello"),
    "PUT": post(b"hello", method=b"PUT"),
    "DELETE": get(method=b"DELETE"),
    "OPTIONS": get(method=b"OPTIONS"),
    "an unknown method": get(method=b"BREW"),
    "an empty POST": post(b""),
    "a GET with a body": post(b"hello", method=b"GET"),
    "chunks": chunks(b"5\r\nhello\r\n6\r\n world\r\n" + LAST),
    "chunk extensions": chunks(b"5;a=b\r\nhello\r\n" + LAST),
    "a trailer": chunks(b"5\r\nhello\r\n0\r\nX: y\r\n\r\n"),
    "HTTP/1.0": line(b"GET / HTTP/1.0"),
    "HTTP/1.0 without Host": line(b"GET / HTTP/1.0", b""),
    "absolute": line(b"GET http://a/x?y HTTP/1.1"),
    "a strange path": get(target=b"/a%20b;c=d/+,!'()*$&=@~"),
    "a query with everything": get(target=b"/?a=%ff&b[]={c}|d^`"),
    "obs-text in a value": get(b"X: \xff\xfe\r\n"),
    "an empty value": get(b"X:\r\n"),
    "Expect": post(b"hello", b"Expect: 100-continue\r\n"),
    "Connection: close": get(b"Connection: close\r\n"),
    "30 lines": get(b"X: y\r\n" * 30),
    "no Host": line(b"GET / HTTP/1.1", b""),
    "two Hosts": line(b"GET / HTTP/1.1", b"Host: a\r\nHost: b\r\n"),
    "a bad Host": line(b"GET / HTTP/1.1", b"Host: a/b\r\n"),
    "length and chunked": chunks(LAST, b"Content-Length: 5\r\n" + CHUNKED),
    "two lengths": chunks(b"hello", b"Content-Length: 5\r\nContent-Length: 6\r\n"),
    "a bad length": chunks(b"hello", b"Content-Length: 5x\r\n"),
    "xchunked": chunks(LAST, b"Transfer-Encoding: xchunked\r\n"),
    "a bad chunk": chunks(b"x\r\nhello\r\n" + LAST),
    "TRACE": get(method=b"TRACE"),
    "CONNECT": line(b"CONNECT a:80 HTTP/1.1"),
    "no target": line(b"GET HTTP/1.1"),
    "a target without a path": line(b"GET a HTTP/1.1"),
    "a blank before the colon": get(b"X : y\r\n"),
    "NUL in a value": get(b"X: a\0b\r\n"),
    "a folded line": get(b"X: a\r\n b\r\n"),
    "another expectation": get(b"Expect: tea\r\n"),
    "OPTIONS *": line(b"OPTIONS * HTTP/1.1"),
    "an asterisk": line(b"GET * HTTP/1.1"),
    "a fragment": get(target=b"/a#b"),
    "HTTP/1.0 and chunked": line(b"POST / HTTP/1.0", b"Host: a\r\n" + CHUNKED) + LAST,
    "HTTP/2.0 as text": line(b"GET / HTTP/2.0"),
    "an answer of 204": get(target=b"/204"),
    "an answer of 304": get(target=b"/304"),
    "an answer of 500": get(target=b"/500"),
    "an answer of two lengths": get(target=b"/two-lengths"),
    "an answer of nonsense": get(target=b"/nonsense"),
    "no answer": post(b"hello").replace(b" / ", b" /nothing "),
}  # fmt: skip
SPECIAL = {
    "/204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/304": b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
    "/500": OK.replace(b"200 OK", b"500 Oh"),
    "/two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "/nonsense": b"HTTP/9.9 hello\r\n\r\n",
    "/nothing": b"",
}
# Where they differ: what nginx says, what ours says (0: nothing that h11 can read), and why.
DIFFERENT = {
    "HTTP/1.0 without Host": (502, 200, "nginx passes none on, and the server behind is strict"),
    "xchunked": (501, 400, "to name what is not understood is a SHOULD (RFC 9112, section 6.1)"),
    "CONNECT": (405, 501, "ours knows no method CONNECT at all (RFC 9110, section 9.1)"),
    "another expectation": (200, 417, "either is allowed (RFC 9110, section 10.1.1)"),
    "OPTIONS *": (400, 200, "nginx has no such thing; RFC 9112, section 3.2.4, has"),
    "a fragment": (200, 400, "it is no part of a target (RFC 9112, section 3.2.1)"),
    "an answer of nonsense": (0, 502, "nginx takes it for HTTP/0.9, which had no head"),
}
ONLY_IN = {
    "serve": {"a folded line": (400, 200, "h11 unfolds it, as section 5.2 allows")},
    "front": {"HTTP/2.0 as text": (505, 400, "for it this is no first line at all")},
}


async def echo(line: Any) -> None:
    while seen := await line.request():
        text = f"{seen.method} {seen.target} ".encode() + seen.body
        usual = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text)
        usual += text if seen.method != "HEAD" else b""
        line.say(answer := SPECIAL.get(seen.target, usual))
        if not answer or seen.target in ("/nonsense", "/two-lengths"):
            return


async def hear(port: int) -> dict[str, tuple[int, bytes]]:
    """The status of the last answer to each case, and its body if it came from the server."""
    found = {}
    for name, raw in SAID.items():
        heard = await talk(port, [raw], [raw.partition(b" ")[0].decode()], seconds=1)
        status, body = (heard.statuses[0], heard.answers[0].body) if heard.answers else (0, b"")
        found[name] = (status, body if status < 400 else b"")
    return found


@every_door
@in_loop
async def test_they_agree(door):
    async with Behind(echo) as behind:
        try:
            nginx = await asyncio.to_thread(Nginx, NGINX, workers=1, behind=behind.port)
        except ProgramMissing as error:
            skip_or_fail(str(error))
        with nginx:
            theirs = await hear(nginx.port)
            behind.complaints.clear()  # see DIFFERENT
        async with opened(door, ReverseProxy([behind.url], max_fails=0)) as port:
            ours = await hear(port)
        assert behind.complaints == []
    expected = {**DIFFERENT, **ONLY_IN[door]}
    differences = {name: (theirs[name], ours[name]) for name in SAID if theirs[name] != ours[name]}
    statuses = {name: (nginxs[0], mine[0]) for name, (nginxs, mine) in differences.items()}
    assert statuses == {name: why[:2] for name, why in expected.items()}, differences
