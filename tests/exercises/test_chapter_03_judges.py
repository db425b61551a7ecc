"""Chapter 3: what its judges let through, and what they say of the rest."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from helpers.exercises import exercises_of

JUDGES = {one.number: one.judge for one in exercises_of(3)}


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("3.1", "select title, year from songs where genre like 'carol' and genre = 'carol' order by 2, 1"),
        ("3.1", "SELECT title t, year y FROM songs WHERE genre='carol' ORDER BY y, t;"),
        ("3.3", "SELECT id, (SELECT count(*) FROM plays WHERE song_id = songs.id) n FROM songs ORDER BY n DESC, id"),
        ("3.4", "SELECT name FROM listeners EXCEPT SELECT listener FROM plays JOIN songs ON songs.id = song_id WHERE composer = 'Franz Schubert' ORDER BY 1"),
        ("3.5", "create index x on plays(song_id, at, listener)"),
    ],
)  # fmt: skip
def test_other_right_answers(number, answer):
    assert JUDGES[number](answer) is None


@pytest.mark.parametrize(
    ("number", "answer", "words"),
    [
        ("3.1", "SELECT title, year FROM songs WHERE genre = 'carol' ORDER BY title", "order is not"),
        ("3.1", "SELECT title, year FROM songs WHERE genre LIKE 'carol' ORDER BY 2, 1", "In another catalogue"),
        ("3.1", "SELECT title FROM songs WHERE genre = 'carol' ORDER BY year, title", "1 column; asked for: 2"),
        ("3.1", "SELECT titel FROM songs", "SQLite says: no such column: titel"),
        ("3.1", "DROP TABLE songs", "SQLite says: attempt to write a readonly database"),
        ("3.1", "SELECT 1; SELECT 2", "SQLite says: You can only execute one statement at a time"),
        ("3.1", "BEGIN", "gives no rows"),
        ("3.1", 7, "a query is expected, as a text"),
        ("3.1", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i, i FROM n", "did not come to an end"),
        ("3.3", "SELECT song_id, count(*) FROM plays GROUP BY 1 ORDER BY 2 DESC, 1", "6 rows"),
        ("3.5", "CREATE INDEX x ON plays (song_id)", "something is sorted"),
        ("3.5", "CREATE INDEX x ON plays (nothing)", "SQLite says"),
        ("3.5", "CREATE UNIQUE INDEX x ON plays (song_id, at)", "without UNIQUE"),
        ("3.5", "DELETE FROM plays", "One CREATE INDEX is expected"),
        ("3.5", "CREATE INDEX x ON songs (id)", "The plan of the first query still says"),
    ],
)  # fmt: skip
def test_wrong_answers_get_a_reason(number, answer, words):
    assert words in (JUDGES[number](answer) or "right")


RIGHT = {"a": None, "b": True, "c": None, "d": False, "e": True, "f": None, "g": True, "h": None}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"a": True}, "a: `NULL = NULL` is not True"),
        ({"h": 1}, "h is 1"),
        ({"d": ...}, "d has no answer yet"),
        ({"i": True}, "none of the eight"),
    ],
)
def test_three_valued_answers(change, words):
    assert JUDGES["3.2"](RIGHT) is None
    assert words in JUDGES["3.2"](RIGHT | change)


SUM = "UPDATE listeners SET credits = credits + ? WHERE name = ?"


def no_rollback(database, giver, taker, amount):
    database.execute("BEGIN")
    for name, change in ((giver, -amount), (taker, amount)):
        if database.execute(SUM, [change, name]).rowcount == 0:
            raise LookupError
    database.execute("COMMIT")


def no_lookup(database, giver, taker, amount):
    database.execute("BEGIN")
    try:
        database.execute(SUM, [-amount, giver])
        database.execute(SUM, [amount, taker])
    except sqlite3.Error:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def looks_first(database, giver, taker, amount):
    """Right in all but the middle: the second update may be refused."""
    names = {name for (name,) in database.execute("SELECT name FROM listeners")}
    if not {giver, taker} <= names:
        raise LookupError
    database.execute(SUM, [-amount, giver])
    database.execute(SUM, [amount, taker])


def swallows(database, giver, taker, amount):
    with contextlib.suppress(sqlite3.Error):
        no_lookup(database, giver, taker, amount)


def savepoint(database, giver, taker, amount):
    database.execute("SAVEPOINT s")
    try:
        for name, change in ((giver, -amount), (taker, amount)):
            if not database.execute(SUM, [change, name]).rowcount:
                raise KeyError(name)  # is a LookupError
    except Exception:
        database.execute("ROLLBACK TO s")
        raise
    finally:
        database.execute("RELEASE s")


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (savepoint, None),
        (no_rollback, "still open"),
        (no_lookup, "LookupError should come out of it"),
        (looks_first, "After the second update was refused"),
        (swallows, "IntegrityError should come out of it"),
        (lambda *_: None, "xia has 7 credits, and should have 3"),
    ],
)
def test_transfers(function, words):
    said = JUDGES["3.8"](function)
    assert said is None if words is None else words in (said or "right")


@pytest.mark.parametrize("number", ["3.6", "3.7", "3.8", "3.9"])
@pytest.mark.parametrize(
    "answer", [7, lambda *_: 1 / 0, lambda *_: exit()], ids=["7", "/0", "exit"]
)
def test_functions_that_are_none_or_fail(number, answer):
    assert isinstance(JUDGES[number](answer), str)
