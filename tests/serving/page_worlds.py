"""One scenario in two worlds: over real sockets with threads, and on the page's own network.

The real world is the truth that the page's is held against.
"""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Awaitable, Callable
from typing import Any

import anyio._backends._asyncio
import httpcore._backends.anyio
import pytest

from helpers.serving import _interface, _page, _page_engine, _page_network, _page_threads

Scenario = Callable[[], Awaitable[Any]]


def in_real_world(scenario: Scenario) -> Any:
    """What a scenario returns over real sockets."""
    return asyncio.run(_in_time(scenario))


def in_page(scenario: Scenario, run: Callable[[Any], Any] | None = None) -> Any:
    """What it returns on the page's own network, where afterwards nothing may be left."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_interface, "IN_PAGE", True)
        backend = anyio._backends._asyncio.AsyncIOBackend
        patch.setattr(backend, "run_sync_in_worker_thread", classmethod(_page_threads.run_in_line))
        readable = httpcore._backends.anyio
        patch.setattr(readable, "is_socket_readable", readable.is_socket_readable)
        _page.watch_page_sockets(readable)
        if sys.version_info < (3, 12):
            patch.setattr(_page_engine, "start_eagerly", _start_by_hand)
        with asyncio.Runner() as runner:
            _page_network.install(runner.get_loop())
            result = runner.run(_in_time(scenario))
            runner.run(_ended())
    assert not _page_network.addresses._listeners, "a server was left listening"
    return result


def in_both(scenario: Scenario) -> Any:
    """What it returns, which has to be the same in both worlds."""
    real, page = in_real_world(scenario), in_page(scenario)
    assert page == real, f"in the page: {page!r:.2000}\nin reality: {real!r:.2000}"
    return real


async def until(condition: Callable[[], Any]) -> None:
    """Let the loop turn until the condition is true; a scenario that takes too long fails."""
    while not condition():  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.001)


async def _in_time(scenario: Scenario) -> Any:
    return await asyncio.wait_for(scenario(), 60)  # or a test that hangs would never end


async def _ended() -> None:
    while _page_engine._stopping:
        await asyncio.wait(set(_page_engine._stopping))


def _start_by_hand(coroutine: Any, loop: asyncio.AbstractEventLoop) -> asyncio.Task[Any]:
    """What ``eager_start`` does from Python 3.12 on, near enough for these tests."""

    @types.coroutine
    def resume(waited_for: Any) -> Any:
        while True:
            try:
                value = yield waited_for
            except BaseException as error:
                waited_for = coroutine.throw(error)
            else:
                waited_for = coroutine.send(value)

    async def rest(waited_for: Any) -> Any:
        try:
            return await resume(waited_for)
        except StopIteration as end:  # pragma: no cover - PEP 479 makes it a RuntimeError
            return end.value
        except RuntimeError as error:
            if isinstance(error.__cause__, StopIteration):
                return error.__cause__.value
            raise

    async def done(value: Any) -> Any:
        return value

    try:
        waited_for = coroutine.send(None)
    except StopIteration as end:
        return loop.create_task(done(end.value))
    return loop.create_task(rest(waited_for))
