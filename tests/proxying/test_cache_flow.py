"""What becomes of a request when there is a cache: from the client to the server and back."""

from __future__ import annotations

import asyncio

import pytest

from helpers.balancing import RoundRobin, StickyCookie
from tests.proxying.behind import in_loop, until
from tests.proxying.cached import cached, status_of, without
from tests.web.talk import talk

FRESH = "Cache-Control: max-age=10"


@in_loop
async def test_miss_hit_stale_revalidated():
    """The life of an answer, with all fields (RFC 9111, sections 4.2 and 4.3)."""
    async with cached() as world:
        world.always(b"one", FRESH, 'ETag: "1"', "X: y", "Content-Type: text/plain")
        first = await world.get()
        assert (first.status, first.body) == (200, b"one")
        assert status_of(first) == "fwd=uri-miss; ttl=10; stored"
        assert "age" not in first.headers
        world.clock.now += 9
        second = await world.get()
        assert second.headers.pop("age") == "9"
        assert status_of(second) == "hit; ttl=1"
        assert without(second.headers, "cache-status") == without(first.headers, "cache-status")
        assert (second.status, second.body, world.asked) == (200, b"one", 1)
        world.clock.now += 1
        third = await world.get()
        assert (third.status, third.body, third.headers["age"]) == (200, b"one", "0")
        assert status_of(third) == "fwd=stale; fwd-status=304; ttl=10"
        assert world.behind.requests[1].all("if-none-match") == ['"1"']
        assert third.headers["date"] == world.clock.date()
        world.clock.now += 9
        assert status_of(await world.get()) == "hit; ttl=1"
        world.clock.now += 1
        world.always(b"two", FRESH, 'ETag: "2"')
        fourth = await world.get()
        assert (fourth.body, status_of(fourth)) == (b"two", "fwd=stale; ttl=10; stored")
        assert "x" not in fourth.headers
        assert ((await world.get()).body, world.asked) == (b"two", 3)


@in_loop
async def test_without_a_cache_control_nothing_is_kept():
    async with cached() as world:
        world.always(b"one")
        for _ in range(2):
            answer = await world.get()
            assert status_of(answer) == 'fwd=uri-miss; detail="not fresh"'
        assert world.asked == 2 and world.cache.statistics().entries == 0


