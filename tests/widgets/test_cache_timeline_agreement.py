"""The timeline's JavaScript does what helpers.proxying.Cache does: the same history, twice."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.proxying import Cache, _cache
from helpers.proxying._forwarding import Forwarded
from helpers.widgets import CacheTimeline
from helpers.widgets.cache_timeline import OUTCOMES
from tests.widgets.conftest import Node, node_with

START = 1_800_000_000  # a whole second, as 0 is one in the widget
SETTLED = 15  # turns of the event loop that whatever follows from one event takes at most
TICK = 125  # milliseconds; eighths of a second are exact in Python's clock
COVER = 40_000
RULES = {
    "max_age": 10, "s_maxage": None, "stale_while_revalidate": 0, "stale_if_error": 0,
    "every": None, "latency": 1, "validator": True,
}  # fmt: skip
SCOPE = {
    "type": "http", "method": "GET", "path": "/songs/1/cover", "query_string": b"",
    "headers": [(b"host", b"music.example")], "client": ("198.51.100.7", 50_000),
}  # fmt: skip


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("timeline")
    with node_with(CacheTimeline._esm, "cache_timeline_node.mjs", folder) as call:
        yield call


class Simulation:
    """The course's cache between clients and an origin server, on a clock that the test sets.

    Args:
        rules: the settings of the widget.
    """

    def __init__(self, rules: dict[str, Any]) -> None:
        self.now, self.version, self.up, self.rules = 0, 1, True, rules
        self.cache = Cache(clock=self.seconds)
        self.requests: list[dict[str, Any]] = []
        self.calls: list[dict[str, Any]] = []
        self.replaced: dict[int, int] = {}
        self._flights: list[tuple[int, asyncio.Future[None]]] = []
        self._clients: set[asyncio.Task[None]] = set()

    def seconds(self) -> float:
        return START + self.now / 1000

    async def play(self, script: list[list[Any]]) -> list[dict[str, Any]]:
        """Does a script of [time, what, ...arguments]; gives what is kept after each."""
        states = []
        for time, what, *arguments in script:
            await self._run(time)
            if what:
                {
                    "ask": self._ask, "changeCover": self._change_cover, "purge": self.cache.purge,
                    "setOrigin": self._set_origin, "change": self._change,
                }[what](*arguments)  # fmt: skip
            await self._settle()
            states.append(self._state())
        return states

    async def _run(self, until: int) -> None:
        """What the origin answers until then arrives in its order."""
        while due := [flight for flight in self._flights if flight[0] <= until]:
            first = min(due, key=lambda flight: flight[0])
            self._flights.remove(first)
            self.now = first[0]
            first[1].set_result(None)
            await self._settle()
        self.now = until

    async def _settle(self) -> None:
        for _ in range(SETTLED):
            await asyncio.sleep(0)

    def _state(self) -> dict[str, Any]:
        now = self.seconds()
        kept = self.cache.store.find((b"music.example", SCOPE["path"].encode()), [])
        return {
            "age": kept and kept.age(now),
            "ttl": kept and kept.ttl(now),
            "version": kept and int(kept.body[:8]),
        }

    def _change_cover(self) -> None:
        self.replaced[self.version] = self.now
        self.version += 1

    def _set_origin(self, up: bool) -> None:
        self.up = up

    def _change(self, rules: dict[str, Any]) -> None:
        self.rules = rules

    def _ask(self) -> None:
        client = asyncio.get_running_loop().create_task(self._client())
        self._clients.add(client)

    async def _client(self) -> None:
        seen = {"number": len(self.requests) + 1, "asked": self.now}
        self.requests.append(seen)

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                fields = dict(message["headers"])
                age = fields.get(b"age")
                status = fields[b"cache-status"].decode()
                seen["answered"] = self.now
                seen["outcome"] = outcome_of(message["status"], status)
                seen["age"] = None if age is None else int(age)
                if b"ttl" in fields[b"cache-status"]:
                    seen["ttl"] = int(re.search(r"ttl=(-?\d+)", status)[1])
            elif seen["outcome"] == "error":
                seen["version"], seen["outdated"] = None, 0
            else:
                seen["version"] = int(message["body"][:8])
                seen["outdated"] = self.now - self.replaced.get(seen["version"], self.now)

        await self.cache.answer(Forwarded(SCOPE), None, send, self._answer)

    async def _answer(self, forwarded: Forwarded, receive: Any, send: Any) -> None:
        """The origin settles at once what it says, and it arrives after the latency."""
        rules, version = self.rules, self.version
        etag = b'"%d"' % version
        said = dict(forwarded.fields).get(b"if-none-match")
        good = rules["validator"] and said == etag
        status = 503 if not self.up else 304 if good else 200
        due = self.now + round(1000 * rules["latency"])
        self.calls.append({"asked": self.now, "due": due, "status": status, "version": version})
        arrives = asyncio.get_running_loop().create_future()
        self._flights.append((due, arrives))
        await arrives
        fields, body = [(b"cache-control", header_of(rules).encode())], b""
        if rules["validator"]:
            fields.append((b"etag", etag))
        if status == 503:
            fields = []
        elif status == 200:
            body = (b"%08d" % version).ljust(COVER)
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body, "more_body": False})


def header_of(rules: dict[str, Any]) -> str:
    found = [("max-age", rules["max_age"]), ("s-maxage", rules["s_maxage"])]
    found += [(n, rules[n.replace("-", "_")] or None) for n in ("stale-while-revalidate",)]
    found += [("stale-if-error", rules["stale_if_error"] or None)]
    return ", ".join(f"{name}={number}" for name, number in found if number is not None)


def outcome_of(status: int, said: str) -> str:
    """In the widget's words, of what Cache-Status says (RFC 9211)."""
    if status == 503:
        return "error"
    if "; hit" in said:
        return "hit" if int(re.search(r"ttl=(-?\d+)", said)[1]) > 0 else "stale"
    for part, outcome in (
        ("collapsed", "collapsed"),
        ("stale-if-error", "stale-if-error"),
        ("fwd-status=304", "revalidated"),
    ):
        if part in said:
            return outcome
    return "miss"


