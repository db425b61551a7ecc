"""What chapter 3 looks through: tables, steps, statements, a killed writer, a drawn index, a duet."""

from __future__ import annotations

import sqlite3
import threading
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import psycopg
import pytest

from helpers.programs import Postgres, ProgramMissing
from helpers.stores import Duet, IndexTree, kill_after, listen_to, steps, table
from tests.browser_support import skip_or_fail


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:", isolation_level=None)
    made.execute("CREATE TABLE songs (id TEXT PRIMARY KEY, year INTEGER)")
    rows = [(f"song {number:04}", 1600 + number % 400) for number in range(1000)]
    made.executemany("INSERT INTO songs VALUES (?, ?)", rows)
    yield made
    made.close()


def test_a_table_is_a_list_that_shows_itself(database):
    rows = table(database.execute("SELECT id, year FROM songs ORDER BY id LIMIT 2"))
    assert rows == [("song 0000", 1600), ("song 0001", 1601)]
    assert rows.columns == ("id", "year")
    assert repr(rows).splitlines() == [
        "id        | year",
        "----------+-----",
        "song 0000 | 1600",
        "song 0001 | 1601",
    ]
    assert table(database.execute("UPDATE songs SET year = 1700")) is None


def test_a_table_is_cut_and_says_so(database):
    shown = repr(table(database.execute("SELECT *, NULL, ? FROM songs", ["x" * 100])))
    assert "NULL" in shown and "x" * 100 not in shown and "…" in shown
    assert shown.splitlines()[-1] == "... and 988 more rows"
    assert "(no rows)" in repr(table(database.execute("SELECT * FROM songs WHERE year = 1")))


def test_an_index_saves_steps(database):
    query = "SELECT id FROM songs WHERE year = ?"
    before = steps(database, query, [1700])
    assert before == steps(database, query, [1700]), "the same in every run"
    database.execute("CREATE INDEX by_year ON songs (year)")
    assert steps(database, query, [1700]) * 20 < before


def test_statements_are_heard(database):
    heard: list[str] = []
    with listen_to(database, heard.append):
        database.execute("SELECT id FROM songs WHERE year = ?", [1700]).fetchall()
    database.execute("SELECT 1")
    assert heard == ["SELECT id FROM songs WHERE year = 1700"]


def test_a_killed_writer_leaves_whole_transactions(tmp_path):
    path = tmp_path / "für Elise.db"
    assert kill_after(path, "CREATE TABLE t (x)", "INSERT INTO t VALUES (1)") != 0
    kill_after(path, "BEGIN", "INSERT INTO t VALUES (2)")
    kill_after(path, "BEGIN", "INSERT INTO t VALUES (3)", "COMMIT")
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT x FROM t").fetchall() == [(1,), (3,)]
    database.close()
    with pytest.raises(RuntimeError, match="no such table: absent"):
        kill_after(path, "INSERT INTO absent VALUES (1)")
    with pytest.raises(ValueError, match="at least one statement"):
        kill_after(path)


@pytest.mark.parametrize("count", [1, 3, 4, 10, 27])
def test_a_drawn_index_finds_what_is_there(count):
    keys = [f"k{number:02}" for number in range(count)]
    for key in keys:
        tree = IndexTree(reversed(keys), key)
        assert tree.found and key in tree.way[-1].keys
        assert len(tree.way) == len(tree.root.way_to(keys[0])), "all leaves are equally deep"
    assert not IndexTree(keys, "k005").found
    ElementTree.fromstring(IndexTree(keys, "<k>").svg())


@pytest.mark.parametrize("keys", [[], [str(number) for number in range(28)]])
def test_an_index_that_cannot_be_drawn(keys):
    with pytest.raises(ValueError, match=f"these are {len(keys)}"):
        IndexTree(keys, "x")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    try:
        server = Postgres()
    except ProgramMissing as missing:
        skip_or_fail(str(missing))
    with server:
        yield server


@pytest.fixture
def duet(postgres) -> Iterator[Duet]:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS accounts")
        connection.execute("CREATE TABLE accounts (name text PRIMARY KEY, credits int)")
        connection.execute("INSERT INTO accounts VALUES ('ada', 10), ('grace', 10)")
    with Duet(postgres.url) as made:
        yield made
    assert not [t for t in threading.enumerate() if t.name.startswith("duet")]


UPDATE = "UPDATE accounts SET credits = credits + %s WHERE name = %s"


def test_one_waits_for_the_other(duet):
    left, right = duet
    left("BEGIN")
    left(UPDATE, 1, "ada")
    assert right.start(UPDATE, 2, "ada") == ["left"]
    with pytest.raises(RuntimeError, match=r"call finish\(\)"):
        right("SELECT 1")
    left("COMMIT")
    right.finish()
    assert left("SELECT credits FROM accounts WHERE name = 'ada'") == [(13,)]
    picture = duet.picture()
    assert "waits for left" in repr(picture)
    ElementTree.fromstring(picture.svg())
    duet.forget()
    assert repr(duet.picture()) == ""


def test_a_statement_that_need_not_wait(duet):
    left, right = duet
    assert right.start(UPDATE, 2, "ada") == []
    right.finish()
    with pytest.raises(RuntimeError, match="has started nothing"):
        left.finish()


def test_a_deadlock_is_always_the_second_ones(duet):
    left, right = duet
    for _ in range(3):
        left("BEGIN")
        right("BEGIN")
        left(UPDATE, 1, "ada")
        right(UPDATE, 1, "grace")
        assert left.start(UPDATE, 1, "grace") == ["right"]
        with pytest.raises(psycopg.errors.DeadlockDetected):
            right(UPDATE, 1, "ada")
        left.finish()
        left("COMMIT")
        right("ROLLBACK")
    assert "40P01" in repr(duet.picture())


def test_closing_while_one_waits(postgres, duet):
    left, right = duet
    left("BEGIN")
    left(UPDATE, 1, "ada")
    right.start(UPDATE, 1, "ada")
    duet.close()
    duet.close()
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT credits FROM accounts WHERE name = 'ada'").fetchone() == (
            10,
        )
