"""Chapter 5: what its judges let through, and what they say of the rest.

What a table answers (5.5) and what may be sent again (5.7) is held against the real Cassandra,
the walk along the ring (5.6) and the last write (5.4) against the course's own cluster.
"""

from __future__ import annotations

import pytest

from helpers.exercises import _chapter_05 as chapter
from helpers.programs import Cassandra, ProgramMissing
from helpers.stores import Ring
from helpers.stores._replicas import Cell
from tests.exercises.judged import exercise, said

# 5.1

RIGHT = {"partition": ["song_id", "day"], "clustering": ["at", "id"]}


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"partition": ["day", "song_id"]},
        {"clustering": ["at", "id", "listener"]},
        {"clustering": ["at", "listener", "id"]},
        {"clustering": ("at", "id")},
    ],
)
def test_keys_that_fit_the_question(other):
    assert said("5.1", {**RIGHT, **other}) is None


@pytest.mark.parametrize(
    ("answer", "blamed"),
    [
        ({"partition": ["song_id", "day"]}, "two keys"),
        ({**RIGHT, "more": []}, "two keys"),
        ({**RIGHT, "partition": "song_id"}, "a list of names"),
        ({**RIGHT, "clustering": ["time", "id"]}, "no column"),
        ({**RIGHT, "clustering": ["at", "id", "day"]}, "twice"),
        ({**RIGHT, "partition": []}, "which node"),
        ({**RIGHT, "partition": ["day"]}, "always names the song"),
        ({**RIGHT, "partition": ["song_id"]}, "grows and grows"),
        ({**RIGHT, "partition": ["song_id", "listener"]}, "does not name a listener"),
        ({"partition": ["song_id", "day", "at"], "clustering": ["id"]}, "nothing is sorted"),
        ({**RIGHT, "clustering": ["id", "at"]}, "first clustering column"),
        ({**RIGHT, "clustering": []}, "first clustering column"),
        ({**RIGHT, "clustering": ["at"]}, "same millisecond"),
    ],
)
def test_keys_that_do_not(answer, blamed):
    assert blamed in said("5.1", answer)


# 5.2, 5.3, 5.4, 5.6: other right ways, and usual mistakes


def least_read(n, w):
    return next(r for r in range(1, n + 1) if r + w > n)


def merge_by_key(newer, older):
    known = dict(newer)
    return sorted([*newer, *(one for one in older if one[0] not in known)], key=lambda one: one[0])


def winner(versions):
    latest = max(time for time, _ in versions)
    values = [value for time, value in versions if time == latest]
    return None if None in values else max(values)


def by_cells(versions):
    """What the course's cluster does."""
    cells = [Cell(time, -1 if value is not None else 0, value or "") for time, value in versions]
    best = max(cells)
    return best.value if best.deleted < 0 else None


def replicas(tokens, token, count):
    start = next((n for n, (place, _) in enumerate(tokens) if place >= token), 0)
    found = []
    for step in range(len(tokens)):
        node = tokens[(start + step) % len(tokens)][1]
        if node not in found:
            found.append(node)
    return found[:count]


def by_ring(tokens, token, count):
    """What the course's ring does."""
    ring = Ring(sorted({node for _, node in tokens}))
    ring.tokens = tokens
    return list(ring._walk(token))[:count]


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("5.2", least_read),
        ("5.3", merge_by_key),
        ("5.4", winner),
        ("5.4", by_cells),
        ("5.6", replicas),
        ("5.6", by_ring),
    ],
)
def test_other_right_ways(number, answer):
    assert said(number, answer) is None