def in_python(rules: dict[str, Any], script: list[list[Any]]) -> tuple[Simulation, list[Any]]:
    simulation = Simulation(rules)

    async def all_of_it() -> list[Any]:
        states = await simulation.play(script)
        await simulation.cache.close()
        return states

    clock = SimpleNamespace(monotonic=lambda: simulation.now / 1000)
    with patch.object(_cache, "time", clock):
        return simulation, asyncio.run(all_of_it())


def both(node: Node, rules: dict[str, Any], script: list[list[Any]]) -> list[dict[str, Any]]:
    """The requests, as both have answered them."""
    script = [*script, [max(time for time, *_ in script) + 20_000, ""]]
    python, kept = in_python(rules, script)
    played = node("play", rules, script)
    states = played["states"]
    assert [(one["age"], one["ttl"]) for one in states] == [(k["age"], k["ttl"]) for k in kept]
    for state, one in zip(states, kept, strict=True):
        last = state["kept"][-1] if state["kept"] else {"to": 0}
        assert (last["version"] if last["to"] is None else None) == one["version"]
    end = states[-1]
    ours = [{k: v for k, v in one.items() if k != "ttl"} for one in python.requests]
    assert played["requests"] == ours
    assert played["calls"] == python.calls
    assert end["originRequests"] == len(python.calls)
    assert end["bytes"] == COVER * sum(call["status"] == 200 for call in python.calls)
    counted, tally = python.cache.statistics(), end["tally"]
    assert tally["hit"] == counted.hits
    assert tally["stale"] + tally["stale-if-error"] == counted.stale
    assert tally["revalidated"] == counted.revalidated
    assert tally["collapsed"] == counted.collapsed
    assert tally["miss"] + tally["error"] == counted.misses
    assert end["hitRatio"] == pytest.approx(counted.hit_ratio)
    assert end["outdated"] == max((one["outdated"] for one in ours), default=0)
    assert end["oldest"] == max((one["age"] or 0 for one in ours), default=0)
    return ours


any_rules = st.fixed_dictionaries(
    {
        "max_age": st.one_of(st.integers(0, 6), st.integers(0, 60)),
        "s_maxage": st.one_of(st.none(), st.none(), st.integers(0, 6), st.integers(0, 60)),
        "stale_while_revalidate": st.one_of(st.just(0), st.integers(1, 6), st.integers(0, 30)),
        "stale_if_error": st.one_of(st.just(0), st.integers(1, 6), st.integers(0, 60)),
        "every": st.none(),
        "latency": st.integers(0, 24).map(lambda eighths: eighths / 8),
        "validator": st.booleans(),
    }
)
passed = st.one_of(
    st.integers(0, 4), st.integers(0, 4), st.integers(0, 24), st.integers(0, 80),
    st.sampled_from([8, 16, 24, 480]),
)  # fmt: skip
"""Eighths of a second from one event to the next; often there are several at once."""
events = st.one_of(
    *[st.just(["ask"])] * 6,
    st.just(["changeCover"]),
    st.booleans().map(lambda up: ["setOrigin", up]),
    st.just(["purge"]),
    any_rules.map(lambda rules: ["change", rules]),
)


