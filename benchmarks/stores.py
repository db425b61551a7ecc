"""How fast the five stores of helpers.stores answer the same questions, beside each other.

One stream of listens goes into all five, in batches of the same size. Then each is asked the same
questions; the engines take their turns in every round, so the ratios hold where the figures do not.
"""

from __future__ import annotations

import contextlib
import random
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import machine, median_ratio, seconds_of, table
from helpers.music import SONGS, Listen, listening_events
from helpers.programs import Cassandra, MongoDB, Postgres
from helpers.stores import CassandraStore, LsmStore, MongoStore, PostgresStore, SqliteStore

LISTENS = 20_000
BATCH = 1000
ROUNDS = 5
REPORT = Path(__file__).with_suffix(".md")
BASE = "SQLite"


def questions(store: Any, chance: random.Random) -> dict[str, Callable[[], object]]:
    """What is asked of a store, by name; songs are picked by `chance`."""
    songs = [song.id for song in SONGS]
    return {
        "one song by its id (100 times)": lambda: [
            store.get(song) for song in chance.choices(songs, k=100)
        ],
        "a composer's songs (20 times)": lambda: [
            store.find(composer="Ludwig van Beethoven") for _ in range(20)
        ],
        "plays of one song (20 times)": lambda: [
            store.plays(song) for song in chance.choices(songs, k=20)
        ],
        "the ten most played songs": lambda: store.top(10),
    }


def fill(store: Any, listens: list[Listen]) -> None:
    """One call of `record` for each batch: a batch is acknowledged when it is on the disk."""
    for first in range(0, len(listens), BATCH):
        store.record(*listens[first : first + BATCH])


def measure(listens: list[Listen], rounds: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The versions of the engines, and for each kind of work the seconds of each engine's rounds."""
    import sqlite3

    times: dict[str, dict[str, list[float]]] = {}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = [stack.enter_context(kind()) for kind in (Postgres, MongoDB, Cassandra)]
        postgres, mongodb, cassandra = servers
        stores = {
            BASE: SqliteStore(folder / "music.db"),
            "PostgreSQL": PostgresStore(postgres.url),
            "FerretDB" if "Ferret" in mongodb.server else "MongoDB": MongoStore(mongodb.url),
            "LSM (RocksDB)": LsmStore(folder / "lsm"),
            "Cassandra": CassandraStore(cassandra.connect()),
        }
        versions = {BASE: sqlite3.sqlite_version, "PostgreSQL": postgres.version}
        versions |= {"MongoDB's protocol": mongodb.server, "Cassandra": cassandra.version}
        for name, store in stores.items():
            stack.callback(store.close)
            store.add(*SONGS)
            loaded = times.setdefault(f"recording {LISTENS:,} listens", {})
            loaded[name] = [seconds_of(lambda store=store: fill(store, listens))]
        for number in range(rounds):
            for name, store in stores.items():
                for question, work in questions(store, random.Random(number)).items():
                    times.setdefault(question, {}).setdefault(name, []).append(seconds_of(work))
        answers = {tuple(store.top(10)) for store in stores.values()}
        if len(answers) != 1:
            raise SystemExit(f"The stores do not agree: {answers}")
    return versions, times


def report(where: str, versions: dict[str, str], times: dict[str, Any]) -> str:
    """The figures as Markdown."""
    names = list(next(iter(times.values())))
    rows = []
    for work, found in times.items():
        base = found[BASE]
        row = [work]
        for name in names:
            ratio = median_ratio(found[name], base)
            milliseconds = statistics.median(found[name]) * 1000
            row.append(f"{ratio:.1f} ({milliseconds:,.1f} ms)")
        rows.append(row)
    parts = [
        "# stores: the same questions, asked of five engines\n",
        f"{where} {ROUNDS} rounds, the engines in turns; recording once. Written by "
        "`python -m benchmarks stores`.\n",
        f"How many times as long as {BASE} each took (median of the rounds), and the median time.",
        "SQLite and RocksDB run inside Python, the others are servers that are asked over",
        f"loopback. {BATCH} listens go into each call of `record`, and an engine says yes when they",
        "are in its log on the disk. All five gave the same ten songs.\n",
        table(["", *names], rows),
        "Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".\n",
    ]
    return "\n".join(parts)


def main(rounds: int = ROUNDS) -> None:
    """Measure, write stores.md, print it."""
    where = machine()
    text = report(where, *measure(list(listening_events(LISTENS)), rounds))
    REPORT.write_text(text, encoding="utf-8")
    print(text)
