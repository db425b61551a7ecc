"""How fast the built pages are on Lighthouse's phone: `make book` first.

The phone is simulated: a slow line, and a processor four times slower than this machine's. So the
figures depend on the machine, and on what else it does meanwhile.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from benchmarks import machine, table
from tests.browser.lighthouse import PAGES, ROOT, lighthouse, score
from tests.browser_support import serve_folder

RUNS = 3
BOOK = ROOT / "_build" / "html"
REPORT = Path(__file__).with_suffix(".md")
METRICS = {
    "first paint": "first-contentful-paint",
    "largest paint": "largest-contentful-paint",
    "blocked": "total-blocking-time",
    "speed index": "speed-index",
}


def measure(url: str, runs: int) -> list[str]:
    """A row: the scores of the runs and their median, and the metrics of the median run."""
    with tempfile.TemporaryDirectory() as folder:
        reports = [lighthouse(url, Path(folder), categories=("performance",)) for _ in range(runs)]
    scores = sorted(score(report, "performance") for report in reports)
    middle = min(
        reports, key=lambda one: abs(score(one, "performance") - statistics.median(scores))
    )
    index = statistics.median(one["environment"]["benchmarkIndex"] for one in reports)
    figures = [middle["audits"][name]["displayValue"] for name in METRICS.values()]
    return [
        f"{statistics.median(scores):.2f}",
        " ".join(map(str, scores)),
        *figures,
        f"{index:.0f}",
    ]


def main(runs: int = RUNS) -> None:
    """Measure, write lighthouse.md, print it."""
    where = machine()
    with serve_folder(BOOK) as url:
        rows = [[address, *measure(f"{url.rstrip('/')}/{address}", runs)] for address in PAGES]
    text = "\n".join(
        [
            "# lighthouse: the pages on a simulated phone\n",
            f"{where} Written by `python -m benchmarks lighthouse`.\n",
            f"The score for performance, 1 is the best: the median of {runs} runs, the runs, what the "
            "median run measured, and Lighthouse's index of how fast the machine was (about 2000 "
            "for a computer with nothing else to do; below 1000 it distrusts itself).\n",
            table(["page", "score", "runs", *METRICS, "index"], rows),
        ]
    )
    REPORT.write_text(text, encoding="utf-8")
    print(text)
