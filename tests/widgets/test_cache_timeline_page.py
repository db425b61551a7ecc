"""The cache timeline in Chromium: what the reader sees, hears and can do with the keyboard."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from helpers.widgets import CacheTimeline
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

SLIDERS = (
    "max-age", "s-maxage", "stale-while-revalidate", "stale-if-error",
    "Between two requests", "The origin takes",
)  # fmt: skip
BUTTONS = ["Play", "Step", "Start again", "Ask now", "Change the cover", "Origin down", "Purge"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stage(tmp_path_factory.mktemp("page"), CacheTimeline(), ("settings",))


@pytest.fixture
def shown(open_page: Any) -> Any:
    show(open_page)
    return open_page


def show(page: Any) -> None:
    page.evaluate("void (window.one = show())")
    page.locator(".ct-chart .ct-head").first.wait_for()


def figures(page: Any) -> dict[str, str]:
    names = page.locator("dt").all_text_contents()
    return dict(zip(names, page.locator("dd").all_text_contents(), strict=True))


def situation(page: Any) -> str:
    return page.locator(".ct-situation").text_content()


def header(page: Any) -> str:
    return page.locator(".ct-header").inner_text()


def signs(page: Any) -> str:
    """The letters of the requests, in their order; ? for those that wait."""
    letters = page.locator(".ct-above .ct-sign text").all_text_contents()
    return "".join(letter or "?" for letter in letters)


def bands(page: Any) -> list[str]:
    """What the cache's band is made of, up to the end of the forecast."""
    names = page.locator(".ct-ahead .ct-band").evaluate_all("all => all.map(e => e.classList[1])")
    return [name.removeprefix("ct-") for name in names]


def rows(page: Any) -> list[list[str]]:
    return [row.split("\t") for row in page.locator("tbody tr").all_inner_texts()]


def run(page: Any, seconds: float) -> None:
    """On the widget's clock; its first frame only starts it."""
    field(page, "Speed").select_option("10")
    press(page, "Play")
    page.clock.run_for(round(seconds * 100) + 50)
    press(page, "Pause")


def quiet_traffic(page: Any) -> None:
    """So that a test has the requests to itself for the first five seconds."""
    field(page, "Between two requests").fill("10")


def test_it_waits_for_the_reader(shown: Any) -> None:
    shown.clock.run_for(5000)
    assert situation(shown) == "Nothing is kept: the next client waits for the origin."
    assert figures(shown) == {
        "Requests": "0", "Hit ratio": "–", "Origin asked": "0 times", "Origin sent": "0 kB",
        "Oldest answer": "Age 0 s", "Out of date": "never",
    }  # fmt: skip
    assert signs(shown) == ""
    assert set(filter(None, shown.evaluate("one.said"))) == set()


def test_play_goes_on_and_pause_rests(shown: Any) -> None:
    press(shown, "Play")
    assert status(shown) == "It runs."
    shown.clock.run_for(6000)
    seen, count = signs(shown), int(figures(shown)["Requests"])
    assert seen.startswith("MH") and len(seen) == count > 4
    assert figures(shown)["Origin asked"] == "1 time"
    press(shown, "Pause")
    assert re.fullmatch(r"It rests at 1[12]\.\d s\.", status(shown))
    shown.clock.run_for(3000)
    assert (signs(shown), int(figures(shown)["Requests"])) == (seen, count)
    press(shown, "Start again")
    assert (signs(shown), status(shown)) == ("", "Back at the start.")
    press(shown, "Play")
    shown.clock.run_for(6000)
    assert signs(shown) == seen, "the same traffic once more"


def test_the_picture_moves_with_the_time(shown: Any) -> None:
    place = "e => e.getAttribute('transform')"
    now, moved = shown.locator(".ct-now"), shown.locator(".ct-ahead")
    places = [(now.evaluate(place), moved.evaluate(place))]
    press(shown, "Play")
    for _ in range(2):
        shown.clock.run_for(3000)
        places.append((now.evaluate(place), moved.evaluate(place)))
    assert len({one for one, _ in places}) == 3, "the line of now goes to the right"
    shown.clock.run_for(15_000)
    stands = now.evaluate(place)
    shown.clock.run_for(1000)
    assert now.evaluate(place) == stands, "and then the past moves to the left"
    assert moved.evaluate(place) not in {other for _, other in places}


