"""How the balancer of chapter 6 compares with nginx and HAProxy on small answers.

All balance the same two servers, each an nginx that answers at once with a small text. All keep
their connections to the servers open. `wrk` asks; all take their turns in every round, so the
ratios hold where the figures do not.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from benchmarks import machine, table
from benchmarks.web_servers import computed_by
from helpers.programs import Apache, Haproxy, Load, Nginx, load
from helpers.proxying import Standalone

ROUNDS = 5
SECONDS = 3
CONNECTIONS = 32
TARGET = 0.2
REPORT = Path(__file__).with_suffix(".md")

TEXT = 'server { listen 127.0.0.1:PORT; keepalive_requests 1000000000; return 200 "la la la"; }'
NGINX = """
upstream two {
    server 127.0.0.1:A;
    server 127.0.0.1:B;
    keepalive 64;
    keepalive_requests 1000000000;
}
server {
    listen 127.0.0.1:PORT;
    access_log off;
    keepalive_requests 1000000000;
    location / {
        proxy_pass http://two;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
    }
}
"""
HAPROXY = """
listen two
    bind 127.0.0.1:PORT
    no log
    server a 127.0.0.1:A
    server b 127.0.0.1:B
"""
APACHE = """
Listen 127.0.0.1:PORT
MaxKeepAliveRequests 0
<Proxy balancer://two>
    BalancerMember http://127.0.0.1:A
    BalancerMember http://127.0.0.1:B
</Proxy>
ProxyPass / balancer://two/
"""


def contestants(ports: dict[str, int]) -> dict[str, Callable[[], AbstractContextManager[Any]]]:
    """The balancers by name, each started when called. ports: of the servers a and b."""
    return {
        "chapter 6": lambda: Standalone([f"http://127.0.0.1:{port}" for port in ports.values()]),
        "nginx, one worker": lambda: Nginx(NGINX, workers=1, **ports),
        "HAProxy, one thread": lambda: Haproxy(HAPROXY, **ports),
        "Apache": lambda: Apache(APACHE, **ports),
    }


def measure(rounds: int) -> dict[str, list[tuple[Load, float]]]:
    """For each balancer a pair a round: what wrk counted, and how busy it was (1: a core)."""
    seen: dict[str, list[tuple[Load, float]]] = {}
    with Nginx(TEXT, workers=1) as a, Nginx(TEXT, workers=1) as b:
        for _ in range(rounds):
            for title, start in contestants({"a": a.port, "b": b.port}).items():
                with start() as balancer:
                    asyncio.run(load(balancer.url, seconds=1, connections=CONNECTIONS))
                    before = computed_by(balancer)
                    found = asyncio.run(
                        load(balancer.url, seconds=SECONDS, connections=CONNECTIONS)
                    )
                    busy = (computed_by(balancer) - before) / found.seconds
                    if found.refused or found.failed > found.requests / 1000:
                        raise SystemExit(f"{title} did not do its work: {found}")
                    seen.setdefault(title, []).append((found, busy))
    return seen


def report(where: str, seen: dict[str, list[tuple[Load, float]]]) -> str:
    """The figures as Markdown."""
    rounds = len(next(iter(seen.values())))
    to_beat = [found.per_second for found, _ in seen["nginx, one worker"]]
    rows, ours = [], 0.0
    for title, results in seen.items():
        speeds = [found.per_second for found, _ in results]
        ratios = [mine / nginx for mine, nginx in zip(speeds, to_beat, strict=True)]
        if title == "chapter 6":
            ours = statistics.median(ratios)
        rows.append(
            [
                title,
                f"{statistics.median(ratios):.2f}",
                f"{min(ratios):.2f} to {max(ratios):.2f}",
                f"{statistics.median(speeds):,.0f}",
                f"{statistics.median(found.median_ms for found, _ in results):.1f}",
                f"{statistics.median(found.p99_ms for found, _ in results):.1f}",
                f"{statistics.median(busy for _, busy in results):.0%}",
            ]
        )
    verdict = "kept" if ours >= TARGET else "missed"
    return "\n".join(
        [
            "# balancers: a small answer, passed on again and again\n",
            f"{where} {rounds} rounds of {SECONDS} s, the balancers in turns. Written by "
            "`python -m benchmarks balancers`.\n",
            f"wrk asks over {CONNECTIONS} connections that stay open. The two servers behind are",
            "nginx, with a text of eight letters. Wrk, the servers and the balancer share the",
            "machine's cores, so the quicker a balancer is, the more the others hold it back.",
            "Busy is the share of one core that its processes take.\n",
            table(
                [
                    "balancer",
                    "ratio to nginx, median",
                    "worst to best",
                    "answers a second",
                    "median ms",
                    "p99 ms",
                    "busy",
                ],
                rows,
            ),
            "",
            f"Target: at least {TARGET} of nginx with one worker: {verdict} ({ours:.2f}).",
            "",
        ]
    )


def main(rounds: int = ROUNDS) -> None:
    """Measure, write balancers.md, print it."""
    where = machine()
    text = report(where, measure(rounds))
    REPORT.write_text(text, encoding="utf-8")
    print(text)
