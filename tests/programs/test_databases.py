"""The database servers: their own clients connect, they survive kill -9 with their data, and end.

Each kind is started once for the tests that change nothing about it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pymongo
import pytest

from helpers import _recipes
from helpers._progress import waiting
from helpers.programs import (
    Cassandra,
    ConfigError,
    MongoDB,
    Postgres,
    ProgramFailed,
    ProgramMissing,
    _building,
    _cassandra,
)
from helpers.programs._database import Database
from tests.browser_support import skip_or_fail
from tests.programs.servers import family, folders, is_over
from tests.serving.apps import ROOT, refuses
from tests.waiting import eventually

KINDS = (Postgres, MongoDB, Cassandra)
needs_posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals")


def start(kind: type[Database], **words: Any) -> Any:
    try:
        return kind(**words)
    except ProgramMissing as missing:
        skip_or_fail(str(missing))


def write(server: Any, number: int) -> None:
    """Store a number with the server's own client; returns when the server has said yes."""
    if isinstance(server, Postgres):
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS numbers (number int PRIMARY KEY)")
            connection.execute("INSERT INTO numbers VALUES (%s)", [number])
    elif isinstance(server, MongoDB):
        with pymongo.MongoClient(server.url) as client:
            client.music.numbers.insert_one({"_id": number})
    else:
        session = server.connect()
        session.execute(
            "CREATE KEYSPACE IF NOT EXISTS music WITH replication = "
            "{'class': 'SimpleStrategy', 'replication_factor': 1}"
        )
        session.execute("CREATE TABLE IF NOT EXISTS music.numbers (number int PRIMARY KEY)")
        session.execute("INSERT INTO music.numbers (number) VALUES (%s)", [number])


def read(server: Any) -> set[int]:
    if isinstance(server, Postgres):
        with psycopg.connect(server.url) as connection:
            return {number for (number,) in connection.execute("SELECT number FROM numbers")}
    if isinstance(server, MongoDB):
        with pymongo.MongoClient(server.url) as client:
            return {row["_id"] for row in client.music.numbers.find()}
    return {row.number for row in server.connect().execute("SELECT number FROM music.numbers")}


@pytest.mark.parametrize("kind", KINDS)
def test_the_life_of_a_server(kind, nothing_left):
    """One start does for all of it: the slowest takes ten seconds."""
    server = start(kind)
    print(f"\n{getattr(server, 'server', server)}")  # CI's log names the versions
    assert server.version[0].isdigit() and server.running
    assert repr(server).endswith(f"port {server.port}")
    assert server.processes()[0] == (server.pid, "server")
    # PostgreSQL answers before the last of its processes is there
    eventually(
        lambda: {pid for pid, _ in server.processes()} == {one.pid for one in family(server)[1:]}
    )
    processes = family(server)
    where = {
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert where == {"127.0.0.1"}, "nobody but this machine"

    write(server, 1)
    write(server, 2)
    server.kill()
    assert not server.running and refuses(server.port)
    assert all(map(is_over, processes[1:]))
    assert "not running" in repr(server)
    port = server.port
    server.start_again()
    server.start_again()  # it runs: nothing happens
    assert (server.port, server.running) == (port, True)
    assert read(server) == {1, 2}, "what was acknowledged is there"
    write(server, 3)

    processes = family(server)
    server.stop()
    server.stop()
    assert all(map(is_over, processes)) and refuses(port)
    assert not folders(nothing_left)
    with pytest.raises(ProgramFailed, match="was stopped, and its data are gone"):
        server.start_again()


QUICK = (Postgres, MongoDB)

START_ALL = f"""
import json, os, sys, time
sys.path.insert(0, {str(ROOT)!r})
from helpers.programs import MongoDB, Postgres
from tests.programs.servers import family
import psycopg, pymongo
programs = [Postgres(), MongoDB()]
clients = [psycopg.connect(programs[0].url), pymongo.MongoClient(programs[1].url)]
pids = [process.pid for program in programs for process in family(program)]
print(json.dumps([[program.port for program in programs], pids]), flush=True)
"""


@pytest.mark.parametrize(
    "end",
    [
        "sys.exit()",
        "raise RuntimeError",
        "os._exit(0)",
        pytest.param("os.kill(os.getpid(), 9)", marks=needs_posix),
    ],
)
def test_nothing_is_left_however_the_process_ends(end, nothing_left):
    """With clients that are connected: PostgreSQL's usual shutdown would wait for them."""
    import json

    done = subprocess.run(
        [sys.executable, "-c", START_ALL + end], capture_output=True, cwd=ROOT, timeout=120
    )
    assert done.stdout, done.stderr.decode()
    ports, pids = json.loads(done.stdout)
    eventually(lambda: not set(pids) & set(psutil.pids()))
    assert all(map(refuses, ports))
    eventually(lambda: not folders(nothing_left))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
@pytest.mark.parametrize("kind", QUICK)
def test_who_looks_after_it_is_killed(kind):
    with start(kind) as server:
        processes = family(server)
        processes[0].kill()
        eventually(lambda: all(map(is_over, processes)))


@pytest.mark.parametrize("kind", QUICK)
def test_its_port_can_be_chosen_and_may_be_taken(kind):
    with start(kind) as first:
        with pytest.raises(ProgramFailed, match=f"port {first.port}: another program holds it"):
            kind(port=first.port)
        port = first.port
    with kind(port=port) as again:
        assert again.port == port


@pytest.mark.parametrize("kind", QUICK)
def test_a_folder_with_blanks_and_letters_of_other_alphabets(kind, tmp_path, monkeypatch):
    import tempfile

    temp = tmp_path / "für Élise ♪"
    temp.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temp))
    with start(kind) as server:
        write(server, 7)
        server.kill()
        server.start_again()
        assert read(server) == {7}
    assert not list(temp.iterdir())


