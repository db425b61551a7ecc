"""How far long work is: HTML in a notebook or a page, one line in a terminal.

`ProgressBar` counts what is done; `waiting` only says that something goes on, for work that can't
say how much of it is left.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from html import escape

_WIDTH = 30  # characters of the bar in a terminal


class ProgressBar:
    """How much of a long work is done.

    The words say what the bar shows, so that nobody needs to see it. Nothing in it depends on how
    fast the machine is: a finished bar is the same in every run.
    """

    def __init__(self, label: str, total: int | None) -> None:
        """Show an empty bar.

        Args:
            label: what is counted, such as "Listens stored in SQLite".
            total: how many there will be; None if nobody knows.
        """
        self._label, self._total = label, total
        self._line = _in_terminal()
        self._handle = _display(self._html(0)) if _in_notebook() else None
        self.show(0)

    def show(self, done: int) -> None:
        """Show that this many are done."""
        if self._handle:
            self._handle.update(_as_html(self._html(done)))
        elif self._line:
            print(f"\r{self._text(done)}", end="", file=sys.stderr, flush=True)

    def end(self, done: int) -> None:
        """Show the last state, which stays. A total that nobody knew is known now."""
        if self._total is None:
            self._total = done
        self.show(done)
        if self._line and not self._handle:
            print(file=sys.stderr)

    def _count(self, done: int) -> str:
        return f"{done:,}" + (f" of {self._total:,}" if self._total is not None else "")

    def _text(self, done: int) -> str:
        bar = ""
        if self._total is not None:
            full = _WIDTH * min(done, self._total) // (self._total or 1)
            bar = f" [{'#' * full}{'.' * (_WIDTH - full)}]"
        return f"{self._label}:{bar} {self._count(done)}"

    def _html(self, done: int) -> str:
        # without a value the browser draws a bar of unknown length
        state = "" if self._total is None else f' value="{done}" max="{max(self._total, 1)}"'
        return (
            f"<div><label>{escape(self._label)}: <progress{state}></progress></label> "
            f"{self._count(done)}</div>"
        )


@contextlib.contextmanager
def waiting(title: str) -> Iterator[Callable[[], None]]:
    """Show the title and the seconds that have passed, until the work is done.

    In a notebook it is a bar that disappears; elsewhere it is one line.

    Args:
        title: what is being done.

    Yields:
        What the work calls now and then, so that the seconds are counted.
    """
    if not _in_notebook():
        print(f"{title} ...", file=sys.stderr, flush=True)
        yield lambda: None
        return
    begun = time.monotonic()

    def text() -> str:
        seconds = f"{time.monotonic() - begun:.0f} s"
        return f"<div><label>{escape(title)}: <progress></progress></label> {seconds}</div>"

    handle = _display(text())
    try:
        yield lambda: handle.update(_as_html(text()))
    finally:
        handle.update(_as_html(""))


def _in_notebook() -> bool:
    """Whether a notebook's kernel, or a page's, shows what is displayed."""
    if "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return shell is not None and type(shell).__name__ != "TerminalInteractiveShell"


def _in_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _as_html(text: str):  # type: ignore[no-untyped-def] - IPython is imported where it is used
    from IPython.display import HTML

    return HTML(text)


def _display(text: str):  # type: ignore[no-untyped-def]
    from IPython.display import display

    return display(_as_html(text), display_id=True)
