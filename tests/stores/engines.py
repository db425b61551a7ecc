"""The five engines as the tests use them: started once, emptied, opened again, looked into.

`ENGINES` has one class each. An engine makes stores with nothing in them (`fresh`) and stores on
what the last one left (`again`). `recorded` reads every listen back past the store's own methods,
and checks what the engine keeps beside it.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Self

from helpers.music import Listen
from helpers.programs import Cassandra, MongoDB, Postgres
from helpers.stores import CassandraStore, LsmStore, MongoStore, PostgresStore, SqliteStore

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Engine:
    """An engine that runs; a context manager that ends it."""

    name: ClassVar[str]
    whole_calls: ClassVar[bool] = True
    """Whether a call of `record` is all or nothing."""
    slow: ClassVar[bool] = False

    def __init__(self, folder: Path) -> None:
        self.folder, self.number = folder, 0
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def fresh(self) -> Any:
        """A store with nothing in it. The last one must be closed."""
        raise NotImplementedError

    def again(self) -> Any:
        """A store on what the last one left."""
        raise NotImplementedError

    def recorded(self, store: Any) -> list[Listen]:
        """Every listen that is stored, in order of the ids."""
        raise NotImplementedError


class Sqlite(Engine):
    name = "sqlite"

    def fresh(self) -> SqliteStore:
        self.number += 1
        return self.again()

    def again(self) -> SqliteStore:
        return SqliteStore(self.folder / f"{self.number}.db")

    def recorded(self, store: SqliteStore) -> list[Listen]:
        assert store.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = store.connection.execute("SELECT * FROM listens ORDER BY id")
        return [Listen(*row[:3], when(row[3]), row[4]) for row in rows]


class Lsm(Engine):
    name = "lsm"

    def fresh(self) -> LsmStore:
        self.number += 1
        return self.again()

    def again(self) -> LsmStore:
        return LsmStore(self.folder / f"lsm{self.number}")

    def recorded(self, store: LsmStore) -> list[Listen]:
        found = []
        for key, value in store.families["listens"].items():
            fields = json.loads(value)
            assert int.from_bytes(key) == fields["id"]
            found.append(Listen(**{**fields, "at": when(fields["at"])}))
        index = sorted(store.families["listens_by_song"].keys())
        assert index == sorted(f"{x.song_id}\0".encode() + x.id.to_bytes(8) for x in found)
        counts = {k.decode(): int.from_bytes(v) for k, v in store.families["plays"].items()}
        assert counts == Counter(one.song_id for one in found)
        return found


class Server(Engine):
    """An engine with a server of its own, which starts when the tests enter it."""

    program: ClassVar[Any]

    def __enter__(self) -> Self:
        self.server = self._stack.enter_context(self.program())
        return self


class PostgreSQL(Server):
    name, program = "postgres", Postgres

    def fresh(self) -> PostgresStore:
        store = self.again()
        store.connection.execute("TRUNCATE store.songs, store.listens")
        return store

    def again(self) -> PostgresStore:
        return PostgresStore(self.server.url)

    def recorded(self, store: PostgresStore) -> list[Listen]:
        rows = store.connection.execute(
            "SELECT id, listener, song_id, at, seconds FROM store.listens ORDER BY id"
        )
        return [Listen(*row[:3], row[3].astimezone(UTC), row[4]) for row in rows]


class Mongo(Server):
    name, program = "mongo", MongoDB
    whole_calls = False
    slow = True

    def fresh(self) -> MongoStore:
        with self.again() as store:  # FerretDB can't delete 100,000 documents in one command
            store.database.client.drop_database(store.database.name)
        return self.again()

    def again(self) -> MongoStore:
        return MongoStore(self.server.url)

    def recorded(self, store: MongoStore) -> list[Listen]:
        found = []
        for one in store.database["listens"].find({}):
            fields = {**one, "id": one["_id"], "at": one["at"].astimezone(UTC)}
            del fields["_id"]
            found.append(Listen(**fields))
        return sorted(found, key=lambda one: one.id)


class OneNode(Server):
    name, program = "cassandra", Cassandra
    whole_calls = False
    slow = True
    session: Any = None

    def fresh(self) -> CassandraStore:
        store = self.again()
        for table in ("songs", "songs_by_composer", "listens_by_song"):
            store.session.execute(f"TRUNCATE store.{table}", timeout=60)
        return store

    def again(self) -> CassandraStore:
        if self.session is None:
            self.session = self.server.connect()
        return CassandraStore(self.session)

    def recorded(self, store: CassandraStore) -> list[Listen]:
        rows = store.session.execute(
            "SELECT id, listener, song_id, at, seconds FROM store.listens_by_song"
        )
        found = [
            Listen(r.id, r.listener, r.song_id, r.at.replace(tzinfo=UTC), r.seconds) for r in rows
        ]
        return sorted(found, key=lambda one: one.id)


ENGINES: dict[str, type[Engine]] = {
    one.name: one for one in (Sqlite, Lsm, PostgreSQL, Mongo, OneNode)
}


def when(milliseconds: int) -> datetime:
    """A time from milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def counted(listens: list[Listen]) -> list[tuple[str, int]]:
    """What `top` says of these listens."""
    counts = Counter(one.song_id for one in listens)
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))
