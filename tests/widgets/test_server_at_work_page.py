"""The server at work in Chromium: what the reader sees, hears and can do with the keyboard."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from helpers.widgets import ServerAtWork
from tests.widgets.stage import (
    axe_on_widget,
    colours_of,
    contrast,
    cut_off,
    field,
    follows_theme,
    press,
    set_theme,
    status,
    write_stage,
)

NAMES = ("clients", "slow", "drip", "work", "way", "handler")
END = (
    "All have their answer after 1600 ms. Client E waited longest: 1280 ms. "
    "Threads for clients: 1 at most at once, 1 in total."
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stage(tmp_path_factory.mktemp("page"), ServerAtWork(), NAMES)


@pytest.fixture
def shown(open_page: Any) -> Any:
    open_page.evaluate("void (window.one = show())")
    drawn(open_page)
    return open_page


def drawn(page: Any) -> None:
    page.locator(".sw-chart svg .sw-client").first.wait_for()


def time_shown(page: Any) -> int:
    return int(field(page, "Time").input_value())


def table(page: Any) -> list[str]:
    return [row.replace("\t", " ") for row in page.locator("tbody tr").all_inner_texts()]


def revealed(page: Any) -> float:
    """How many pixels of the picture's past are seen."""
    return float(page.locator("clipPath rect").get_attribute("width"))


def choose(page: Any, way: str) -> None:
    page.get_by_label(way, exact=True).check()


def test_it_waits_for_the_reader(shown: Any) -> None:
    shown.clock.run_for(3000)
    assert time_shown(shown) == 0
    assert table(shown)[:2] == ["A, slow – – –", "B – – –"]
    assert shown.locator(".sw-done:visible").count() == 0
    assert shown.locator(".sw-coming").count() == 5 * 6, "what will arrive is told at the start"


def test_play_moves_to_the_end_and_says_it_once(shown: Any) -> None:
    press(shown, "Play")
    shown.clock.run_for(3000)
    halfway, seen = time_shown(shown), revealed(shown)
    assert 0 < halfway < 1600
    assert shown.get_by_role("button", name="Pause").is_visible()
    shown.clock.run_for(10_000)
    assert time_shown(shown) == 1600 and revealed(shown) > seen
    assert table(shown) == [
        "A, slow 1000 120 1120",
        "B 80 1160 1240",
        "C 160 1200 1360",
        "D 240 1240 1480",
        "E 320 1280 1600",
    ]
    assert shown.locator(".sw-done:visible").count() == 5
    assert status(shown) == END
    assert set(filter(None, shown.evaluate("one.said"))) == {END}
    assert shown.get_by_role("button", name="Play").is_visible()
    press(shown, "Play")  # once more, from the start
    shown.clock.run_for(500)
    assert 0 < time_shown(shown) < 400


def test_pause_rests_and_says_where(shown: Any) -> None:
    press(shown, "Play")
    shown.clock.run_for(2000)
    press(shown, "Pause")
    at = time_shown(shown)
    shown.clock.run_for(2000)
    assert time_shown(shown) == at
    assert re.fullmatch(r"\d+ ms\. Still sending: A\. In line: B, C, D, E\.", status(shown))


def test_a_word_is_not_seen_in_part(shown: Any) -> None:
    words = shown.locator(".sw-word:visible")
    seen = {}
    for time in ("600", "680", "1600"):
        field(shown, "Time").fill(time)
        seen[time] = words.all_text_contents()
        line = shown.locator(".sw-now").bounding_box()
        rights = [one["x"] + one["width"] for one in map(lambda w: w.bounding_box(), words.all())]
        assert line is None or all(right <= line["x"] for right in rights)
    assert seen["600"] == [] and "in line" in seen["1600"]
    assert 0 < len(seen["680"]) < len(seen["1600"])


def test_step_goes_to_the_next_change(shown: Any) -> None:
    choose(shown, "event loop")
    seen = []
    for _ in range(5):
        press(shown, "Step")
        seen.append(status(shown))
    assert seen == [
        "10 ms. Still sending: A.",
        "80 ms. Still sending: A. At the processor: B.",
        "90 ms. Still sending: A. Waiting for the disk: B.",
        "160 ms. Still sending: A. Waiting for the disk: B. At the processor: C.",
        "170 ms. Still sending: A. Waiting for the disk: B, C.",
    ]
    press(shown, "Restart")
    assert (time_shown(shown), status(shown)) == (0, "Back at the start.")


