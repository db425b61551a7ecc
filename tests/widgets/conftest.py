"""What the tests of the widgets share: their JavaScript in Node, and a served music API."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.music import create_app
from helpers.serving import Server, serve
from helpers.widgets import SongRequest
from tests.browser_support import skip_or_fail
from tests.widgets.stage import open_stage


class Node:
    """The widget's JavaScript, running in Node."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, name: str, *arguments: Any) -> Any:
        """Call a function of the harness; raises AssertionError with what JavaScript threw."""
        self._process.stdin.write(json.dumps({"call": name, "arguments": arguments}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "failed" not in answer, answer["failed"]
        return answer["result"]


@contextlib.contextmanager
def node_with(esm: str, harness: str, folder: Path) -> Iterator[Node]:
    """A Node process that answers calls of a harness of this folder, with a widget's module."""
    program = shutil.which("node")
    if program is None:
        skip_or_fail("node is not on PATH, and it runs the widget's JavaScript")
    module = folder / "widget.mjs"
    module.write_text(esm, "utf-8")
    with subprocess.Popen(
        [program, str(Path(__file__).with_name(harness)), str(module)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        yield Node(process)
        process.stdin.close()


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One Node process for all tests, with the module as the page gets it."""
    widget = SongRequest()
    with node_with(widget._esm, "song_node.mjs", tmp_path_factory.mktemp("widget")) as call:
        call("load", {"songs": widget.songs, "phrases": widget.phrases})
        yield call


@pytest.fixture(scope="module")
def api() -> Iterator[Server]:
    with serve(create_app()) as server:
        yield server


@pytest.fixture
def open_page(page: Any, site_server: Callable[[Path], str], folder: Path) -> Iterator[Any]:
    """The stage of the test's file, with no widget on it yet; nothing may go wrong on it.

    folder: the file's own fixture, from `write_stage`.
    """
    open_stage(page, site_server(folder))
    yield page
    assert page.errors == []
    assert page.outside == []