def test_step_stops_at_each_change(shown: Any) -> None:
    quiet_traffic(shown)
    press(shown, "Ask now")
    assert status(shown) == "A client asks, and has to wait for the origin."
    assert signs(shown) == "?"
    said = []
    for _ in range(3):
        press(shown, "Step")
        said.append(status(shown))
    assert said[0] == "0.5 s: A client gets what the origin sent. Cover 1."
    assert re.fullmatch(r"\d+\.\d s: A client gets the fresh copy\. Cover 1, Age \d\.", said[1])
    assert said[2].startswith("10.0 s: Stale for 0 s, but clients still get it at once;")
    assert signs(shown) == "MH"


def test_sliders_by_keyboard_change_the_header_and_the_outcome(shown: Any) -> None:
    quiet_traffic(shown)
    assert header(shown) == "Cache-Control: max-age=10, stale-while-revalidate=5"
    max_age = field(shown, "max-age")
    max_age.focus()
    for _ in range(8):
        shown.keyboard.press("ArrowLeft")
    assert max_age.get_attribute("aria-valuetext") == "2 seconds"
    field(shown, "stale-while-revalidate").press("Home")
    assert field(shown, "stale-while-revalidate").get_attribute("aria-valuetext") == "off"
    assert header(shown) == "Cache-Control: max-age=2"
    press(shown, "Ask now")
    run(shown, 3)
    press(shown, "Ask now")
    run(shown, 1)
    assert signs(shown) == "MR", "stale after 2 seconds, and still good"
    s_maxage = field(shown, "s-maxage")
    assert s_maxage.get_attribute("aria-valuetext") == "off"
    s_maxage.press("ArrowRight")
    assert header(shown) == "Cache-Control: max-age=2, s-maxage=0"
    assert shown.locator(".ct-means").inner_text() == (
        "A shared cache has to ask before every use: s-maxage goes before max-age."
    )
    assert "It came with max-age=2." in situation(shown), "what is kept stays as it came"
    s_maxage.press("ArrowLeft")
    field(shown, "stale-if-error").press("ArrowRight")
    assert header(shown) == "Cache-Control: max-age=2, stale-if-error=1"
    assert shown.evaluate("one.model.get('settings')") == {
        "max_age": 2, "s_maxage": None, "stale_while_revalidate": 0, "stale_if_error": 1,
        "every": 10, "latency": 0.5, "validator": True, "seed": 1,
    }  # fmt: skip
    assert shown.evaluate("one.model.saved") > 10


def test_the_bands_are_what_the_header_said(shown: Any) -> None:
    quiet_traffic(shown)
    press(shown, "Ask now")
    press(shown, "Step")
    assert bands(shown) == ["fresh", "window", "stale"]
    press(shown, "Purge")
    assert status(shown) == "The cache has forgotten the cover."
    assert bands(shown) == [] and shown.locator(".ct-empty").count() == 2, "before and after"
    field(shown, "s-maxage").fill("10")
    press(shown, "Ask now")
    press(shown, "Step")
    assert bands(shown) == ["fresh", "stale"], "s-maxage leaves no window"


def test_a_new_cover_is_seen_late_and_that_is_told(shown: Any) -> None:
    field(shown, "stale-while-revalidate").fill("0")
    run(shown, 5)
    press(shown, "Change the cover")
    assert status(shown) == "The origin has cover 2 now. The cache keeps cover 1."
    run(shown, 4)
    assert re.fullmatch(r"up to [2-5]\.\d s", figures(shown)["Out of date"])
    shown.evaluate("one.said.length = 0")
    press(shown, "Play")
    shown.clock.run_for(5000)
    told = [words for words in shown.evaluate("one.said") if "cover 2" in words]
    assert len(told) == 1
    assert re.fullmatch(
        r"\d+\.\d s after the change a client gets cover 2, the first one; "
        r"\d answers had the old cover meanwhile\.",
        told[0],
    )


def test_the_origin_goes_down_and_comes_back(shown: Any) -> None:
    quiet_traffic(shown)
    field(shown, "stale-while-revalidate").fill("0")
    field(shown, "max-age").fill("1")
    field(shown, "stale-if-error").fill("3")
    press(shown, "Ask now")
    run(shown, 1)
    press(shown, "Origin down")
    assert status(shown) == "The origin is down: it answers with an error (503) from now on."
    for _ in range(2):
        run(shown, 1)
        press(shown, "Ask now")
    press(shown, "Step")
    assert signs(shown) == "MEX"
    assert shown.locator(".ct-past .ct-down").count() == 1
    press(shown, "Origin up")
    press(shown, "Ask now")
    press(shown, "Step")
    if signs(shown)[3] == "?":  # another client came before the answer did
        press(shown, "Step")
    assert signs(shown)[:4] == "MEXR"
    assert status(shown).endswith("The clients are well served again.")