def test_the_time_is_moved_with_the_keyboard(shown: Any) -> None:
    time = field(shown, "Time")
    time.focus()
    shown.keyboard.press("ArrowRight")
    assert time_shown(shown) == 10
    assert time.get_attribute("aria-valuetext") == "10 ms. Still sending: A."
    shown.keyboard.press("End")
    assert time_shown(shown) == 1600 and status(shown) == END
    shown.keyboard.press("Home")
    assert time_shown(shown) == 0 and table(shown)[0] == "A, slow – – –"


def test_everything_is_reached_by_tab(shown: Any) -> None:
    shown.get_by_label("one after the other").focus()
    stops = []
    for _ in range(9):
        shown.keyboard.press("Tab")
        stops.append(
            shown.evaluate(
                "(e => e.labels?.[0]?.textContent || e.textContent)(document.activeElement)"
            )
        )
    assert stops == [
        "waits and lets go", "Clients", "Slow clients",
        "Pause of slow clients", "Work per request", "Time", "Play", "Step", "Restart",
    ]  # fmt: skip


def test_threads_are_counted_as_they_come_and_go(shown: Any) -> None:
    choose(shown, "a thread for each")
    field(shown, "Slow clients").fill("5")
    counts = {}
    for time in ("0", "250", "1300", "2000"):
        field(shown, "Time").fill(time)
        counts[time] = [int(one) for one in shown.locator("dd").all_inner_texts()]
        beads = shown.locator(".sw-bead:visible").count()
        assert beads == (counts[time][0] + 1 if counts[time][0] else 0), "and one at the door"
    assert counts == {"0": [1, 1, 1], "250": [4, 4, 4], "1300": [2, 5, 5], "2000": [0, 5, 5]}


def test_the_thread_is_drawn_where_it_works(shown: Any) -> None:
    choose(shown, "event loop")
    lanes = shown.locator(".sw-client").evaluate_all("all => all.map((e) => +e.getAttribute('cy'))")
    heights = {}
    for time in ("85", "205", "500"):  # with B, with A, at the door
        field(shown, "Time").evaluate("(e, t) => { e.step = 1; e.value = t; }", time)
        field(shown, "Time").dispatch_event("input")
        place = shown.locator(".sw-bead:visible").get_attribute("transform")
        heights[time] = float(re.search(r" ([\d.]+)\)", place)[1])
    assert heights["85"] == pytest.approx(lanes[1], abs=12)
    assert heights["205"] == pytest.approx(lanes[0], abs=12)
    assert heights["500"] < lanes[0] - 20


def test_the_knob_of_the_time_is_below_its_moment(shown: Any) -> None:
    time = field(shown, "Time")
    box = time.bounding_box()
    for at in (0, 800, 1600):
        time.fill(str(at))
        line = shown.locator(".sw-now").evaluate("e => e.getBoundingClientRect().x")
        part = at / int(time.get_attribute("max"))
        if at < 1600:
            assert line == pytest.approx(box["x"] + 8 + part * (box["width"] - 16), abs=2)


def test_other_settings_start_anew_or_show_the_new_end(shown: Any) -> None:
    field(shown, "Time").fill("600")
    choose(shown, "event loop")
    assert time_shown(shown) == 0
    field(shown, "Time").press("End")
    assert time_shown(shown) == 1120
    field(shown, "Work per request").fill("200")
    assert time_shown(shown) == 1220
    assert "A, slow 1000 220 1220" in table(shown)
    choose(shown, "computes")
    assert "stays in line" in shown.locator(".sw-about").inner_text()
    assert shown.evaluate("[one.model.get('handler'), one.model.get('work')]") == ["computes", 200]
    assert shown.evaluate("one.model.saved") == 3


