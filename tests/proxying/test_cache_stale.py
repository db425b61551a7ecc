"""Stale answers: while they are renewed, and while a server is down (RFC 5861; RFC 9111, 4.2.4)."""

from __future__ import annotations

import asyncio

import pytest

from tests.proxying.behind import in_loop, until
from tests.proxying.cached import cached, status_of

SWR = "Cache-Control: max-age=10, stale-while-revalidate=20"
FRESH = "Cache-Control: max-age=10"


async def stale(world, *lines: str, after: float = 10) -> None:
    """Have an answer kept that is stale for `after` - 10 seconds."""
    world.always(b"old", *lines)
    await world.get()
    world.clock.now += after


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@in_loop
async def test_the_stale_one_at_once_and_one_renewal(method):
    """Nobody waits, and the server is asked once, however many come meanwhile."""
    async with cached() as world:
        await stale(world, SWR, 'ETag: "1"')
        world.reply = lambda seen: None
        lines = ("Cache-Control: no-store", "Pragma: x", "Range: bytes=0-9", 'If-None-Match: "0"')
        answers = [await world.get("/", *lines, method=method) for _ in range(5)]
        answers += await asyncio.gather(*(world.get(method=method) for _ in range(20)))
        assert {one.body for one in answers} == {b"old" if method == "GET" else b""}
        assert {status_of(one) for one in answers} == {"hit; ttl=0"}
        await until(lambda: world.asked == 2)
        sent = world.behind.requests[1]
        assert (sent.method, sent.all("if-none-match")) == ("GET", ['"1"'])
        assert sent.all("cache-control") == sent.all("pragma") == sent.all("range") == []
        world.behind.lines[0].say(world.says(b"new", FRESH))
        await until(lambda: not world.cache.fetches)
        assert ((await world.get()).body, world.asked) == (b"new", 2)
        assert world.cache.statistics().stale == 25


@in_loop
async def test_a_renewal_that_hears_304():
    async with cached() as world:
        await stale(world, SWR, 'ETag: "1"')
        assert status_of(await world.get()) == "hit; ttl=0"
        await until(lambda: world.asked == 2 and not world.cache.fetches)
        assert status_of(await world.get()) == "hit; ttl=10"


@pytest.mark.parametrize("how", ["hangs up", "503", "no server"])
@in_loop
async def test_a_renewal_that_fails(how):
    """The next client has the next one tried, and gets the stale one all the same; then no more."""
    async with cached(proxy={"max_fails": 0}) as world:
        await stale(world, SWR)
        if how == "no server":
            world.behind._server.close()
            for line in world.behind.lines:
                line.writer.close()
            await until(lambda: world.behind.open == 0)
        elif how == "503":
            world.always(b"no", status=503)
        else:
            world.behind.script = hang_up
            for line in world.behind.lines:
                line.writer.close()
        for _ in range(3):
            assert (await world.get()).body == b"old"
            await until(lambda: not world.cache._renewals)
        assert world.cache.fetches == set()
        if how == "503":
            assert world.asked == 4
        world.clock.now += 20
        answer = await world.get()
        assert answer.status == (503 if how == "503" else 502)


async def hang_up(line) -> None:
    await line.request()


@in_loop
async def test_a_renewal_ends_with_the_proxy():
    """The server never answers; nothing is left (see conftest.py)."""
    async with cached() as world:
        await stale(world, SWR)
        world.reply = lambda seen: None
        await world.get()
        await until(lambda: world.asked == 2)


@in_loop
async def test_a_renewal_for_a_client_with_credentials():
    """What it hears is for that client, and not kept: neither a new answer nor a 304."""
    async with cached() as world:
        await stale(world, SWR, 'ETag: "1"')
        world.always(b"secret", FRESH)
        assert (await world.get("/", "Authorization: x")).body == b"old"
        await until(lambda: world.asked == 2 and not world.cache.fetches)
        assert (await world.get()).body == b"old"