def test_clients_that_come_at_once_wait_for_one_answer(shown: Any) -> None:
    quiet_traffic(shown)
    for _ in range(3):
        press(shown, "Ask now")
    press(shown, "Step")
    assert signs(shown) == "MCC"
    assert figures(shown)["Origin asked"] == "1 time"
    assert figures(shown)["Hit ratio"] == "67 %"
    assert shown.locator(".ct-meter span").evaluate_all("all => all.map(e => e.style.width)") == [
        "67%", "33%",
    ]  # fmt: skip
    places = shown.locator(".ct-above .ct-sign").evaluate_all("a => a.map(e => e.outerHTML)")
    assert len({re.search(r"translate\(([^)]*)\)", one)[1] for one in places}) == 3


def test_without_an_etag_the_origin_sends_all_anew(shown: Any) -> None:
    quiet_traffic(shown)
    for name in ("stale-while-revalidate", "max-age"):
        field(shown, name).fill("0")
    field(shown, "max-age").fill("1")
    field(shown, "The origin sends an ETag").uncheck()
    press(shown, "Ask now")
    run(shown, 2)
    press(shown, "Ask now")
    run(shown, 1)
    assert signs(shown) == "MM"
    assert figures(shown)["Origin sent"] == "80 kB"


def test_the_table_has_the_last_ten_requests(shown: Any) -> None:
    field(shown, "Between two requests").fill("0.5")
    field(shown, "Speed").select_option("5")
    shown.locator("summary").click()
    press(shown, "Play")
    shown.clock.run_for(5000)
    press(shown, "Pause")
    shown.clock.run_for(300)
    found = rows(shown)
    assert len(found) == 10
    times = [float(row[0]) for row in found]
    assert times == sorted(times, reverse=True) and times[0] > 20
    assert {row[1] for row in found} <= {"hit", "stale, being renewed", "waits"}
    assert all(row[2].isdigit() and row[3] == "1" for row in found)


def test_it_does_not_talk_all_the_time(shown: Any) -> None:
    """Trouble that comes and goes is told now and then."""
    field(shown, "Between two requests").fill("0.5")
    field(shown, "max-age").fill("0")
    field(shown, "stale-while-revalidate").fill("0")
    press(shown, "Play")
    shown.evaluate("one.said.length = 0")
    for _ in range(10):
        shown.evaluate(
            "[...document.querySelectorAll('button')].find((e) => /^Origin/.test(e.textContent))"
            ".dispatchEvent(new MouseEvent('click'))"
        )
        shown.clock.run_for(2000)
    own = [words for words in shown.evaluate("one.said") if not words.startswith("The origin")]
    assert len(own) <= 5
    shown.evaluate("one.said.length = 0")
    shown.clock.run_for(20_000)
    assert len(shown.evaluate("one.said")) <= 1


def test_jumps_of_a_second_for_who_wants_no_motion(open_page: Any) -> None:
    open_page.emulate_media(reduced_motion="reduce")
    show(open_page)
    field(open_page, "Speed").select_option("1")
    place = "() => document.querySelector('.ct-now').getAttribute('transform')"
    press(open_page, "Play")
    seen = []
    for _ in range(50):
        open_page.clock.run_for(100)
        seen.append(open_page.evaluate(place))
    jumps = sum(one != other for one, other in pairwise(seen))
    assert 3 <= jumps <= 5
    assert open_page.evaluate("document.getAnimations().length") == 0
    press(open_page, "Pause")
    assert re.fullmatch(r"It rests at [45]\.0 s\.", status(open_page))


def test_everything_is_reached_by_tab_and_the_focus_is_seen(shown: Any) -> None:
    field(shown, "max-age").focus()
    stops = []
    for _ in range(len(SLIDERS) + 9):
        stops.append(
            shown.evaluate(
                "(e => e.labels?.[0]?.textContent || e.textContent)(document.activeElement)"
            )
        )
        style = shown.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style == "solid", stops[-1]
        shown.keyboard.press("Tab")
    assert stops == [
        *SLIDERS, "The origin sends an ETag", *BUTTONS[:3], "Speed", *BUTTONS[3:],
    ]  # fmt: skip
    assert shown.evaluate("document.activeElement.textContent") == "The last 10 requests"


