"""Raw requests, and the answers that RFC 9110 and RFC 9112 allow.

What a MUST says counts first. Where the RFC leaves a choice, every choice is allowed, and where
it says SHOULD, what it names and what it does not rule out. No case was written for one server.

A server under test serves the folder of `make_folder`. In the bytes, ETAG, WEAK, DATE, DATE850
and ASCTIME stand for what it said of /hello.txt; `prepare` puts them in.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

Statuses = frozenset[int]
HELLO = b"hello, world\n"
MODIFIED = 1_600_000_000  # seconds since 1970: a Sunday in September 2020


def make_folder(folder: Path) -> Path:
    """What each server serves; beside it lies a file that none may give away."""
    (folder.parent / "secret.txt").write_bytes(b"SECRET")
    (folder / "sub").mkdir(parents=True)
    for name in ("hello.txt", "index.html", "sub/index.html", "a b.txt"):
        (folder / name).write_bytes(HELLO)
        os.utime(folder / name, (MODIFIED, MODIFIED))
    return folder


@dataclass(frozen=True)
class Case:
    """One connection: the bytes that a client sends, and what may come back.

    allowed: for each answer the statuses that are right; several such lists if there is a choice.
    closes: the server has to close the connection after the last answer.
    body: what the body of the last answer has to be.
    group: "protocol" for what any server does, "files" for what one of static files does.
    """

    name: str
    raw: bytes
    allowed: tuple[tuple[Statuses, ...], ...]
    section: str
    closes: bool = False
    body: bytes | None = None
    group: str = "protocol"


# What is no refusal: the method may not be for files, but the request was understood.
ANY = (200, 201, 204, 404, 405)
BAD = (400,)
GOOD = b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n"
CASES: list[Case] = []


def case(
    name: str,
    raw: bytes,
    *allowed: Sequence[int],
    section: str,
    either: Sequence[Sequence[Sequence[int]]] = (),
    closes: bool = False,
    body: bytes | None = None,
    group: str = "protocol",
) -> None:
    choices = [*([allowed] if allowed else []), *either]
    sets = tuple(tuple(frozenset(one) for one in choice) for choice in choices)
    CASES.append(Case(name, raw, sets, section, closes, body, group))


def get(lines: bytes = b"", target: bytes = b"/hello.txt", method: bytes = b"GET") -> bytes:
    return method + b" " + target + b" HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n"


def post(lines: bytes, body: bytes = b"") -> bytes:
    return get(lines, method=b"POST") + body


def chunked(body: bytes, coding: bytes = b"chunked") -> bytes:
    return post(b"Transfer-Encoding: " + coding + b"\r\n", body)


def first(line: bytes, *allowed: int, section: str, name: str | None = None, **more) -> None:
    """A request line, with a Host after it."""
    raw = line + b"\r\nHost: a\r\n\r\n"
    case(name or line[:40].decode("latin-1"), raw, allowed, section=section, **more)


# The request line (RFC 9112, section 3)

case("a plain GET", GOOD, [200], section="9112 3", body=HELLO)
case("HEAD has no body", get(method=b"HEAD") + GOOD, [200], [200], section="9110 9.3.2")
case(
    "HEAD without a Host", b"HEAD /hello.txt HTTP/1.1\r\n\r\n", BAD, section="9110 9.3.2", body=b""
)
case(
    "HEAD of nothing",
    get(target=b"/nothing", method=b"HEAD"),
    [404],
    section="9110 9.3.2",
    body=b"",
)
case(
    "HEAD with a bad header line",
    get(b"X : y\r\n", method=b"HEAD"),
    BAD,
    section="9110 9.3.2",
    body=b"",
)
case("HTTP/1.0", b"GET /hello.txt HTTP/1.0\r\n\r\n", [200], section="9112 3", body=HELLO)
case("an empty line first", b"\r\n" + GOOD, [200], section="9112 2.2", body=HELLO)
case("a query", get(target=b"/hello.txt?a=b?/c"), [200], section="9112 3.2.1", body=HELLO)
case("an encoded letter", get(target=b"/%68ello.txt"), [200], section="9110 4.2.3", group="files")
case("an encoded blank", get(target=b"/a%20b.txt"), [200], section="3986 2.1", group="files")
first(b"get /hello.txt HTTP/1.1", 400, 405, 501, section="9110 9.1")
first(b"BREW /hello.txt HTTP/1.1", 400, 405, 501, section="9110 9.1")
first(b"G\x00T /hello.txt HTTP/1.1", 400, section="9112 3", name="NUL in the method")
first(b"G(T /hello.txt HTTP/1.1", 400, 405, 501, section="9110 9.1")
first(b"TRACE /hello.txt HTTP/1.1", 405, 501, 200, section="9110 9.3.8")
first(b"CONNECT a:80 HTTP/1.1", 400, 404, 405, 501, section="9110 9.3.6")
first(b"GET /hello.txt HTTP/1.2", 200, 505, section="9110 2.5")
first(b"GET /hello.txt HTTP/2.0", 400, 505, section="9110 2.5")
first(b"GET /hello.txt HTTP/3.7", 400, 505, section="9110 2.5")
first(b"GET /hello.txt HTTP/1", 400, 505, section="9112 2.3")
first(b"GET /hello.txt HTTP/1.10", 400, 505, section="9112 2.3")
first(b"GET /hello.txt HTTP/11.1", 400, 505, section="9112 2.3")
first(b"GET /hello.txt HTTP/1.x", 400, 505, section="9112 2.3")
first(b"GET /hello.txt http/1.1", 400, 505, section="9112 2.3")
first(b"GET /hello.txt HTTPS/1.1", 400, 505, section="9112 2.3")
first(b"GET /hello.txt FTP/1.1", 400, 505, section="9112 2.3")
first(b"GET  /hello.txt HTTP/1.1", 200, 400, section="9112 3")
first(b"GET\t/hello.txt\tHTTP/1.1", 200, 400, section="9112 3")
first(b"GET /hello.txt HTTP/1.1 x", 400, section="9112 3")
first(b"GET /hello world HTTP/1.1", 400, 301, section="9112 3.2")
first(b"GET HTTP/1.1", 400, section="9112 3")
first(b"/hello.txt HTTP/1.1", 400, section="9112 3")
first(b"GET /a\x00b HTTP/1.1", 400, 301, section="9112 3.2", name="NUL in the target")
first(b"GET /a\x01b HTTP/1.1", 400, 301, section="9112 3.2", name="0x01 in the target")
first(b"GET /a\x7fb HTTP/1.1", 400, 301, section="9112 3.2", name="DEL in the target")
first(b"GET /a\xe9b HTTP/1.1", 400, 301, 404, section="9112 3.2", name="a raw byte in the target")
first(b"GET /hello.txt#x HTTP/1.1", 400, 301, section="9112 3.2")
first(b"GET /%zz HTTP/1.1", 400, 404, section="3986 2.1")
first(b"GET /% HTTP/1.1", 400, 404, section="3986 2.1")
first(b"GET /hello.txt%0 HTTP/1.1", 400, 404, section="3986 2.1")
first(b"GET hello.txt HTTP/1.1", 400, section="9112 3.2")
first(b"GET a:80 HTTP/1.1", 400, section="9112 3.2.3")
first(b"GET * HTTP/1.1", 400, 404, 405, section="9112 3.2.4")
first(b"OPTIONS * HTTP/1.1", 200, 204, 404, 405, 501, section="9112 3.2.4")
first(b"GET ?x HTTP/1.1", 400, section="9112 3.2.1")
first(b"GET http://a/hello.txt HTTP/1.1", 200, section="9112 3.2.2", body=HELLO)
first(b"GET http://b:80/hello.txt HTTP/1.1", 200, section="9112 3.2.2", body=HELLO)
first(b"GET HTTP://a/hello.txt HTTP/1.1", 200, section="9110 4.2.3", body=HELLO)
first(b"GET http://a HTTP/1.1", 200, section="9112 3.2.2", group="files")
first(b"GET http://a?x=y HTTP/1.1", 200, section="9112 3.2.2", group="files")
first(b"GET http:///hello.txt HTTP/1.1", 400, section="9110 4.2.1")
first(b"GET http://a b/hello.txt HTTP/1.1", 400, section="9112 3.2")
first(b"GET /hello.txt?" + b"a" * 7000 + b" HTTP/1.1", 200, section="9112 3", name="7000 bytes")
first(
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1", 414, section="9112 3", name="a target of 70 000 bytes"
)
first(b"G" * 70_000 + b" / HTTP/1.1", 400, 414, 431, 501, section="9112 3", name="a giant method")
case("no version", b"GET /hello.txt\r\n\r\n", BAD, section="9112 3", either=[[[505]]])
case(
    "a TLS greeting", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", BAD, section="9112 3"
)
case("no HTTP at all", b"hello there\r\n\r\n", BAD, section="9112 3")
case("only empty lines", b"\r\n\r\n\r\n\r\n" + GOOD, section="9112 2.2", either=[[[200]], [[400]]])


# Host (RFC 9112, section 3.2): "A server MUST respond with a 400"


def hosts(lines: bytes, *allowed: int, version: bytes = b"1.1") -> None:
    raw = b"GET /hello.txt HTTP/" + version + b"\r\n" + lines + b"\r\n"
    name = lines.decode("latin-1").replace("\r\n", " | ") or "no Host"
    case(f"{name} HTTP/{version.decode()}", raw, allowed, section="9112 3.2")


hosts(b"", 400)
hosts(b"Host: a\r\nHost: a\r\n", 400)
hosts(b"Host: a\r\nHost: b\r\n", 400)
hosts(b"Host: a\r\nHost: b\r\n", 400, version=b"1.0")
hosts(b"Host: a\r\nHost:\r\n", 400)
hosts(b"Host: a b\r\n", 400)
hosts(b"Host: a, b\r\n", 400)
hosts(b"Host: a/b\r\n", 400)
hosts(b"Host: u@a\r\n", 400)
hosts(b"Host: a?b\r\n", 400)
hosts(b"Host: a#b\r\n", 400)
hosts(b"Host: a:b\r\n", 400)
hosts(b"Host: a:80:80\r\n", 400)
hosts(b"Host: [::1\r\n", 400)
hosts(b"Host: [a]b\r\n", 400)
hosts(b"Host: a\\b\r\n", 400)
hosts(b"Host: http://a\r\n", 400)
hosts(b"Host: \x01\r\n", 400)
hosts(b"Host: \xe9\r\n", 400)
hosts(b"Host: a%zz\r\n", 400)
hosts(b"Host:\r\n", 200, 400)
hosts(b"Host: a:80\r\n", 200)
hosts(b"Host: a:\r\n", 200)
hosts(b"Host: [::1]:80\r\n", 200)
hosts(b"Host: 127.0.0.1\r\n", 200)
hosts(b"hOsT: a\r\n", 200)
hosts(b"Host:a\r\n", 200)
hosts(b"Host: \t a \t \r\n", 200)


# Header fields (RFC 9112, section 5)


def field(line: bytes, *allowed: int, section: str, name: str | None = None) -> None:
    case(name or repr(line)[2:50], get(line + b"\r\n"), allowed, section=section)


field(b"X : y", 400, section="9112 5.1")
field(b"X\t: y", 400, section="9112 5.1")
field(b"Content-Length : 0", 400, section="9112 5.1")
field(b"X", 400, section="9112 5")
field(b": y", 400, section="9110 5.1")
field(b" : y", 400, 200, section="9112 2.2")
field(b"X y: z", 400, section="9110 5.1")
field(b"X@y: z", 400, section="9110 5.1")
field(b"X\x00: z", 400, section="9110 5.1")
field(b"X\xe9: z", 400, section="9110 5.1")
field(b'"X": z', 400, section="9110 5.1")
field(b"X: y\r\n z", 400, 200, section="9112 5.2")
field(b"X: y\r\n\tz", 400, 200, section="9112 5.2")
field(b"X: a\x00b", 400, 200, section="9110 5.5")
field(b"X: a\rb", 400, 200, section="9110 5.5")
field(b"X: a\x01b", 400, 200, section="9110 5.5")
field(b"X: \xff", 200, section="9110 5.5")
field(b"X:", 200, section="9110 5.5")
field(b"X:y", 200, section="9112 5.1")
field(b"X: " + b"y" * 7000, 200, 431, section="9110 5.4", name="a value of 7000 bytes")
field(b"X: " + b"y" * 90_000, 400, 413, 431, section="9110 5.4", name="a value of 90 000 bytes")
field(b"\r\n".join([b"X: y"] * 5000), 200, 400, 413, 431, section="9110 5.4", name="5000 lines")
case("a blank before the first line", b"GET /hello.txt HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n",
     (400, 200), section="9112 2.2")  # fmt: skip
case("only LF", GOOD.replace(b"\r\n", b"\n"), (200, 400), section="9112 2.2")
case("only CR", GOOD.replace(b"\r\n", b"\r") + b"\r\n\r\n", BAD, section="9112 2.2")


# Where a body ends (RFC 9112, sections 6 and 7). A second request tells whether it was found.

LENGTH = b"Content-Length: 5\r\n"


def body_ok(name: str, raw: bytes, section: str) -> None:
    case(name, raw + GOOD, ANY, [200], section=section, body=HELLO)


def framing(name: str, raw: bytes, *allowed: int, section: str) -> None:
    """One answer, and then the connection is closed: what follows may be somebody else's."""
    case(name, raw + GOOD, allowed, section=section, closes=True)


