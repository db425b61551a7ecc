"""The catalogue in PostgreSQL: a relational database in a server of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..music import Listen
from . import _values
from ._engine import Engine, client

_LOCK = 20_260_101  # any number: stores that make their tables at the same time wait for each other
_TABLES = """
CREATE SCHEMA IF NOT EXISTS store;
CREATE TABLE IF NOT EXISTS store.songs (
    id text COLLATE "C" PRIMARY KEY, title text NOT NULL, composer text NOT NULL,
    year integer NOT NULL, key text NOT NULL, tempo integer NOT NULL, genre text NOT NULL,
    melody jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS songs_by_composer ON store.songs (composer);
CREATE TABLE IF NOT EXISTS store.listens (
    id bigint PRIMARY KEY, listener text NOT NULL, song_id text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL, seconds integer NOT NULL
);
CREATE INDEX IF NOT EXISTS listens_by_song ON store.listens (song_id);
"""
# One statement for any number of rows: each column travels as one array.
_ADD = """
INSERT INTO store.songs (id, title, composer, year, key, tempo, genre, melody)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::int[], %s::text[], %s::int[],
                     %s::text[], %s::jsonb[])
ON CONFLICT (id) DO UPDATE SET title = excluded.title, composer = excluded.composer,
    year = excluded.year, key = excluded.key, tempo = excluded.tempo, genre = excluded.genre,
    melody = excluded.melody
"""
_RECORD = """
INSERT INTO store.listens (id, listener, song_id, at, seconds)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::int[])
ON CONFLICT (id) DO NOTHING
"""
_TOP = """
SELECT song_id, count(*) AS plays FROM store.listens
GROUP BY song_id ORDER BY plays DESC, song_id LIMIT %s
"""
_PATIENCE = 10  # seconds for a server to take the connection


class PostgresStore(Engine):
    """The catalogue in PostgreSQL, in tables of a schema of its own named ``store``.

    A call of `add` or `record` is one statement, and a statement is a transaction: all of it or
    nothing, also after kill -9 of the client or of the server. The server answers when its log is
    on the disk (``synchronous_commit = on``; PostgreSQL documentation, "Write Ahead Log"), so what
    is acknowledged survives a power cut too, unless the server runs with ``fsync = off``.

    Several threads may use one store: its one connection takes one statement at a time.

    Attributes:
        connection: the ``psycopg.Connection`` (autocommit), for questions of your own.
    """

    _name = "PostgreSQL"

    def __init__(self, url: str) -> None:
        """Connect, and make the tables if they are not there.

        Args:
            url: such as ``postgres.url``.

        Raises:
            StoreError: no server answers, or it does not let you in.
        """
        if not isinstance(url, str):
            raise TypeError(f"url is the text of an address, such as postgres.url, not {url!r}.")
        psycopg = client("psycopg", "psycopg[binary]")
        self._jsonb = client("psycopg.types.json", "psycopg[binary]").Jsonb
        self._errors = (psycopg.Error,)
        with self._told():
            self.connection = psycopg.connect(url, autocommit=True, connect_timeout=_PATIENCE)
            try:
                self.connection.execute("SET synchronous_commit = on")
                with self.connection.transaction():
                    self.connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                    self.connection.execute(_TABLES)
            except BaseException:
                self.connection.close()
                raise

    def _explain(self, error: BaseException) -> str | None:
        state, said = getattr(error, "sqlstate", None), str(error)
        if state == "54000" and "index" in said:  # program_limit_exceeded
            return (
                "An id, a composer or a song_id is too long: PostgreSQL's index keeps about 2,700 "
                "bytes of each row."
            )
        if state in ("54000", "22001", "53200") or "too large" in said or "too long" in said:
            return "A value is larger than PostgreSQL can take (a melody: 268,435,455 bytes)."
        if state is None or state.startswith(("08", "57P")):
            return "The server does not answer: it was stopped, killed, or never started."
        if state.startswith("28"):
            return "The server does not let you in: user or password in the URL is wrong."
        return None

    def _read(self, query: str, values: Sequence[Any]) -> list[Any]:
        return self.connection.execute(query, values).fetchall()

    def _add(self, documents: Sequence[dict[str, Any]]) -> None:
        columns: list[list[Any]] = [[one[name] for one in documents] for name in _values.FIELDS]
        columns[-1] = [self._jsonb(melody) for melody in columns[-1]]
        self.connection.execute(_ADD, columns)

    def _get(self, song_id: str) -> dict[str, Any] | None:
        return next(iter(self._find({"id": song_id})), None)

    def _find(self, wanted: Mapping[str, str | int]) -> list[dict[str, Any]]:
        # the names come from our own list of fields; the values never become part of the text
        conditions = " AND ".join(f"{name} = %s" for name in wanted) or "true"
        columns = ", ".join(_values.FIELDS)
        rows = self._read(
            f"SELECT {columns} FROM store.songs WHERE {conditions}", list(wanted.values())
        )
        return [dict(zip(_values.FIELDS, row, strict=True)) for row in rows]

    def _record(self, listens: Sequence[Listen]) -> None:
        rows = [(one.id, one.listener, one.song_id, one.at, one.seconds) for one in listens]
        self.connection.execute(_RECORD, [list(column) for column in zip(*rows, strict=True)])

    def _plays(self, song_id: str) -> int:
        query = "SELECT count(*) FROM store.listens WHERE song_id = %s"
        ((plays,),) = self._read(query, (song_id,))
        return plays

    def _top(self, count: int) -> list[tuple[str, int]]:
        return self._read(_TOP, (count,))

    def _close(self) -> None:
        self.connection.close()
