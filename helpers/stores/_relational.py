"""Look at a relational database from outside: what it answers, how hard it worked, and its death.

Works with any connection that follows Python's DB-API (PEP 249): SQLite's and PostgreSQL's alike.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import Any

MOST_SHOWN = 12  # rows; what follows is counted only
WIDEST = 44  # characters of a value; longer ones are cut
_CHILD = Path(__file__).with_name("_killed_writer.py")


class Rows(list):
    """The rows that a query gave, a list of tuples, which shows itself as a table.

    Attributes:
        columns: the names of the columns, in order.
    """

    def __init__(self, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        super().__init__(rows)
        self.columns = tuple(columns)

    def __repr__(self) -> str:
        shown = [[_text(value) for value in row] for row in self[:MOST_SHOWN]]
        widths = [
            max([len(name), *(len(row[place]) for row in shown)])
            for place, name in enumerate(self.columns)
        ]
        numbers = [
            all(isinstance(row[place], int | float | None) for row in self) and bool(self)
            for place in range(len(self.columns))
        ]

        def line(values: Sequence[str]) -> str:
            cells = (
                value.rjust(width) if number else value.ljust(width)
                for value, width, number in zip(values, widths, numbers, strict=True)
            )
            return " | ".join(cells).rstrip()

        lines = [line(self.columns), "-+-".join("-" * width for width in widths)]
        lines += [line(row) for row in shown]
        if len(self) > MOST_SHOWN:
            lines.append(f"... and {len(self) - MOST_SHOWN:,} more rows")
        if not self:
            lines.append("(no rows)")
        return "\n".join(lines)


def table(cursor: Any) -> Rows | None:
    """All rows that are left in a cursor, as a list that shows itself as a table.

    Args:
        cursor: what ``connection.execute`` gave.

    Returns:
        None when the statement gives no rows at all, such as an ``UPDATE`` or a ``BEGIN``.
    """
    if cursor.description is None:
        return None
    return Rows([column[0] for column in cursor.description], cursor.fetchall())


def _text(value: object) -> str:
    text = "NULL" if value is None else str(value)
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def steps(database: Connection, sql: str, values: Sequence[Any] = ()) -> int:
    """Run a statement in SQLite, and count the steps of SQLite's own machine that it took.

    SQLite translates each statement into a small program and runs that (SQLite documentation,
    "The SQLite Bytecode Engine"). The number is the same in every run and on every machine, and
    differs a little between versions of SQLite.
    """
    count = 0

    def one_more() -> None:
        nonlocal count
        count += 1

    database.set_progress_handler(one_more, 1)
    try:
        database.execute(sql, values).fetchall()
    finally:
        database.set_progress_handler(None, 1)
    return count


@contextmanager
def listen_to(database: Connection, hear: Callable[[str], Any]) -> Iterator[None]:
    """Inside of the ``with`` block, call `hear` with each statement that SQLite begins to run."""
    database.set_trace_callback(hear)
    try:
        yield
    finally:
        database.set_trace_callback(None)


def kill_after(path: str | Path, *statements: str) -> int:
    """Run statements on a SQLite file in another process, and kill that process with ``kill -9``.

    The process is alive, with the file open, until the last statement is done; then it gets no
    chance to tidy up. Each statement that is not between ``BEGIN`` and ``COMMIT`` is a transaction
    of its own.

    Args:
        path: the file of the database.
        statements: at least one.

    Returns:
        How the process ended: -9 says "by signal 9". Windows has no signals and says 1.

    Raises:
        ValueError: there is no statement.
        RuntimeError: SQLite refused a statement; the message has its own words.
    """
    if not statements:
        raise ValueError("Give kill_after at least one statement to run before the end.")
    with subprocess.Popen(
        [sys.executable, "-I", str(_CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            process.stdin.write(json.dumps([str(path), *statements]) + "\n")
            process.stdin.flush()
            said = process.stdout.readline().strip()
        finally:
            process.kill()
        code = process.wait()
    if said != "done":
        raise RuntimeError(f"The statements did not get that far. {said or 'Nothing was said.'}")
    return code
