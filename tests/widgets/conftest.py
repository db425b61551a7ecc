"""What the tests of the song widget share: its JavaScript in Node, and a served music API."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.music import create_app
from helpers.serving import Server, serve
from helpers.widgets import SongRequest
from tests.browser_support import skip_or_fail


class Node:
    """The widget's JavaScript, running in Node."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, name: str, *arguments: Any) -> Any:
        """Call a function of song_node.mjs; raises AssertionError with what JavaScript threw."""
        self._process.stdin.write(json.dumps({"call": name, "arguments": arguments}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "failed" not in answer, answer["failed"]
        return answer["result"]


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One Node process for all tests, with the module as the page gets it."""
    program = shutil.which("node")
    if program is None:
        skip_or_fail("node is not on PATH, and it runs the widget's JavaScript")
    widget = SongRequest()
    module = tmp_path_factory.mktemp("widget") / "song_request.mjs"
    module.write_text(widget._esm, "utf-8")
    harness = Path(__file__).with_name("song_node.mjs")
    with subprocess.Popen(
        [program, str(harness), str(module)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        call = Node(process)
        call("load", {"songs": widget.songs, "phrases": widget.phrases})
        yield call
        process.stdin.close()


@pytest.fixture(scope="module")
def api() -> Iterator[Server]:
    with serve(create_app()) as server:
        yield server
