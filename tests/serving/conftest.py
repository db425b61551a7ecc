"""After every test of helpers.serving, nothing of a server may be left."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from helpers.serving import _serve
from tests.serving.apps import of_other_tests, serve_threads
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    of_other_tests.clear()
    of_other_tests.update(threading.enumerate())
    yield
    left = list(_serve._running)
    for server in left:
        server.stop()
    assert not left, "the test left a server running"
    eventually(lambda: not serve_threads())
