"""The catalogue in Apache Cassandra: one table for each question, and no joins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from ..music import Listen
from . import _values
from ._engine import Engine, client

_KEYSPACE = "store"
_SONG = (
    "id text, title text, composer text, year int, key text, tempo int, genre text,"
    " melody frozen<list<frozen<tuple<text, double>>>>"
)
_TABLES = (
    f"CREATE KEYSPACE IF NOT EXISTS {_KEYSPACE} WITH replication ="
    " {'class': 'SimpleStrategy', 'replication_factor': 1}",
    f"CREATE TABLE IF NOT EXISTS {_KEYSPACE}.songs ({_SONG}, PRIMARY KEY (id))",
    f"CREATE TABLE IF NOT EXISTS {_KEYSPACE}.songs_by_composer"
    f" ({_SONG}, PRIMARY KEY (composer, id))",
    f"CREATE TABLE IF NOT EXISTS {_KEYSPACE}.listens_by_song"
    " (song_id text, id bigint, listener text, at timestamp, seconds int,"
    " PRIMARY KEY (song_id, id))",
)
_COLUMNS = ", ".join(_values.FIELDS)
_PUT = f"({_COLUMNS}) VALUES ({', '.join('?' * len(_values.FIELDS))})"
_STATEMENTS = {
    "put": f"INSERT INTO {_KEYSPACE}.songs {_PUT}",
    "put by composer": f"INSERT INTO {_KEYSPACE}.songs_by_composer {_PUT}",
    "forget": f"DELETE FROM {_KEYSPACE}.songs_by_composer WHERE composer = ? AND id = ?",
    "get": f"SELECT {_COLUMNS} FROM {_KEYSPACE}.songs WHERE id = ?",
    "of composer": f"SELECT {_COLUMNS} FROM {_KEYSPACE}.songs_by_composer WHERE composer = ?",
    "all": f"SELECT {_COLUMNS} FROM {_KEYSPACE}.songs",
    "record": f"INSERT INTO {_KEYSPACE}.listens_by_song (song_id, id, listener, at, seconds)"
    " VALUES (?, ?, ?, ?, ?)",
    "plays": f"SELECT count(*) FROM {_KEYSPACE}.listens_by_song WHERE song_id = ?",
    "top": f"SELECT song_id, count(*) FROM {_KEYSPACE}.listens_by_song GROUP BY song_id",
}
_IN_ONE_BATCH = 40  # listens: Cassandra warns of batches above 5 KiB, and refuses them above 50
_AT_ONCE = 32  # batches under way


class CassandraStore(Engine):
    """The catalogue in Cassandra, in a keyspace of its own named ``store`` with replication 1.

    One table for each question that a store is asked:

    =====================  =====================  =================================================
    table                  primary key            the question
    =====================  =====================  =================================================
    ``songs``              id                     one song (`get`); all songs
    ``songs_by_composer``  composer, then id      the songs of a composer: one partition
    ``listens_by_song``    song_id, then id       how often a song was played: one partition
    =====================  =====================  =================================================

    What the tables do not answer costs a scan, and the store does it in the open: `find` for
    another field reads all songs and picks here, and `top` counts every listen of every partition.
    A large service would keep counts of its own. A Cassandra counter is no help: it cannot tell a
    listen from the same one sent again. A song's partition grows with each listen; a large service
    would split it, for instance by month.

    **How much is all or nothing.** A listen is one row: whole or not there, also after kill -9. A
    call with many listens is not all or nothing. If it fails, send the same again: the row with
    this key is written over, so each listen counts once. (Two *different* listens with the same id
    would both stay if their songs differ: Cassandra does not look before it writes.) A call of
    `add` writes one logged batch for each song, over both tables: once it has begun, Cassandra
    completes it, after a crash within seconds of the next start (Cassandra documentation, CQL,
    "BATCH"). Two clients that change the composer of one song at the same moment may leave an old
    entry behind: reading before writing is not one step here.

    **What is durable.** ``commitlog_sync`` in ``cassandra.yaml`` decides. With ``batch`` or
    ``group`` the node answers when its log is on the disk (`helpers.programs.Cassandra` has
    ``batch``). With ``periodic``, which is the default, it answers before: what was acknowledged a
    moment ago can be lost with the node, and replicas on other nodes make up for it (Cassandra
    documentation, "Storage Engine"). `kill -9` ends a process and leaves the files that the
    operating system has in memory, so it is no test of a power cut.

    Attributes:
        session: the session that was given. Its owner closes it; `close` leaves it open.
    """

    _name = "Cassandra"

    def __init__(self, session: Any) -> None:
        """Make the keyspace and the tables if they are not there.

        Args:
            session: a ``cassandra.cluster.Session``, such as ``cassandra.connect()``.

        Raises:
            StoreError: the node refused.
        """
        if not hasattr(session, "execute") or not hasattr(session, "prepare"):
            raise TypeError(f"session is what cassandra.connect() gives, not {session!r}.")
        self.session = session
        self._query = client("cassandra.query", "cassandra-driver")
        self._concurrent = client("cassandra.concurrent", "cassandra-driver")
        cluster = client("cassandra.cluster", "cassandra-driver")
        driver = client("cassandra", "cassandra-driver")
        connection = client("cassandra.connection", "cassandra-driver")
        self._errors = (
            driver.DriverException,
            cluster.NoHostAvailable,
            connection.ConnectionException,
        )
        # rows as tuples, whatever the owner of the session likes
        self._tuples = session.execution_profile_clone_update(
            cluster.EXEC_PROFILE_DEFAULT, row_factory=self._query.tuple_factory
        )
        with self._told():
            for table in _TABLES:
                session.execute(table)
            self._statements = {name: session.prepare(cql) for name, cql in _STATEMENTS.items()}

    def _explain(self, error: BaseException) -> str | None:
        said = str(error)
        if "Batch too large" in said:
            return (
                "The song is too large: it goes into two tables in one batch, and a batch has "
                "50 KiB at most (batch_size_fail_threshold in cassandra.yaml)."
            )
        if "exceeds allowed maximum" in said:
            return (
                "The song is too large: a message to Cassandra has as many bytes at "
                "most as Cassandra's own words say."
            )
        if "too large" in said or "longer than maximum" in said or "too long" in said:
            return "A value is too large: a key has 65,535 bytes at most, a row half a log segment."
        if type(error).__name__ in ("NoHostAvailable", "OperationTimedOut", "ConnectionShutdown"):
            return "The node does not answer: it was stopped, killed, or is very busy."
        return None

    def _read(self, name: str, *values: Any) -> list[Any]:
        rows = self.session.execute(self._statements[name], values, execution_profile=self._tuples)
        return list(rows)

    def _add(self, documents: Sequence[dict[str, Any]]) -> None:
        for song in documents:
            batch = self._query.BatchStatement(self._query.BatchType.LOGGED)
            old = self._get(song["id"])
            if old and old["composer"] != song["composer"]:
                batch.add(self._statements["forget"], (old["composer"], song["id"]))
            melody = [(note["pitch"], note["beats"]) for note in song["melody"]]
            row = [*(song[name] for name in _values.SEARCHABLE), melody]
            batch.add(self._statements["put"], row)
            batch.add(self._statements["put by composer"], row)
            self.session.execute(batch)

    def _get(self, song_id: str) -> dict[str, Any] | None:
        return next(map(_song, self._read("get", song_id)), None)

    def _find(self, wanted: Mapping[str, str | int]) -> list[dict[str, Any]]:
        if "id" in wanted:
            rows = self._read("get", wanted["id"])
        elif "composer" in wanted:
            rows = self._read("of composer", wanted["composer"])
        else:
            rows = self._read("all")
        songs = map(_song, rows)
        return [s for s in songs if all(s[name] == value for name, value in wanted.items())]

    def _record(self, listens: Sequence[Listen]) -> None:
        batches = []
        in_partitions = sorted(listens, key=lambda one: one.song_id)
        for _, group in groupby(in_partitions, key=lambda one: one.song_id):
            some = list(group)
            for start in range(0, len(some), _IN_ONE_BATCH):
                batches.append((self._batch(some[start : start + _IN_ONE_BATCH]), ()))
        self._concurrent.execute_concurrent(
            self.session, batches, concurrency=_AT_ONCE, raise_on_first_error=True
        )

    def _batch(self, listens: Sequence[Listen]) -> Any:
        """Rows of one partition in one message: no log of batches is needed for these."""
        batch = self._query.BatchStatement(self._query.BatchType.UNLOGGED)
        for one in listens:
            at = _values.milliseconds(one.at)
            row = (one.song_id, one.id, one.listener, at, one.seconds)
            batch.add(self._statements["record"], row)
        return batch

    def _plays(self, song_id: str) -> int:
        ((plays,),) = self._read("plays", song_id)
        return plays

    def _top(self, count: int) -> list[tuple[str, int]]:
        return sorted(self._read("top"), key=lambda one: (-one[1], one[0]))[:count]

    def _close(self) -> None:
        """The session is its owner's."""


def _song(row: Sequence[Any]) -> dict[str, Any]:
    song = dict(zip(_values.FIELDS, row, strict=True))
    # an empty list is the same as none for Cassandra
    notes = song["melody"] or []
    return {**song, "melody": [{"pitch": pitch, "beats": beats} for pitch, beats in notes]}