body_ok("Content-Length", post(LENGTH, b"hello"), "9112 6.2")
body_ok("Content-Length 0", post(b"Content-Length: 0\r\n"), "9112 6.2")
body_ok("Content-Length 005", post(b"Content-Length: 005\r\n", b"hello"), "9110 8.6")
body_ok("POST without a body", post(b""), "9112 6.3")
body_ok("GET with a body", get(LENGTH) + b"hello", "9110 9.3.1")
body_ok("a body like a request", post(b"Content-Length: %d\r\n" % len(GOOD), GOOD), "9112 6.2")
body_ok("one chunk", chunked(b"5\r\nhello\r\n0\r\n\r\n"), "9112 7.1")
body_ok("no chunk but the last", chunked(b"0\r\n\r\n"), "9112 7.1")
body_ok(
    "chunks",
    chunked(b"5\r\nhello\r\n00000a\r\n0123456789\r\nA\r\n0123456789\r\n000\r\n\r\n"),
    "9112 7.1",
)
body_ok("CHUNKED", chunked(b"5\r\nhello\r\n0\r\n\r\n", b"CHUNKED"), "9112 7")
body_ok("chunked after a tab", chunked(b"5\r\nhello\r\n0\r\n\r\n", b"\tchunked "), "9112 7")
body_ok("a chunk extension", chunked(b"5;a=b\r\nhello\r\n0;c\r\n\r\n"), "9112 7.1.1")
body_ok("a quoted extension", chunked(b'5;a="b;c"\r\nhello\r\n0\r\n\r\n'), "9112 7.1.1")
body_ok("blanks before an extension", chunked(b"5 ; a = b\r\nhello\r\n0\r\n\r\n"), "9112 7.1.1")
body_ok("a trailer", chunked(b"5\r\nhello\r\n0\r\nX: y\r\nZ: w\r\n\r\n"), "9112 7.1.2")
body_ok(
    "a trailer Content-Length",
    chunked(b"5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n"),
    "9110 6.5.1",
)

