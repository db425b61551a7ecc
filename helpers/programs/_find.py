"""Which of the real programs are here. Finding them is `helpers.environment`'s business."""

from __future__ import annotations

import sys
from functools import cache

from .. import environment
from ._errors import ProgramMissing

_NAMES = ("nginx", "HAProxy", "Apache", "Caddy", "wrk", "PostgreSQL", "MongoDB", "Cassandra")
_TIMEOUT = 20.0  # seconds for a program to say its version; decides only how long a failure takes


def available() -> environment.Report:
    """A table of the servers and tools that chapters start: which are here, and how to get others.

    Returns:
        The report; a notebook shows it as a table, `print` as text.
    """
    return environment.report_on(_NAMES)


def find(name: str) -> environment.Row:
    """The program's file and version.

    Args:
        name: as `environment.PROGRAMS` has it.

    Raises:
        ProgramMissing: one sentence that says how to get it.
    """
    if sys.platform == "emscripten":
        raise ProgramMissing(
            f"{name} is a program of its own, and a page in a browser can't start one: "
            "run this cell on your own machine or on Binder."
        )
    try:
        return _find(name)
    except _NotHere as error:
        row = error.args[0]
    if row.status == environment.BROKEN:
        raise ProgramMissing(f"{name} is here but does not run: {row.note}.")
    raise ProgramMissing(f"{name} is not on this machine. To get it: {row.note}")


class _NotHere(Exception):
    """So that `cache` keeps only programs that are here: the reader may install one meanwhile."""


@cache
def _find(name: str) -> environment.Row:
    program = next(one for one in environment.PROGRAMS if one.name == name)
    row = program.look(_TIMEOUT)
    if row.status != environment.HERE:
        raise _NotHere(row)
    return row