@pytest.mark.parametrize(
    ("number", "answer", "blamed"),
    [
        ("5.2", lambda n, w: n // 2 + 1, ""),
        ("5.2", lambda n, w: n, ""),
        ("5.3", lambda newer, older: sorted(newer + older, key=lambda one: one[0]), ""),
        ("5.3", lambda newer, older: sorted((dict(newer) | dict(older)).items()), ""),
        ("5.3", lambda newer, older: list((dict(older) | dict(newer)).items()), ""),
        (
            "5.3",
            lambda newer, older: [
                one for one in sorted((dict(older) | dict(newer)).items()) if one[1] is not None
            ],
            "drops tombstones",
        ),
        ("5.4", lambda versions: versions[-1][1], ""),
        ("5.4", lambda versions: max(versions)[1], ""),
        ("5.4", lambda versions: max(versions, key=lambda one: (one[0], one[1] or ""))[1], ""),
        ("5.6", lambda tokens, token, count: [node for _, node in tokens][:count], ""),
        (
            "5.6",
            lambda tokens, token, count: replicas(tokens, token + 1, count),
            "",
        ),
        ("5.6", lambda tokens, token, count: None, "`return`"),
    ],
)
def test_usual_mistakes_are_found(number, answer, blamed):
    complaint = said(number, answer)
    assert complaint and blamed in complaint


# 5.5 and 5.7, with a real Cassandra

ENDINGS = {
    "a": "WHERE listener = 'grace'",
    "b": "WHERE at > '2026-01-05'",
    "c": "WHERE listener = 'grace' AND at > '2026-01-05'",
    "d": "WHERE listener = 'grace' AND id = 7",
    "e": "WHERE listener = 'grace' ORDER BY at DESC LIMIT 10",
    "f": "WHERE listener IN ('ada', 'grace')",
    "g": "WHERE listener = 'grace' ORDER BY id",
}
WRITES = {
    "a": "INSERT INTO songs (id, title) VALUES ('fado', 'Fado')",
    "b": "UPDATE plays_by_week SET plays = plays + 1 WHERE week = 1 AND song_id = 'fado'",
    "c": "DELETE FROM songs WHERE id = 'fado'",
    "d": "UPDATE songs SET year = 1910 WHERE id = 'fado'",
    "e": "UPDATE songs SET tags = tags + ['calm'] WHERE id = 'fado'",
    "f": "UPDATE songs SET moods = moods + {'calm'} WHERE id = 'fado'",
}


@pytest.fixture(scope="module")
def session():
    pytest.importorskip("cassandra")
    try:
        cassandra = Cassandra()
    except ProgramMissing as missing:
        pytest.skip(str(missing))
    with cassandra:
        session = cassandra.connect()
        session.execute(
            "CREATE KEYSPACE music WITH replication ="
            " {'class': 'SimpleStrategy', 'replication_factor': 1}"
        )
        session.set_keyspace("music")
        for table in (
            "plays (listener text, at timestamp, id bigint, song_id text,"
            " PRIMARY KEY (listener, at, id))",
            "songs (id text PRIMARY KEY, title text, year int, tags list<text>, moods set<text>)",
            "plays_by_week (week int, song_id text, plays counter, PRIMARY KEY (week, song_id))",
        ):
            session.execute(f"CREATE TABLE {table}")
        yield session


def test_what_the_table_answers_is_what_cassandra_takes(session):
    from cassandra import InvalidRequest

    taken = set()
    for letter, ending in ENDINGS.items():
        try:
            session.execute(f"SELECT song_id FROM plays {ending}")
            taken.add(letter)
        except InvalidRequest:
            pass
    assert said("5.5", taken) is None
    for letter in ENDINGS:
        assert said("5.5", taken ^ {letter})


def test_what_may_be_sent_again_is_what_changes_nothing(session):
    def everything():
        songs = session.execute("SELECT * FROM songs")
        return [*songs, *session.execute("SELECT * FROM plays_by_week")]

    safe = set()
    for letter, write in WRITES.items():
        session.execute(write)
        once = everything()
        session.execute(write)
        if everything() == once:
            safe.add(letter)
    assert said("5.7", safe) is None
    for letter in WRITES:
        assert said("5.7", safe ^ {letter})


def test_the_texts_are_those_of_the_chapter():
    from tests.notebooks import NOTEBOOKS, read, text_of

    text = text_of(read(next(p for p in NOTEBOOKS if p.stem.startswith("05_"))))
    for letter, line in ENDINGS.items():
        assert f"- {letter}: `{line}`" in text
    for letter, line in WRITES.items():
        assert f"- {letter}: `{line}`" in text


def test_the_chapter_is_the_one_that_is_registered():
    assert exercise("5.5").judge is chapter.what_the_table_answers
