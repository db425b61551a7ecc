"""Running a notebook cell again replaces the servers that the cell started before."""

from __future__ import annotations

import inspect
from typing import Any

from ..serving._notebook import Cell, current_cell, replaces

_started: list[tuple[Cell, Any]] = []


def remember(server: Any) -> None:
    """Note which cell started a server."""
    if cell := current_cell():
        _started.append((cell, server))


def take_former() -> list[Any]:
    """The servers of this cell's earlier runs, each only once: the caller stops them."""
    cell = current_cell()
    former = [one for one in _started if replaces(cell, one[0])]
    for one in former:
        _started.remove(one)
    return [server for _, server in former]


async def stop_former() -> None:
    """Stop the servers of this cell's earlier runs, whichever way they stop."""
    for server in take_former():
        stopped = server.stop()
        if inspect.isawaitable(stopped):
            await stopped