# The answer's Cache-Control, the seconds it is stale, the cache's own limit, and whether it is used
STANDS_IN = [
    ("max-age=10, stale-if-error=5", 4, 0, True),
    ("max-age=10, stale-if-error=5", 5, 0, False),
    ("max-age=10, stale-if-error=5", 4, 99, True),
    ("max-age=10, stale-if-error=5", 5, 99, False),  # what the answer says counts
    ("max-age=10, stale-if-error=0", 0, 99, False),
    ("max-age=10, stale-if-error=x", 0, 99, False),
    ("max-age=10", 0, 0, False),
    ("max-age=10", 98, 99, True),
    ("max-age=10", 99, 99, False),
    ("max-age=10, must-revalidate", 0, 99, False),
    ("max-age=10, proxy-revalidate", 0, 99, False),
    ("s-maxage=10", 0, 99, False),
    ("max-age=10, no-cache", 0, 99, False),
    ("max-age=10, must-revalidate, stale-if-error=5", 0, 99, False),
    ("no-cache, stale-if-error=5", 0, 99, False),
]


@pytest.mark.parametrize("error", [500, 502, 503, 504])
@in_loop
async def test_in_the_place_of_an_error(error):
    for control, late, limit, used in STANDS_IN:
        async with cached(stale_if_error=limit) as world:
            await stale(world, f"Cache-Control: {control}", 'ETag: "1"', after=10 + late)
            world.always(b"error", status=error)
            for method in ("GET", "HEAD"):
                if method == "HEAD":
                    world.reply = lambda seen: world.says(status=error)[:-2]
                answer = await world.get(method=method)
                assert answer.status == (200 if used else error), control
                if method == "GET":
                    assert answer.body == (b"old" if used else b"error")
                said = f'fwd=stale; fwd-status={error}; ttl={-late}; detail="stale-if-error"'
                assert (status_of(answer) == said) is used


@in_loop
async def test_what_is_no_such_error():
    """501 and 404 are answers, and a POST has no other."""
    async with cached(stale_if_error=99) as world:
        for status in (501, 505, 404, 403, 429):
            await stale(world, FRESH)
            world.always(b"error", status=status)
            assert (await world.get()).status == status
        await stale(world, FRESH)
        world.always(b"error", status=503)
        assert (await world.get(method="POST")).status == 503
        assert (await world.get()).body == b"old"


@in_loop
async def test_an_error_never_stands_in_for_an_error():
    async with cached(stale_if_error=99) as world:
        world.always(b"first", FRESH, status=500)
        assert (await world.get()).body == b"first"
        assert status_of(await world.get()) == "hit; ttl=10"
        world.clock.now += 10
        world.always(b"second", status=503)
        assert (await world.get()).body == b"second"


@in_loop
async def test_a_server_that_is_away():
    """502 and 504 of the proxy's own are errors, too; a fresh answer needs no server."""
    async with cached(stale_if_error=30, proxy={"timeout": 0.1, "max_fails": 0}) as world:
        await stale(world, FRESH, after=9)
        world.reply = lambda seen: None
        assert status_of(await world.get()) == "hit; ttl=1"
        world.clock.now += 1
        said = 'fwd=stale; fwd-status={}; ttl={}; detail="stale-if-error"'
        assert status_of(await world.get()) == said.format(504, 0)
        world.behind.script = hang_up
        for line in world.behind.lines:
            line.writer.close()
        assert status_of(await world.get()) == said.format(502, 0)
        world.clock.now += 29
        assert status_of(await world.get()) == said.format(502, -29)
        world.clock.now += 1
        assert (await world.get()).status == 502


@in_loop
async def test_a_client_that_wants_to_know():
    """no-cache and an error: what is fresh stands in only where stale answers may."""
    for limit, status in ((0, 503), (5, 200)):
        async with cached(stale_if_error=limit) as world:
            await stale(world, FRESH, after=1)
            world.always(b"error", status=503)
            assert (await world.get("/", "Cache-Control: no-cache")).status == status


@in_loop
async def test_errors_are_not_kept_unless_somebody_says_so():
    """Negative caching is off by default."""
    for negative in (0, 7):
        async with cached(negative=negative) as world:
            for status in (404, 405, 410, 414, 501, 400, 403, 500, 503):
                world.always(b"no", status=status)
                path = f"/{status}"
                await world.get(path)
                hit = negative and status in (404, 405, 410, 414, 501)
                label = "hit; ttl=7" if hit else "fwd=uri-miss"
                assert status_of(await world.get(path)).startswith(label)
            world.clock.now += 7
            world.always(b"good")
            assert (await world.get("/404")).body == b"good"
