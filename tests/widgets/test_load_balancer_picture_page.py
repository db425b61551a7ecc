"""The load balancer lab's picture and histogram in Chromium: what is drawn, where and how wide."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import pytest

from helpers.widgets import LoadBalancerLab
from tests.widgets.stage import cut_off, field, follows_theme, press, set_theme, status, write_stage
from tests.widgets.test_load_balancer_lab_page import NAMES, ink, run, show, table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stage(tmp_path_factory.mktemp("page"), LoadBalancerLab(rate=40), NAMES)


@pytest.fixture
def shown(open_page: Any) -> Any:
    show(open_page)
    return open_page


AT_THE_EDGES = """() => {
  const canvas = document.querySelector(".lb-chart canvas");
  const ink = canvas.getContext("2d");
  const scale = canvas.width / canvas.clientWidth;
  const frame = canvas.getBoundingClientRect();
  const below = document.querySelectorAll(".lb-chart .lb-name").length === 0;
  return [...document.querySelectorAll(".lb-chart .lb-box")].reduce((sum, one) => {
    const { left, top, width, height } = one.getBoundingClientRect();
    const strips = below
      ? [[left - 5, top + 5, 6, height + 17], [left + width - 1, top + 5, 6, height + 17],
         [left, top + height - 1, width, 18]]
      : [[left + 5, top - 18, width, 19], [left + 5, top + height - 1, width, 6]];
    for (const [x, y, wide, high] of strips) {
      const { data } = ink.getImageData((x - frame.left) * scale, (y - frame.top) * scale,
        wide * scale, high * scale);
      sum += data.filter((value, at) => at % 4 === 3 && value).length;
    }
    return sum;
  }, 0);
}"""
"""How many pixels are drawn upon at the edges of servers where no line ends, and at their names."""


@pytest.mark.parametrize("width", [360, 820])
def test_requests_and_answers_keep_to_the_lines(open_page: Any, width: int) -> None:
    open_page.set_viewport_size({"width": width, "height": 1400})
    show(open_page)
    field(open_page, "Retry on another server").check()
    field(open_page, "Time of a").fill("500")
    for name in ("Start", "Kill c", "Revive c", "Kill b"):
        press(open_page, name)
        for _ in range(20):
            open_page.clock.run_for(90)
            assert open_page.evaluate(AT_THE_EDGES) == 0
    assert ink(open_page) > 100
    press(open_page, "Pause")
    for _ in range(12):
        press(open_page, "Step")
        open_page.clock.run_for(50)
        assert open_page.evaluate(AT_THE_EDGES) == 0


PLACED = """async ([list, times, ease]) => {
  const { Lab, createPicture } = await import("./widget.js");
  const lab = new Lab({ ...one.model.get("settings"), rate: 0 });
  const svg = document.querySelector(".lb-chart svg").cloneNode();
  const arcs = [];
  const canvas = document.createElement("canvas");
  const ink = canvas.getContext("2d");
  const painter = createPicture(svg, canvas);
  document.body.append(svg);
  painter.lay(lab, { width: 400, height: 300, rows: [50, 150, 250] });
  ink.arc = (x, y, radius, from, to) => arcs.push((to - from) / 2 / Math.PI);
  lab.replay(list, 0);
  const states = times.map((time) => {
    lab.run(time);
    arcs.length = 0;
    painter.paint(lab, ease, false);
    return { dots: [...lab.requests].map(({ x, y }) => [x, y]), rings: [...arcs] };
  });
  svg.remove();
  return states;
}"""
"""Where the requests are, and the parts of the rings that are drawn, at some times."""


def test_a_ring_begins_when_the_request_has_come(shown: Any) -> None:
    """50 ms to the balancer, 50 to the server, and its answer after 200."""
    times = [50, 75, 99, 100, 175, 249]
    states = shown.evaluate(PLACED, [[["b", 200, True]], times, 0.9])
    assert [one["rings"] for one in states[:3]] == [[], [], []]
    parts = [one["rings"][0] for one in states[4:]]
    assert parts == pytest.approx([0.5, 149 / 150])
    ((start,), (way,), _, (place,), (same,), _) = [one["dots"] for one in states]
    assert start[0] < way[0] < place[0] and place == same


def test_what_rests_on_one_point_is_seen_apart(shown: Any) -> None:
    [state] = shown.evaluate(PLACED, [[["a", 200, True]] * 3, [50], 1])
    dots = state["dots"]
    assert min(math.dist(*pair) for pair in itertools.combinations(dots, 2)) >= 8
    assert all(220 < x < 262 for x, _ in dots), "between the balancer and the server"
    [state] = shown.evaluate(PLACED, [[["a", 200, True], ["b", 200, True]], [50], 1])
    assert state["dots"][0][1] < state["dots"][1][1], "each on its line"


def test_a_step_shows_the_request_on_its_line(shown: Any) -> None:
    press(shown, "Step")
    shown.clock.run_for(100)
    assert "goes to a" in status(shown) and table(shown)["a"][3] == "1"
    box = shown.locator(".lb-chart .lb-balancer").bounding_box()
    frame = shown.locator(".lb-chart canvas").bounding_box()
    seen = shown.evaluate(
        """x => {
      const canvas = document.querySelector(".lb-chart canvas");
      const { width, height } = canvas;
      const { data } = canvas.getContext("2d").getImageData(x, 0, width - x, height);
      return data.some((value) => value);
    }""",
        box["x"] + box["width"] + 5 - frame["x"],
    )
    assert seen


HISTOGRAM = """async (percentiles) => {
  const { createHistogram } = await import("./widget.js");
  const { element, show } = createHistogram();
  document.querySelector(".load-balancer-lab figure").prepend(element);
  const [p50, p95, p99] = percentiles;
  show({ p50, p95, p99, buckets: [1] });
  const box = (one) => one.getBoundingClientRect();
  const texts = [...element.querySelectorAll(".lb-strong")].map(box);
  const lines = [...element.querySelectorAll(".lb-line")].map(box);
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const room = box(document.querySelector(".load-balancer-lab")).right;
  const found = [];
  texts.forEach((text, at) => {
    if (text.right > room) found.push(`label ${at} is cut`);
    lines.forEach((line, i) => { if (meet(text, line)) found.push(`line ${i} in label ${at}`); });
    texts.forEach((other, i) => { if (i > at && meet(text, other)) found.push(`labels ${at}, ${i}`); });
  });
  element.remove();
  return found;
}"""


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_the_histograms_labels_are_clear_of_its_lines(shown: Any, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 900})
    for percentiles in (
        [113, 1359, 1768], [100, 100, 100], [20, 21, 22], [60, 75, 90], [110, 115, 140],
        [1, 900, 9000], [2000, 2100, 12_000], [700, 1100, 1400], [113, 2300, 2960],
    ):  # fmt: skip
        assert shown.evaluate(HISTOGRAM, percentiles) == [], percentiles


@pytest.mark.parametrize("width", [320, 360, 440])
def test_on_a_phone_the_algorithm_is_on_one_screen_with_the_picture(shown: Any, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 740})
    shown.wait_for_function(
        "width => +document.querySelector('.lb-chart svg').viewBox.baseVal.width < width",
        arg=width,
        polling=20,
    )
    algorithm = field(shown, "Algorithm").bounding_box()
    chart = shown.locator(".lb-chart").bounding_box()
    assert chart["y"] + chart["height"] - algorithm["y"] < 640
    for name in ("Traffic", "Time runs"):
        assert algorithm["y"] < field(shown, name).bounding_box()["y"] < chart["y"]
    for name in ("Sticky sessions", "Health checks", "Time of a"):
        assert field(shown, name).bounding_box()["y"] > chart["y"] + chart["height"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 820])
def test_it_follows_the_theme_and_nothing_is_cut(shown: Any, theme: str, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 800})
    set_theme(shown, theme)
    for _ in range(3):
        press(shown, "Add a server")
    field(shown, "Weight of a").fill("10")
    run(shown, 1500)
    press(shown, "Kill f")
    shown.wait_for_function(
        "width => +document.querySelector('.lb-chart svg').viewBox.baseVal.width < width",
        arg=width,
        polling=20,
    )
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    inside = shown.evaluate("""() => {
      const frame = document.querySelector(".lb-chart").getBoundingClientRect();
      return [...document.querySelectorAll(".lb-chart :is(text, rect, .lb-place)")].filter((one) => {
        const { left, right, top, bottom, width } = one.getBoundingClientRect();
        return width && (left < frame.left - 1 || right > frame.right + 1
                         || top < frame.top - 1 || bottom > frame.bottom + 1);
      }).map((one) => one.outerHTML);
    }""")
    assert inside == []
    assert cut_off(shown, "th, td, dt, dd") == []
    assert follows_theme(shown, ".load-balancer-lab", theme)
