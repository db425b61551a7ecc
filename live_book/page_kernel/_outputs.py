"""What cells print and show, on its way to the page: in order, in batches, and cut when it floods.

Outputs have the form of nbformat 4 ("Code cell outputs"). Text is sent at once if a line is whole
and none was sent during the last 50 ms, else with the next text, output or pause: a loop that
prints does not drown the page in messages.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

MAX_CHARACTERS = 100_000
"""Characters that one run of a cell may print, and that one text result may have."""
MAX_SHOWN = 100
"""Results, pictures and errors that one run of a cell may show."""
MAX_UPDATES = 20_000
"""Times that one run of a cell may clear or replace what it shows (an animation does)."""
MAX_BYTES = 20_000_000
"""Size of the data of one output."""
BATCH = 0.05
"""Seconds between two messages with text."""

_NOTICE = {
    "text": f"\nOutput cut here: this cell printed more than {MAX_CHARACTERS:,} characters.\n",
    "shown": f"\nOutput cut here: this cell showed more than {MAX_SHOWN} results.\n",
    "updates": f"\nOutput cut here: this cell replaced its output more than {MAX_UPDATES:,} times.\n",
}


class _Budget:
    """What one run of a cell has sent so far."""

    def __init__(self) -> None:
        self.characters = self.shown = self.updates = 0
        self.cut: set[str] = set()


class Outputs:
    """Sends the outputs of all cells.

    Args:
        send: takes the identifier of a cell and one output.
    """

    def __init__(self, send: Callable[[str | None, dict[str, Any]], None]) -> None:
        self._send = send
        self._last_cell: str | None = None
        self._callback_cell: ContextVar[str | None] = ContextVar("callback_cell", default=None)
        self._budgets: dict[str | None, _Budget] = {}
        self._pending: list[str] = []
        self._pending_for: tuple[str | None, str] = (None, "stdout")
        self._sent = self._waiting_since = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def cell(self) -> str | None:
        """The cell that output belongs to now.

        In a callback of a widget, and in the tasks that it starts, that is the widget's cell; else
        the cell that runs or, between cells, the one that ran last.
        """
        return self._callback_cell.get() or self._last_cell

    def start(self, cell: str) -> None:
        """A cell starts to run: output goes there, and it may print and show as much as a new one."""
        self.flush()
        self._sent = 0.0  # its first line goes at once: it may compute for long after it
        self._last_cell = cell
        self._budgets[cell] = _Budget()

    @contextmanager
    def callback(self, cell: str | None):
        """Output of this block belongs to a cell that may have ended long ago."""
        token = self._callback_cell.set(cell)
        self._budgets[cell] = _Budget()
        try:
            yield
        finally:
            self.flush()
            self._callback_cell.reset(token)

    def write(self, name: str, text: str) -> None:
        """Print text to the stream "stdout" or "stderr"."""
        cell = self._callback_cell.get() or self._last_cell
        budget = self._budget(cell)
        if "text" in budget.cut:
            return
        room = MAX_CHARACTERS - budget.characters
        self._append((cell, name), text if len(text) <= room else text[:room])
        budget.characters += len(text)
        if len(text) > room:
            self._cut(cell, budget, "text")
            return
        # print() writes its text and the end of the line one after the other: they stay together.
        now = time.monotonic()
        since = self._sent if text.endswith("\n") else max(self._sent, self._waiting_since)
        if now - since >= BATCH:
            self.flush()
        else:
            self._flush_soon()

    def flush(self) -> None:
        """Send the text that waits."""
        pending, self._pending = self._pending, []
        if pending:
            cell, name = self._pending_for
            self._sent = time.monotonic()
            self._send(cell, {"output_type": "stream", "name": name, "text": "".join(pending)})

    def show(self, output: dict[str, Any]) -> None:
        """Send an output that is not printed text: a result, a picture, an error, a change."""
        self.flush()
        cell = self.cell
        budget = self._budget(cell)
        kind = output["output_type"]
        if kind in ("clear_output", "update_display_data"):
            budget.updates += 1
            if budget.updates > MAX_UPDATES:
                return self._cut(cell, budget, "updates")
            if kind == "clear_output":
                budget.characters = budget.shown = 0
                budget.cut -= {"text", "shown"}
        else:
            budget.shown += 1
            # The error that ends a cell is what the reader looks for: it has room of its own.
            if budget.shown > MAX_SHOWN + 10 * (kind == "error"):
                return self._cut(cell, budget, "shown")
        size = _shorten_texts(output)
        if size > MAX_BYTES:
            text = (
                f"An output of {size / 1e6:,.0f} MB is left out here: "
                f"a page shows at most {MAX_BYTES / 1e6:,.0f} MB at once.\n"
            )
            output = {"output_type": "stream", "name": "stderr", "text": text}
        self._send(cell, output)

    def _budget(self, cell: str | None) -> _Budget:
        budget = self._budgets.get(cell)
        if budget is None:
            budget = self._budgets[cell] = _Budget()
        return budget

    def _append(self, target: tuple[str | None, str], text: str) -> None:
        if self._pending and target != self._pending_for:
            self.flush()
        if not self._pending:
            self._waiting_since = time.monotonic()
        self._pending_for = target
        self._pending.append(text)

    def _cut(self, cell: str | None, budget: _Budget, kind: str) -> None:
        if kind not in budget.cut:
            budget.cut.add(kind)
            self._append((cell, "stderr"), _NOTICE[kind])
            self.flush()

    def _flush_soon(self) -> None:
        if self._timer is None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return
            self._timer = loop.call_later(BATCH, self._flush_late)

    def _flush_late(self) -> None:
        self._timer = None
        self.flush()


def _shorten_texts(output: dict[str, Any]) -> int:
    """Cut the plain text of an output to what a page can show; the size of all its data."""
    if output["output_type"] == "error":
        output["evalue"] = output["evalue"][:MAX_CHARACTERS]
        text = "\n".join(output["traceback"])
        if len(text) > MAX_CHARACTERS:
            output["traceback"] = [*text[:MAX_CHARACTERS].split("\n"), _NOTICE["text"].strip()]
        return 0
    data = output.get("data", {})
    plain = data.get("text/plain")
    if isinstance(plain, str) and len(plain) > MAX_CHARACTERS:
        data["text/plain"] = plain[:MAX_CHARACTERS] + _NOTICE["text"].rstrip()
    return sum(len(value) for value in data.values() if isinstance(value, str))


class Stream(io.TextIOBase):
    """What ``sys.stdout`` and ``sys.stderr`` are in a page."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, name: str, outputs: Outputs) -> None:
        self.name = f"<{name}>"
        self._stream = name
        self._outputs = outputs

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text:
            self._outputs.write(self._stream, text)
        return len(text)

    def flush(self) -> None:
        self._outputs.flush()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False
