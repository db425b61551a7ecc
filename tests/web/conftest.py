"""What the tests of helpers.web share: a folder of files, and servers that leave nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.music import find_song, render_wav
from helpers.web import Homemade, Site, start
from tests.web.rfc_cases import make_folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """The files that the cases ask for; nothing writes to them."""
    outer = tmp_path_factory.mktemp("web")
    for path in (outer, *outer.parents[:2]):
        path.chmod(0o755)  # nginx and Apache may run as another user
    return make_folder(outer / "site")


@pytest.fixture(scope="module")
def music(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    (folder / "elise.wav").write_bytes(render_wav(find_song("fur elise")))
    (folder / "für elise.txt").write_text("da da da da da\n", "utf-8")
    (folder / "index.html").write_text(
        "<!doctype html><html lang=en><title>Songs</title><link rel=icon href=data:,>"
        "<audio controls preload=none src=elise.wav></audio>",
        "utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def homemade(music) -> Iterator[Homemade]:
    with Homemade(music) as server:
        yield server


@pytest.fixture
def serving() -> Callable[..., Any]:
    """Runs `scenario(site)` against `start(handler, **limits)`; then nothing may be left of it."""
    sites: list[Site] = []

    def run(handler: Any, scenario: Callable[[Site], Awaitable[Any]], **limits: Any) -> Any:
        problems: list[dict] = []

        async def whole() -> Any:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: problems.append(context))
            site = await start(handler, **limits)
            sites.append(site)
            async with asyncio.timeout(60):
                result = await scenario(site)
            await site.stop()
            assert site.connections == 0, "stop() left connections"
            await asyncio.sleep(0)
            others = asyncio.all_tasks() - {asyncio.current_task()}
            assert not others, f"tasks were left: {others}"
            return result

        result = asyncio.run(whole())
        assert not problems, f"the loop heard of errors: {problems}"
        return result

    return run
