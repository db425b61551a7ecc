"""Wait for a condition instead of for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(condition: Callable[[], T], seconds: float = 10.0) -> T:
    """Return the condition's value as soon as it is true.

    Args:
        condition: asked again every five milliseconds.
        seconds: after how long it counts as false. It decides only how long a failing test takes.

    Raises:
        AssertionError: the condition never was true.
    """
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"did not come true within {seconds:g} seconds"
        time.sleep(0.005)
    return value