def test_fewer_clients_cannot_have_more_slow_ones(shown: Any) -> None:
    field(shown, "Slow clients").fill("5")
    field(shown, "Clients").fill("3")
    assert shown.evaluate("[one.model.get('clients'), one.model.get('slow')]") == [3, 3]
    assert field(shown, "Slow clients").get_attribute("max") == "3"
    assert [row[:7] for row in table(shown)] == ["A, slow", "B, slow", "C, slow"]


def test_what_python_sets_is_seen(shown: Any) -> None:
    shown.evaluate("one.model.set('way', 'event loop'); one.model.set('clients', 6)")
    assert shown.get_by_label("event loop").is_checked()
    assert field(shown, "Clients").input_value() == "6"
    assert len(table(shown)) == 6


def test_nothing_plays_for_who_wants_no_motion(open_page: Any) -> None:
    open_page.emulate_media(reduced_motion="reduce")
    open_page.evaluate("void (window.one = show())")
    drawn(open_page)
    assert time_shown(open_page) == 1600, "the finished chart"
    assert "E 320 1280 1600" in table(open_page)
    choose(open_page, "event loop")
    open_page.clock.run_for(3000)
    assert time_shown(open_page) == 1120
    assert open_page.evaluate("document.getAnimations().length") == 0


def test_two_widgets_share_no_id(shown: Any) -> None:
    shown.evaluate("void show()")
    ids = shown.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids)) > 16
    choose(shown.locator("main > div").first, "event loop")
    assert shown.locator("main > div").last.get_by_label("one after the other").is_checked()


def test_all_stops_when_the_widget_goes(shown: Any) -> None:
    press(shown, "Play")
    shown.clock.run_for(500)
    shown.evaluate("window.clip = one.el.querySelector('clipPath rect'); one.cleanup()")
    before = shown.evaluate("clip.getAttribute('width')")
    shown.clock.run_for(500)
    assert shown.evaluate("clip.getAttribute('width')") == before
    assert shown.evaluate("[one.listeners.length, one.el.childElementCount]") == [0, 0]


def test_a_notebook_around_the_widget_gets_none_of_its_keys(shown: Any) -> None:
    shown.evaluate("""() => {
      window.taken = [];
      document.querySelector("main").addEventListener("keydown", (e) => taken.push(e.key));
    }""")
    field(shown, "Time").focus()
    for key in ("d", "ArrowDown", "Escape"):
        shown.keyboard.press(key)
    assert shown.evaluate("taken") == []
    assert shown.locator(".server-at-work").get_attribute("data-lm-suppress-shortcuts") == "true"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 800])
def test_it_follows_the_theme_and_nothing_is_cut(shown: Any, theme: str, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 800})
    set_theme(shown, theme)
    field(shown, "Clients").fill("6")
    field(shown, "Work per request").fill("400")
    field(shown, "Time").press("End")
    shown.wait_for_function(
        "width => +document.querySelector('.sw-chart svg').viewBox.baseVal.width < width",
        arg=width,
        polling=20,
    )
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    inside = shown.evaluate("""() => {
      const frame = document.querySelector(".sw-chart").getBoundingClientRect();
      return [...document.querySelectorAll(".sw-chart text")].filter((one) => {
        const { left, right, width } = one.getBoundingClientRect();
        return width && (left < frame.left || right > frame.right);
      }).map((one) => one.textContent);
    }""")
    assert inside == []
    assert cut_off(shown, "th, td, dt, .sw-choice label") == []
    assert follows_theme(shown, ".server-at-work", theme)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(shown: Any, theme: str) -> None:
    set_theme(shown, theme)
    found = axe_on_widget(shown)
    field(shown, "Time").press("End")
    found += axe_on_widget(shown)
    assert found == []


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_signs_can_be_seen(scheme: int) -> None:
    colours = colours_of(ServerAtWork._css, "sw", scheme)
    for text in ("text", "quiet", "accent", "done"):
        for ground in ("paper", "tint"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    for sign in ("edge", "yarn", "run", "turn", "disk", "accent", "done"):
        assert contrast(colours[sign], colours["paper"]) >= 3, sign
    assert contrast(colours["turn"], colours["turn-ground"]) >= 3
    assert contrast(colours["disk"], colours["disk-ground"]) >= 3
