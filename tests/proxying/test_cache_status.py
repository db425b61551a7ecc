"""Cache-Status says what the cache did, in a form that programs can read (RFC 9211, RFC 8941)."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.proxying.behind import in_loop, until
from tests.proxying.cached import cached

FRESH = "Cache-Control: max-age=10"
ITEM = re.compile(
    r'"(?P<string>(?:[ !#-\[\]-~]|\\["\\])*)"|(?P<int>-?[0-9]{1,15})(?![0-9.])'
    r"|\?(?P<bool>[01])|(?P<token>[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*)"
)
KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
FORWARDED = {"bypass", "method", "uri-miss", "vary-miss", "miss", "request", "stale", "partial"}


def read_list(text: str) -> list[tuple[str, dict]]:
    """A List of Items with their Parameters (RFC 8941, sections 4.2.1 and 4.2.3); strictly."""
    members, at = [], 0
    while True:
        name, at = read_item(text, at)
        parameters = {}
        while text[at : at + 1] == ";":
            at += len(text[at:]) - len(text[at + 1 :].lstrip(" "))
            key = KEY.match(text, at)
            assert key, f"no key at {at} of {text!r}"
            at, value = key.end(), True
            if text[at : at + 1] == "=":
                value, at = read_item(text, at + 1)
            assert key[0] not in parameters, text
            parameters[key[0]] = value
        members.append((name, parameters))
        if at == len(text):
            return members
        comma = re.compile(r"[ \t]*,[ \t]*(?=.)").match(text, at)
        assert comma, f"{text[at:]!r} follows in {text!r}"
        at = comma.end()


def read_item(text: str, at: int):
    found = ITEM.match(text, at)
    assert found, f"no item at {at} of {text!r}"
    kind, value = found.lastgroup, found[found.lastgroup]
    return {"int": int, "bool": "1".__eq__}.get(kind, str)(value), found.end()


def test_the_reader():
    assert read_list('a; hit; ttl=-5, "b c";d="e\\"f";  g=?0') == [
        ("a", {"hit": True, "ttl": -5}),
        ("b c", {"d": 'e\\"f', "g": False}),
    ]
    for wrong in (
        "",
        "a;",
        "a; Hit",
        'a; d="e',
        "a,",
        "a; ttl=",
        "a; ttl=1x",
        "a hit",
        "a; hit; hit",
    ):
        with pytest.raises(AssertionError):
            read_list(wrong)


def check(answer) -> dict:
    """The parameters of our member, which is the last; they make sense together (section 2)."""
    assert answer.raw.lower().count(b"\r\ncache-status:") == 1
    name, found = read_list(answer.headers["cache-status"])[-1]
    assert name == "course-proxy"
    assert found.keys() <= {"hit", "fwd", "fwd-status", "ttl", "stored", "collapsed", "detail"}
    assert ("hit" in found) != ("fwd" in found)
    if "fwd" in found:
        assert found["fwd"] in FORWARDED
    else:
        assert not found.keys() & {"fwd-status", "stored", "collapsed"}
    for name, kind in (("hit", bool), ("stored", bool), ("collapsed", bool), ("detail", str)):
        assert type(found.get(name, kind())) is kind
    assert type(found.get("ttl", 0)) is type(found.get("fwd-status", 0)) is int
    return found


@in_loop
async def test_every_kind():
    async with cached(stale_if_error=50, largest=100) as world:

        async def get(*lines, path="/", **more):
            return check(await world.get(path, *lines, **more))

        world.always(b"one", FRESH, 'ETag: "1"', "Vary: A")
        assert await get() == {"fwd": "uri-miss", "ttl": 10, "stored": True}
        assert await get() == {"hit": True, "ttl": 10}
        assert await get(method="HEAD") == {"hit": True, "ttl": 10}
        assert await get('If-None-Match: "1"') == {"hit": True, "ttl": 10}
        assert await get("Range: bytes=0-1") == {"hit": True, "ttl": 10}
        assert await get("Range: bytes=9-") == {"hit": True, "ttl": 10}
        assert await get("A: 1") == {"fwd": "vary-miss", "ttl": 10, "stored": True}
        assert await get("Cache-Control: no-cache") == {
            "fwd": "request",
            "fwd-status": 304,
            "ttl": 10,
        }
        world.clock.now += 12
        assert await get("Cache-Control: max-stale") == {"hit": True, "ttl": -2}
        assert await get() == {"fwd": "stale", "fwd-status": 304, "ttl": 10}
        world.clock.now += 12
        world.always(b"error", status=503)
        assert await get() == {
            "fwd": "stale", "fwd-status": 503, "ttl": -2, "detail": "stale-if-error"}  # fmt: skip
        world.always(b"two", FRESH, "Vary: A")
        assert await get() == {"fwd": "stale", "ttl": 10, "stored": True}
        assert await get("If-Match: x") == {"fwd": "bypass"}
        assert await get(method="GET", body=b"x") == {"fwd": "bypass"}
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "FOO"):
            assert await get(method=method) == {"fwd": "method"}
        details = {
            "not fresh": ["A: b"],
            "private": ["Cache-Control: private"],
            "no-store": ["Cache-Control: no-store"],
            "set-cookie": [FRESH, "Set-Cookie: a"],
            "vary": [FRESH, "Vary: *"],
        }
        for number, (detail, lines) in enumerate(details.items()):
            world.always(b"x", *lines)
            assert await get(path=f"/{number}") == {"fwd": "uri-miss", "detail": detail}
        world.always(b"x" * 101, FRESH)
        assert await get(path="/large") == {"fwd": "uri-miss", "detail": "too large"}
        world.always(b"no", FRESH, status=400)
        assert await get(path="/bad") == {"fwd": "uri-miss", "detail": "of one request"}
        world.reply = lambda seen: None
        asking = [asyncio.ensure_future(world.get("/many")) for _ in range(2)]
        await until(lambda: any(line.heads[-1].target == "/many" for line in world.behind.lines))
        for line in world.behind.lines:
            if line.heads[-1].target == "/many":
                line.say(world.says(b"x", FRESH))
        both = [check(one) for one in await asyncio.gather(*asking)]
        if {"hit": True, "ttl": 10} not in both:  # the second one came too late to wait
            assert {"fwd": "uri-miss", "ttl": 10, "collapsed": True} in both


@in_loop
async def test_a_server_that_is_away():
    """The proxy's own errors pass the cache, too."""
    async with cached() as world:
        world.behind.script = hang_up
        answer = await world.get()
        assert (answer.status, check(answer)["fwd"]) == (502, "uri-miss")


async def hang_up(line) -> None:
    await line.request()


@in_loop
async def test_after_those_of_caches_behind_us():
    """They stand in the order in which the caches are passed (section 2)."""
    async with cached() as world:
        said = ["Cache-Status: Origin; hit; ttl=5", 'Cache-Status: "far away"; fwd=miss']
        world.always(b"one", FRESH, 'ETag: "1"', *said)
        for again in range(4):
            answer = await world.get(method="POST" if again == 3 else "GET")
            check(answer)
            first, second, ours = read_list(answer.headers["cache-status"])
            assert first == ("Origin", {"hit": True, "ttl": 5})
            assert second == ("far away", {"fwd": "miss"})
            assert ours[0] == "course-proxy"
            if again == 1:
                world.clock.now += 10
