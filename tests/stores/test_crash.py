"""kill -9 in the middle of a load: what was acknowledged is there, and nothing is there by half.

For SQLite and RocksDB, which live inside of the program, the program is killed; for the others the
server is. COURSE_CRASHES says how often; a Cassandra takes ten seconds to come back. This is the
death of a process, not a power cut: what the system has taken over is on its way to the disk.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from helpers.music import listening_events
from tests.serving.apps import ROOT
from tests.stores.engines import Engine, counted

BATCH = 7
ROUNDS = {"sqlite": 10, "lsm": 10, "postgres": 5, "mongo": 5, "cassandra": 1}
MOST = 100_000
# argv: the kind of store, where it is, the id after which to go on. Prints what is acknowledged.
CHILD = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from helpers import stores
from helpers.music import listening_events
kind, where, done = sys.argv[1:]
if kind == "CassandraStore":
    from cassandra.cluster import Cluster
    from cassandra.io.asyncioreactor import AsyncioConnection
    host, port = where.split(":")
    cluster = Cluster([host], port=int(port), protocol_version=5, connection_class=AsyncioConnection)
    where = cluster.connect()
store = getattr(stores, kind)(where)
batch = []
for listen in listening_events({MOST}):
    if listen.id > int(done):
        batch.append(listen)
    if len(batch) == {BATCH}:
        store.record(*batch)
        print(batch[-1].id, flush=True)
        batch.clear()
"""


def place(engine: Engine) -> str:
    """What the child's store is made with."""
    if engine.name == "sqlite":
        return str(engine.folder / f"{engine.number}.db")
    if engine.name == "lsm":
        return str(engine.folder / f"lsm{engine.number}")
    return engine.server.url


@contextlib.contextmanager
def loading(engine: Engine, kind: str, done: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that loads listens, and prints the id of the last one after each call."""
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", CHILD, kind, place(engine), str(done)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        child.stderr.close()


def crash(engine: Engine, kind: str, done: int, calls: int) -> int:
    """Load, kill after so many calls, start again; returns the last id that was acknowledged."""
    with loading(engine, kind, done) as child:
        for _ in range(calls):
            line = child.stdout.readline()
            assert line, child.stderr.read().decode()
        if hasattr(engine, "server"):
            engine.server.kill()
        else:
            child.kill()
        rest = child.stdout.read().split()  # said before it died
        last = int(rest[-1] if rest else line)
    if hasattr(engine, "server"):
        engine.server.start_again()
    return last


def looked_through(engine: Engine, store: Any, acknowledged: int) -> int:
    """Check all that is stored; returns the last id."""
    recorded = engine.recorded(store)
    ids = [listen.id for listen in recorded]
    everything = list(listening_events(ids[-1]))
    assert set(range(1, acknowledged + 1)) <= set(ids), "acknowledged, and lost"
    assert recorded == [everything[number - 1] for number in ids], "a listen is not whole"
    assert len(ids) == len(set(ids))
    if engine.whole_calls:
        assert ids == list(range(1, ids[-1] + 1)) and len(ids) % BATCH == 0, "half a call"
    assert store.top(200) == counted(recorded)
    return ids[-1]


@pytest.mark.slow
def test_nothing_acknowledged_is_lost(engine: Engine):
    rounds = int(os.environ.get("COURSE_CRASHES") or ROUNDS[engine.name])
    chance, acknowledged = random.Random(engine.name), 0
    with engine.fresh() as store:
        kind = type(store).__name__
    for _ in range(rounds):
        acknowledged = crash(engine, kind, acknowledged, chance.randint(1, 12))
        with engine.again() as store:
            looked_through(engine, store, acknowledged)
