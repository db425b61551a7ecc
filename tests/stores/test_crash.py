"""kill -9 in the middle of a load: what was acknowledged is there, and nothing is there by half.

For SQLite and RocksDB, which live inside of the program, the program is killed; for the others the
server is. COURSE_CRASHES=200 kills each so often; the numbers here keep the suite short (a
Cassandra takes ten seconds to come back). This is the death of a process, not a power cut: what
the system has taken over is on its way to the disk.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from helpers.music import SONGS, Listen, listening_events
from helpers.stores import StoreError
from tests.serving.apps import ROOT
from tests.stores.engines import Engine, counted
from tests.waiting import eventually

BATCH = 7
ROUNDS = {"sqlite": 200, "lsm": 200, "postgres": 10, "mongo": 10, "cassandra": 2}
MOST = 100_000
# argv: the kind of store, where it is, the id after which to go on. Prints what is acknowledged.
# Without the id it reads ids, and forks a process that goes on there for each: that is one start
# of Python for hundreds of crashes. It says who that is before, and "dead" after.
CHILD = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from helpers import stores
from helpers.music import listening_events
kind, where, *done = sys.argv[1:]
events = list(listening_events({MOST}))

def work(where, done):
    if kind == "CassandraStore":
        from helpers.programs._cassandra import open_session
        where = open_session(int(where.partition(":")[2]))
    store = getattr(stores, kind)(where)
    for start in range(done, {MOST}, {BATCH}):
        store.record(*events[start : start + {BATCH}])
        os.write(1, b"%d\\n" % (start + {BATCH}))

if done:
    work(where, int(done[0]))
for line in sys.stdin:
    pid = os.fork()
    if not pid:
        os.write(1, b"%d\\n" % os.getpid())
        try:
            work(where, int(line))
        finally:
            os._exit(1)
    os.waitpid(pid, 0)
    os.write(1, b"dead\\n")
"""


def place(engine: Engine) -> str:
    """What the child's store is made with."""
    if engine.name == "sqlite":
        return str(engine.folder / f"{engine.number}.db")
    if engine.name == "lsm":
        return str(engine.folder / f"lsm{engine.number}")
    return engine.server.url


@contextlib.contextmanager
def running(engine: Engine, kind: str, *done: int) -> Iterator[subprocess.Popen[bytes]]:
    """The process that loads listens, or that forks those which do."""
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", CHILD, kind, place(engine), *map(str, done)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        yield child
    finally:
        child.stdin.close()
        child.kill()
        child.wait()
        child.stdout.close()
        child.stderr.close()


def acknowledged_before(
    child: subprocess.Popen[bytes], calls: int, kill: Callable[[], None]
) -> int:
    """Wait for so many acknowledged calls, kill, and read on to the end: the last id."""
    line = b""
    for _ in range(calls):
        line = child.stdout.readline()
        assert line.strip().isdigit(), f"{line} {child.stderr.read().decode()}"
    kill()
    # what was said before it died, and a line that a kill cannot have cut: a pipe takes it whole
    while (more := child.stdout.readline()) and more != b"dead\n":
        line = more
    return int(line)


@contextlib.contextmanager
def crashes(engine: Engine, kind: str) -> Iterator[Callable[[int, int], int]]:
    """A function that loads after an id, kills after so many calls, and gives the last id that was
    acknowledged. A server is started again.
    """
    if hasattr(engine, "server"):

        def crash(done: int, calls: int) -> int:
            with running(engine, kind, done) as child:
                last = acknowledged_before(child, calls, engine.server.kill)
            engine.server.start_again()
            return last

        yield crash
        return
    if not hasattr(os, "fork"):

        def crash(done: int, calls: int) -> int:
            with running(engine, kind, done) as child:
                return acknowledged_before(child, calls, child.kill)

        yield crash
        return
    with running(engine, kind) as parent:

        def crash(done: int, calls: int) -> int:
            parent.stdin.write(f"{done}\n".encode())
            parent.stdin.flush()
            pid = int(parent.stdout.readline())
            try:
                return acknowledged_before(parent, calls, lambda: os.kill(pid, signal.SIGKILL))
            except BaseException:
                os.kill(pid, signal.SIGKILL)
                raise

        yield crash


@cache
def everything() -> list[Listen]:
    return list(listening_events(MOST))


def looked_through(engine: Engine, store: Any, acknowledged: int) -> int:
    """Check all that is stored; returns how many listens are there that nobody acknowledged."""
    recorded = engine.recorded(store)
    ids = [listen.id for listen in recorded]
    assert ids == sorted(set(ids))
    assert ids[:acknowledged] == list(range(1, acknowledged + 1)), "acknowledged, and lost"
    assert recorded == [everything()[number - 1] for number in ids], "a listen is not whole"
    more = ids[acknowledged:]  # of the call that was cut off
    under_way = list(range(acknowledged + 1, acknowledged + BATCH + 1))
    assert set(more) <= set(under_way), "something was stored that was not sent yet"
    if engine.whole_calls:
        assert more in ([], under_way), "half a call"
    assert store.top(200) == counted(recorded)
    return len(more)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost(engine: Engine):
    rounds = int(os.environ.get("COURSE_CRASHES") or ROUNDS[engine.name])
    chance, acknowledged = random.Random(engine.name), 0
    with engine.fresh() as store:
        kind = type(store).__name__
    with crashes(engine, kind) as crash:
        for _ in range(rounds):
            acknowledged = crash(acknowledged, chance.randint(1, 12))
            with engine.again() as store:
                looked_through(engine, store, acknowledged)


@pytest.mark.slow
def test_no_song_stays_half_added(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    """A song is in the catalogue and under its composer, or in neither; also when its composer
    changes while the server dies. Cassandra may take a few seconds to complete what it began.
    """
    if not hasattr(engine, "server"):
        assert engine.whole_calls, "an engine inside of this process has one transaction for it"
        return
    monkeypatch.setattr("helpers.stores._mongo._PATIENCE", 500)
    told: list[StoreError] = []
    added: dict[str, str] = {}  # song -> the composer that was acknowledged last

    def add_songs(store: Any) -> None:
        try:
            for number in itertools.count():
                song_id, composer = f"song-{number % 5}", f"composer-{number % 3}"
                store.add({**SONGS[0].as_dict(), "id": song_id, "composer": composer})
                added[song_id] = composer
                enough.release()
        except StoreError as error:
            told.append(error)

    enough = threading.Semaphore(0)
    store = engine.fresh()
    thread = threading.Thread(target=add_songs, args=(store,))
    thread.start()
    for _ in range(40):
        assert enough.acquire(timeout=60)
    engine.server.kill()
    thread.join(60)
    store.close()
    assert len(told) == 1 and "does not answer" in str(told[0]), told
    engine.server.start_again()
    with engine.again() as store:
        assert len(store.find()) == 5
        kept = {song["id"]: song["composer"] for song in store.find()}
        # the one call that nobody answered may have changed the composer of one song
        assert sum(kept[song_id] != composer for song_id, composer in added.items()) <= 1

        def fits() -> bool:
            catalogue = store.find()
            return all(
                store.find(composer=name) == [one for one in catalogue if one["composer"] == name]
                for name in ("composer-0", "composer-1", "composer-2")
            )

        eventually(fits, 60)
