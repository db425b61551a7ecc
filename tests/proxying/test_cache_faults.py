"""The server is killed and revived under load while its pages change: nobody gets a wrong one."""

from __future__ import annotations

import asyncio
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from helpers.proxying import Standalone
from tests.proxying import cache_origin
from tests.proxying.cache_origin import EVERY, page

pytestmark = pytest.mark.alone  # what it waits for comes late beside another test

CLIENTS, KILLS = 16, 3
OLDEST = 1 + 2  # max-age and stale-if-error, in seconds
PATIENCE = 30  # seconds; it decides only how long a failing test takes


async def until(condition) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.002)


class Origin:
    """The server, in a process of its own, always on the same port."""

    def __init__(self, folder: Path) -> None:
        self.notes = folder / "notes"
        self.notes.touch()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.process: subprocess.Popen | None = None

    async def start(self) -> None:
        size = self.notes.stat().st_size
        command = [sys.executable, "-S", cache_origin.__file__, str(self.port), str(self.notes)]
        self.process = subprocess.Popen(command)  # noqa: ASYNC220 - the crowd may wait
        await until(lambda: self.notes.stat().st_size > size)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()


class Crowd:
    """Clients that ask until they are told to stop, and look at each answer closely."""

    def __init__(self, port: int) -> None:
        self.port, self.over = port, False
        self.seen: Counter[str] = Counter()  # how answers came about
        self.wrong: list[str] = []

    async def client(self, dice: random.Random) -> None:
        line = None
        while not self.over:
            path, language = (
                f"/{dice.choice('abcdefgh') * dice.randint(1, 9)}",
                dice.choice(["de", "en"]),
            )
            line = line or await asyncio.open_connection("127.0.0.1", self.port)
            if not await self.ask(*line, path, language):
                line[1].close()
                line = None
        if line:
            line[1].close()

    async def ask(self, reader, writer, path: str, language: str) -> bool:
        """One request; whether the connection stays."""
        sent = time.time()
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: a\r\nAccept-Language: {language}\r\n\r\n".encode()
        )
        try:
            async with asyncio.timeout(PATIENCE):
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:-2])
                body = await reader.readexactly(int(fields["content-length"]))
        except (OSError, asyncio.IncompleteReadError):
            self.seen["broken off"] += 1
            return False
        if head.split()[1] == "200":
            self.look(path, language, sent, fields, body)
            label = fields["cache-status"]
            kind = "stand-in" if "stale-if-error" in label else label.split("; ")[1]
        else:
            kind = head.split()[1]
        self.seen[kind] += 1
        return "close" not in fields.get("connection", "")

    def look(self, path: str, language: str, sent: float, fields: dict, body: bytes) -> None:
        """The body is all of what its ETag says, of this URL, and is not too old."""
        version = int(body.split()[2])
        etag, whole = page(path, language, version)
        if body != whole or fields["etag"] != etag:
            self.wrong.append(f"{path} {language}: {fields} {body[:60]!r}, {len(body)} bytes")
        # it was right at some moment that was less than OLDEST seconds before the request
        if (version + 1) * EVERY < sent - OLDEST:
            self.wrong.append(f"{path} {language}: {sent - version * EVERY:.2f} s old, {fields}")


async def mayhem(folder: Path) -> Crowd:
    origin = Origin(folder)
    proxy = None
    try:
        await origin.start()
        proxy = await asyncio.to_thread(
            Standalone, [f"http://127.0.0.1:{origin.port}"], cache=4_000_000, max_fails=0
        )
        crowd = Crowd(proxy.port)
        clients = asyncio.gather(*(crowd.client(random.Random(seed)) for seed in range(CLIENTS)))
        for _ in range(KILLS):
            for kind in ("hit", "fwd=stale"):
                enough = crowd.seen[kind] + 40
                await until(lambda kind=kind, enough=enough: crowd.seen[kind] >= enough)
            origin.kill()
            for kind in ("stand-in", "502"):  # 502: of pages that are not kept, or are too old
                enough = crowd.seen[kind] + 20
                await until(lambda kind=kind, enough=enough: crowd.seen[kind] >= enough)
            await origin.start()
        enough = crowd.seen["hit"] + 200
        await until(lambda: crowd.seen["hit"] >= enough)
        crowd.over = True
        await clients
        return crowd
    finally:
        origin.kill()
        if proxy:
            await asyncio.to_thread(proxy.stop)


@pytest.mark.slow
def test_killed_and_revived_while_pages_change(tmp_path):
    crowd = asyncio.run(mayhem(tmp_path))
    assert crowd.wrong == []
    assert crowd.seen.total() > 2_000
    assert crowd.seen["stand-in"] >= 20 * KILLS
    assert set(crowd.seen) <= {
        "hit", "stand-in", "fwd=uri-miss", "fwd=vary-miss", "fwd=stale", "502", "503", "broken off"
    }  # fmt: skip