SMUGGLED = b"0\r\n\r\n"
case("both, length first", post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", SMUGGLED) + GOOD,
     (400, *ANY), section="9112 6.1", closes=True)  # fmt: skip
case("both, length last", post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", SMUGGLED) + GOOD,
     (400, *ANY), section="9112 6.1", closes=True)  # fmt: skip
case("chunked in HTTP/1.0", b"POST /hello.txt HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n"
     b"Transfer-Encoding: chunked\r\n\r\n" + SMUGGLED + GOOD, (400, *ANY), section="9112 6.1", closes=True)  # fmt: skip
for value in (b"chunked, gzip", b"gzip", b"identity", b"xchunked", b"chunkedx", b"chunked;a=b", b"\x0bchunked",
              b"'chunked'", b'"chunked"', b"chunked, identity", b"chunked chunked", b"chunk", b"", b"chunked\x00"):  # fmt: skip
    framing(
        f"Transfer-Encoding: {value.decode('latin-1')!r}",
        chunked(SMUGGLED, value),
        400,
        501,
        section="9112 6.3",
    )
for value in (b"gzip, chunked", b"chunked, chunked", b"identity, chunked", b"foo, chunked"):
    framing(
        f"Transfer-Encoding: {value.decode()}",
        chunked(SMUGGLED, value),
        400,
        501,
        section="9112 6.1",
    )
