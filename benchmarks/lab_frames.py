"""Whether the load balancer lab keeps 60 frames a second with 1,000 requests to be seen.

Chromium draws the widget with six servers and as much traffic as it takes to have 1,000 requests
on their way or at a server; beside it, in turns, a page with nothing to draw: what this machine's
Chromium can do at best. Then a slider is moved, once in each of some frames.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import machine, table
from helpers.widgets import LoadBalancerLab
from tests.browser_support import ARGUMENTS, chromium_path, serve_folder
from tests.widgets.stage import write_stage

ROUNDS = 5
SECONDS = 5
REPORT = Path(__file__).with_suffix(".md")
WANTED = 1000
"""Requests in flight."""
RATE = 7000
"""Requests a second: beyond the slider, to have as many."""
FRAME = 1000 / 60
NAMES = ("settings", "mode", "program", "measured", "message")

FRAMES = """(seconds) => new Promise((done) => {
  const times = [];
  const tick = (clock) => {
    times.push(clock);
    if (clock - times[0] < seconds * 1000) requestAnimationFrame(tick);
    else done(times);
  };
  requestAnimationFrame(tick);
})"""

FLYING = """async (seconds) => {
  const { Lab } = await import("./widget.js");
  const lab = new Lab(one.model.get("settings"));
  const counts = [];
  for (let time = 1000; time < seconds * 1000; time += 50) {
    lab.run(time);
    counts.push(lab.requests.size);
  }
  return counts;
}"""

MOVES = """async (moves) => {
  const slider = document.querySelector("[aria-label='Server a'] input[type=range]");
  const frame = () => new Promise(requestAnimationFrame);
  const waits = [];
  for (let move = 0; move < moves; move++) {
    for (let at = 0; at < 5; at++) await frame();
    slider.value = 1 + (move % 10);
    const begun = performance.now();
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    const shown = document.querySelector("[aria-label='Server a'] .lb-value").textContent;
    if (shown !== slider.value) throw new Error(`${shown} is shown, and not ${slider.value}`);
    const set = performance.now();
    await frame();
    waits.push([set - begun, performance.now() - begun]);
  }
  return waits;
}"""


def intervals(page: Any) -> list[float]:
    """Milliseconds from one frame to the next."""
    times = page.evaluate(FRAMES, SECONDS)
    return [after - before for before, after in itertools.pairwise(times)]


def measure(rounds: int) -> dict[str, Any]:
    """Frame times with nothing and with the lab; requests in flight; slider times, in ms."""
    from playwright.sync_api import sync_playwright

    found: dict[str, Any] = {"nothing": [], "lab": [], "moves": []}
    widget = LoadBalancerLab(servers=6, ms=100, algorithm="least connections")
    widget.settings = {**widget.settings, "rate": RATE}
    with (
        tempfile.TemporaryDirectory(prefix="course-bench-") as name,
        sync_playwright() as playwright,
        serve_folder(write_stage(Path(name), widget, NAMES)) as url,
    ):
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        for _ in range(rounds):
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.goto(url)
            page.wait_for_function("window.ready")
            found["nothing"].append(intervals(page))
            page.evaluate("void (window.one = show())")
            page.get_by_label("Time runs").select_option("2 times slower")
            page.get_by_role("button", name="Start").click()
            page.evaluate(FRAMES, 2)  # until the first requests are everywhere
            found["lab"].append(intervals(page))
            found["moves"] += page.evaluate(MOVES, 40)
            found["flying"] = page.evaluate(FLYING, SECONDS)
            page.close()
        browser.close()
    return found


def report(where: str, found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    rows, best = [], 0.0
    for title, key in (("nothing", "nothing"), ("the lab", "lab")):
        rates = [1000 / statistics.mean(one) for one in found[key]]
        every = sorted(time for one in found[key] for time in one)
        late = sum(time > 1.5 * FRAME for time in every) / len(every)
        rows.append(
            [
                title,
                f"{statistics.median(rates):.1f}",
                f"{min(rates):.1f}",
                f"{every[int(0.99 * len(every))]:.1f} ms",
                f"{late:.1%}",
            ]
        )
        best = statistics.median(rates)
    handled = sorted(first for first, _ in found["moves"])
    drawn = sorted(second for _, second in found["moves"])
    flying = found["flying"]
    kept = best >= 59 and min(flying) >= WANTED
    return "\n".join(
        [
            "# lab_frames: how smoothly the load balancer lab moves\n",
            f"{where} {len(found['lab'])} rounds of {SECONDS} s, in turns. Written by "
            "`python -m benchmarks lab_frames`.\n",
            f"Six servers, {min(flying):,} to {max(flying):,} requests to be seen at a time",
            f"(median {statistics.median(flying):,.0f}), in headless Chromium without a graphics",
            "card, 1280 by 1000 pixels. A frame is late if it took half as long again as a 60th",
            "of a second.\n",
            table(["drawn", "frames a second, median", "worst round", "99th %", "late"], rows),
            "",
            f"A slider, moved {len(handled)} times meanwhile: all is set after "
            f"{statistics.median(handled):.1f} ms (worst {handled[-1]:.1f} ms), and the next frame "
            f"has begun after {statistics.median(drawn):.1f} ms (worst {drawn[-1]:.1f} ms).",
            "",
            f"Target: 60 frames a second with {WANTED:,} requests in flight: "
            f"{'kept' if kept else 'missed'} ({best:.1f}). "
            f"A slider answers within one frame ({FRAME:.1f} ms): "
            f"{'kept' if handled[-1] <= FRAME else 'missed'} ({handled[-1]:.1f} ms at worst).",
            "",
        ]
    )


def main(rounds: int = ROUNDS) -> None:
    """Measure, write lab_frames.md, print it."""
    where = machine()
    text = report(where, measure(rounds))
    REPORT.write_text(text, encoding="utf-8")
    print(text)
