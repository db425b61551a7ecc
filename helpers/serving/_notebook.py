"""Which notebook cell is running: what lets ``serve`` replace a server when its cell runs again."""

from __future__ import annotations

import sys
from hashlib import sha256
from typing import NamedTuple


class Cell(NamedTuple):
    """One run of one notebook cell.

    Attributes:
        name: stays the same from run to run.
        run: differs from run to run.
    """

    name: str
    run: str


def replaces(new: Cell | None, old: Cell | None) -> bool:
    """The same cell, in a later run: several servers from one run live side by side."""
    return new is not None and old is not None and new.name == old.name and new.run != old.run


def current_cell() -> Cell | None:
    """The running cell; ``None`` outside a notebook.

    JupyterLab sends the cell's id with every run, which stays the same when the reader edits the
    cell. A front end that sends none is known by the cell's text instead. The run is the id of
    the message that asked for it (Jupyter messaging protocol 5): the execution count would stay
    the same in a run that the front end keeps out of the history.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    kernel = getattr(shell, "kernel", None)
    try:
        message = kernel.get_parent()
    except AttributeError:  # no kernel; and JupyterLite's has no message before the first cell
        return None
    if not isinstance(message, dict):
        return None
    run = (message.get("header") or {}).get("msg_id")
    if not run:
        return None
    name = (message.get("metadata") or {}).get("cellId")
    if not name:
        code = (message.get("content") or {}).get("code", "")
        name = sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
    return Cell(str(name), str(run))