framing(
    "chunked twice",
    post(b"Transfer-Encoding: chunked\r\n" * 2, SMUGGLED),
    400,
    501,
    section="9112 6.1",
)
framing("chunked, then identity", post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", SMUGGLED),
        400, 501, section="9112 6.3")  # fmt: skip
for value in (b"-5", b"+5", b"0x5", b"5_0", b"5.0", b"5 5", b"five", b"", b"5;", b"'5'", b"\xb2", b"5\x00", b"5, 6",
              b"5,", b"1e1", b"99999999999999999999999999"):  # fmt: skip
    allowed = (400, 413) if value.startswith(b"999") else BAD
    framing(f"Content-Length: {value.decode('latin-1')!r}", post(b"Content-Length: " + value + b"\r\n", b"hello"),
            *allowed, section="9112 6.3")  # fmt: skip
framing(
    "two lengths",
    post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello"),
    400,
    section="9112 6.3",
)
framing(
    "two lengths, one 0",
    post(b"Content-Length: 0\r\nContent-Length: 5\r\n", b"hello"),
    400,
    section="9112 6.3",
)
for name, lines in (
    ("length twice", LENGTH * 2),
    ("length as a list", b"Content-Length: 5, 5\r\n"),
):
    case(name, post(lines, b"hello") + GOOD, section="9112 6.3", either=[[BAD], [ANY, [200]]])


