"""The five applications of chapter 9: how soon they answer, how much memory they hold, how fast
they are when they begin and when they have run for a while. Beside them the smallest ASGI app on
the same uvicorn, so that the figures of FastAPI have something to stand beside.

Everything is asked for the same song, by wrk over 32 connections, in turns: each application in
each round. What is reported is the median of the rounds' ratios to FastAPI.
"""

from __future__ import annotations

import asyncio
import statistics
from pathlib import Path

from benchmarks import machine, table
from helpers.frameworks import FRAMEWORKS, run, start
from helpers.programs import load

REPORT = Path(__file__).with_name("frameworks.md")
ROUNDS = 3
_SECONDS = 2  # that one measurement asks
_MEASUREMENTS = 6  # one after the other, in one round
_FIGURES = ("start", "memory", "first 2 s", f"after {_SECONDS * (_MEASUREMENTS - 1)} s")

_BARE = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    headers = [(b"x-request-id", b"x")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})
"""


def main() -> None:
    """Measure, and write the report."""
    rounds = [asyncio.run(_round(number)) for number in range(1, ROUNDS + 1)]
    titles = {name: framework.title for name, framework in FRAMEWORKS.items()}
    rows = []
    for name in rounds[0]:
        cells = []
        for place in range(len(_FIGURES)):
            ratios = [one[name][place] / one["fastapi"][place] for one in rounds]
            cells.append(
                f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            )
        rows.append([titles.get(name, name), *cells])
    text = f"""# Five frameworks

{__doc__.strip()}

{machine()} Median of {ROUNDS} rounds, with the least and the most; each figure is divided by
FastAPI's of the same round. Start is the time from the start of the process to the first answer;
Django's does not include bringing its database up to date. Memory is the proportional set size of
all processes after the load.

{table(["application", *_FIGURES], rows)}
Each application is one process with one worker, and writes a line into its log for each request.
Every answer was a good one: a run with one error would have stopped.
"""
    REPORT.write_text(text, "utf-8")
    print(text)


async def _round(number: int) -> dict[str, tuple[float, ...]]:
    found = {}
    for name in (*FRAMEWORKS, "bare ASGI on uvicorn"):
        print(f"round {number} of {ROUNDS}: {name}", flush=True)
        bare = name not in FRAMEWORKS
        line = "uvicorn app:app --host 127.0.0.1 --port $PORT --no-access-log --log-level warning"
        with run(line, _BARE) if bare else start(name) as app:
            speeds = []
            for _ in range(_MEASUREMENTS):
                result = await load(f"{app.url}/songs/fur-elise", seconds=_SECONDS)
                assert not result.errors, (name, result)
                speeds.append(result.per_second)
            found[name] = app.seconds_to_start, app.memory(), speeds[0], speeds[-1]
    return found
