"""How the server of chapter 2 compares with nginx, Apache, HAProxy and Node on a small answer.

Each serves 1,024 bytes over connections that stay open, and is
asked by `wrk`. All take their turns in every round, so the ratios hold where the figures do not.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil

from benchmarks import machine, table
from helpers.programs import Apache, Haproxy, Load, Nginx, load
from helpers.web import Homemade

ROUNDS = 5
SECONDS = 3
CONNECTIONS = 32
SIZE = 1024
TARGET = 0.25
REPORT = Path(__file__).with_suffix(".md")

NGINX = """
server {
    listen 127.0.0.1:PORT;
    root "FILES";
    access_log off;
}
"""
APACHE = """
Listen 127.0.0.1:PORT
DocumentRoot "FILES"
MaxKeepAliveRequests 0
"""

HAPROXY = """
frontend songs
    bind 127.0.0.1:PORT
    no log
    http-request return status 200 content-type text/plain file "FILE"
"""


def contestants(folder: Path, file: Path) -> dict[str, Callable[[], AbstractContextManager[Any]]]:
    """The servers by name, each started when called."""
    return {
        "chapter 2": lambda: Homemade(folder, quiet=True),
        "nginx, one worker": lambda: Nginx(NGINX, files=folder, workers=1),
        "Apache": lambda: Apache(APACHE, files=folder),
        "HAProxy, from memory": lambda: Haproxy(HAPROXY, file=file),
    }


def computed_by(server: Any) -> float:
    """Seconds of computing of a server's processes so far."""
    total = 0.0
    for pid, _ in server.processes():
        times = psutil.Process(pid).cpu_times()
        total += times.user + times.system
    return total


def measure(rounds: int) -> dict[str, list[tuple[Load, float]]]:
    """For each server a pair a round: what wrk counted, and how busy the server was (1: a core)."""
    seen: dict[str, list[tuple[Load, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="course-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        file = folder / "song.txt"
        file.write_bytes(b"a song " * (SIZE // 7) + b"." * (SIZE % 7))
        for _ in range(rounds):
            for title, start in contestants(folder, file).items():
                with start() as server:
                    url = f"{server.url}/{file.name}"
                    asyncio.run(load(url, seconds=1, connections=CONNECTIONS))
                    before = computed_by(server)
                    result = asyncio.run(load(url, seconds=SECONDS, connections=CONNECTIONS))
                    busy = (computed_by(server) - before) / result.seconds
                    if result.refused or result.failed > result.requests / 1000:
                        raise SystemExit(f"{title} did not do its work: {result}")
                    seen.setdefault(title, []).append((result, busy))
    return seen


def report(where: str, seen: dict[str, list[tuple[Load, float]]]) -> str:
    """The figures as Markdown."""
    rounds = len(next(iter(seen.values())))
    to_beat = [result.per_second for result, _ in seen["nginx, one worker"]]
    rows, ours = [], 0.0
    for title, results in seen.items():
        speeds = [result.per_second for result, _ in results]
        ratios = [mine / nginx for mine, nginx in zip(speeds, to_beat, strict=True)]
        if title == "chapter 2":
            ours = statistics.median(ratios)
        rows.append(
            [
                title,
                f"{statistics.median(ratios):.2f}",
                f"{min(ratios):.2f} to {max(ratios):.2f}",
                f"{statistics.median(speeds):,.0f}",
                f"{statistics.median(busy for _, busy in results):.0%}",
                f"{statistics.median(result.busy for result, _ in results):.0%}",
                f"{sum(result.failed for result, _ in results)}",
            ]
        )
    verdict = "kept" if ours >= TARGET else "missed"
    return "\n".join(
        [
            "# web_servers: one small file, asked for again and again\n",
            f"{where} {rounds} rounds of {SECONDS} s, the servers in turns. Written by "
            "`python -m benchmarks web_servers`.\n",
            f"Each server answers with {SIZE:,} bytes over {CONNECTIONS} connections that stay",
            "open. The server of chapter 2, nginx and Apache look at the file for each request;",
            "HAProxy serves no files and answers from its memory. Only Apache writes an access log.",
            "wrk asks, with one thread. Busy is the share of one core. A server that is as busy as",
            "its one process can be, while wrk is not, is what the figure is about. Broken counts",
            "connections that the server closed in all rounds: Apache does so with idle ones while",
            "all its workers are busy (event MPM, AsyncRequestWorkerFactor), and starts more.\n",
            table(
                [
                    "server",
                    "ratio to nginx, median",
                    "worst to best",
                    "answers a second",
                    "server busy",
                    "wrk busy",
                    "broken",
                ],
                rows,
            ),
            "",
            f"Target: at least {TARGET} of nginx with one worker: {verdict} ({ours:.2f}).",
            "",
        ]
    )


def main(rounds: int = ROUNDS) -> None:
    """Measure, write web_servers.md, print it."""
    where = machine()
    text = report(where, measure(rounds))
    REPORT.write_text(text, encoding="utf-8")
    print(text)
