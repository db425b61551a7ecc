"""The catalogue in SQLite: a relational database in one file, inside this very process."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..music import Listen
from . import _values
from ._engine import Engine

_TABLES = """
CREATE TABLE IF NOT EXISTS songs (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, composer TEXT NOT NULL, year INTEGER NOT NULL,
    key TEXT NOT NULL, tempo INTEGER NOT NULL, genre TEXT NOT NULL, melody TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS songs_by_composer ON songs (composer);
CREATE TABLE IF NOT EXISTS listens (
    id INTEGER PRIMARY KEY, listener TEXT NOT NULL, song_id TEXT NOT NULL,
    at INTEGER NOT NULL, seconds INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS listens_by_song ON listens (song_id);
"""
_ADD = """
INSERT INTO songs VALUES (:id, :title, :composer, :year, :key, :tempo, :genre, :melody)
ON CONFLICT (id) DO UPDATE SET title = excluded.title, composer = excluded.composer,
    year = excluded.year, key = excluded.key, tempo = excluded.tempo, genre = excluded.genre,
    melody = excluded.melody
"""
_RECORD = "INSERT INTO listens VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
_TOP = """
SELECT song_id, count(*) AS plays FROM listens
GROUP BY song_id ORDER BY plays DESC, song_id LIMIT ?
"""


class SqliteStore(Engine):
    """The catalogue in one SQLite file, or in memory.

    A call of `add` or `record` is one transaction: all of it or nothing, also after kill -9. The
    log is written ahead (WAL mode) and flushed to the disk at each commit (``synchronous=FULL``),
    so a file survives a power cut too, as far as the disk keeps its word (SQLite documentation,
    "Write-Ahead Logging", "Pragma statements"). ``":memory:"`` survives nothing.

    Several threads may use one store: they wait for each other. Times are whole milliseconds since
    1970, because SQLite has no type for a time; a melody is JSON text.

    Attributes:
        connection: the ``sqlite3.Connection``, for questions of your own.
    """

    _name = "SQLite"
    _errors = (sqlite3.Error,)

    def __init__(self, path: str | Path = ":memory:") -> None:
        """Open the file, or make it.

        Raises:
            StoreError: it cannot be opened, or is no database.
        """
        if not isinstance(path, str | Path):
            raise TypeError(f"path is the name of a file, or ':memory:', not {path!r}.")
        self._lock = threading.RLock()
        with self._told():
            self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            try:
                self.connection.execute("PRAGMA journal_mode = WAL").fetchall()
                self.connection.execute("PRAGMA synchronous = FULL")
                self.connection.executescript(_TABLES)
            except BaseException:
                self.connection.close()
                raise

    def _explain(self, error: BaseException) -> str | None:
        said = str(error)
        if "too big" in said or "too large" in said:
            return (
                "A value is longer than this SQLite keeps in one row (usually 1,000,000,000 bytes)."
            )
        if "unable to open" in said:
            return "SQLite cannot open the file: is its folder there, and may you write to it?"
        if "not a database" in said:
            return "The file holds something else than an SQLite database: choose another name."
        if "locked" in said:
            return "Another connection is writing and did not finish within five seconds."
        return None

    def _write(self, statement: str, rows: list[Any]) -> None:
        """Run the statement for each row, in one transaction."""
        with self._lock:
            # IMMEDIATE takes the right to write now: a transaction that began as a reader might
            # have to be given up half-way
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                self.connection.executemany(statement, rows)
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def _read(self, query: str, values: Any = ()) -> list[Any]:
        with self._lock:
            return self.connection.execute(query, values).fetchall()

    def _add(self, documents: Sequence[dict[str, Any]]) -> None:
        self._write(_ADD, [{**one, "melody": json.dumps(one["melody"])} for one in documents])

    def _get(self, song_id: str) -> dict[str, Any] | None:
        return next(iter(self._find({"id": song_id})), None)

    def _find(self, wanted: Mapping[str, str | int]) -> list[dict[str, Any]]:
        # the names come from our own list of fields; the values never become part of the text
        conditions = " AND ".join(f"{name} = :{name}" for name in wanted) or "true"
        columns = ", ".join(_values.FIELDS)
        rows = self._read(f"SELECT {columns} FROM songs WHERE {conditions}", dict(wanted))
        songs = [dict(zip(_values.FIELDS, row, strict=True)) for row in rows]
        return [{**song, "melody": json.loads(song["melody"])} for song in songs]

    def _record(self, listens: Sequence[Listen]) -> None:
        self._write(
            _RECORD,
            [
                (one.id, one.listener, one.song_id, _values.milliseconds(one.at), one.seconds)
                for one in listens
            ],
        )

    def _plays(self, song_id: str) -> int:
        ((plays,),) = self._read("SELECT count(*) FROM listens WHERE song_id = ?", (song_id,))
        return plays

    def _top(self, count: int) -> list[tuple[str, int]]:
        return self._read(_TOP, (count,))

    def _close(self) -> None:
        with self._lock:
            self.connection.close()
