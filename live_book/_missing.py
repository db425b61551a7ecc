"""Cells that need a program that is not on this machine: left out, and the build says which.

A reader may build the book without Apache or HAProxy. The cells that need it, by their tag
`needs-NAME`, are then shown without an output. With COURSE_REQUIRE_ALL=1 they run, and fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from nbclient import NotebookClient
from sphinx.application import Sphinx
from sphinx.util import logging

_PREFIX = "needs-"
_TAGS = {"postgresql": "postgres"}  # where the tag is not the program's name
_told: set[str] = set()


def missing_programs() -> dict[str, str]:
    """The programs that are not here: NAME of the tag `needs-NAME`, and one line on how to get it.

    It looks for their files and starts none.
    """
    from helpers import environment

    if os.environ.get("COURSE_REQUIRE_ALL") == "1":
        return {}
    found = {}
    for program in environment.PROGRAMS:
        if next(program.candidates(), None) is None:
            name = program.name.lower()
            found[_TAGS.get(name, name)] = f"{program.name} is not here: {program.look().note}"
    return found


def reasons(tags: Iterable[str], missing: dict[str, str]) -> list[str]:
    """Why a cell with these tags can't run here; empty if it can."""
    names = [tag.removeprefix(_PREFIX) for tag in tags if tag.startswith(_PREFIX)]
    return [missing[name] for name in names if name in missing]


def leave_out(client: type[NotebookClient], missing: dict[str, str]) -> None:
    """Let a notebook's client pass by the cells that can't run here."""
    execute = client.async_execute_cell

    async def async_execute_cell(self: Any, cell: Any, *args: Any, **kwargs: Any) -> Any:
        why = reasons(cell.metadata.get("tags", []), missing)
        for reason in set(why) - _told:
            _told.add(reason)
            logging.getLogger(__name__).info("Some cells are left out. %s", reason)
        return cell if why else await execute(self, cell, *args, **kwargs)

    client.async_execute_cell = async_execute_cell


def _look(app: Sphinx, *_: Any) -> None:
    missing = missing_programs()
    if missing and not hasattr(NotebookClient, "leaves_out"):
        NotebookClient.leaves_out = missing
        leave_out(NotebookClient, missing)


def setup(app: Sphinx) -> None:
    """Change the client that executes the book's notebooks, in this process only."""
    app.connect("config-inited", _look)