@in_loop
async def test_what_a_304_changes():
    """Its fields replace the old ones, except what is about the body (sections 3.2, 4.3.4)."""
    async with cached() as world:
        world.always(b"one", "Cache-Control: max-age=1", 'ETag: "1"', "A: 1", "A: 2", "B: 1",
                     "Content-Encoding: x", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT")  # fmt: skip
        await world.get()
        world.clock.now += 1
        world.reply = lambda seen: world.says(
            b"", "Cache-Control: max-age=50", 'ETag: W/"9"', "A: 3", "C: 1", "Content-Encoding: y",
            "Content-Length: 77", "Age: 5", status=304)  # fmt: skip
        renewed = await world.get()
        assert (renewed.status, renewed.body, renewed.headers["age"]) == (200, b"one", "5")
        for answer in (renewed, await world.get()):
            assert status_of(answer) in ("fwd=stale; fwd-status=304; ttl=45", "hit; ttl=45")
            assert [
                answer.raw.count(b"\r\n" + one) for one in (b"a: 3", b"a:", b"b: 1", b"c: 1")
            ] == [1] * 4
            assert answer.headers["content-encoding"] == "x"
            assert answer.headers["content-length"] == "3"
            assert answer.headers["etag"] == '"1"'
        sent = world.behind.requests[1]
        assert sent.all("if-none-match") == ['"1"']
        assert sent.all("if-modified-since") == ["Sun, 06 Nov 1994 08:49:37 GMT"]


# What the 304 says that forbids to keep it, or is for one client only, and what then is kept.
@pytest.mark.parametrize(
    ("line", "hits"),
    [
        ("Cache-Control: no-store", False),
        ("Cache-Control: private, max-age=99", False),
        ("Vary: *", False),
        ("Set-Cookie: secret=1", False),
        ("Vary: X", True),
        ("A: b", True),
    ],
)
@in_loop
async def test_a_304_that_takes_it_back(line, hits):
    """What was for all is not any more, and is not given to the next client."""
    async with cached() as world:
        world.always(b"one", FRESH, 'ETag: "1"')
        await world.get()
        world.clock.now += 10
        fields = [line] if line.startswith("Cache") else [FRESH, line]
        world.reply = lambda seen: world.says(b"", *fields, status=304)
        answer = await world.get("/", "X: 1")
        assert (answer.status, answer.body) == (200, b"one")
        assert line.split(": ")[0].lower() in answer.headers
        world.always(b"two", *(one for one in fields if "Cookie" not in one))
        assert (await world.get("/", "X: 2")).body == (b"one" if line == "A: b" else b"two")
        same = await world.get("/", "X: 1")
        assert (same.body == b"one") is hits
        assert "set-cookie" not in same.headers


@in_loop
async def test_with_no_store_or_credentials_a_304_changes_nothing():
    """The answer to such a request is not kept, not even its fields; what is kept stays."""
    async with cached() as world:
        world.always(b"one", FRESH, 'ETag: "1"')
        await world.get()
        for line in ("Authorization: x", "Cache-Control: no-cache, no-store"):
            world.clock.now += 10
            world.reply = lambda seen: world.says(b"", FRESH, "For: you", status=304)
            assert (await world.get("/", line)).headers["for"] == "you"
            world.always(b"one", FRESH, 'ETag: "1"')
            answer = await world.get()
            assert "for" not in answer.headers
            assert status_of(answer) == "fwd=stale; fwd-status=304; ttl=10"


@in_loop
async def test_an_answer_that_is_no_200_is_given_as_it_is():
    """Also with conditions and ranges, which are for a 200 only (RFC 9110, section 13.2.1)."""
    async with cached() as world:
        for status in (204, 301, 404, 410):
            body = b"" if status == 204 else b"gone"
            world.always(body, FRESH, 'ETag: "1"', "Location: /b", status=status)
            path = f"/{status}"
            first = await world.get(path)
            for lines in ([], ['If-None-Match: "1"'], ["Range: bytes=0-1"]):
                answer = await world.get(path, *lines)
                assert (answer.status, answer.body, status_of(answer)) == (
                    status,
                    body,
                    "hit; ttl=10",
                )
                assert without(answer.headers, "age", "cache-status") == without(
                    first.headers, "cache-status")  # fmt: skip
        assert world.asked == 4


@in_loop
async def test_only_if_cached():
    """504 if there is nothing that is good enough (RFC 9111, section 5.2.1.7)."""
    async with cached() as world:
        world.always(b"one", FRESH)
        wish = "Cache-Control: only-if-cached"
        nothing = await world.get("/", wish)
        assert nothing.status == 504
        assert nothing.headers["cache-status"] == 'course-proxy; detail="only-if-cached"'
        await world.get()
        assert (await world.get("/", wish)).body == b"one"
        world.clock.now += 10
        assert (await world.get("/", wish)).status == 504
        assert (await world.get("/", wish + ", max-stale=5")).body == b"one"
        assert (await world.get("/", wish, method="HEAD")).status == 504
        assert world.asked == 1


@in_loop
async def test_incomplete_answers_are_never_kept():
    """Section 3.3: the end is missing, as to a length or to the last chunk."""
    async with cached() as world:
        chunks = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=10\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n"
        for path, said in (
            ("/a", world.says(b"one", FRESH, length=9)),
            ("/b", chunks),
            ("/c", chunks + b"xx"),
        ):
            world.reply = lambda seen, said=said: said
            raw = f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
            talking = asyncio.ensure_future(talk(world.port, [raw], ["GET"], seconds=20))
            await until(lambda path=path: path in targets_of(world))
            for line in world.behind.lines:
                line.writer.close()
            assert not (await talking).answers
            world.always(b"whole", FRESH)
            answer = await world.get(path)
            assert (answer.body, status_of(answer)[:12]) == (b"whole", "fwd=uri-miss")


@in_loop
async def test_a_cookie_of_the_balancer_is_for_one_client():
    """What the proxy itself adds for this client does not keep the answer from being kept."""
    algorithm = lambda urls: StickyCookie(RoundRobin(urls))  # noqa: E731
    async with cached(proxy={"algorithm": algorithm}) as world:
        world.always(b"one", FRESH)
        first, second = await world.get(), await world.get()
        assert first.headers["set-cookie"].startswith("server=")
        assert "set-cookie" not in second.headers
        assert status_of(second) == "hit; ttl=10"


def targets_of(world) -> list[str]:
    """Those of which the server has seen the head."""
    return [one.target for line in world.behind.lines for one in line.heads]