def shared_memory() -> set[str]:
    """System V segments: key, id, ..., of this machine."""
    table = Path("/proc/sysvipc/shm")
    return {line.split()[1] for line in table.read_text().splitlines()[1:]}


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc and /dev/shm")
def test_postgres_leaves_no_shared_memory():
    with start(Postgres) as postgres:
        mine = (postgres.folder / "data" / "postmaster.pid").read_text().splitlines()[6].split()[1]
        assert mine in shared_memory()
        files = {path.name for path in Path("/dev/shm").glob("PostgreSQL.*")}
        postgres.kill()
        assert mine not in shared_memory()
        postgres.start_again()
        mine = (postgres.folder / "data" / "postmaster.pid").read_text().splitlines()[6].split()[1]
    assert mine not in shared_memory()
    assert {path.name for path in Path("/dev/shm").glob("PostgreSQL.*")} <= files


@pytest.fixture(scope="module")
def postgres(tmp_path_factory) -> Iterator[Postgres]:
    """Its folder is not in the one that each test has for temporary files."""
    import tempfile

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("postgres")))
        server = start(Postgres, settings="log_statement = 'all'")
    from helpers.programs import _program

    _program._running.discard(server)  # the tests look whether one of theirs is left
    yield server
    server.stop()


def test_postgres_wants_its_password(postgres):
    before, _, after = postgres.url.partition(postgres.url.split(":")[2].split("@")[0])
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"{before}wrong{after}")
    assert postgres.url not in repr(postgres) + postgres._repr_html_()


def test_postgres_speaks_utf_8_and_utc(postgres):
    with psycopg.connect(postgres.url) as connection:
        row = connection.execute("SELECT current_database(), %s, now()", ["Für Elise ♪"]).fetchone()
    assert row[:2] == ("music", "Für Elise ♪")
    assert row[2].utcoffset().total_seconds() == 0


def test_postgres_takes_settings_and_logs(postgres):
    with psycopg.connect(postgres.url) as connection:
        connection.execute("SELECT 'seen in the log'")
    assert "SELECT 'seen in the log'" in postgres.log()


def test_postgres_takes_other_settings_while_it_runs(postgres):
    postgres.reload("work_mem = '7MB'")

    def work_mem() -> str:
        with psycopg.connect(postgres.url) as connection:
            return connection.execute("SHOW work_mem").fetchone()[0]

    eventually(lambda: work_mem() == "7MB")
    with pytest.raises(ConfigError, match="does not take these settings") as caught:
        postgres.reload("work_mem = 'banana'")
    assert "-->   1 | work_mem = 'banana'" in str(caught.value)
    assert work_mem() == "7MB"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("work_mem = banana", ["does not take this config", 'invalid value for parameter "work_']),
        ("\nno_such = 1", ["at line 2", "unrecognized configuration parameter", "no_such = 1"]),
        ("work_mem 'x", ["at line 1", "syntax error"]),
        ("max_connections = 0", ["max_connections"]),
        ("listen_addresses = '*'", ["lets other machines in", "listen_addresses = '127.0.0.1'"]),
    ],
)
def test_a_mistake_in_the_settings(settings, words):
    with pytest.raises(ConfigError) as caught:
        start(Postgres, settings=settings)
    for word in words:
        assert word in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 6


