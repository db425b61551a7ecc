"""Many clients ask for the same at once: the server sees one request, and nobody gets what is another's.

A `Crowd` counts how many requests the server has, and holds the answers back until the test says so.
"""

from __future__ import annotations

import asyncio

import pytest

from helpers import serve
from helpers.proxying import Cache, ReverseProxy
from tests.proxying.behind import in_loop, until
from tests.proxying.cached import cached, status_of

FRESH = "Cache-Control: max-age=10"
MANY = 50


class Held:
    """A server's answers that come when the test says so: `give(how)` answers all that wait."""

    def __init__(self, world) -> None:
        self.world, self.waiting, self.most = world, [], 0
        world.behind.script = self.script

    async def script(self, line) -> None:
        while seen := await line.request():
            given = asyncio.get_running_loop().create_future()
            self.waiting.append((seen, given))
            self.most = max(self.most, len(self.waiting))
            line.say(said := await given)
            if b"half" in said:
                return  # which hangs up

    def give(self, say) -> int:
        """say: what the server says to a request; returns how many there were."""
        waiting, self.waiting = self.waiting, []
        for seen, given in waiting:
            given.set_result(say(seen))
        return len(waiting)


async def ask_many(world, number: int, *lines: str) -> list[asyncio.Future]:
    """So many clients, of which all have asked before it returns."""
    before = world.cache.entered
    asking = [asyncio.ensure_future(world.get("/", *lines)) for _ in range(number)]
    await until(lambda: world.cache.entered == before + number)
    return asking


class Counted(Cache):
    """Counts the requests that have come; those that wait do so however slow the machine is."""

    entered = 0

    def __init__(self, *, wait: float = 600, **words) -> None:
        super().__init__(wait=wait, **words)

    async def answer(self, *arguments) -> None:
        self.entered += 1
        await super().answer(*arguments)


@pytest.fixture(autouse=True)
def counted(monkeypatch):
    monkeypatch.setattr("tests.proxying.cached.Cache", Counted)


async def nothing_left(world) -> None:
    """Besides what every proxy has."""
    cache = world.cache
    await until(lambda: not (cache._flights or cache.fetches or cache._renewals))


@pytest.mark.parametrize("kept", ["nothing", "stale", "stale, 304"])
@in_loop
async def test_one_request(kept):
    """At a cold URL, at one that has expired, and at one that is only to be confirmed."""
    async with cached() as world:
        reason = "uri-miss"
        if kept != "nothing":
            world.always(b"old", FRESH, 'ETag: "1"')
            await world.get()
            world.clock.now += 10
            reason = "stale"
        held, before = Held(world), world.asked
        for line in world.behind.lines:
            line.writer.close()
        await until(lambda: world.behind.open == 0)
        asking = await ask_many(world, MANY)
        good = kept == "stale, 304"
        said = world.says(b"", FRESH, status=304) if good else world.says(b"new", FRESH)
        await until(lambda: held.waiting)
        assert held.give(lambda seen: said) == 1
        answers = await asyncio.gather(*asking)
        assert {one.body for one in answers} == {b"old" if good else b"new"}
        labels = sorted(map(status_of, answers))
        assert labels.count(f"fwd={reason}; ttl=10; collapsed") == MANY - 1
        assert world.asked == before + 1
        found = world.cache.statistics()
        assert (found.collapsed, found.hits) == (MANY - 1, 0)
        await nothing_left(world)


# What is for one client only, or is not to be kept for another reason
@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("Cache-Control: private, max-age=10", 200),
        ("Cache-Control: no-store", 200),
        ("Cache-Control: no-cache", 200),
        ("Set-Cookie: a=b", 200),
        ("Vary: *", 200),
        ("A: b", 200),
        ("A: b", 500),
    ],
)
@in_loop
async def test_what_is_for_nobody_else_is_not_shared(line, status):
    """Each client gets an answer of its own, and none waits for another: not even for the body."""
    async with cached() as world:
        held = Held(world)
        asking = await ask_many(world, MANY)
        await until(lambda: held.waiting)
        number = iter(range(999))
        begin = b"HTTP/1.1 %d OK\r\nContent-Length: 5\r\n%b\r\n\r\n" % (status, line.encode())
        assert held.give(lambda seen: begin + b"%02d" % next(number)) == 1
        await until(lambda: len(held.waiting) == MANY - 1)  # all at once
        assert world.behind.lines[0].raw  # whose answer is not complete yet
        held.give(lambda seen: begin + b"%05d" % next(number))
        await until(lambda: sum(one.done() for one in asking) == MANY - 1)
        world.behind.lines[0].say(b"abc")
        answers = await asyncio.gather(*asking)
        assert len({one.body for one in answers}) == MANY
        assert world.cache.statistics().collapsed == 0
        # the next ones do not even try; but an error may be over soon
        asking = await ask_many(world, 5)
        await until(lambda: len(held.waiting) == (1 if status == 500 else 5))
        held.give(lambda seen: begin + b"12345")
        if status == 500:
            await until(lambda: len(held.waiting) == 4)
            held.give(lambda seen: begin + b"12345")
        await asyncio.gather(*asking)
        await nothing_left(world)


