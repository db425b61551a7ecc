"""Which notebook cell is running: what lets ``serve`` replace a server when its cell runs again."""

from __future__ import annotations

import sys
from hashlib import sha256


def current_cell() -> tuple[str, int] | None:
    """The running cell's identity and the number of this run; ``None`` outside a notebook.

    JupyterLab sends the cell's id with every run, which stays the same when the reader edits the
    cell. A front end that sends none is known by the cell's text instead.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return None
    message = kernel.get_parent()
    cell = (message.get("metadata") or {}).get("cellId")
    if not cell:
        code = (message.get("content") or {}).get("code", "")
        cell = sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
    return str(cell), int(shell.execution_count)
