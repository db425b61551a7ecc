"""What the course promises about speed, measured: ``python -m benchmarks``.

Each benchmark is a module with ``main()``, which measures and writes its report beside itself.
What it compares it measures in the same run, in turns, so that the ratios hold on other machines
too. ``bare`` is the app with nothing in it; it lives here so that importing it costs nothing.
"""

from __future__ import annotations

import datetime
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """The smallest ASGI app, with one stream that never ends."""
    if scope["type"] != "http":
        raise NotImplementedError("no lifespan")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while scope["path"] == "/endless":
        await send({"type": "http.response.body", "body": b"x" * 1024, "more_body": True})
    await send({"type": "http.response.body", "body": b"hello"})


def machine() -> str:
    """The machine, the day and what else it had to do, in one Markdown paragraph."""
    busy = f" Load before the run: {os.getloadavg()[0]:.1f}." if hasattr(os, "getloadavg") else ""
    return (
        f"Measured on {datetime.date.today():%d %B %Y}: {_processor()}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.release()} ({platform.machine()}), "
        f"Python {platform.python_version()}.{busy}"
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "an unnamed processor"


def seconds_of(work: Callable[[], object]) -> float:
    """How long one call takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def median_ratio(times: Sequence[float], others: Sequence[float]) -> float:
    """How many times as long as the other each round took, of rounds in turns."""
    return statistics.median(mine / its for mine, its in zip(times, others, strict=True))


def milliseconds(seconds: float) -> str:
    """Seconds as text in milliseconds, with a decimal only where it says something."""
    value = seconds * 1000
    return f"{value:.1f} ms" if value < 20 else f"{value:.0f} ms"


def median_and_worst(times: Sequence[float]) -> list[str]:
    """Two table cells."""
    return [milliseconds(statistics.median(times)), milliseconds(max(times))]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