@in_loop
async def test_a_body_that_turns_out_too_large():
    """Without a length, that is seen in the middle; then nobody waits any longer."""
    async with cached(largest=10) as world:
        held = Held(world)
        asking = await ask_many(world, 10)
        begin = world.says(b"", FRESH, "Transfer-Encoding: chunked")
        begin = begin.replace(b"Content-Length: 0\r\n", b"")
        await until(lambda: held.waiting)
        held.give(lambda seen: begin + b"14\r\n" + b"x" * 20 + b"\r\n")
        await until(lambda: len(held.waiting) == 9)
        held.give(lambda seen: begin + b"14\r\n" + b"x" * 20 + b"\r\n0\r\n\r\n")
        await until(lambda: sum(one.done() for one in asking) == 9)
        world.behind.lines[0].say(b"0\r\n\r\n")
        assert {len(one.body) for one in await asyncio.gather(*asking)} == {20}
        assert world.cache.statistics().entries == 0


@in_loop
async def test_when_the_leader_leaves():
    """Another one leads, and its request is the only one that is under way."""
    async with cached() as world:
        held = Held(world)
        _, leader = await asyncio.open_connection("127.0.0.1", world.port)
        leader.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: held.waiting)
        asking = await ask_many(world, 10)
        leader.close()
        await until(lambda: len(held.waiting) == 2)
        held.give(lambda seen: world.says(b"one", FRESH))
        answers = await asyncio.gather(*asking)
        assert {one.body for one in answers} == {b"one"}
        assert (world.asked, held.most) == (2, 2)
        assert world.cache.statistics().collapsed == 9
        await nothing_left(world)


@in_loop
async def test_when_a_follower_leaves():
    """Nobody else notices."""
    async with cached() as world:
        held = Held(world)
        asking = await ask_many(world, 1)
        await until(lambda: held.waiting)
        gone = []
        for _ in range(5):
            _, writer = await asyncio.open_connection("127.0.0.1", world.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            gone.append(writer)
        await until(lambda: world.cache.entered == 6)
        asking += await ask_many(world, 5)
        for writer in gone:
            writer.close()
        held.give(lambda seen: world.says(b"one", FRESH))
        assert {one.body for one in await asyncio.gather(*asking)} == {b"one"}
        assert world.asked == 1
        await nothing_left(world)


@in_loop
async def test_a_slow_leader():
    """After `wait` seconds the others go on by themselves."""
    async with cached(wait=0.05) as world:
        held = Held(world)
        asking = await ask_many(world, 5)
        await until(lambda: len(held.waiting) == 5)
        held.give(lambda seen: world.says(b"one", FRESH))
        assert {one.body for one in await asyncio.gather(*asking)} == {b"one"}
        assert world.cache.statistics().entries == 1
        await nothing_left(world)


@in_loop
async def test_an_answer_that_breaks_off():
    """Nothing of it is given to others; the next one leads."""
    async with cached(proxy={"max_fails": 0}) as world:
        held = Held(world)
        asking = await ask_many(world, 5)
        for left in (5, 4):
            await until(lambda: held.waiting)
            assert sum(not one.done() for one in asking) == left
            held.give(lambda seen: world.says(b"half", FRESH, length=99))
            await until(lambda left=left: sum(not one.done() for one in asking) == left - 1)
        await until(lambda: held.waiting)
        held.give(lambda seen: world.says(b"whole", FRESH))
        done = await asyncio.gather(*asking, return_exceptions=True)
        assert sorted(getattr(one, "body", b"") for one in done) == [b""] * 2 + [b"whole"] * 3
        await nothing_left(world)


@in_loop
async def test_variants():
    """Whoever asks for another one waits once, and gets its own."""
    async with cached() as world:
        held = Held(world)
        asking = await ask_many(world, 5, "A: 1") + await ask_many(world, 5, "A: 2")
        await until(lambda: held.waiting)

        def say(seen):
            return world.says(seen.all("a")[0].encode(), FRESH, "Vary: A")

        assert held.give(say) == 1
        await until(lambda: len(held.waiting) == 5)
        held.give(say)
        answers = await asyncio.gather(*asking)
        assert [one.body for one in answers] == [b"1"] * 5 + [b"2"] * 5
        assert world.cache.statistics().entries == 2
        await nothing_left(world)


@pytest.mark.parametrize(
    "line",
    ["Authorization: x", "Range: bytes=0-0", 'If-None-Match: "1"', "Cache-Control: no-cache",
     "Pragma: no-cache", 'If-Match: "1"', "If-Modified-Since: x"],
)  # fmt: skip
@in_loop
async def test_who_does_not_wait(line):
    """Requests that want something of their own neither lead nor follow."""
    async with cached() as world:
        held = Held(world)
        asking = await ask_many(world, 3, line)
        await until(lambda: len(held.waiting) == 3)
        asking += await ask_many(world, 3)
        await until(lambda: len(held.waiting) == 4)
        held.give(lambda seen: world.says(b"one", FRESH))
        assert {one.status for one in await asyncio.gather(*asking)} == {200}


@in_loop
async def test_two_servers_with_one_cache():
    """Each has an event loop of its own: they share what is kept, and do not wait for each other."""
    async with cached() as world:
        with serve(ReverseProxy([world.behind.url], cache=world.cache)) as second:
            held, first = Held(world), world.port
            asking = await ask_many(world, 3)
            world.port = second.port
            asking += await ask_many(world, 3)
            await until(lambda: len(held.waiting) == 2)
            held.give(lambda seen: world.says(b"one", FRESH))
            assert {one.body for one in await asyncio.gather(*asking)} == {b"one"}
            for world.port in (first, second.port):
                assert status_of(await world.get()) == "hit; ttl=10"
            await nothing_left(world)
