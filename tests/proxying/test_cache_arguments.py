"""A cache that can't be made says why, in one sentence; and the one of the proxy's own process."""

from __future__ import annotations

import asyncio

import pytest

from helpers.programs import ProgramFailed
from helpers.proxying import Cache, ReverseProxy, Standalone
from tests.proxying.behind import Behind, in_loop
from tests.proxying.cached import World, says, status_of

BAD = [
    ("max_bytes", "x"), ("max_bytes", -1), ("max_bytes", True), ("max_bytes", None),
    ("largest", -1), ("largest", "x"), ("heuristic", -0.1), ("heuristic", float("nan")),
    ("negative", -1), ("stale_if_error", float("inf")), ("wait", -1), ("wait", "5"),
    ("clock", 5), ("clock", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD)
def test_bad_arguments(name, value):
    """One sentence that names the argument."""
    with pytest.raises((ValueError, TypeError), match=rf"^{name} is [^.]*, and not .*\.$"):
        Cache(**{name: value})


@pytest.mark.parametrize("value", [5, True, "cache", Cache])
def test_a_cache_that_is_none(value):
    with pytest.raises(TypeError, match=r"^cache is a Cache\(\) or None, and not \w+\.$"):
        ReverseProxy([], cache=value)


@pytest.mark.parametrize("size", [0, 100_000])
@in_loop
async def test_in_a_process_of_its_own(size):
    """`--cache BYTES`; 0: every request goes to the server."""
    async with Behind() as behind:

        async def script(line) -> None:
            while await line.request():
                line.say(says(b"one", "Cache-Control: max-age=1000"))

        behind.script = script
        proxy = await asyncio.to_thread(Standalone, [behind.url], cache=size)
        try:
            world = World(behind, Cache(), None)
            world.port = proxy.port
            before = len(behind.requests)
            answers = [await world.get("/a") for _ in range(3)]
            assert {one.body for one in answers} == {b"one"}
            assert len(behind.requests) - before == (1 if size else 3)
            assert ("cache-status" in answers[2].headers) is bool(size)
            if size:
                assert status_of(answers[2]).startswith("hit; ttl=")
        finally:
            await asyncio.to_thread(proxy.stop)


def test_a_size_that_is_none():
    with pytest.raises(ProgramFailed, match="max_bytes is a number from 0 on, and not -1"):
        Standalone(["http://127.0.0.1:1"], cache=-1)
