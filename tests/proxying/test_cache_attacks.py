"""Cache poisoning: one client's request shall decide what the others get. None of it may succeed.

The server behind is as careless as an attack needs: it heeds every field that some framework heeds,
and says of each of its answers, errors too, that it is good for ten minutes.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.proxying.behind import in_loop
from tests.proxying.cached import request, say, says, two_doors

doors = pytest.mark.parametrize("door", ["serve", "process"])
GOOD = "Cache-Control: max-age=600"
MODIFIED = "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"


def careless(seen) -> bytes:
    """A page that names its own URL, as far as the request tells it what that is."""
    fields = {}
    for name, value in seen.headers:
        fields.setdefault(name.replace("_", "-"), value)  # as WSGI and CGI do

    def heeded(*names: str, default: str = "") -> str:
        return next((fields[name] for name in names if name in fields), default)

    method = heeded(
        "x-http-method-override", "x-http-method", "x-method-override", default=seen.method
    )
    path = heeded(
        "x-original-url",
        "x-rewrite-url",
        "x-forwarded-path",
        "x-forwarded-uri",
        default=seen.target,
    )
    host = heeded(
        "x-original-host",
        "x-host",
        "x-http-host-override",
        "x-forwarded-server",
        "x-forwarded-host",
        "host",
    )
    scheme = heeded(
        "x-forwarded-scheme",
        "x-forwarded-protocol",
        "x-scheme",
        "x-url-scheme",
        "x-forwarded-proto",
    )
    for element in fields.get("forwarded", "").lower().split(",")[0].split(";"):  # the first one
        name, _, value = element.strip().partition("=")
        host, scheme = (
            (value.strip('"') if name == "host" else host),
            value if name == "proto" else scheme,
        )
    if "on" in (fields.get("front-end-https"), fields.get("x-forwarded-ssl")):
        scheme = "https"
    port, prefix = fields.get("x-forwarded-port", ""), fields.get("x-forwarded-prefix", "")
    body = f"{scheme}://{host}{port}{prefix}{path} {method} {seen.body.decode()}".encode()
    if method not in ("GET", "HEAD"):
        return says(b"", GOOD, status=405)
    if any(len(value) > 8_000 for value in fields.values()):
        return says(b"too long", GOOD, status=431)
    if any(not value.isascii() for value in fields.values()):
        return says(b"bad", GOOD, status=400)
    if fields.get("if-none-match") == "*":
        return says(b"", GOOD, status=304)
    if "if-match" in fields or "if-unmodified-since" in fields:
        return says(b"changed", GOOD, status=412)
    if fields.get("accept") == "evil":
        return says(b"what?", GOOD, status=406)
    if fields.get("content-type") == "evil":
        return says(b"what?", GOOD, status=415)
    if fields.get("x-boom"):
        return says(b"I crashed", MODIFIED, 'ETag: "error"', status=500)
    if fields.get("range") == "bytes=99-":
        return says(b"", GOOD, status=416)
    if fields.get("range") == "bytes=0-2":
        return says(body[:3], GOOD, f"Content-Range: bytes 0-2/{len(body)}", status=206)
    if fields.get("range"):
        return says(body[:3], GOOD, f"Content-Range: bytes 0-2/{len(body)}")  # it means 206
    more = [f"Set-Cookie: {fields['cookie']}"] if "cookie" in fields else []
    if "authorization" in fields:
        body += b" evil"
    said = says(body, GOOD, *more)
    return said[: -len(body)] if seen.method == "HEAD" else said


NAMED = {
    "X-Forwarded-Host": "evil", "X-Host": "evil", "X-Original-Host": "evil", "X-Forwarded-Server": "evil",
    "X-HTTP-Host-Override": "evil", "X-Forwarded-Scheme": "evil", "X-Forwarded-Proto": "evil",
    "X-Forwarded-Protocol": "evil", "X-Scheme": "evil", "X-Url-Scheme": "evil", "X-Forwarded-Port": ":666",
    "X-Forwarded-Prefix": "/evil", "X-Forwarded-Path": "/evil", "X-Forwarded-Uri": "/evil",
    "X-Original-URL": "/evil", "X-Rewrite-URL": "/evil", "X-HTTP-Method-Override": "DELETE",
    "X-HTTP-Method": "DELETE", "X-Method-Override": "DELETE", "Front-End-Https": "on",
    "X-Forwarded-Ssl": "on", "Forwarded": "host=evil", "forwarded": 'for=b;Host="evil";PROTO=evil',
}  # fmt: skip
POISON = {
    **{name: ("GET PATH", f"{name}: {value}") for name, value in NAMED.items()},
    **{f"{name} with _": ("GET PATH", f"{name.replace('-', '_')}: {value}") for name, value in NAMED.items()},
    **{f"{name} twice": ("GET PATH", f"{name}: good", f"{name}: {value}") for name, value in NAMED.items()},
    **{f"{name} of HEAD": ("HEAD PATH", f"{name}: {value}") for name, value in NAMED.items()},
    "absolute, another Host": ("GET http://good:666PATH",),
    "absolute, evil": ("GET http://evilPATH",),
    "a too long field": ("GET PATH", "X: " + "a" * 20_000),
    "many fields": ("GET PATH", *(f"X-{number}: {'a' * 100}" for number in range(150))),
    "far too long a field": ("GET PATH", "X: " + "a" * 60_000),
    "meta characters": ("GET PATH", "X: a\x07\x1b"),
    "letters beyond ASCII": ("GET PATH", "X: \xff"),
    "a crash": ("GET PATH", "X-Boom: 1"),
    "a part": ("GET PATH", "Range: bytes=0-2"),
    "a part that says it is all": ("GET PATH", "Range: bytes=0-3"),
    "no such part": ("GET PATH", "Range: bytes=99-"),
    "If-Range": ("GET PATH", "Range: bytes=0-2", 'If-Range: "x"'),
    "304": ("GET PATH", "If-None-Match: *"),
    "If-Match": ("GET PATH", 'If-Match: "x"'),
    "If-Unmodified-Since": ("GET PATH", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT"),
    "406": ("GET PATH", "Accept: evil"),
    "415": ("GET PATH", "Content-Type: evil"),
    "417": ("GET PATH", "Expect: evil"),
    "Authorization": ("GET PATH", "Authorization: evil"),
    "a cookie": ("GET PATH", "Cookie: evil"),
    "a cookie and HEAD": ("HEAD PATH", "Cookie: evil"),
    "Host taken away": ("GET PATH", "Connection: host, x-forwarded-host", "X-Forwarded-Host: evil"),
    "HEAD": ("HEAD PATH",),
    **{name: (f"{name} PATH",) for name in ("get", "Get", "OPTIONS", "DELETE", "TRACE", "PURGE", "BAN", "EVIL")},
}  # fmt: skip


def bodies(path: str) -> dict[str, tuple[list[str], str]]:
    """Fields that frame a body, and the body; some hide a request in it."""
    hidden = f"GET {path} HTTP/1.1\r\nHost: good\r\nX-Host: evil\r\nX_Host: evil\r\n\r\n"
    chunked, size = f"1\r\nx\r\n0\r\n\r\n{hidden}", f"Content-Length: {len(hidden)}"
    return {
        "a body": (["Content-Length: 4"], "evil"),
        "a body in chunks": (["Transfer-Encoding: chunked"], "4\r\nevil\r\n0\r\n\r\n"),
        "a request in a body": ([size], hidden),
        "a request after a body": (["Content-Length: 4"], f"evil{hidden}"),
        "two lengths": (["Content-Length: 0", size], hidden),
        "length and chunked": ([size, "Transfer-Encoding: chunked"], chunked),
        "xchunked": (["Transfer-Encoding: xchunked"], chunked),
        "a tab and chunked": (["Content-Length: 0", "Transfer-Encoding:\tchunked"], chunked),
        "a request in a chunk": (
            ["Transfer-Encoding: chunked"],
            f"{len(hidden):x}\r\n{hidden}\r\n0\r\n\r\n",
        ),
        "a wrong size": (["Transfer-Encoding: chunked"], f"5\r\n{hidden}\r\n0\r\n\r\n"),
    }


HOSTS = {
    "evil:80": "evil:80", "good:666": "good:666", "good:": "good:", "good.": "good.", "good evil": "good evil",
    "two": "good\r\nHost: evil", "with a name": "evil@good", "a path": "good/evil", "a query": "good?evil",
    "none": "", "a comma": "good,evil", "NUL": "good\0evil", "a folded one": "good\r\n evil",
}  # fmt: skip


def attacks(path: str) -> dict[str, bytes]:
    """Each on a URL of its own."""
    found = {name: request(*lines) for name, lines in POISON.items()}
    for name, host in HOSTS.items():
        found[f"Host: {name}"] = request("GET PATH", host=host)
        found[f"Host: {name}, absolute"] = request("GET http://goodPATH", host=host)
    found = {
        name: raw.replace(b"PATH", f"{path}{number}".encode())
        for number, (name, raw) in enumerate(found.items())
    }
    for name in bodies(path):
        for method in ("GET", "HEAD"):
            own = f"{path}{len(found)}"
            fields, body = bodies(own)[name]
            found[f"{name} of {method}"] = request(f"{method} {own}", *fields, body=body)
    return found


def plain(body: bytes) -> bytes:
    """Without what makes no difference in a URL (RFC 9110, section 4.2.3)."""
    return body.lower().replace(b":80/", b"/")


@doors
@pytest.mark.parametrize("when", ["cold", "kept", "at once"])
@in_loop
async def test_poisoning(door, when):
    """Before the good answer is kept, when it is (and has to be looked at again), and meanwhile."""
    async with two_doors(door, careless) as port:
        gate = asyncio.Semaphore(16)

        async def one(number: int, name: str, raw: bytes) -> str:
            victim = request(f"GET /{when.replace(' ', '-')}/{number}")
            async with gate:
                if when == "kept":
                    await say(port, victim)
                    raw = raw.replace(
                        b" HTTP/1.1\r\n", b" HTTP/1.1\r\nCache-Control: no-cache\r\n", 1
                    )
                if when == "at once":
                    _, heard = await asyncio.gather(say(port, raw), say(port, victim))
                else:
                    await say(port, raw)
                    heard = await say(port, victim)
                answers = [*heard.answers, *(await say(port, victim)).answers]
            right = f"http://good/{when.replace(' ', '-')}/{number} get ".encode()
            good = len(answers) == 2 and all(
                answer.status == 200
                and plain(answer.body) == right
                and "set-cookie" not in answer.headers
                for answer in answers
            )
            return "" if good else f"{name}: {answers}"

        path = f"/{when.replace(' ', '-')}/"
        tried = enumerate(attacks(path).items())
        found = await asyncio.gather(*(one(number, *attack) for number, attack in tried))
        assert len(found) > 150
        assert [one for one in found if one] == []
