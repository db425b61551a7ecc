"""Replicas are killed and revived under load: no idempotent request is lost, no other done twice.

The same 10,000 requests from 64 clients for our proxy, nginx and HAProxy; and for some that are set
up carelessly, to see that the test can fail.
"""

from __future__ import annotations

import asyncio
import random
import socket
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from helpers.programs import Haproxy, Nginx
from helpers.proxying import Standalone

pytestmark = pytest.mark.alone  # what it waits for comes late beside another test

CLIENTS = 64
REPLICA = Path(__file__).with_name("faults_replica.py")
PATIENCE = 30  # seconds; it decides only how long a failing test takes

NGINX = """
upstream all {
    server 127.0.0.1:A max_fails=0;
    server 127.0.0.1:B max_fails=0;
    server 127.0.0.1:C max_fails=0;
    keepalive 64;
}
server {
    listen 127.0.0.1:PORT;
    location / {
        proxy_pass http://all;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_next_upstream MISTAKES;
    }
}
"""
HAPROXY = """
listen all
    bind 127.0.0.1:PORT
    option httpchk GET /health
    timeout check 5s
    option redispatch 1
    retries 3
    retry-on conn-failure empty-response
    http-request disable-l7-retry if METH_POST
    default-server check inter 50ms fall 1 rise 1
    server a 127.0.0.1:A
    server b 127.0.0.1:B
    server c 127.0.0.1:C
"""


class Replica:
    """A server in a process of its own, always on the same port."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.notes = name, folder / name
        self.notes.touch()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.process: subprocess.Popen | None = None

    async def start(self) -> None:
        size = self.notes.stat().st_size
        command = [sys.executable, "-S", str(REPLICA), str(self.port), self.name, str(self.notes)]
        self.process = subprocess.Popen(command)  # noqa: ASYNC220 - the crowd may wait
        await until(lambda: self.notes.stat().st_size > size)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    async def is_asked(self) -> None:
        """Until a client's request has come since now."""
        size = self.notes.stat().st_size
        await until(lambda: self.notes.stat().st_size > size)


async def until(condition) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.002)


class Crowd:
    """Clients that each ask again and again; one request in ten is a POST that is not repeated."""

    def __init__(self, port: int, requests: int) -> None:
        self.port = port
        self.left = iter(range(requests))
        self.statuses: dict[str, Counter[str]] = {"GET": Counter(), "POST": Counter()}

    @property
    def done(self) -> int:
        return sum(one.total() for one in self.statuses.values())

    async def client(self) -> None:
        line = None
        for number in self.left:
            method = "POST" if number % 10 == 0 else "GET"
            body = f"{number}" if method == "POST" else ""
            if line is None:
                line = await asyncio.open_connection("127.0.0.1", self.port)
            status, keep = await self.ask(*line, method, body)
            self.statuses[method][status] += 1
            if not keep:
                line[1].close()
                line = None
        if line:
            line[1].close()

    async def ask(self, reader, writer, method: str, body: str) -> tuple[str, bool]:
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        writer.write(f"{method} / HTTP/1.1\r\nHost: a\r\n{length}\r\n{body}".encode())
        try:
            async with asyncio.timeout(PATIENCE):
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                await reader.readexactly(int(head.split("content-length: ")[1].split()[0]))
        except (OSError, TimeoutError, IndexError, asyncio.IncompleteReadError) as error:
            return type(error).__name__, False
        return head.split()[1], "connection: close" not in head


async def mayhem(start, requests: int, folder: Path, seed: int) -> tuple[Crowd, list[Replica], int]:
    """Run the crowd while replicas are killed and revived, one at a time; how many were killed."""
    dice, kills = random.Random(seed), 0
    replicas = [Replica(name, folder) for name in "abc"]
    with ExitStack() as stack:
        for replica in replicas:
            stack.callback(replica.kill)
            await replica.start()
        program = stack.enter_context(start(replicas))
        crowd = Crowd(program.port, requests)
        clients = asyncio.gather(*[crowd.client() for _ in range(CLIENTS)])
        pause = requests // 25
        while crowd.done + 2 * pause < requests:
            victim = dice.choice(replicas)
            await victim.is_asked()
            victim.kill()
            kills += 1
            enough = min(crowd.done + dice.randint(1, pause), requests)
            await until(lambda enough=enough: crowd.done >= enough)
            await victim.start()
            if crowd.done + 2 * pause < requests:
                await victim.is_asked()  # the balancer knows that it is back
        await clients
    return crowd, replicas, kills


def ports_of(replicas: list[Replica]) -> dict[str, int]:
    return {replica.name: replica.port for replica in replicas}


def ours(retries: int):
    def start(replicas: list[Replica]) -> Standalone:
        urls = [f"http://127.0.0.1:{replica.port}" for replica in replicas]
        return Standalone(urls, check="/health", check_every=0.05, rise=1, retries=retries)

    return start


def nginx(mistakes: str):
    return lambda replicas: Nginx(NGINX, workers=1, mistakes=mistakes, **ports_of(replicas))


def haproxy(replicas: list[Replica]) -> Haproxy:
    return Haproxy(HAPROXY, **ports_of(replicas))


CAREFUL = {"ours": ours(retries=2), "nginx": nginx("error timeout"), "HAProxy": haproxy}
CARELESS = {"ours": ours(retries=0), "nginx": nginx("off")}


@pytest.mark.parametrize("start", CAREFUL.values(), ids=CAREFUL)
def test_nothing_is_lost_and_nothing_done_twice(start, tmp_path):
    crowd, replicas, kills = asyncio.run(mayhem(start, 10_000, tmp_path, seed=6))
    assert kills >= 5
    assert crowd.statuses["GET"] == {"200": 9000}
    assert crowd.statuses["POST"].total() == 1000
    lines = [line for one in replicas for line in one.notes.read_text().splitlines()]
    done = Counter(line for line in lines if line.startswith("POST"))
    assert set(done.values()) == {1}, "a POST was done twice"
    assert crowd.statuses["POST"]["200"] <= len(done)


@pytest.mark.parametrize("start", CARELESS.values(), ids=CARELESS)
def test_without_a_second_try_some_are_lost(start, tmp_path):
    crowd, _, kills = asyncio.run(mayhem(start, 3_000, tmp_path, seed=7))
    assert kills >= 2
    assert crowd.statuses["GET"]["200"] < 2700
