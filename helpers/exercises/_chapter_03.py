"""The exercises of chapter 3, Relational databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

from . import equals, exercise, show
from ._sql import catalogue, other_catalogue, said, same_rows
from ._words import one_line

CATALOGUE, OTHER = "our catalogue", "another catalogue"
_WORLDS = {CATALOGUE: catalogue, OTHER: other_catalogue}


@exercise(
    "3.1",
    hints=(
        "SELECT the two columns, FROM the table, WHERE the genre is right, ORDER BY two things.",
        "ORDER BY takes several columns, parted by commas: the second counts where the first "
        "is the same.",
    ),
    typical_mistake='check("3.1", "SELECT title, year FROM songs WHERE genre = \'carol\'")',
    why="Without ORDER BY the rows come as it pleases the database.",
)
def the_carols(answer: object):
    return same_rows(
        answer, "SELECT title, year FROM songs WHERE genre = 'carol' ORDER BY year, title"
    )


_EXPRESSIONS = {
    "a": "NULL = NULL",
    "b": "NULL IS NULL",
    "c": "1 <> NULL",
    "d": "NULL AND 1 = 2",
    "e": "NULL OR 1 = 1",
    "f": "3 NOT IN (1, 2, NULL)",
    "g": "1 IN (1, NULL)",
    "h": "NOT NULL",
}
_WHY = {
    None: "one thing is not known there, and it decides",
    True: "whatever the unknown value is, it is true",
    False: "whatever the unknown value is, it is false",
}


@exercise(
    "3.2",
    hints=(
        "Put a value that makes it true in the place of NULL, and then one that makes it false. "
        "Do both lead to the same result?",
        "`IS` asks whether a value is missing, and knows the answer. AND with something false is "
        "false; OR with something true is true.",
    ),
    typical_mistake=(
        'check("3.2", {"a": True, "b": True, "c": True, "d": False, "e": True, "f": True, '
        '"g": True, "h": True})'
    ),
    why="Unknown stays unknown, unless the rest decides without it.",
)
def true_false_unknown(answer: dict):
    with closing(sqlite3.connect(":memory:")) as database:
        for letter, expression in _EXPRESSIONS.items():
            (value,) = database.execute(f"SELECT {expression}").fetchone()
            expected = None if value is None else bool(value)
            given = answer.get(letter, ...)
            if given is ...:
                return f"{letter} has no answer yet."
            if given is not None and not isinstance(given, bool):
                return f"{letter} is {show(given)}; it should be True, False or None."
            if given is not expected:
                return f"{letter}: `{expression}` is not {given}: {_WHY[expected]}."
    if extra := sorted(map(str, answer.keys() - _EXPRESSIONS.keys())):
        return f"{show(extra[0])} is none of the eight."
    return None


@exercise(
    "3.3",
    hints=(
        "Which kind of join keeps the songs that have found no partner?",
        "A LEFT JOIN, grouped by the song's id. Count a column of `plays`, not the rows.",
    ),
    typical_mistake=(
        'check("3.3", "SELECT songs.id, count(*) AS times FROM songs LEFT JOIN plays '
        'ON song_id = songs.id GROUP BY songs.id ORDER BY times DESC, songs.id")'
    ),
    why="count(plays.id) leaves out the NULL that stands where there was no play.",
)
def every_song_and_how_often(answer: object):
    return same_rows(
        answer,
        "SELECT songs.id, count(plays.id) AS times FROM songs LEFT JOIN plays"
        " ON plays.song_id = songs.id GROUP BY songs.id ORDER BY times DESC, songs.id",
    )


@exercise(
    "3.4",
    hints=(
        "Turn it round: who *has* heard him? And then all the others.",
        "SELECT name FROM listeners WHERE NOT EXISTS (SELECT ...): inside, the plays of this "
        "listener, joined with the songs of that composer.",
    ),
    typical_mistake=(
        'check("3.4", "SELECT DISTINCT listener FROM plays JOIN songs ON songs.id = song_id '
        "WHERE composer <> 'Franz Schubert' ORDER BY listener\")"
    ),
    why="`Never` is about all plays of a listener; NOT EXISTS looks at all of them.",
)
def who_has_never_heard_him(answer: object):
    return same_rows(
        answer,
        "SELECT name FROM listeners WHERE NOT EXISTS (SELECT 1 FROM plays JOIN songs"
        " ON songs.id = plays.song_id WHERE plays.listener = listeners.name"
        " AND songs.composer = 'Franz Schubert') ORDER BY name",
    )


_BY_SONG_AND_TIME = "SELECT at FROM plays WHERE song_id = ? AND at >= ? ORDER BY at"
_BY_SONG = "SELECT count(*) FROM plays WHERE song_id = ?"


@exercise(
    "3.5",
    hints=(
        "Which column do both queries compare with `=`? It comes first.",
        "CREATE INDEX name ON plays (first, second): first the one with `=`, then the one with a "
        "range.",
    ),
    typical_mistake='check("3.5", "CREATE INDEX plays_by_song ON plays (at, song_id)")',
    why="Equal first, then the range: the plays of one song stand together, in order of time.",
)
def one_index_for_two_questions(answer: str):
    begins = answer.upper().split()[:2]
    if begins == ["CREATE", "UNIQUE"]:
        return "Make it without UNIQUE: two people may hear a song at the same moment."
    if begins != ["CREATE", "INDEX"]:
        return f"One CREATE INDEX is expected, and not {show(answer)}."
    with closing(catalogue()) as database:
        try:
            database.execute(answer)
            plans = [
                "; ".join(
                    step for *_, step in database.execute(f"EXPLAIN QUERY PLAN {sql}", values)
                )
                for sql, values in ((_BY_SONG_AND_TIME, ["x", "y"]), (_BY_SONG, ["x"]))
            ]
        except (sqlite3.Error, sqlite3.Warning) as error:
            return said(error)
    for which, plan in zip(("first", "second"), plans, strict=True):
        if "SEARCH" not in plan or "song_id=?" not in plan:
            return f"The plan of the {which} query still says {plan}: all songs are looked through."
    if "TEMP B-TREE" in plans[0]:
        return f"The plan of the first query says {plans[0]}: something is sorted."
    if "at>" not in plans[0]:
        return f"The plan of the first query says {plans[0]}: all plays of the song are looked at."
    return None


@exercise(
    "3.6",
    hints=(
        "GROUP BY the listener. How does one count *different* values?",
        "count(DISTINCT song_id). And `dict` makes a dictionary out of pairs.",
    ),
    typical_mistake=(
        "def different_songs(database):\n"
        "    found = {}\n"
        '    for (name,) in database.execute("SELECT DISTINCT listener FROM plays").fetchall():\n'
        '        sql = "SELECT count(DISTINCT song_id) FROM plays WHERE listener = ?"\n'
        "        found[name] = database.execute(sql, [name]).fetchone()[0]\n"
        "    return found\n"
        'check("3.6", different_songs)'
    ),
    why="One question for all listeners, one journey to the database.",
)
def fifty_one_becomes_one(answer: Callable):
    right = "SELECT listener, count(DISTINCT song_id) FROM plays GROUP BY listener"
    for which, make in _WORLDS.items():
        with closing(make()) as database:
            expected, sent = dict(database.execute(right).fetchall()), []
            database.set_trace_callback(sent.append)
            try:
                got = answer(database)
            except (Exception, SystemExit) as error:
                return _raised(error)
            database.set_trace_callback(None)
        if got is None:
            return "Your function gave None; is there a `return`?"
        if complaint := equals(got, expected):
            return f"In {which}: {complaint}"
        if len(sent) != 1:
            return f"The result is right, but your function sent {len(sent)} queries; one is asked for."
    return None


@exercise(
    "3.7",
    hints=(
        "The value can be sent separately, with `?`. The column can't: compare it with what is "
        "allowed, and raise a ValueError for all else.",
        "Then the rows are tuples of one text each: [one for (one,) in rows].",
    ),
    typical_mistake=(
        "def songs_with(database, column, value):\n"
        "    sql = f\"SELECT id FROM songs WHERE {column} = '{value}' ORDER BY id\"\n"
        "    return [one for (one,) in database.execute(sql)]\n"
        'check("3.7", songs_with)'
    ),
    why="Into the command go only your own words; the value travels apart.",
)
def a_search_that_cannot_be_turned(answer: Callable):
    cases = [
        (CATALOGUE, "composer", "Ludwig van Beethoven"),
        (OTHER, "genre", "carol"),
        (OTHER, "title", "Quiet"),
        (OTHER, "composer", "Turlough O'Carolan"),
        (CATALOGUE, "title", "Soldier's Joy"),
        (CATALOGUE, "title", "' OR '1' = '1"),
        (CATALOGUE, "title", "' UNION SELECT name FROM listeners --"),
        (CATALOGUE, "genre", '" OR 1 = 1 --'),
    ]
    for which, column, value in cases:
        call = f"`songs_with(database, {column!r}, {value!r})`"
        with closing(_WORLDS[which]()) as database:
            sql = f"SELECT id FROM songs WHERE {column} = ? ORDER BY id"
            expected = [one for (one,) in database.execute(sql, [value])]
            try:
                got = answer(database, column, value)
            except (Exception, SystemExit) as error:
                return f"{call}: {_raised(error)}"
        if got is None:
            return f"{call} gave None; is there a `return`?"
        if got and not expected:
            return f"{call} should find nothing, but found {show(got)}: the value has become SQL."
        if complaint := equals(got, expected):
            return f"{call} in {which}: {complaint}"
    for column in ("year", "id", "1 = 1 OR title", "title = title --", "title; --", "", "Title "):
        with closing(other_catalogue()) as database:
            try:
                got = answer(database, column, "Quiet")
            except ValueError:
                continue
            except (Exception, SystemExit) as error:
                return f"For the column {column!r} a ValueError is expected. {_raised(error)}"
        return f"The column {column!r} is not one of the three, and your function gave {show(got)}."
    return None


_CREDITS = "SELECT name, credits FROM listeners"
# As a power cut would come in between: the first change of an account works, the next does not.
_REFUSE_THE_SECOND = """
CREATE TABLE changes (name TEXT);
CREATE TRIGGER refuse BEFORE UPDATE ON listeners WHEN EXISTS (SELECT 1 FROM changes)
BEGIN SELECT raise(ABORT, 'refused'); END;
CREATE TRIGGER note AFTER UPDATE ON listeners BEGIN INSERT INTO changes VALUES (new.name); END;
"""
_TRANSFERS: list[tuple[str, str, int, type[Exception] | None, bool]] = [
    ("xia", "zoe", 4, None, False),
    ("wim", "yan", 5, None, False),
    ("zoe", "xia", 4, sqlite3.IntegrityError, False),
    ("yan", "wim", 1, sqlite3.IntegrityError, False),
    ("xia", "nobody", 5, LookupError, False),
    ("nobody", "xia", 5, LookupError, False),
    ("xia", "zoe", 4, sqlite3.IntegrityError, True),
]


@exercise(
    "3.8",
    hints=(
        "BEGIN, two UPDATEs, COMMIT. Around the UPDATEs a `try`, and in its `except` a ROLLBACK "
        "and `raise`.",
        "An UPDATE that finds nobody has the rowcount 0: raise a LookupError then, inside of the "
        "`try`, so that the ROLLBACK comes, too.",
    ),
    typical_mistake=(
        "def give_credits(database, giver, taker, amount):\n"
        '    sql = "UPDATE listeners SET credits = credits + ? WHERE name = ?"\n'
        "    database.execute(sql, [amount, taker])\n"
        "    database.execute(sql, [-amount, giver])\n"
        'check("3.8", give_credits)'
    ),
    why="Whatever goes wrong in between, the ROLLBACK leaves everything as it was.",
)
def a_transfer_that_is_whole(answer: Callable):
    for giver, taker, amount, wanted, refuses in _TRANSFERS:
        with closing(other_catalogue()) as database:
            if refuses:
                database.executescript(_REFUSE_THE_SECOND)
            raised: BaseException | None = None
            right = dict(database.execute(_CREDITS).fetchall())
            if wanted is None:
                right[giver] -= amount
                right[taker] += amount
            try:
                answer(database, giver, taker, amount)
            except (Exception, SystemExit) as error:
                raised = error
            still_open = database.in_transaction
            now = dict(database.execute(_CREDITS).fetchall())
        if refuses:
            call = "After the second update was refused"
        else:
            call = f"After `give_credits(database, {giver!r}, {taker!r}, {amount})`"
        if wanted is None and raised is not None:
            return f"{call}: it should work. {_raised(raised)}"
        if still_open:
            return f"{call} a transaction is still open: COMMIT or ROLLBACK is missing."
        if wanted is not None and not isinstance(raised, wanted):
            seen = _raised(raised) if raised else "Nothing was raised."
            return f"{call} {wanted.__name__} should come out of it. {seen}"
        for name in sorted(right, key=lambda name: (name != giver, name)):
            if now.get(name) != right[name]:
                return f"{call} {name} has {now.get(name)} credits, and should have {right[name]}."
    return None


_SHARDS = (
    {"x": 5, "y": 4, "a": 3, "b": 3},
    {"z": 5, "w": 4, "a": 3, "b": 3},
    {"v": 5, "u": 4, "a": 3, "b": 3, "t": 0},
)


@exercise(
    "3.9",
    hints=(
        "Every shard sends *all* its counts. A Counter adds them up.",
        "Sort by two things: key=lambda pair: (-pair[1], pair[0]). And only then take the first n.",
    ),
    typical_mistake=(
        "def top_songs(shards, n):\n"
        "    found = []\n"
        "    for shard in shards:\n"
        '        sql = "SELECT song_id, count(*) AS c FROM plays GROUP BY song_id "\n'
        '        found += shard.execute(sql + "ORDER BY c DESC LIMIT ?", [n]).fetchall()\n'
        "    return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:n]\n"
        'check("3.9", top_songs)'
    ),
    why="First add up, then choose. The other way round overlooks what is in the middle everywhere.",
)
def the_top_of_all_shards(answer: Callable):
    for shards, n in ((_SHARDS, 2), (_SHARDS, 1), (_SHARDS, 5), (_SHARDS[:1], 3), (({}, {}), 3)):
        total: dict[str, int] = {}
        for counts in shards:
            for song, times in counts.items():
                if times:
                    total[song] = total.get(song, 0) + times
        expected = sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))[:n]
        made = [_shard(counts) for counts in shards]
        try:
            got = answer(made, n)
        except (Exception, SystemExit) as error:
            return _raised(error)
        finally:
            for shard in made:
                shard.close()
        if got is None:
            return "Your function gave None; is there a `return`?"
        what = f"With the shards {list(shards)} and n = {n}"
        if not isinstance(got, list | tuple) or not all(
            isinstance(pair, list | tuple) and len(pair) == 2 for pair in got
        ):
            return f"{what}: a list of pairs is expected, and yours is {show(got)}."
        if [tuple(pair) for pair in got] != expected:
            return f"{what}, {show(expected)} is expected, and not {show(got)}."
    return None


def _shard(counts: dict[str, int]) -> sqlite3.Connection:
    shard = sqlite3.connect(":memory:", isolation_level=None)
    shard.execute("CREATE TABLE plays (listener TEXT, song_id TEXT, at TEXT)")
    for song, times in counts.items():
        shard.executemany("INSERT INTO plays VALUES ('ada', ?, '2026')", [(song,)] * times)
    return shard


def _raised(error: BaseException) -> str:
    return f"Your function raised {type(error).__name__}: {one_line(str(error), 120)}."
