"""What is kept is dropped when it was changed (RFC 9111, section 4.4), or when somebody says so."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.proxying.behind import PATIENCE, in_loop, until
from tests.proxying.cached import cached, status_of

FRESH = "Cache-Control: max-age=10"


async def fill(world, *paths: str, host: str = "a") -> None:
    """Have these kept."""
    world.always(b"old", FRESH)
    for path in paths:
        await world.get(path, host=host)
        assert status_of(await world.get(path, host=host)).startswith("hit")


async def kept(world, path: str, host: str = "a") -> bool:
    before = world.asked
    await world.get(path, "Cache-Control: only-if-cached", host=host)
    assert world.asked == before
    answer = await world.get(path, "Cache-Control: only-if-cached", host=host)
    return answer.status != 504


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PROPPATCH", "post", "FOO"])
@in_loop
async def test_after_an_unsafe_request(method):
    """Of a method that nobody knows, too; with its query, and without what is beside it."""
    async with cached() as world:
        await fill(world, "/a", "/a?b", "/a/", "/c")
        world.always(b"done")
        answer = await world.get("/a", method=method, body=b"x")
        assert status_of(answer) == "fwd=method"
        assert [await kept(world, path) for path in ("/a", "/a?b", "/a/", "/c")] == [
            False,
            True,
            True,
            True,
        ]


@pytest.mark.parametrize("method", ["OPTIONS", "GET", "HEAD"])
@in_loop
async def test_after_a_safe_request(method):
    async with cached() as world:
        await fill(world, "/a")
        world.always(b"" if method == "HEAD" else b"done")
        await world.get("/a", method=method)
        assert await kept(world, "/a")


@pytest.mark.parametrize(
    ("status", "stays"),
    [(200, False), (201, False), (204, False), (303, False), (304, False), (400, True), (403, True), (500, True)],
)  # fmt: skip
@in_loop
async def test_only_if_it_did_something(status, stays):
    async with cached() as world:
        await fill(world, "/a", "/b", "/c")
        world.always(
            b"" if status in (204, 304) else b"x",
            "Location: /b",
            "Content-Location: c",
            status=status,
        )
        await world.get("/a", method="POST")
        assert [await kept(world, path) for path in ("/a", "/b", "/c")] == [stays] * 3


@in_loop
async def test_what_the_answer_names():
    """Location and Content-Location, but nothing of another host: it can't have it dropped."""
    async with cached() as world:
        await fill(world, "/b", "/c?d", "/e")
        await fill(world, "/b", host="other")
        for line in ("Location: http://a/b", "Content-Location: /c?d", "Location: http://other/b"):
            world.always(b"x", line)
            await world.get("/a", method="POST")
        assert [await kept(world, path) for path in ("/b", "/c?d", "/e")] == [False, False, True]
        assert await kept(world, "/b", host="other")


@in_loop
async def test_all_variants_go():
    async with cached() as world:
        world.always(b"old", FRESH, "Vary: A")
        for value in "123":
            await world.get("/a", f"A: {value}")
        assert world.cache.statistics().entries == 3
        world.always(b"x")
        await world.get("/a", "A: 1", method="DELETE")
        assert world.cache.statistics().entries == 0


async def drop_by_post(world) -> None:
    await world.get("/a", method="POST")


async def drop_by_purge(world) -> None:
    world.cache.purge("/a")


async def drop_all(world) -> None:
    world.cache.purge()


@pytest.mark.parametrize("renewal", [False, True], ids=["new", "renewal"])
@pytest.mark.parametrize("drop", [drop_by_post, drop_by_purge, drop_all])
@in_loop
async def test_what_is_on_its_way_is_not_kept(drop, renewal):
    """It was asked for before the change, and may tell what was true then."""
    async with cached() as world:
        lines = [FRESH + ", stale-while-revalidate=60"] if renewal else [FRESH]
        world.always(b"old", *lines, 'ETag: "1"')
        if renewal:
            await world.get("/a")
            world.clock.now += 10
        old = world.says(b"old", *lines)
        world.reply = lambda seen: None if seen.method == "GET" else world.says(b"x")
        asking = asyncio.ensure_future(world.get("/a"))
        await until(lambda: world.asked == 1 + renewal)
        if renewal:
            assert (await asking).body == b"old"
        await drop(world)
        world.behind.lines[0].say(old)
        if not renewal:
            assert (await asking).body == b"old"
        await until(lambda: not world.cache.fetches)
        world.always(b"new", FRESH)
        assert (await world.get("/a")).body == b"new"
        assert (await world.get("/a")).body == b"new"