def bad_chunks(name: str, raw: bytes, *allowed: int, section: str) -> None:
    """Who refuses the method need not read the body; but then the connection is over, too."""
    framing(name, raw, 400, 405, *allowed, section=section)


for size in (
    b"-5",
    b"+5",
    b"0x5",
    b"5_0",
    b"",
    b" 5",
    b"g",
    b"5.",
    b"5,",
    b"\xb2",
    b"5\x005",
    b"5;\x00",
    b"five",
):
    bad_chunks(
        f"chunk size {size.decode('latin-1')!r}",
        chunked(size + b"\r\nhello\r\n0\r\n\r\n"),
        section="9112 7.1",
    )
bad_chunks("a giant chunk size", chunked(b"F" * 40 + b"\r\nhello"), 413, section="9112 7.1")
bad_chunks(
    "a chunk size of 2**64 + 5",
    chunked(b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
    413,
    section="9112 7.1",
)
bad_chunks("a chunk that is longer", chunked(b"4\r\nhello\r\n0\r\n\r\n"), section="9112 7.1")
bad_chunks("a chunk that is shorter", chunked(b"6\r\nhello\r\n0\r\n\r\n"), section="9112 7.1")
bad_chunks("no CRLF after a chunk", chunked(b"5\r\nhello0\r\n\r\n"), section="9112 7.1")
bad_chunks("LF after a chunk size", chunked(b"5\nhello\r\n0\r\n\r\n"), section="9112 7.1")
bad_chunks("CR after a chunk size", chunked(b"5\rhello\r\n0\r\n\r\n"), section="9112 7.1")
bad_chunks("LF after a chunk", chunked(b"5\r\nhello\n0\r\n\r\n"), section="9112 7.1")
bad_chunks("LF in an extension", chunked(b"5;a\nhello\r\n0\r\n\r\n"), section="9112 7.1.1")
bad_chunks("other bytes after a chunk", chunked(b"5\r\nhelloXX0\r\n\r\n"), section="9112 7.1")


# The connection (RFC 9112, section 9)

case("two requests at once", GOOD * 2, [200], [200], section="9112 9.3.2", body=HELLO)
case("ten requests at once", GOOD * 10, *[[200]] * 10, section="9112 9.3.2", body=HELLO)
for value in (b"close", b"CLOSE", b"foo, close", b"close ,foo", b"keep-alive, close"):
    raw = get(b"Connection: " + value + b"\r\n")
    case(f"Connection: {value.decode()}", raw + GOOD, [200], section="9112 9.6", closes=True)
case(
    "HTTP/1.0 closes",
    b"GET /hello.txt HTTP/1.0\r\n\r\n" + GOOD,
    [200],
    section="9112 9.3",
    closes=True,
)
case("HTTP/1.0 goes on", b"GET /hello.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + GOOD,
     section="9112 9.3", either=[[[200]], [[200], [200]]])  # fmt: skip


# Expectations (RFC 9110, section 10.1.1)

EXPECT = b"Expect: 100-continue\r\n"
body_ok("Expect with its body", post(EXPECT + LENGTH, b"hello"), "9110 10.1.1")
body_ok("Expect in capitals", post(b"Expect: 100-Continue\r\n" + LENGTH, b"hello"), "9110 10.1.1")
body_ok("Expect without a body", post(EXPECT + b"Content-Length: 0\r\n"), "9110 10.1.1")
case("another expectation", get(b"Expect: tea\r\n"), (200, 417), section="9110 10.1.1")
case(
    "Expect in HTTP/1.0",
    b"GET /hello.txt HTTP/1.0\r\nExpect: 100-continue\r\n\r\n",
    [200],
    section="9110 10.1.1",
)


# Static files: parts and conditions (RFC 9110, sections 13 and 14)


def file(
    name: str,
    lines: bytes,
    *allowed: int,
    section: str,
    body: bytes | None = None,
    method: bytes = b"GET",
) -> None:
    raw = get(b"".join(line + b"\r\n" for line in lines.split(b"|")), method=method)
    case(name, raw, allowed, section=section, body=body, group="files")


file("the first five", b"Range: bytes=0-4", 206, 200, section="9110 14.2", body=b"hello")
file("from the seventh", b"Range: bytes=7-", 206, section="9110 14.2", body=b"world\n")
file("the last six", b"Range: bytes=-6", 206, section="9110 14.2", body=b"world\n")
file(
    "more than there is",
    b"Range: bytes=7-999999999999",
    206,
    section="9110 14.1.2",
    body=b"world\n",
)
file("the last 999", b"Range: bytes=-999", 206, 200, section="9110 14.1.2", body=HELLO)
file("BYTES", b"Range: BYTES=0-4", 206, section="9110 14.1", body=b"hello")
file("beyond the end", b"Range: bytes=13-", 416, 200, section="9110 15.5.17")
file("the last none", b"Range: bytes=-0", 416, 200, section="9110 14.1.2")
file("another unit", b"Range: lines=0-4", 200, section="9110 14.2", body=HELLO)
file("the last before the first", b"Range: bytes=4-0", 200, 400, 416, section="9110 14.1.1")
file("no range", b"Range: bytes=abc", 200, 400, 416, section="9110 14.1.1")
file("only a hyphen", b"Range: bytes=-", 200, 400, 416, section="9110 14.1.1")
file("two parts", b"Range: bytes=0-1,5-6", 200, 206, section="9110 14.2")
file("a part of HEAD", b"Range: bytes=0-4", 200, section="9110 14.2", method=b"HEAD")
file("any version", b"If-None-Match: *", 304, section="9110 13.1.2", body=b"")
file("this version", b"If-None-Match: ETAG", 304, section="9110 13.1.2", body=b"")
file("this version, HEAD", b"If-None-Match: ETAG", 304, section="9110 13.1.2", method=b"HEAD")
file("this version, weakly", b"If-None-Match: WEAK", 304, section="9110 13.1.2", body=b"")
file("this version in a list", b'If-None-Match: "x", W/"y" ,ETAG', 304, section="9110 13.1.2")
file(
    "this version in two lines", b'If-None-Match: "x"|If-None-Match: ETAG', 304, section="9110 5.3"
)
file("another version", b'If-None-Match: "x"', 200, section="9110 13.1.2", body=HELLO)
file("unchanged since", b"If-Modified-Since: DATE", 304, section="9110 13.1.3", body=b"")
file("unchanged, RFC 850 date", b"If-Modified-Since: DATE850", 304, section="9110 5.6.7")
file("unchanged, asctime date", b"If-Modified-Since: ASCTIME", 304, section="9110 5.6.7")
file(
    "changed since",
    b"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
    200,
    section="9110 13.1.3",
    body=HELLO,
)
file("no date", b"If-Modified-Since: yesterday", 200, section="9110 13.1.3", body=HELLO)
file(
    "version before date",
    b'If-None-Match: "x"|If-Modified-Since: DATE',
    200,
    section="9110 13.2.2",
    body=HELLO,
)
file("only this version", b"If-Match: ETAG", 200, section="9110 13.1.1", body=HELLO)
file("only any version", b"If-Match: *", 200, section="9110 13.1.1", body=HELLO)
file("only another version", b'If-Match: "x"', 412, section="9110 13.1.1")
file("only this version, weakly", b"If-Match: WEAK", 412, section="9110 13.1.1")
file("only unchanged", b"If-Unmodified-Since: DATE", 200, section="9110 13.1.4", body=HELLO)
file(
    "only unchanged since 1994",
    b"If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
    412,
    section="9110 13.1.4",
)
file("only unchanged since no date", b"If-Unmodified-Since: yesterday", 200, section="9110 13.1.4")
file("If-Match before its date", b"If-Match: ETAG|If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 200,
     section="9110 13.2.2")  # fmt: skip
file(
    "If-Match before If-None-Match",
    b'If-Match: "x"|If-None-Match: ETAG',
    412,
    section="9110 13.2.2",
)
file(
    "a part of this version",
    b"Range: bytes=0-4|If-Range: ETAG",
    206,
    section="9110 13.1.5",
    body=b"hello",
)
file(
    "a part of another version",
    b'Range: bytes=0-4|If-Range: "x"',
    200,
    section="9110 13.1.5",
    body=HELLO,
)
file("a part, weakly", b"Range: bytes=0-4|If-Range: WEAK", 200, section="9110 13.1.5", body=HELLO)
file(
    "a part by date", b"Range: bytes=0-4|If-Range: DATE", 206, section="9110 13.1.5", body=b"hello"
)
file("a part by another date", b"Range: bytes=0-4|If-Range: Sun, 06 Nov 1994 08:49:37 GMT", 200,
     section="9110 13.1.5", body=HELLO)  # fmt: skip
file("If-Range without Range", b'If-Range: "x"', 200, section="9110 13.1.5", body=HELLO)
file("unchanged before a part", b"Range: bytes=0-4|If-None-Match: ETAG", 304, section="9110 13.2.2")
file(
    "another version's part that is none",
    b'Range: bytes=99-|If-Range: "x"',
    200,
    section="9110 13.2.2",
    body=HELLO,
)

for target in (b"/../secret.txt", b"/%2e%2e/secret.txt", b"/..%2fsecret.txt", b"/.%2e/secret.txt",
               b"/sub/../../secret.txt", b"/sub/%2e%2e/%2e%2e/secret.txt", b"/..%5csecret.txt", b"/%2e%2e%5csecret.txt",
               b"/hello.txt/../../secret.txt", b"/..%00/secret.txt", b"/%252e%252e/secret.txt", b"//etc/passwd",
               b"/etc/passwd", b"/hello.txt%00", b"/hello.txt/", b"/C:/secret.txt", b"/nothing", b"/%ff"):  # fmt: skip
    case(
        f"the target {target.decode()}",
        get(target=target),
        (400, 403, 404),
        section="9110 17.3",
        group="files",
    )
case("a folder", get(target=b"/sub/"), [200], section="9110 9.3.1", body=HELLO, group="files")
case(
    "a folder without its slash",
    get(target=b"/sub"),
    (200, 301, 302, 307, 308),
    section="9110 15.4",
    group="files",
)
case("the root", get(target=b"/"), [200], section="9112 3.2.1", body=HELLO, group="files")


def prepare(raw: bytes, headers: Mapping[str, str]) -> bytes:
    """The bytes of a case for one server, by what it said of /hello.txt (names in lower case)."""
    etag, date = headers.get("etag", '"none"'), headers.get("last-modified", "")
    words = {b"WEAK": "W/" + etag.removeprefix("W/"), b"ETAG": etag}
    if date:
        when = parsedate_to_datetime(date)
        words[b"DATE850"] = when.strftime("%A, %d-%b-%y %H:%M:%S GMT")
        words[b"ASCTIME"] = when.strftime("%a %b %e %H:%M:%S %Y")
        words[b"DATE"] = date
    for word, value in words.items():
        raw = raw.replace(b": " + word, b": " + value.encode()).replace(
            b"," + word, b"," + value.encode()
        )
    return raw
