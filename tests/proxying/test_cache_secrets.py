"""One user's answer for another: cache deception, response splitting, a 304 with more in it.

The server behind is careless: it tells a user's secrets under any URL that begins in the right way,
and says whose they are in one of many ways.
"""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from urllib.parse import unquote_to_bytes

import pytest

from tests.proxying.behind import in_loop
from tests.proxying.cached import request, say, says, two_doors

doors = pytest.mark.parametrize("door", ["serve", "process"])
GOOD = "Cache-Control: max-age=600"
MODIFIED = "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"


@doors
@in_loop
async def test_response_splitting(door):
    """A server that writes what it was asked for into a field can't answer the next request, too."""
    second = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 4\r\n\r\nevil"

    def reply(seen) -> bytes:
        asked = unquote_to_bytes(seen.target.partition("?")[2])
        head = b"HTTP/1.1 200 OK\r\n" + GOOD.encode() + b"\r\nX: " + asked
        return head + b"\r\nContent-Length: 2\r\n\r\nok"

    async with two_doors(door, reply, lambda seen: "?" in seen.target) as port:
        for number, trick in enumerate((
            b"%0d%0aContent-Length:%200%0d%0a%0d%0a", b"%0d%0a%0d%0a", b"%0aContent-Length:%200%0a%0a",
            b"%0d%0aConnection:%20keep-alive%0d%0aContent-Length:%200%0d%0a%0d%0a",
        )):  # fmt: skip
            more = "".join(f"%{byte:02x}" for byte in second).encode()
            await say(port, b"GET /?" + trick + more + b" HTTP/1.1\r\nHost: good\r\n\r\n")
            for _ in range(3):
                heard = await say(port, request(f"GET /victim{number}"))
                assert [one.body for one in heard.answers] == [b"ok"]


@doors
@in_loop
async def test_a_304_for_somebody_else(door):
    """The attacker has the kept answer confirmed, and gets fields of its own into that of others."""

    def reply(seen) -> bytes:
        evil = [f"Set-Cookie: {seen.all('cookie')[0]}"] if seen.all("cookie") else []
        if seen.all("if-none-match") == ['"1"']:
            return says(b"", GOOD, *evil, status=304)
        return says(b"" if seen.method == "HEAD" else b"good", GOOD, 'ETag: "1"', *evil, length=4)

    async with two_doors(door, reply) as port:
        for method in ("GET", "HEAD"):
            await say(port, request("GET /"))
            await say(port, request(f"{method} /", "Cache-Control: no-cache", "Cookie: evil"))
            for _ in range(2):
                [answer] = (await say(port, request("GET /"))).answers
                assert answer.body == b"good" and "set-cookie" not in answer.headers


# Where a user's page is found by a server that is not strict, but named like a file for all
LURES = [
    "/account/x.css", "/account/static/x.js", "/account;x.css", "/account;/x.css", "/account%2Fx.css",
    "/account%00.css", "/account%0A.css", "/account%09x.css", "/account%23x.css", "/account%3Fx.css",
    "/account?x.css", "/account%20.css", "/account.css", "/account/%2e%2e/static/x.css",
    "/account/..%2Fstatic/x.css", "/static/../account", "/static/..%2Faccount", "/static/%2e%2e/account",
    "//account/x.css", "/account//x.css", "/account/x.css?cb=1", "/account%5Cx.css", "/ACCOUNT/x.css",
]  # fmt: skip
# How the server's answer says whose it is, and how the user does
GUARDS = {
    "private": ("Cookie", ["Cache-Control: private, max-age=600"]),
    "private with a name": ("Cookie", ['Cache-Control: private="set-cookie", max-age=600']),
    "no-store": ("Cookie", ["Cache-Control: no-store"]),
    "no-cache": ("Cookie", ["Cache-Control: no-cache"]),
    "two lines": ("Cookie", [GOOD, "Cache-Control: Private"]),
    "a bad quotation": ("Cookie", ['Cache-Control: x=", private, max-age=600']),
    "nothing": ("Cookie", []),
    "a date": ("Cookie", [MODIFIED, 'ETag: "1"']),
    "Set-Cookie": ("Cookie", ["Cache-Control: public, max-age=600", "Set-Cookie: secret=1"]),
    "Vary": ("Cookie", [GOOD, "Vary: Accept-Encoding, COOKIE"]),
    "Vary: *": ("Cookie", [GOOD, "Vary: *"]),
    "credentials": ("Authorization", [GOOD]),
    "Vary and credentials": (
        "Authorization",
        ["Cache-Control: public, max-age=600", "Vary: Authorization"],
    ),
}


@doors
@in_loop
async def test_deception(door):
    """A victim follows a link to its own page; the attacker asks for the same then, and meanwhile."""

    def reply(seen) -> bytes:
        guard = GUARDS[seen.all("x-guard")[0]]
        secret = [value for name in ("cookie", "authorization") for value in seen.all(name)]
        if secret and seen.all("if-modified-since"):
            return says(b"", *guard[1], status=304, date=formatdate(usegmt=True))
        return says(b"of " + "".join(secret).encode(), *guard[1])

    async with two_doors(door, reply) as port:
        gate = asyncio.Semaphore(8)

        async def one(path: str, guard: str) -> list[str]:
            path += f"{'&' if '?' in path else '?'}{list(GUARDS).index(guard)}"
            mine = f"X-Guard: {guard}"
            who = GUARDS[guard][0]
            async with gate:
                victim, meanwhile = await asyncio.gather(
                    say(port, request(f"GET {path}", mine, f"{who}: victim")),
                    say(port, request(f"GET {path}", mine)),
                )
                heard = [
                    meanwhile,
                    await say(port, request(f"GET {path}", mine)),
                    await say(port, request(f"GET {path}", mine, f"{who}: evil")),
                    await say(port, request(f"GET {path}", mine, "Cache-Control: max-stale")),
                    await say(
                        port,
                        request(f"GET {path}", mine, "Cache-Control: only-if-cached, max-stale"),
                    ),
                ]
            assert victim.answers[0].body in (b"of victim", b"of "), (path, guard, victim)
            return [
                f"{guard} {path}"
                for it in heard
                if b"victim" in b"".join(a.raw for a in it.answers)
            ]

        found = await asyncio.gather(*(one(path, guard) for path in LURES for guard in GUARDS))
        assert [name for names in found for name in names] == []
