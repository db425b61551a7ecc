"""Database servers in a real Jupyter kernel: cells run again, interrupts, restarts and kill -9."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import psycopg
import pytest

from helpers import environment
from tests.browser_support import skip_or_fail
from tests.programs.servers import all_over, folders, is_over
from tests.serving.test_kernel import Kernel
from tests.waiting import eventually

START = """
from helpers.programs import MongoDB, Postgres
import psycopg, pymongo
databases = postgres, mongodb = Postgres(), MongoDB()
connection = psycopg.connect(postgres.url)
client = pymongo.MongoClient(mongodb.url)
"""
PIDS = (
    "sorted({pid for d in databases for pid, _ in d.processes()}"
    " | {d._process._guard.pid for d in databases})"
)


@pytest.fixture
def kernel(nothing_left) -> Iterator[Kernel]:
    for row in environment.report_on(["PostgreSQL", "MongoDB"], timeout=20).rows:
        if row.status != environment.HERE:
            skip_or_fail(f"{row.name} is not here: {row.note}")
    kernel = Kernel()
    yield kernel
    kernel.close()


def start_both(kernel: Kernel) -> tuple[list[int], list[psutil.Process]]:
    """Their ports, and all their processes."""
    ports = kernel.value(START, "[d.port for d in databases]", "start")
    return ports, [psutil.Process(pid) for pid in kernel.value("None", PIDS)]


def test_a_cell_that_runs_again_replaces_its_servers(kernel, nothing_left):
    ports, processes = start_both(kernel)
    again, others = start_both(kernel)
    assert all_over([port for port in ports if port not in again], processes)
    assert len(folders(nothing_left)) == 2
    kernel.restart()
    eventually(lambda: all_over(again, others))
    eventually(lambda: not folders(nothing_left))


def test_kill_9_leaves_nothing(kernel, nothing_left):
    ports, processes = start_both(kernel)
    kernel.process.kill()
    eventually(lambda: all_over(ports, processes))
    eventually(lambda: not folders(nothing_left))


def test_an_interrupted_query_leaves_the_server(kernel):
    """psycopg tells the server to give the query up, and the connection can be used again."""
    _, processes = start_both(kernel)
    url = kernel.value("None", "postgres.url")
    cell = kernel.send("connection.execute('SELECT pg_sleep(600)')")

    def sleepers() -> int:
        with psycopg.connect(url) as other:
            question = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            return other.execute(question).fetchone()[0]

    eventually(lambda: sleepers() == 1)
    kernel.interrupt()
    assert kernel.reply(cell)["ename"] == "KeyboardInterrupt"
    eventually(lambda: sleepers() == 0)
    assert not any(map(is_over, processes[:2]))
    rollback = "connection.rollback()\nanswer = connection.execute('SELECT 7').fetchone()"
    assert kernel.value(rollback, "answer") == (7,)