def test_buttons_work_by_keyboard_and_a_notebook_gets_no_keys(shown: Any) -> None:
    shown.evaluate("""() => {
      window.taken = [];
      document.querySelector("main").addEventListener("keydown", (e) => taken.push(e.key));
    }""")
    shown.get_by_role("button", name="Ask now").focus()
    shown.keyboard.press("Enter")
    shown.keyboard.press("Space")
    assert signs(shown) == "??"
    for key in ("d", "ArrowDown", "Escape"):
        shown.keyboard.press(key)
    assert shown.evaluate("taken") == []
    assert shown.locator(".cache-timeline").get_attribute("data-lm-suppress-shortcuts") == "true"


def test_what_python_sets_is_seen(shown: Any) -> None:
    shown.evaluate("one.model.set('settings', { ...one.model.get('settings'), s_maxage: 30 })")
    assert field(shown, "s-maxage").input_value() == "30"
    assert "s-maxage=30" in header(shown)


def test_two_widgets_share_nothing(shown: Any) -> None:
    shown.evaluate("void show()")
    ids = shown.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids)) > 20
    first, second = shown.locator("main > div").first, shown.locator("main > div").last
    first.get_by_role("button", name="Ask now").click()
    assert first.locator(".ct-above .ct-sign").count() == 1
    assert second.locator(".ct-above .ct-sign").count() == 0


def test_all_stops_when_the_widget_goes(shown: Any) -> None:
    press(shown, "Play")
    shown.clock.run_for(500)
    shown.evaluate("window.line = one.el.querySelector('.ct-now'); one.cleanup()")
    before = shown.evaluate("line.getAttribute('transform')")
    shown.clock.run_for(500)
    assert shown.evaluate("line.getAttribute('transform')") == before
    assert shown.evaluate("[one.listeners.length, one.el.childElementCount]") == [0, 0]


def busy(page: Any) -> None:
    """A picture with all there is in it, and the longest words."""
    field(page, "Between two requests").fill("0.5")
    field(page, "stale-if-error").fill("60")
    field(page, "max-age").fill("5")
    run(page, 15)
    press(page, "Change the cover")
    run(page, 8)
    press(page, "Origin down")
    run(page, 14)
    field(page, "s-maxage").fill("60")
    page.locator("summary").click()
    page.clock.run_for(300)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 800, 1280])
def test_it_follows_the_theme_and_nothing_is_cut(shown: Any, theme: str, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 800})
    set_theme(shown, theme)
    shown.wait_for_function(
        "width => +document.querySelector('.ct-chart svg').viewBox.baseVal.width < width",
        arg=width,
        polling=20,
    )
    busy(shown)
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    inside = shown.evaluate("""() => {
      const frame = document.querySelector(".ct-chart").getBoundingClientRect();
      return [...document.querySelectorAll(".ct-chart text")].filter((one) => {
        const { left, right, width } = one.getBoundingClientRect();
        return width && (left < frame.left - 0.5 || right > frame.right + 0.5);
      }).map((one) => one.textContent);
    }""")
    assert inside == []
    boxes = "th, td, dt, dd, p, button, .ct-field, .ct-legend li"
    assert cut_off(shown, boxes) == []
    assert len(shown.locator(".ct-chart .ct-label:visible").all_text_contents()) >= 2
    assert follows_theme(shown, ".cache-timeline", theme)


@pytest.mark.parametrize(("theme", "width"), [("light", 800), ("dark", 800), ("light", 360)])
def test_axe_finds_nothing(shown: Any, theme: str, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 800})
    set_theme(shown, theme)
    busy(shown)
    assert axe_on_widget(shown) == []


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_signs_can_be_seen(scheme: int) -> None:
    colours = colours_of(CacheTimeline._css, "ct", scheme)
    for text in ("text", "quiet", "accent", "good", "warn", "bad", "yarn"):
        for ground in ("paper", "tint"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    assert contrast(colours["edge"], colours["paper"]) >= 3
    for kind in ("good", "warn", "bad"):
        ground = colours[f"{kind}-ground"]
        assert contrast(colours[kind], ground) >= 3, kind
        assert contrast(colours["text"], ground) >= 4.5, kind
