"""`load` against a server that counts too."""

from __future__ import annotations

import asyncio
import shutil

import psutil
import pytest

from helpers import serve
from helpers.programs import ProgramFailed, ProgramMissing, _find, load
from tests.browser_support import skip_or_fail
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def wrk():
    if shutil.which("wrk") is None:
        skip_or_fail("wrk is not here: sudo apt install wrk")


class Counting:
    """An app that counts its requests."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.seen = 0

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            self.seen += 1
            await send({"type": "http.response.start", "status": self.status, "headers": []})
            await send({"type": "http.response.body", "body": b"a song"})


async def load_of(status, **settings):
    app = Counting(status)
    with serve(app) as server:
        return app, await load(server.url, **settings)


def children():
    family = psutil.Process().children(recursive=True)
    return {child.pid for child in family if child.name() == "wrk"}


def test_it_counts_what_the_server_counted():
    app, result = asyncio.run(load_of(200, seconds=1, connections=3))
    # each connection may have one more request on its way at the end
    assert result.requests <= app.seen <= result.requests + 3
    assert result.errors == 0 and result.connections == 3
    assert result.requests > 10 and result.per_second == result.requests / result.seconds
    assert 0 < result.busy <= 1 and 0 < result.median_ms <= result.p99_ms
    assert result.bytes > result.requests * len("HTTP/1.1 200 OK a song")
    assert f"{result.requests:,} answers" in repr(result)


def test_bad_answers_are_counted():
    _, result = asyncio.run(load_of(503, seconds=1, connections=2))
    assert result.refused == result.errors == result.requests > 0


def test_nobody_is_listening():
    with serve(Counting(200)) as server:
        url = server.url
    with pytest.raises(ProgramFailed, match=r"(?i)refused"):
        asyncio.run(load(url, seconds=1))
    assert children() == set()


def test_who_gives_up_waiting_leaves_nothing_behind():
    async def give_up():
        with serve(Counting(200)) as server:
            task = asyncio.create_task(load(server.url, seconds=30))
            await asyncio.to_thread(eventually, children)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(give_up())
    assert children() == set()


@pytest.mark.parametrize(
    ("url", "settings", "says"),
    [
        ("http://192.0.2.1/", {}, "this machine only"),
        ("https://127.0.0.1/", {}, "this machine only"),
        ("song", {}, "this machine only"),
        ("http://127.0.0.1:1/", {"seconds": 0}, "1 to 30 seconds"),
        ("http://127.0.0.1:1/", {"seconds": 31}, "1 to 30 seconds"),
        ("http://127.0.0.1:1/", {"connections": 0}, "1 to 1,000 connections"),
    ],
)
def test_what_cannot_be_asked(url, settings, says):
    with pytest.raises(ValueError, match=says):
        asyncio.run(load(url, **settings))


def test_no_wrk(monkeypatch, tmp_path):
    _find._find.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("helpers.environment._EXTRA_FOLDERS", ())
    with pytest.raises(ProgramMissing, match=r"wrk is not on this machine.*apt install wrk"):
        asyncio.run(load("http://127.0.0.1:1/"))
