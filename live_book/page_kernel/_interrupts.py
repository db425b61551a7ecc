"""Stopping a cell: what the page's Stop does to code that runs and to code that waits."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from types import FrameType


class Interrupts:
    """Stops the cell that runs.

    A page reaches Python in two ways: as a signal while Python computes (the worker's interrupt
    buffer), and as a message while Python waits.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task | None = None
        self.requested = False
        self._shown = False

    def install(self) -> None:
        """Take over SIGINT."""
        signal.signal(signal.SIGINT, self._on_signal)

    def start(self, task: asyncio.Task) -> None:
        """A cell runs in this task."""
        self._task, self.requested, self._shown = task, False, False

    def end(self) -> None:
        """No cell runs."""
        self._task = None

    def finish(self) -> None:
        """The cell is over but for its report, which nothing must interrupt."""
        self._shown = True

    def stop_waiting(self) -> None:
        """Stop a cell that waits in an ``await``."""
        if self._task is not None and not self._shown:
            self.requested = True
            self._task.cancel()

    def check(self) -> None:
        """The page asked to stop and Python computes: raise KeyboardInterrupt where it belongs."""
        if self._task is None or self._shown:
            return
        again, self.requested = self.requested, True
        if not again and _current_task() is not self._task:
            # A background task or a callback computes while the cell waits: spare it the first
            # time. If it is what never ends, the second time hits it.
            self._task.cancel()
            return
        raise KeyboardInterrupt

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.check()


def _current_task() -> asyncio.Task | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def interruptible_sleep(
    wait: Callable[[float], None], stop_asked: Callable[[], bool], check: Callable[[], None]
) -> Callable[[float], None]:
    """A ``time.sleep`` that the page can stop.

    Args:
        wait: blocks for a number of milliseconds, up to some 50.
        stop_asked: whether the page wants the cell to stop.
        check: called then; raises KeyboardInterrupt.
    """
    original = time.sleep

    def sleep(seconds: float, /) -> None:
        if type(seconds) not in (int, float) or not 0 < seconds < 1e9:
            return original(seconds)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            wait(min(left * 1000, 50))
            if stop_asked():
                check()

    sleep.__doc__ = original.__doc__
    return sleep
