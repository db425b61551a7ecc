"""SlowAnswer: the work is done at once, the answer comes late."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from helpers.serving import SlowAnswer, _slow
from tests.serving.apps import Busy, plain


class Clock:
    """In place of asyncio.sleep: notes how long it was to be, and waits until it is let go."""

    def __init__(self, monkeypatch):
        self.naps = []
        self.open = asyncio.Event()
        monkeypatch.setattr(_slow.asyncio, "sleep", self.sleep)

    async def sleep(self, seconds):
        self.naps.append(seconds)
        await self.open.wait()


def client(app):
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


def test_the_work_is_done_before_the_answer_is_sent(monkeypatch):
    done = asyncio.Event()

    async def app(scope, receive, send):
        done.set()
        await plain(scope, receive, send)

    async def main():
        clock = Clock(monkeypatch)
        async with client(SlowAnswer(app, 7.5)) as http:
            asking = asyncio.ensure_future(http.get("/"))
            await done.wait()
            await asyncio.wait_for(_until(lambda: clock.naps), 10)
            assert not asking.done()
            clock.open.set()
            assert (await asking).text == "hello"
        assert clock.naps == [7.5]

    async def _until(condition):
        turn = asyncio.get_running_loop()
        while not condition():
            ready = turn.create_future()
            turn.call_soon(ready.set_result, None)
            await ready

    asyncio.run(main())


@pytest.mark.parametrize(("times", "late"), [(None, 4), (0, 0), (1, 1), (3, 3), (9, 4)])
def test_only_so_many_answers_are_held_back(monkeypatch, times, late):
    async def main():
        clock = Clock(monkeypatch)
        clock.open.set()
        async with client(SlowAnswer(plain, 2, times)) as http:
            assert [(await http.get("/")).text for _ in range(4)] == ["hello"] * 4
        assert clock.naps == [2] * late

    asyncio.run(main())


def test_a_lifespan_passes_through_and_is_not_counted(monkeypatch):
    sent = []

    async def main():
        clock = Clock(monkeypatch)
        clock.open.set()
        busy = Busy()
        app = SlowAnswer(busy, 2, times=1)
        events = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive():
            return {"type": next(events)}

        async def send(message):
            sent.append(message["type"])

        await app({"type": "lifespan"}, receive, send)
        assert clock.naps == []
        async with client(app) as http:
            await http.get("/")
        assert clock.naps == [2]
        assert busy.log == ["startup", "shutdown"]

    asyncio.run(main())
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize("seconds", [-1, -0.001, float("nan")])
def test_a_time_below_zero_is_refused(seconds):
    with pytest.raises(ValueError, match="0 seconds or more"):
        SlowAnswer(plain, seconds)


def test_a_number_of_answers_below_zero_is_refused():
    with pytest.raises(ValueError, match="0 answers or more"):
        SlowAnswer(plain, 1, times=-1)
