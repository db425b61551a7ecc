"""Two connections to one PostgreSQL that take turns, and a record of what each of them met.

What two transactions do to each other depends on the order of their statements. Here the order is
the order of the notebook's lines; a statement that has to wait for the other connection waits in a
thread, and PostgreSQL itself is asked whether it waits.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ._duet_picture import Event, Score
from ._relational import Rows, table

if TYPE_CHECKING:
    import psycopg

PATIENCE = 30.0  # seconds until a statement must have ended, or be waiting for a lock


class Duet:
    """Two connections to a PostgreSQL, in autocommit mode; unpack it into its two voices.

    ::

        duet = Duet(postgres.url)
        left, right = duet
        left("BEGIN")
        left("UPDATE listeners SET credits = 0 WHERE name = %s", "ada")
        right.start("UPDATE listeners SET credits = 9 WHERE name = %s", "ada")   # waits for left
        left("COMMIT")
        right.finish()
        duet.picture()

    When the two block each other in a circle, PostgreSQL ends the one that looks first. The second
    voice looks sooner here (``deadlock_timeout``), so that it is always the same one.

    Args:
        url: of the database.
        names: what the two are called.

    Raises:
        psycopg.OperationalError: there is no such server.
    """

    def __init__(self, url: str, names: tuple[str, str] = ("left", "right")) -> None:
        import psycopg

        self.events: list[Event] = []
        self._connections: list[psycopg.Connection] = []
        self._threads = ThreadPoolExecutor(2, "duet")
        try:
            for _ in range(3):
                self._connections.append(psycopg.connect(url, autocommit=True))
        except BaseException:
            self.close()
            raise
        *pair, self._watcher = self._connections
        self.voices = tuple(
            Voice(self, name, lane, connection)
            for lane, (name, connection) in enumerate(zip(names, pair, strict=True))
        )
        for connection, patience in zip(pair, ("10min", "100ms"), strict=True):
            with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SET deadlock_timeout = '{patience}'")

    def __iter__(self) -> Iterator[Voice]:
        return iter(self.voices)

    def __enter__(self) -> Duet:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def forget(self) -> None:
        """Begin a new picture: what has happened so far is not drawn any more."""
        self.events.clear()

    def picture(self) -> Score:
        """What has happened so far, drawn from top to bottom; shows itself in a notebook."""
        return Score(tuple(voice.name for voice in self.voices), tuple(self.events))

    def close(self) -> None:
        """Give up what is open, and close the connections. Twice is fine."""
        for connection in self._connections:
            with contextlib.suppress(Exception):  # the server may be gone already
                connection.cancel_safe(timeout=2)
        self._threads.shutdown(wait=True)
        for connection in self._connections:
            with contextlib.suppress(Exception):
                connection.close()

    def _waits_for(self, connection: psycopg.Connection) -> list[str]:
        """The names of those that keep the connection's statement from going on."""
        process = connection.info.backend_pid
        [(blockers,)] = self._watcher.execute("SELECT pg_blocking_pids(%s)", [process])
        pids = {voice.connection.info.backend_pid: voice.name for voice in self.voices}
        return [pids.get(blocker, "somebody else") for blocker in blockers]


class Voice:
    """One of the two connections: call it with a statement, and get what the statement gives.

    Attributes:
        name: what it is called.
        connection: psycopg's own connection.
    """

    def __init__(self, duet: Duet, name: str, lane: int, connection: psycopg.Connection) -> None:
        self.name, self.connection = name, connection
        self._duet, self._lane = duet, lane
        self._waiting: tuple[str, Future] | None = None

    def __call__(self, sql: str, *values: Any) -> Rows | None:
        """Run a statement, and wait for its end.

        Args:
            sql: the statement, with ``%s`` for each value.
            values: what stands in their place.

        Returns:
            Its rows, or None if it has none.

        Raises:
            psycopg.Error: PostgreSQL refused it.
            RuntimeError: a statement that was started is still waiting.
        """
        self._must_be_free()
        return self._record(_with_values(sql, values), lambda: self._run(sql, values))

    def start(self, sql: str, *values: Any) -> list[str]:
        """Start a statement that may have to wait; return as soon as it waits, or has ended.

        Returns:
            The names of those it waits for; [] when it did not have to.

        Raises:
            RuntimeError: another one is waiting already, or it neither ends nor waits.
        """
        self._must_be_free()
        shown = _with_values(sql, values)
        future = self._duet._threads.submit(self._run, sql, values)
        deadline = time.monotonic() + PATIENCE
        while not future.done():
            if blockers := self._duet._waits_for(self.connection):
                self._waiting = shown, future
                words = " and ".join(blockers)
                self._duet.events.append(Event(self._lane, shown, f"waits for {words}", "waits"))
                return blockers
            if time.monotonic() > deadline:
                raise RuntimeError(f"{shown} neither ended nor waits for a lock.")
            with contextlib.suppress(TimeoutError):
                future.exception(timeout=0.01)
        self._waiting = shown, future
        return []

    def finish(self) -> Rows | None:
        """Wait for the end of the statement that was started, and return what it gives.

        Raises:
            psycopg.Error: PostgreSQL refused it.
            RuntimeError: no statement was started, or it still waits after 30 seconds.
        """
        if self._waiting is None:
            raise RuntimeError(f"{self.name} has started nothing: call start(...) first.")
        shown, future = self._waiting
        try:
            future.exception(timeout=PATIENCE)
        except TimeoutError:
            raise RuntimeError(
                f"{self.name} still waits: {shown}. The other one has to COMMIT or ROLLBACK first."
            ) from None
        self._waiting = None
        return self._record(f"(goes on) {shown}", future.result)

    def _must_be_free(self) -> None:
        if self._waiting is not None:
            raise RuntimeError(f"{self.name} waits for the end of a statement: call finish().")

    def _run(self, sql: str, values: tuple[Any, ...]) -> tuple[Rows | None, str]:
        cursor = self.connection.execute(sql, values or None)
        return table(cursor), cursor.statusmessage or ""

    def _record(self, shown: str, run: Any) -> Rows | None:
        import psycopg

        try:
            rows, status = run()
        except psycopg.Error as error:
            said = error.diag.message_primary or str(error)
            words = f"{error.sqlstate or type(error).__name__}: {said}"
            self._duet.events.append(Event(self._lane, shown, words, "refused"))
            raise
        self._duet.events.append(Event(self._lane, shown, _outcome(rows, status), "done"))
        return rows


def _outcome(rows: Rows | None, status: str) -> str:
    if rows is None:  # "UPDATE 1" says that there was one row; "BEGIN" says nothing new
        count = status.rpartition(" ")[2]
        return f"{count} row{'' if count == '1' else 's'}" if count.isdigit() else ""
    if len(rows) == 1:
        return ", ".join("NULL" if value is None else str(value) for value in rows[0])
    return f"{len(rows)} rows"


def _with_values(sql: str, values: tuple[Any, ...]) -> str:
    """The statement as a reader would write it by hand; for showing, never for running."""
    flat = " ".join(sql.split())
    for value in values:
        flat = flat.replace("%s", f"'{value}'" if isinstance(value, str) else str(value), 1)
    return flat
