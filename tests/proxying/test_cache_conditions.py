"""Clients that have a copy, and HEAD: answered out of what is kept (RFC 9111, section 4.3)."""

from __future__ import annotations

import pytest

from helpers.proxying._cache_entry import Entry, Freshness
from helpers.proxying._cache_reply import reply
from helpers.proxying._cache_request import CacheRequest
from helpers.proxying._forwarding import Forwarded
from tests.proxying.behind import in_loop
from tests.proxying.cached import cached, status_of

FRESH = "Cache-Control: max-age=10"
LM, LATER = "Sun, 06 Nov 1994 08:49:37 GMT", "Mon, 07 Nov 1994 08:49:37 GMT"
EARLIER = "Sat, 05 Nov 1994 08:49:37 GMT"
# RFC 9110, 13.2.2: the client's lines and the status that it gets from what is kept
CONDITIONS = [
    (['If-None-Match: "1"'], 304),
    (['If-None-Match: W/"1"'], 304),
    (['If-None-Match: "0", "1"'], 304),
    (['If-None-Match: "0"', 'If-None-Match: "1"'], 304),
    (["If-None-Match: *"], 304),
    (['If-None-Match: "0"'], 200),
    (["If-None-Match: 1"], 200),
    ([f"If-Modified-Since: {LM}"], 304),
    ([f"If-Modified-Since: {LATER}"], 304),
    ([f"If-Modified-Since: {EARLIER}"], 200),
    (["If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"], 304),
    (["If-Modified-Since: x"], 200),
    (['If-None-Match: "0"', f"If-Modified-Since: {LATER}"], 200),  # the first one counts alone
    (['If-None-Match: "1"', f"If-Modified-Since: {EARLIER}"], 304),
    (['If-None-Match: "1"', "Range: bytes=0-0"], 304),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@in_loop
async def test_clients_with_a_copy(method):
    """Answered out of the cache, fresh or revalidated."""
    async with cached() as world:
        world.always(
            b"one", FRESH, 'ETag: "1"', f"Last-Modified: {LM}", "Vary: A", "Content-Type: x"
        )
        await world.get()
        for lines, status in CONDITIONS:
            answer = await world.get("/", *lines, method=method)
            assert answer.status == status, lines
            assert answer.body == (b"one" if (status, method) == (200, "GET") else b"")
            if status == 304:
                assert answer.headers["etag"] == '"1"' and answer.headers["vary"] == "A"
                assert {"date", "cache-control", "last-modified"} <= answer.headers.keys()
                assert not {"content-length", "content-type"} & answer.headers.keys()
            if method == "GET":
                world.clock.now += 10
                again = await world.get("/", *lines)
                assert (again.status, again.body) == (answer.status, answer.body), lines
                assert status_of(again).startswith("fwd=stale; fwd-status=304")
        if method == "HEAD":
            assert world.asked == 1


@in_loop
async def test_a_copy_with_a_date_only():
    """Where there is no Last-Modified, Date stands for it (RFC 9111, section 4.3.2)."""
    async with cached() as world:
        world.always(b"one", FRESH)
        await world.get()
        date = world.clock.date()
        world.clock.now += 5
        assert (await world.get("/", f"If-Modified-Since: {date}")).status == 304
        assert (await world.get("/", f"If-Modified-Since: {world.clock.date(-6)}")).status == 200


@in_loop
async def test_a_copy_and_nothing_kept():
    """The question goes on, and so does a 304; neither is kept."""
    async with cached() as world:
        world.always(b"one", FRESH, 'ETag: "1"')
        answer = await world.get("/", 'If-None-Match: "1"')
        assert (answer.status, status_of(answer)) == (304, 'fwd=uri-miss; detail="partial"')
        assert (await world.get()).status == 200


@in_loop
async def test_head():
    """Out of what GET got; what HEAD gets is not kept, but says whether that is the same (4.3.5)."""
    async with cached() as world:
        world.always(b"one", FRESH, 'ETag: "1"')

        async def head(status: str, asked: int) -> None:
            answer = await world.get(method="HEAD")
            assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "3")
            assert status_of(answer).startswith(status)
            assert world.asked == asked

        world.reply = lambda seen: says_to_head(world, seen, b"one", FRESH, 'ETag: "1"', "A: 1")
        await head("fwd=uri-miss", 1)
        await head("fwd=uri-miss", 2)
        await world.get()
        await head("hit; ttl=10", 3)
        world.clock.now += 10
        world.reply = lambda seen: says_to_head(world, seen, b"one", FRESH, 'ETag: "1"', "A: 2")
        await head("fwd=stale", 4)
        fresh = await world.get()
        assert (fresh.headers["a"], status_of(fresh), world.asked) == ("2", "hit; ttl=10", 4)
        world.clock.now += 10
        world.reply = lambda seen: says_to_head(
            world, seen, b"one", FRESH, 'ETag: "1"', "Set-Cookie: a=b"
        )
        await head("fwd=stale", 5)
        assert world.cache.statistics().entries == 0
        world.always(b"one", FRESH, 'ETag: "1"')
        await world.get()
        world.clock.now += 10
        world.reply = lambda seen: says_to_head(world, seen, b"two", FRESH, 'ETag: "2"')
        await head("fwd=stale", 7)
        assert ((await world.get()).body, world.asked) == (b"two", 8)


def says_to_head(world, seen, body, *lines):
    whole = world.says(body, *lines)
    return whole[: -len(body)] if seen.method == "HEAD" else whole


def test_nothing_comes_after_the_head():
    """Servers would drop a body after the answer to HEAD; the cache does not even give them one."""
    entry = Entry(200, [(b"etag", b'"1"')], b"body", (), 0, 0, Freshness())
    scope = {"method": "HEAD", "headers": [(b"host", b"a")], "path": "/", "query_string": b""}
    status, fields, body = reply(CacheRequest(Forwarded(scope)), entry, [])
    assert (status, body) == (200, b"")
    assert (b"content-length", b"4") in fields
