"""What judges of SQL share: two databases with the tables of chapter 3, and a look at a query.

An answer is run on the catalogue that the reader knows, and on another one with the same tables
and other rows, so that what only happens to be right is found out.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from functools import cache

from ..music import SONGS, listening_events
from ._words import kind, show

_TABLES = """
CREATE TABLE songs (
    id TEXT PRIMARY KEY NOT NULL, title TEXT NOT NULL, composer TEXT NOT NULL,
    year INTEGER NOT NULL CHECK (year BETWEEN 800 AND 2100), genre TEXT NOT NULL
) STRICT;
CREATE TABLE listeners (
    name TEXT PRIMARY KEY NOT NULL, email TEXT UNIQUE,
    credits INTEGER NOT NULL DEFAULT 0 CHECK (credits >= 0)
) STRICT;
CREATE TABLE plays (
    id INTEGER PRIMARY KEY NOT NULL, listener TEXT NOT NULL REFERENCES listeners (name),
    song_id TEXT NOT NULL REFERENCES songs (id), at TEXT NOT NULL,
    seconds INTEGER NOT NULL CHECK (seconds > 0)
) STRICT;
PRAGMA foreign_keys = ON;
"""
_STEPS = 20_000_000  # of SQLite's machine: a second or two, then a query counts as endless
_OTHER_SONGS = [  # id, title, composer, year, genre: ties, no plays, a quote in a name
    ("z", "Zither Song", "Turlough O'Carolan", 1700, "carol"),
    ("b", "Bells", "Franz Schubert", 1820, "carol"),
    ("a", "Angels", "Anna Bon", 1820, "carol"),
    ("m", "Morning", "Franz Schubert", 1828, "song"),
    ("c", "Christmas Eve", "Anna Bon", 1600, "carol"),
    ("k", "Carol of the Kings", "Traditional", 1599, "Carol"),
    ("q", "Quiet", "Anna Bon", 1750, "song"),
]
_OTHER_LISTENERS = [  # name, email, credits
    ("zoe", "zoe@music.example", 3),
    ("yan", None, 0),
    ("xia", None, 7),
    ("wim", "wim@music.example", 5),
]
_OTHER_PLAYS = [  # listener, song: wim has heard nothing, xia only other composers
    ("zoe", "b"),
    ("zoe", "m"),
    ("zoe", "a"),
    ("zoe", "a"),
    ("yan", "m"),
    ("xia", "q"),
    ("xia", "a"),
    ("xia", "q"),
    ("yan", "z"),
]


def catalogue() -> sqlite3.Connection:
    """The database of the chapter: its songs, its listeners, its 5000 plays."""
    songs, listeners, plays = _rows()
    return _filled(songs, listeners, plays)


def other_catalogue() -> sqlite3.Connection:
    """A small database with the same tables."""
    plays = [
        (number, listener, song, f"2026-02-{number:02}T10:00:00+00:00", 60)
        for number, (listener, song) in enumerate(_OTHER_PLAYS, 1)
    ]
    return _filled(_OTHER_SONGS, _OTHER_LISTENERS, plays)


@cache
def _rows() -> tuple[list[tuple], list[tuple], list[tuple]]:
    events = list(listening_events(5000))
    names = sorted({event.listener for event in events})
    return (
        [(s.id, s.title, s.composer, s.year, s.genre) for s in SONGS],
        [(name, f"{name}@music.example" if len(name) < 6 else None, 10) for name in names],
        [(e.id, e.listener, e.song_id, e.at.isoformat(), e.seconds) for e in events],
    )


def _filled(
    songs: Iterable[tuple], listeners: Iterable[tuple], plays: Iterable[tuple]
) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.executescript(_TABLES)
    database.execute("BEGIN")
    database.executemany("INSERT INTO songs VALUES (?, ?, ?, ?, ?)", songs)
    database.executemany("INSERT INTO listeners VALUES (?, ?, ?)", listeners)
    database.executemany("INSERT INTO plays VALUES (?, ?, ?, ?, ?)", plays)
    database.execute("COMMIT")
    steps = iter(range(_STEPS // 100_000))
    database.set_progress_handler(lambda: next(steps, None) is None, 100_000)
    return database


def same_rows(query: object, model: str) -> str | None:
    """`query` gives the same rows in the same order as `model`, on both databases.

    The names of the columns do not matter. Nothing that the query changes is kept.
    """
    if not isinstance(query, str):
        return f"Your answer {show(query)} is {kind(type(query))}; a query is expected, as a text."
    for make, where in ((catalogue, ""), (other_catalogue, _ELSEWHERE)):
        database = make()
        try:
            database.execute("PRAGMA query_only = ON")
            wanted = database.execute(model).fetchall()
            found = database.execute(query)
            if found.description is None:
                return "This is no query: it gives no rows. A query begins with SELECT."
            if problem := _differ(found.fetchall(), wanted):
                return where + problem
        except (sqlite3.Error, sqlite3.Warning) as error:
            return said(error)
        finally:
            database.close()
    return None


_ELSEWHERE = "With our catalogue it is right. In another catalogue, though: "


def said(error: Exception) -> str:
    """What SQLite says, for a reader."""
    if str(error) == "interrupted":
        return "The query was stopped, since it did not come to an end."
    return f"SQLite says: {error}."


def _differ(found: list[tuple], wanted: list[tuple]) -> str | None:
    """The first thing about the rows that is not as it should be; never the right rows."""
    if found == wanted:
        return None
    if found and wanted and len(found[0]) != len(wanted[0]):
        return f"each row has {_times(len(found[0]), 'column')}; asked for: {len(wanted[0])}."
    given, needed = Counter(found), Counter(wanted)
    if given == needed:
        return "the rows are right, and their order is not."
    surplus, missing = given - needed, needed - given
    if surplus:
        lacking = f", and {_times(missing.total(), 'row')} missing" if missing else ""
        return f"the row {show(next(iter(surplus)), 60)} does not belong there{lacking}."
    return f"{_times(missing.total(), 'row')} of {needed.total()} missing."


def _times(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
