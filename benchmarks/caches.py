"""How the reverse proxy of chapter 7 compares with nginx, with its cache and without.

All stand in front of the same nginx, which answers at once with a small text. `wrk` asks; all take
their turns in every round, so the ratios hold where the figures do not. The proxy that tutorials
show, FastAPI with a new httpx client for each request, runs beside them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks import machine, table
from helpers.programs import Load, Nginx, load
from helpers.proxying import Standalone

ROUNDS = 5
SECONDS = 3
CONNECTIONS = 32
TARGETS = {"without a cache": 0.1, "with a cache": 0.2}
REPORT = Path(__file__).with_suffix(".md")

ORIGIN = """
server {
    listen 127.0.0.1:PORT;
    keepalive_requests 1000000000;
    location / {
        add_header Cache-Control "CONTROL";
        return 200 "la la la";
    }
}
"""
NGINX = """
proxy_cache_path CACHE keys_zone=songs:8m;
upstream origin {
    server 127.0.0.1:ORIGIN;
    keepalive 64;
    keepalive_requests 1000000000;
}
server {
    listen 127.0.0.1:PORT;
    access_log off;
    keepalive_requests 1000000000;
    location / {
        proxy_pass http://origin;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_cache WHICH;
    }
}
"""
CACHE = 64 * 1024 * 1024  # bytes


@contextlib.contextmanager
def tutorial(origin: str) -> Iterator[Any]:
    """The tutorials' proxy in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "benchmarks.tutorial_proxy:app", "--no-access-log"]
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        env={**os.environ, "ORIGIN": origin},
        cwd=Path(__file__).parents[1],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in process.stderr or ():
            if "Uvicorn running" in line:
                break
        yield SimpleNamespace(url=f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()
        if process.stderr:
            process.stderr.close()


def contestants(
    origin: Nginx, cached: bool, folder: Path
) -> dict[str, Callable[[], AbstractContextManager[Any]]]:
    """The proxies by name, each started when called."""
    words = {"cache": folder, "which": "songs" if cached else "off", "origin": origin.port}
    found: dict[str, Callable[[], AbstractContextManager[Any]]] = {
        "chapter 7": lambda: Standalone([origin.url], cache=CACHE if cached else 0),
        "nginx, one worker": lambda: Nginx(NGINX, workers=1, **words),
    }
    if not cached:
        found["FastAPI and httpx, as in tutorials"] = lambda: tutorial(origin.url)
    return found


def measure(rounds: int, folder: Path) -> dict[str, dict[str, list[Load]]]:
    """What wrk counted, for each case and each proxy, one entry a round."""
    seen: dict[str, dict[str, list[Load]]] = {}
    for case, control in (("without a cache", "no-store"), ("with a cache", "max-age=3600")):
        with Nginx(ORIGIN, workers=1, control=control) as origin:
            for _ in range(rounds):
                for title, start in contestants(origin, control != "no-store", folder).items():
                    with start() as proxy:
                        asyncio.run(load(proxy.url, seconds=1, connections=CONNECTIONS))
                        found = asyncio.run(
                            load(proxy.url, seconds=SECONDS, connections=CONNECTIONS)
                        )
                    if found.refused or found.failed > found.requests / 1000:
                        raise SystemExit(f"{title} did not do its work: {found}")
                    seen.setdefault(case, {}).setdefault(title, []).append(found)
    return seen


def rows_of(results: dict[str, list[Load]]) -> tuple[list[list[str]], float]:
    """The table's rows for one case, and our median ratio to nginx."""
    to_beat = [found.per_second for found in results["nginx, one worker"]]
    rows, ours = [], 0.0
    for title, rounds in results.items():
        speeds = [found.per_second for found in rounds]
        ratios = [mine / nginx for mine, nginx in zip(speeds, to_beat, strict=True)]
        median = statistics.median(ratios)
        ours = median if title == "chapter 7" else ours
        rows.append(
            [
                title,
                f"{median:.3f}",
                f"{min(ratios):.3f} to {max(ratios):.3f}",
                f"{statistics.median(speeds):,.0f}",
                f"{statistics.median(found.median_ms for found in rounds):.1f}",
                f"{statistics.median(found.p99_ms for found in rounds):.1f}",
            ]
        )
    return rows, ours


def report(where: str, seen: dict[str, dict[str, list[Load]]]) -> str:
    """The figures as Markdown."""
    header = ["proxy", "ratio to nginx, median", "worst to best", "answers a second"]
    header += ["median ms", "p99 ms"]
    parts = [
        "# caches: a small answer from a reverse proxy, passed on or kept\n",
        f"{where} {ROUNDS} rounds of {SECONDS} s, the proxies in turns. Written by "
        "`python -m benchmarks caches`.\n",
        f"wrk asks over {CONNECTIONS} connections that stay open. The server behind is nginx, with",
        "a text of eight letters, on connections that stay open, too (the tutorials' proxy opens a",
        "new one for each request). All share the machine's cores.\n",
    ]
    for case, results in seen.items():
        rows, ours = rows_of(results)
        verdict = "kept" if ours >= TARGETS[case] else "missed"
        parts += [
            f"## {case.capitalize()}\n",
            table(header, rows),
            f"Target: at least {TARGETS[case]} of nginx with one worker: {verdict} ({ours:.2f}).\n",
        ]
    return "\n".join(parts)


def main(rounds: int = ROUNDS) -> None:
    """Measure, write caches.md, print it."""
    where = machine()
    with tempfile.TemporaryDirectory() as folder:
        text = report(where, measure(rounds, Path(folder)))
    REPORT.write_text(text, encoding="utf-8")
    print(text)
