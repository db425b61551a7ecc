"""Who gets requests: failures, checks, slow starts, and what people change while it runs."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter

import pytest

from helpers.balancing import LeastConnections, RoundRobin, StickyCookie, WeightedRoundRobin
from helpers.proxying import ReverseProxy
from tests.proxying.behind import (
    OK,
    Behind,
    ask,
    every_door,
    get,
    in_loop,
    named,
    opened,
    until,
)
from tests.web.talk import Answer

REFUSES = "http://127.0.0.1:1"


async def names(port: int, count: int, lines: bytes = b"") -> str:
    """Which servers answer."""
    return "".join([(await ask(port, get(lines))).body.decode() for _ in range(count)])


def states(proxy: ReverseProxy) -> list[str]:
    return [row.state for row in proxy.statistics()]


@every_door
@in_loop
async def test_who_fails_is_left_out_and_tried_again(door):
    async with Behind(named("a")) as a, Behind(named("b")) as b:
        proxy = ReverseProxy([REFUSES, a.url, b.url], fail_timeout=0.5)
        async with opened(door, proxy) as port:
            assert Counter(await names(port, 8)) == {"a": 4, "b": 4}
            row = proxy.statistics()[REFUSES]
            assert (row.state, row.failures) == ("down", 1)
            await until(lambda: states(proxy)[0] == "up")
            await names(port, 8)
            assert proxy.statistics()[REFUSES].failures == 2


@every_door
@in_loop
async def test_who_has_no_other_is_always_tried(door):
    proxy = ReverseProxy([REFUSES], fail_timeout=60)
    async with opened(door, proxy) as port:
        assert [(await ask(port)).status for _ in range(3)] == [502, 502, 502]
        assert states(proxy) == ["up"] and proxy.statistics()[REFUSES].failures == 3


@every_door
@in_loop
async def test_when_all_rest_they_are_tried_after_all(door):
    """To lose a request for sure would help nobody."""
    async with Behind() as gone, Behind() as other:
        pass
    proxy = ReverseProxy([gone.url, other.url], fail_timeout=60)
    async with opened(door, proxy) as port:
        assert (await ask(port)).status == 502
        assert states(proxy) == ["down", "down"]
        async with Behind(named("a"), port=gone.port):
            assert await names(port, 2) == "aa"


def health(bad: asyncio.Event):
    """Answers "a" and, when `bad` is set, 500 to checks."""

    async def script(line):
        while seen := await line.request():
            checked = seen.target == "/health?x" and bad.is_set()
            line.say(OK.replace(b"200 OK", b"500 Bad") if checked else OK.replace(b"ok", b"a "))

    return script


@every_door
@in_loop
async def test_checks_take_out_and_bring_back(door):
    bad = asyncio.Event()
    async with Behind(health(bad)) as a, Behind(named("b ")) as b:
        proxy = ReverseProxy([a.url, b.url], check="/health?x", check_every=0.01)
        async with opened(door, proxy) as port:
            assert await names(port, 4) == "a b a b "
            await until(lambda: len(a.requests) > 4)
            bad.set()
            await until(lambda: states(proxy) == ["down", "up"])
            assert await names(port, 4) == "b b b b "
            bad.clear()
            await until(lambda: states(proxy) == ["up", "up"])
            assert Counter((await names(port, 4)).split()) == {"a": 2, "b": 2}
            seen = next(one for one in a.requests if one.target == "/health?x")
            assert seen.raw == (
                b"GET /health?x HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: course-proxy\r\n"
                b"Connection: close\r\n\r\n" % a.port
            )
            assert sum(row.requests for row in proxy.statistics()) == 12  # checks do not count
        count = len(a.requests)
    assert len(a.requests) == count


@pytest.mark.parametrize(
    ("said", "good"),
    [(b"200 OK", True), (b"399 X", True), (b"400 X", False), (b"503 X", False), (b"", False)],
)
@in_loop
async def test_what_a_good_check_is(said, good):
    """As HAProxy has it. The first one decides; without an answer in time it is bad, too."""

    async def script(line):
        await line.request()
        if not said:
            await line.ended()
        line.say(b"HTTP/1.1 " + said + b"\r\nContent-Length: 0\r\n\r\n")

    async with Behind(script) as behind:
        proxy = ReverseProxy(
            [behind.url], check="/", connect_timeout=0.05, check_every=0.01, fall=1
        )
        async with opened("front", proxy):
            await until(lambda: len(behind.requests) >= 3)
            await until(lambda: states(proxy) == ["up" if good else "down"])


@in_loop
async def test_a_check_that_never_comes_to_an_end():
    """Something comes all the time, but no whole head in time."""

    async def script(line):
        await line.request()
        line.say(b"HTTP/1.1 200 OK\r\n")
        while not line.writer.is_closing():
            line.say(b"X: y\r\n")
            await asyncio.sleep(0.01)

    async with Behind(script) as behind:
        proxy = ReverseProxy([behind.url], check="/", connect_timeout=0.1, check_every=0.01)
        async with opened("front", proxy):
            await until(lambda: states(proxy) == ["down"])


@every_door
@in_loop
async def test_nobody_is_asked_whom_checks_speak_against(door):
    """Unlike after failed requests: 503, at once."""
    proxy = ReverseProxy([REFUSES, "http://127.0.0.1:2"], check="/", check_every=0.01)
    async with opened(door, proxy) as port:
        await until(lambda: states(proxy) == ["down", "down"])
        assert (await ask(port)).status == 503


@in_loop
async def test_a_slow_start_grows():
    """A tenth of its weight at first, and all of it in the end."""
    async with Behind(named("b")) as b, Behind(named("a")) as a:
        await a.__aexit__()
        proxy = ReverseProxy(
            {a.url: 10, b.url: 10},
            WeightedRoundRobin,
            check="/",
            check_every=0.01,
            slow_start=3600,
        )
        async with opened("front", proxy) as port:
            await until(lambda: states(proxy) == ["down", "up"])
            assert await names(port, 3) == "bbb"
            async with Behind(named("a"), port=a.port):
                await until(lambda: states(proxy) == ["starting", "up"])
                assert Counter(await names(port, 22)) == {"a": 2, "b": 20}
                assert [row.weight for row in proxy.statistics()] == [10, 10]
                proxy.set_weight(a.url, 100)
                assert Counter(await names(port, 20)) == {"a": 10, "b": 10}


@every_door
@in_loop
async def test_drain_and_undrain(door):
    """Who drains finishes what it has."""

    async def script(line):
        while await line.request():
            arrived.set()
            await go_on.wait()
            line.say(OK.replace(b"ok", b"a "))

    arrived, go_on = asyncio.Event(), asyncio.Event()
    async with Behind(script) as a, Behind(named("b")) as b:
        proxy = ReverseProxy([a.url, b.url])
        async with opened(door, proxy) as port:
            waiting = asyncio.create_task(names(port, 1))
            await arrived.wait()
            proxy.drain(a.url)
            assert await names(port, 3) == "bbb"
            assert states(proxy) == ["draining", "up"]
            await until(lambda: [row.open for row in proxy.statistics()] == [1, 0])
            go_on.set()
            assert await waiting == "a "
            proxy.drain(b.url)
            assert (await ask(port)).status == 503
            proxy.undrain(a.url)
            assert await names(port, 2) == "a a "
            assert states(proxy) == ["up", "draining"]


@every_door
@in_loop
async def test_changes_from_another_thread_lose_nothing(door):
    """Servers come, go, drain and change their weights a few hundred times while clients ask."""

    def change():
        for number in range(300):
            proxy.add(b.url, 1 + number % 3)
            proxy.set_weight(a.url, 1 + number % 5)
            proxy.drain(b.url)
            assert proxy.statistics()[a.url].failures == 0
            proxy.undrain(b.url)
            proxy.remove(b.url)
        done.set()

    async def client() -> Counter:
        found: Counter = Counter()
        while not done.is_set() or not found:
            found[(await ask(port)).status] += 1
        return found

    done = threading.Event()
    async with Behind(named("a")) as a, Behind(named("b")) as b:
        proxy = ReverseProxy([a.url], LeastConnections)
        async with opened(door, proxy) as port:
            thread = threading.Thread(target=change)
            thread.start()
            found = await asyncio.gather(*(client() for _ in range(4)))
            thread.join()
            assert set().union(*found) == {200}
            assert [row.url for row in proxy.statistics()] == [a.url]
            await until(lambda: proxy.statistics()[a.url].open == 0)


@every_door
@in_loop
async def test_a_removed_server_finishes_and_may_come_back(door):
    async def script(line):
        while await line.request():
            arrived.set()
            await go_on.wait()
            line.say(OK)

    arrived, go_on = asyncio.Event(), asyncio.Event()
    async with Behind(script) as a:
        algorithm = LeastConnections([a.url])
        proxy = ReverseProxy([a.url], algorithm)
        async with opened(door, proxy) as port:
            waiting = asyncio.create_task(ask(port))
            await arrived.wait()
            proxy.remove(a.url)
            assert (await ask(port)).status == 503
            proxy.add(a.url, 2)
            assert proxy.statistics()[a.url].open == 0  # it is new
            go_on.set()
            assert (await waiting).status == 200
            assert (await ask(port)).status == 200
            await until(lambda: proxy.statistics()[a.url].open == 0)
            [row] = proxy.statistics()
            assert (row.requests, row.weight) == (1, 2)
            assert dict(algorithm.connections) == {a.url: 0}


@every_door
@in_loop
async def test_a_sticky_cookie(door):
    """It comes with the first answer, next to the server's own, and brings the client back."""
    own = OK.replace(b"ok", b"a ").replace(b"\r\n\r\n", b"\r\nSet-Cookie: mine=1\r\n\r\n")

    async def script(line):
        while await line.request():
            line.say(own)

    async with Behind(script) as a, Behind(named("b ")) as b:
        proxy = ReverseProxy([a.url, b.url], lambda weights: StickyCookie(RoundRobin(weights)))
        async with opened(door, proxy) as port:
            mine, ours = cookies_of(await ask(port))
            assert mine == "mine=1"
            assert re.fullmatch(r"server=\w{20}; Path=/; HttpOnly; SameSite=Lax", ours)
            cookie = f"Cookie: x=y; {ours.partition(';')[0]}\r\n".encode()
            assert await names(port, 3, cookie) == "a a a "
            assert cookies_of(await ask(port, get(cookie))) == ["mine=1"]
            assert await names(port, 2) == "b a "
            proxy.drain(a.url)
            moved = await ask(port, get(cookie))
            assert moved.body == b"b "
            assert [cookie[:7] for cookie in cookies_of(moved)] == ["server="]


def cookies_of(answer: Answer) -> list[str]:
    return re.findall(r"(?i)^set-cookie: (.*)\r$", answer.raw.decode(), re.MULTILINE)