def test_a_server_that_another_has_started(monkeypatch):
    with start(MongoDB) as ours:
        monkeypatch.setenv("MONGODB_URI", ours.url)
        with MongoDB() as theirs:
            assert theirs.url == ours.url
            assert "which MONGODB_URI names" in theirs.server
            with pytest.raises(ProgramFailed, match="only one of our own can be killed"):
                theirs.kill()
        write(ours, 1)
        assert ours.running, "stop leaves it alone"
    with pytest.raises(ProgramMissing, match="names a server that does not answer"):
        monkeypatch.setattr("helpers.programs._mongodb._PATIENCE", 200)
        MongoDB()


def test_a_java_that_is_too_new(monkeypatch):
    _cassandra.find_java.cache_clear()
    monkeypatch.setattr(_cassandra, "_java_version", lambda file: 21)
    with pytest.raises(ProgramMissing, match=r"needs Java 11 or 17\. This machine has Java 21"):
        _cassandra.find_java()
    _cassandra.find_java.cache_clear()


# What makes a program that no package brings.

RECIPE = _recipes.Recipe(
    "ferretdb", "Toy", "1.0", tools=("sh",), command=("sh", "-c", "COMMAND"), file="toy"
)


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """Makes a recipe of a shell command."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))

    def make(command: str) -> _recipes.Recipe:
        from dataclasses import replace

        return replace(RECIPE, command=("sh", "-c", command))

    return make


@needs_posix
def test_a_program_is_made_once(recipe, capfd):
    toy = recipe("echo made >> FOLDER/toy; cp main.go FOLDER")
    assert _building.build(toy).read_text() == "made\n"
    assert "Making Toy 1.0" in capfd.readouterr().err
    assert _building.build(toy).read_text() == "made\n"
    assert not capfd.readouterr().err
    assert toy.folder != recipe("another command").folder


@needs_posix
def test_two_make_the_same_at_the_same_time(recipe, tmp_path):
    """The second waits for the first, and finds it done."""
    from concurrent.futures import ThreadPoolExecutor

    toy = recipe(f"echo x >> {tmp_path}/times; echo made > FOLDER/toy")
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(_building.build, [toy] * 4))) == 1
    assert (tmp_path / "times").read_text() == "x\n"


@needs_posix
@pytest.mark.parametrize("command", ["echo no internet; exit 3", "echo no internet"])
def test_a_program_that_cannot_be_made(recipe, command):
    toy = recipe(command)
    with pytest.raises(ProgramFailed, match="Toy could not be made; it needs the internet, once"):
        _building.build(toy)
    left = [path.name for path in toy.folder.parent.iterdir()]
    assert left in ([], [f"{toy.folder.name}.lock"])


@needs_posix
def test_an_interrupt_while_it_is_made(recipe, tmp_path, monkeypatch):
    toy = recipe(f"echo $$ > {tmp_path}/pid; exec sleep 600")

    def interrupted(*_: Any) -> None:
        eventually((tmp_path / "pid").exists)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    kill = _building._kill

    def kill_and_wait(process: subprocess.Popen) -> None:
        monkeypatch.undo()
        kill(process)
        assert process.returncode == -signal.SIGKILL

    monkeypatch.setattr(_building, "_kill", kill_and_wait)
    with pytest.raises(KeyboardInterrupt):
        _building.build(toy)


def test_a_tool_that_is_missing(recipe, monkeypatch):
    from dataclasses import replace

    with pytest.raises(ProgramMissing, match="no-such-tool, which is not on this machine"):
        _building.build(replace(recipe("x"), tools=("no-such-tool",)))


def test_the_bar_outside_a_notebook_is_one_line(capfd):
    with waiting("Making a toy") as tell:
        tell()
        tell()
    assert capfd.readouterr().err == "Making a toy ...\n"
