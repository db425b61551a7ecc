"""Runs the public tests for HTTP caches (npm: http-cache-tests) against a cache at a URL."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.node_tools import installed_packages, node_programs

RUNNER = Path(__file__).with_suffix(".mjs")
PATIENCE = 120  # seconds; it decides only how long a run that hangs takes


def _command(*arguments: str) -> list[str]:
    packages = installed_packages()
    return [*node_programs()[0], str(RUNNER), str(packages), *arguments]


@contextmanager
def origin() -> Iterator[int]:
    """The suite's own server; its port."""
    with subprocess.Popen(
        _command("origin"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            yield int(server.stdout.readline())
        finally:
            server.stdin.close()


def results(url: str) -> list[dict]:
    """Each test's id, its kind ("required", "optimal", "check"), whether it passed, what it said."""
    done = subprocess.run(_command("client", url), capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
