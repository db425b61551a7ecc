"""How much a cache takes, what goes first, what it counts; and that it works in the page."""

from __future__ import annotations

import asyncio
from email.utils import formatdate

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import serve
from helpers.proxying import Cache, CacheStatistics, ReverseProxy
from helpers.proxying._cache_entry import Entry, Freshness
from helpers.proxying._cache_store import MOST_VARIANTS, Store, _size
from tests.proxying.behind import in_loop, until
from tests.proxying.cached import START, cached, status_of
from tests.serving.page_worlds import in_both

FRESH = "Cache-Control: max-age=10"


def entry(size: int, variant: bytes | None = None, turn: int = 0) -> Entry:
    selecting = ((b"a", variant),) if variant is not None else ()
    return Entry(
        200, [(b"cache-control", b"max-age=9")], b"x" * size, selecting, 0, 0, Freshness(), turn
    )


STEPS = st.tuples(
    st.sampled_from(["put", "put", "put", "find", "drop", "replace", "target"]),
    st.integers(0, 4),
    st.sampled_from([0, 1, 100, 900, 2_000, 9_000]),
    st.sampled_from([None, b"", b"1", b"2" * 300]),
)


@settings(max_examples=150)
@given(st.lists(STEPS, max_size=60), st.sampled_from([0, 600, 3_000, 20_000]))
def test_never_more_than_it_may(steps, most):
    """After each step: within the bound, and what it says it takes is the sum of what it keeps."""
    store = Store(most)
    for turn, (step, number, size, variant) in enumerate(steps):
        key = (b"host", b"/%d" % number * (1 + 50 * number))
        found = store.find(key, [(b"a", variant)] if variant is not None else [])
        if step == "put":
            new = entry(size, variant, turn)
            assert store.put(key, new) is (_size(key, new) <= most)
            if _size(key, new) <= most:
                assert any(one is new for one in store._kept[key])
        elif step == "drop":
            store.drop(key)
        elif step == "replace" and found:
            other = b"1" if size > 900 else variant  # its Vary may have changed
            store.replace(key, found, entry(size, other, turn) if size else None)
        elif step == "target":
            store.drop_target(key[1])
        everything = [(key, one) for key, variants in store._kept.items() for one in variants]
        assert store.size == sum(_size(*one) for one in everything) <= max(most, 0)
        assert len(store) == len(everything)
        assert all(store._kept.values()), "a URL without answers"
        for variants in store._kept.values():
            assert len({one.selecting for one in variants}) == len(variants), "one of them is twice"


def test_what_an_answer_takes():
    """Its body, its fields, its URL, and what clients have sent that it depends on."""
    small = _size((b"a", b"/"), entry(0))
    assert _size((b"a", b"/"), entry(1000)) >= small + 1000
    assert _size((b"a", b"/" * 1000), entry(0)) >= small + 999
    assert _size((b"a", b"/"), entry(0, b"x" * 1000)) >= small + 1000


def test_one_url_has_so_many_variants():
    store = Store(10**9)
    for number in range(MOST_VARIANTS + 5):
        store.put((b"a", b"/"), entry(1, b"%d" % number))
    assert len(store) == MOST_VARIANTS
    assert not store.find((b"a", b"/"), [(b"a", b"4")])
    assert store.find((b"a", b"/"), [(b"a", b"5")])


def test_nothing_is_kept_that_is_not_good_any_more():
    store = Store(10**9)
    assert not store.put((b"a", b"/"), entry(1), lambda: False)
    assert len(store) == store.size == 0


@in_loop
async def test_what_was_used_longest_ago_goes():
    async with cached(max_bytes=10_000, largest=5_000) as world:
        world.always(b"x" * 2_000, FRESH)
        for path in ("/1", "/2", "/3", "/1", "/4"):
            await world.get(path)
        assert world.cache.statistics().evicted == 1
        for path, label in (("/1", "hit"), ("/3", "hit"), ("/4", "hit"), ("/2", "fwd=uri-miss")):
            assert status_of(await world.get(path)).startswith(label), path
        assert world.cache.statistics().bytes <= 10_000


