"""How a store begins, and how it says that it can't: no contract of five, each engine's own."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest

from helpers.music import SONGS
from helpers.programs._ports import free_port
from helpers.stores import (
    CassandraStore,
    LsmStore,
    MongoStore,
    PostgresStore,
    SqliteStore,
    StoreError,
)
from tests.serving.apps import ROOT


def test_where_it_is_has_a_type():
    for kind, name in (
        (SqliteStore, "path"),
        (LsmStore, "folder"),
        (PostgresStore, "url"),
        (MongoStore, "url"),
        (CassandraStore, "session"),
    ):
        with pytest.raises(TypeError, match=f"^{name} is "):
            kind(7)


@pytest.mark.parametrize(
    ("kind", "url"),
    [(PostgresStore, "postgresql://course:x@127.0.0.1:{}/music"),
     (MongoStore, "mongodb://127.0.0.1:{}/music")],
)  # fmt: skip
def test_a_server_that_is_not_there(kind, url, monkeypatch):
    monkeypatch.setattr("helpers.stores._mongo._PATIENCE", 200)
    with pytest.raises(StoreError, match="server does not answer") as caught:
        kind(url.format(free_port()))
    assert caught.value.__cause__ is not None
    assert "x@" not in str(caught.value), "a password is nobody's business"


@pytest.mark.parametrize("kind", [SqliteStore, LsmStore])
def test_a_place_that_cannot_be(kind, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match=r"cannot (open|use) the"):
        kind(tmp_path / "file" / "store")


def test_a_file_that_is_no_database(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("Dear diary, " * 100)
    with pytest.raises(StoreError, match="something else than an SQLite database"):
        SqliteStore(file)
    assert file.read_text() == "Dear diary, " * 100


def test_sqlite_keeps_a_row_within_its_limit():
    """Its limit is a gigabyte: the test sets a smaller one."""
    with SqliteStore() as store:
        store.connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 5_000)
        small = SONGS[0].as_dict()
        with pytest.raises(StoreError, match=r"longer than this SQLite keeps.*\nSQLite says: "):
            store.add(small, {**small, "id": "giant", "title": "x" * 6_000})
        assert store.find() == [], "a call is all or nothing"
        store.add(small)
        assert store.find() == [small]


def test_an_sqlite_in_memory_is_its_own():
    with SqliteStore() as one, SqliteStore() as other:
        one.add(SONGS[0])
        assert (len(one.find()), other.find()) == (1, [])


def test_two_stores_may_share_an_sqlite_file(tmp_path):
    with SqliteStore(tmp_path / "a.db") as one, SqliteStore(str(tmp_path / "a.db")) as other:
        one.add(SONGS[0])
        assert other.get(SONGS[0].id) == SONGS[0].as_dict()


def test_what_survives_a_power_cut_is_flushed(tmp_path):
    """No test can cut the power: this one asks for what the docstrings promise."""
    with SqliteStore(tmp_path / "a.db") as store:
        ask = store.connection.execute
        assert ask("PRAGMA journal_mode").fetchone() == ("wal",)
        assert ask("PRAGMA synchronous").fetchone() == (2,)
    with LsmStore(tmp_path / "lsm") as store:
        assert store._durably.sync


def test_a_folder_of_rocksdb_belongs_to_one_store(tmp_path):
    with LsmStore(tmp_path / "lsm") as store:
        store.add(SONGS[0])
        with pytest.raises(StoreError, match="close the store that has it open"):
            LsmStore(tmp_path / "lsm")
        assert store.get(SONGS[0].id) == SONGS[0].as_dict()
    with LsmStore(tmp_path / "lsm") as later:
        assert later.get(SONGS[0].id) == SONGS[0].as_dict()


def test_without_the_engines_clients_sqlite_still_runs():
    """As in a page in the browser, which has none of them."""
    code = (
        "import sys\n"
        "for name in ('psycopg', 'pymongo', 'bson', 'cassandra', 'rocksdict'):\n"
        "    sys.modules[name] = None\n"
        "from helpers.music import listening_events\n"
        "from helpers.stores import LsmStore, SqliteStore, StoreError, load\n"
        "print(load(SqliteStore(), listening_events(10)))\n"
        "try:\n    LsmStore('never-made')\n"
        "except StoreError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    count, said = done.stdout.splitlines()
    assert count == "10", done.stderr
    assert "package rocksdict is not here" in said and "pip install" in said


def test_an_error_is_shown_without_the_calls_that_led_to_it():
    assert StoreError("one\ntwo")._render_traceback_() == ["StoreError: one", "two"]


def test_every_store_says_how_much_is_all_or_nothing():
    for kind in (SqliteStore, PostgresStore, MongoStore, LsmStore, CassandraStore):
        said = " ".join(kind.__doc__.split())
        assert "all or nothing" in said or "all of it or nothing" in said, kind
        assert "kill -9" in said, kind