@in_loop
async def test_what_is_asked_for_afterwards_is_kept():
    """Also if the older answer comes later: it does not replace the newer one."""
    async with cached(wait=0) as world:
        world.reply = lambda seen: None
        asking = asyncio.ensure_future(world.get("/a"))
        await until(lambda: world.asked == 1)
        world.always(b"new", FRESH)
        assert (await world.get("/a")).body == b"new"
        world.behind.lines[0].say(world.says(b"old", FRESH))
        assert (await asking).body == b"old"
        assert (await world.get("/a")).body == b"new"


@in_loop
async def test_an_answer_that_may_not_be_kept_takes_the_place_of_an_old_one():
    """What is true now is not hidden by what was true then: 404, private and so on."""
    for line, status in (
        ("A: b", 404),
        ("A: b", 200),
        ("Cache-Control: private", 200),
        ("Cache-Control: no-store", 200),
        ("Vary: *", 200),
    ):
        async with cached() as world:
            world.always(b"old", FRESH + ", stale-while-revalidate=50")
            await world.get()
            world.clock.now += 10
            world.always(b"new", line, status=status)
            assert (await world.get()).body == b"old"
            await until(lambda world=world: world.cache.statistics().entries == 0)
            assert (await world.get()).body == b"new"


@pytest.mark.parametrize(
    "line", ["Cache-Control: no-cache, no-store", "Authorization: x", "Cookie: a=b"]
)
@in_loop
async def test_an_answer_for_one_client_leaves_what_is_kept(line):
    async with cached() as world:
        world.always(b"old", FRESH)
        await world.get()
        world.clock.now += 10
        world.always(b"mine", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT")
        assert (await world.get("/", line)).body == b"mine"
        assert (await world.get("/", "Cache-Control: max-stale")).body == b"old"


def test_purge_says_how_many():
    async def run() -> None:
        async with cached() as world:
            await fill(world, "/a", "/a?b", "/c")
            await fill(world, "/a", host="b")
            assert world.cache.purge("/nothing") == 0
            assert world.cache.purge("/a") == 2  # on both hosts, without the query
            assert await kept(world, "/a?b") and await kept(world, "/c")
            assert world.cache.purge() == 2
            assert world.cache.statistics().bytes == 0

    asyncio.run(run())


@in_loop
async def test_purges_from_other_threads():
    """While requests run: nobody gets an error, and after a purge nobody gets what was before it."""
    async with cached(wait=0.05) as world:
        version = [0]
        world.reply = lambda seen: world.says(b"%d" % version[0], FRESH)
        over, purged = threading.Event(), []

        def purge() -> None:
            while not over.wait(0.001):  # without a pause, nothing would ever be kept
                if number := world.cache.purge("/1") + world.cache.purge():
                    purged.append(number)
                world.cache.statistics()

        threads = [threading.Thread(target=purge) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(10):
                answers = await asyncio.gather(*(world.get(f"/{n % 3}") for n in range(20)))
                assert {one.status for one in answers} == {200}
                version[0] += 1
                world.cache.purge()
                low = version[0]
                answers = await asyncio.gather(*(world.get(f"/{n % 3}") for n in range(6)))
                assert min(int(one.body) for one in answers) >= low
            async with asyncio.timeout(PATIENCE):
                while not purged:  # until one of them has come between two requests
                    await world.get("/1")
        finally:
            over.set()
            for thread in threads:
                thread.join()
        world.cache.purge()
        assert world.cache.statistics().bytes == world.cache.statistics().entries == 0