@pytest.mark.parametrize("chunked", [False, True])
@in_loop
async def test_large_bodies(chunked):
    """They pass, and are kept up to `largest`; an eighth of all if nobody says so."""
    for options in ({"largest": 70_000}, {"max_bytes": 560_000}):
        async with cached(**options) as world:
            for size, kept in ((70_000, 1), (70_001, 0), (3_000_000, 0)):
                body = bytes(size)
                if chunked:
                    frames = b"%x\r\n%b\r\n0\r\n\r\n" % (size, body)
                    said = world.says(b"", FRESH, "Transfer-Encoding: chunked") + frames
                    said = said.replace(b"Content-Length: 0\r\n", b"")
                    world.reply = lambda seen, said=said: said
                else:
                    world.always(body, FRESH)
                answer = await world.get(f"/{size}")
                assert answer.body == body
                assert world.cache.statistics().entries == kept
                if not kept and not chunked:
                    assert status_of(answer) == 'fwd=uri-miss; detail="too large"'
                world.cache.purge()


@in_loop
async def test_a_client_that_leaves_in_the_middle():
    """Half of a body is not kept."""
    async with cached() as world:
        world.reply = lambda seen: world.says(b"half", FRESH, length=8)
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"half")
        writer.close()
        await until(lambda: not world.cache.fetches)
        world.always(b"all of it", FRESH)
        assert (await world.get()).body == b"all of it"


@in_loop
async def test_what_it_counts():
    async with cached(stale_if_error=10) as world:
        world.always(b"one", FRESH, 'ETag: "1"')
        for _ in range(3):
            await world.get()  # a miss and two hits
        await world.get(method="HEAD")  # a hit
        await world.get(method="OPTIONS")  # passed
        await world.get("/", 'If-Match: "1"')  # passed
        world.clock.now += 10
        await world.get()  # revalidated
        world.clock.now += 10
        world.always(b"error", status=500)
        await world.get()  # stale
        found = world.cache.statistics()
        counted = (
            found.hits,
            found.misses,
            found.revalidated,
            found.stale,
            found.passed,
            found.collapsed,
        )
        assert counted == (3, 1, 1, 1, 2, 0)
        assert (found.entries, found.evicted) == (1, 0) and 500 < found.bytes < 1_000
        assert found.hit_ratio == 5 / 6
        assert "hits 3  stale 1  revalidated 1" in repr(found) and "hit ratio 83%" in repr(found)
        assert "<td" in found._repr_html_() and "83%" in found._repr_html_()
        assert CacheStatistics().hit_ratio == 0


@in_loop
async def test_a_clock_that_jumps_back():
    """What is kept has no age then: it is asked for again, and the new one is kept."""
    async with cached() as world:
        world.always(b"old", FRESH)
        await world.get()
        world.clock.now -= 3_600
        world.always(b"new", FRESH)
        for label in ("fwd=stale", "hit"):
            answer = await world.get()
            assert (answer.body, status_of(answer).split(";")[0]) == (b"new", label)
        world.clock.now += 10
        assert status_of(await world.get()).startswith("fwd=stale")


def test_in_the_page():
    """Without sockets and threads: miss, hit, renewal in the background, requests that wait."""

    async def scenario():
        now, made = [START], []

        async def app(scope, receive, send):
            if scope["type"] != "http":
                raise NotImplementedError
            made.append(scope["path"])
            headers = [
                (b"cache-control", b"max-age=10, stale-while-revalidate=10"),
                (b"date", formatdate(now[0], usegmt=True).encode()),
            ]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"%d" % len(made)})

        cache = Cache(clock=lambda: now[0])
        app.speaks_for_others = True
        with serve(app) as server:
            with serve(ReverseProxy([server.url], cache=cache)) as proxy:

                async def get(path):
                    async with httpx.AsyncClient(base_url=proxy.url) as client:
                        response = await client.get(path)
                    return response.status_code, response.text, response.headers["cache-status"]

                seen = [await get("/a"), await get("/a")]
                now[0] += 10
                seen.append(await get("/a"))
                await until(lambda: len(made) == 2 and not cache.fetches)
                seen.append(await get("/a"))
                many = await asyncio.gather(*(get("/b") for _ in range(5)))
                assert {text for _, text, _ in many} == {"3"}
                assert cache.purge() == 2
                seen.append(await get("/a"))
                return seen, made

    seen, made = in_both(scenario)
    label = "course-proxy; "
    assert [one[1] for one in seen] == ["1", "1", "1", "2", "4"]
    assert [one[2].removeprefix(label).split(";")[0] for one in seen] == [
        "fwd=uri-miss", "hit", "hit", "hit", "fwd=uri-miss"]  # fmt: skip
    assert made == ["/a", "/a", "/b", "/a"]