@settings(max_examples=600)
@given(rules=any_rules, moves=st.lists(st.tuples(passed, events), min_size=1, max_size=30))
def test_any_sequence(node: Node, rules: dict[str, Any], moves: list[tuple[int, list[Any]]]):
    """Answers that cross, renewals in the background, requests that wait: whatever comes."""
    time, script = 0, []
    for eighths, event in moves:
        time += eighths * TICK
        script.append([time, *event])
    both(node, rules, script)


@settings(max_examples=400)
@given(
    rules=any_rules,
    gaps=st.lists(st.integers(0, 12), min_size=20, max_size=40),
    change=st.integers(0, 19),
    outage=st.tuples(st.integers(0, 12), st.integers(1, 6)),
)
def test_steady_traffic_with_a_new_cover_and_an_outage(node: Node, rules, gaps, change, outage):
    time, script = 0, []
    for number, eighths in enumerate(gaps):
        time += eighths * TICK
        if number == change:
            script.append([time, "changeCover"])
        if number == outage[0]:
            script.append([time, "setOrigin", False])
        if number == sum(outage):
            script.append([time, "setOrigin", True])
        script.append([time, "ask"])
    both(node, rules, script)


def at(*moves: tuple[Any, ...]) -> list[list[Any]]:
    """A script, with times in seconds."""
    return [[round(time * 1000), *move] for time, *move in moves]


NOTHING_KEPT = {"max_age": 0, "validator": False}
KNOWN = {
    "fresh until max-age": (
        {}, at((0, "ask"), (2, "ask"), (9.875, "ask")),
        [("miss", None), ("hit", 2), ("hit", 9)],
    ),
    "then validated": (
        {}, at((0, "ask"), (10, "ask"), (12, "ask")),
        [("miss", None), ("revalidated", 1), ("hit", 2)],
    ),
    "or fetched anew": (
        {"validator": False}, at((0, "ask"), (10, "ask")),
        [("miss", None), ("miss", None)],
    ),
    "s-maxage goes first": (
        {"s_maxage": 3}, at((0, "ask"), (2.875, "ask"), (3, "ask")),
        [("miss", None), ("hit", 2), ("revalidated", 1)],
    ),
    "stale once, and renewed": (
        {"stale_while_revalidate": 5}, at((0, "ask"), (12, "ask"), (12.5, "ask"), (13, "ask")),
        [("miss", None), ("stale", 12), ("stale", 12), ("hit", 1)],
    ),
    "not after the window": (
        {"stale_while_revalidate": 5}, at((0, "ask"), (14.875, "ask"), (40, "ask")),
        [("miss", None), ("stale", 14), ("revalidated", 1)],
    ),
    "s-maxage forbids it": (
        {"s_maxage": 10, "stale_while_revalidate": 5, "stale_if_error": 60},
        at((0, "ask"), (12, "ask"), (30, "setOrigin", False), (30, "ask")),
        [("miss", None), ("revalidated", 1), ("error", None)],
    ),
    "requests that wait for one": (
        {}, at((0, "ask"), (0.25, "ask"), (0.5, "ask"), (2, "ask")),
        [("miss", None), ("collapsed", 1), ("collapsed", 1), ("hit", 2)],
    ),
    "no waiting for what is not kept": (
        NOTHING_KEPT, at((0, "ask"), (0.5, "ask"), (3, "ask"), (3.5, "ask")),
        [("miss", None)] * 4,
    ),
    "stale in the place of an error": (
        {"stale_if_error": 5},
        at((0, "ask"), (5, "setOrigin", False), (12, "ask"), (13.875, "ask"), (14, "ask")),
        [("miss", None), ("stale-if-error", 13), ("stale-if-error", 14), ("error", None)],
    ),
    "a new cover is seen late": (
        {}, at((0, "ask"), (1.5, "changeCover"), (9, "ask"), (10, "ask")),
        [("miss", None), ("hit", 9), ("miss", None)],
    ),
    "purged while it is on its way": (
        {}, at((0, "ask"), (0.5, "purge"), (2, "ask")),
        [("miss", None), ("miss", None)],
    ),
    "after which others wait again": (
        {}, at((0, "ask"), (0.5, "purge"), (2, "ask"), (2.5, "ask")),
        [("miss", None), ("miss", None), ("collapsed", 1)],
    ),
    "as they do after an error": (
        {}, at((0, "setOrigin", False), (0, "ask"), (2, "setOrigin", True), (2, "ask"), (2.5, "ask")),
        [("error", None), ("miss", None), ("collapsed", 1)],
    ),
    "an ETag that the origin has given up": (
        {}, at((0, "ask"), (12, "change", RULES | {"validator": False}), (12, "ask")),
        [("miss", None), ("miss", None)],
    ),
    "what was asked for earlier and comes later is not kept": (
        NOTHING_KEPT,
        at((0, "ask"), (4, "change", RULES | {"latency": 3}), (4, "ask"), (4.5, "changeCover"),
           (4.5, "change", RULES | {"latency": 0.5}), (5, "ask"), (8, "ask")),
        [("miss", None), ("miss", None), ("miss", None), ("hit", 3)],
    ),
    "each gets an error of its own": (
        {}, at((0, "setOrigin", False), (0, "ask"), (0.5, "ask")),
        [("error", None), ("error", None)],
    ),
    "what may not be used any more is dropped": (
        {"max_age": 2, "validator": False, "stale_if_error": 60},
        at((0, "ask"), (3, "change", RULES | NOTHING_KEPT), (3, "ask"), (5, "setOrigin", False),
           (5, "ask")),
        [("miss", None), ("miss", None), ("error", None)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_known_histories(node: Node, name: str) -> None:
    """These hold also where both might be wrong in the same way."""
    rules, script, expected = KNOWN[name]
    requests = both(node, RULES | rules, script)
    assert [(one["outcome"], one["age"]) for one in requests] == expected


def test_each_outcome_is_among_them(node: Node) -> None:
    seen = {outcome for _, _, requests in KNOWN.values() for outcome, _ in requests}
    assert seen == set(OUTCOMES) == set(node("outcomes"))
    assert node("cover") == COVER


@given(rules=any_rules)
def test_the_header_is_the_one_that_was_sent(node: Node, rules: dict[str, Any]) -> None:
    assert node("header", rules) == header_of(rules)


@given(seed=st.integers(0, 2**31), every=st.integers(1, 20).map(lambda halves: halves / 2))
def test_the_same_seed_gives_the_same_traffic(node: Node, seed: int, every: float) -> None:
    rules = RULES | {"every": every}
    smooth = [[time, ""] for time in range(0, 30_001, 250)]
    one = node("play", rules, smooth, seed)
    other = node("play", rules, [[30_000, ""]], seed)
    assert one["states"][-1] == other["states"][-1], "however often it is looked at"
    assert one["told"] == other["told"]
    asked = [request["asked"] for request in one["states"][-1]["requests"]]
    gaps = [after - before for before, after in zip([0, *asked], asked, strict=False)]
    assert all(500 * every <= gap <= 1500 * every for gap in gaps)


def test_an_answer_comes_before_who_asks_at_that_moment(node: Node) -> None:
    rules = RULES | {"every": 2}
    first = node("play", rules, [[4000, ""]])["requests"][0]["asked"]
    requests = node("play", rules, [[first - 1000, "ask"], [first, ""]])["requests"]
    assert [one["outcome"] for one in requests] == ["miss", "hit"]


def test_traffic_is_another_with_another_seed(node: Node) -> None:
    first, second = (node("play", RULES | {"every": 2}, [[30_000, ""]], seed) for seed in (1, 2))
    assert first["told"] != second["told"]


def test_a_step_stops_at_each_change(node: Node) -> None:
    rules = RULES | {"max_age": 4, "stale_while_revalidate": 2}
    script = [[0, "ask"], *[[0, "step"]] * 4]
    states = node("play", rules, script)["states"]
    assert [(one["now"], one["phase"]) for one in states] == [
        (0, "nothing"),
        (1000, "fresh"),  # the answer, already a second old
        (4000, "window"),
        (6000, "stale"),
        (7000, "stale"),  # nothing is to come: a second passes
    ]
