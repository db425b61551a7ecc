"""The load balancer lab in Chromium: what the reader sees, hears and can do with the keyboard."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from helpers.widgets import LoadBalancerLab
from tests.widgets.stage import (
    axe_on_widget,
    colours_of,
    contrast,
    field,
    press,
    set_theme,
    status,
    write_stage,
)

NAMES = ("settings", "mode", "program", "measured", "message")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stage(tmp_path_factory.mktemp("page"), LoadBalancerLab(rate=40), NAMES)


@pytest.fixture
def shown(open_page: Any) -> Any:
    show(open_page)
    return open_page


def show(page: Any, changes: str = "{}") -> None:
    page.evaluate(f"void (window.one = show({changes}))")
    page.locator(".lb-chart svg .lb-client").first.wait_for()


def table(page: Any) -> dict[str, list[str]]:
    """By server: weight, requests, share, in flight, failed."""
    rows = [row.split("\t") for row in page.locator("tbody tr").all_inner_texts()]
    return {name: numbers for name, *numbers in rows}


def figures(page: Any) -> dict[str, str]:
    names = page.locator("dt").all_inner_texts()
    return dict(zip(names, page.locator("dd").all_inner_texts(), strict=True))


def model_settings(page: Any) -> dict[str, Any]:
    return page.evaluate("one.model.get('settings')")


def run(page: Any, milliseconds: int) -> None:
    """On the widget's own clock, which goes at half the page's speed at most."""
    field(page, "Time runs").select_option("2 times slower")
    press(page, "Start")
    page.clock.run_for(2 * milliseconds)
    press(page, "Pause")
    page.clock.run_for(300)


def ink(page: Any) -> int:
    """How many pixels of the canvas are drawn upon."""
    return page.evaluate("""() => {
      const canvas = document.querySelector(".lb-chart canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((value, at) => at % 4 === 3 && value).length;
    }""")


def test_numbers_begin_anew_with_another_way_to_balance(shown: Any) -> None:
    field(shown, "Time of a").fill("500")
    run(shown, 5000)
    before = table(shown)
    assert int(figures(shown)["p99"].split()[0]) > 600
    field(shown, "Algorithm").select_option("least connections")
    shown.clock.run_for(300)
    assert status(shown) == "The numbers begin anew."
    assert figures(shown) == dict.fromkeys(("Answered", "Lost"), "0") | dict.fromkeys(
        ("p50", "p95", "p99"), "\u2013"
    )
    assert shown.locator(".lb-histogram").get_by_text("no answers yet").is_visible()
    assert [row[1:3] for row in table(shown).values()] == [["0", "\u2013"]] * 3
    assert [row[3] for row in table(shown).values()] == [row[3] for row in before.values()]
    run(shown, 4000)
    a, b, c = (int(row[1]) for row in table(shown).values())
    assert a < b / 2 and a < c / 2, "the share is the new algorithm's"
    for name in ("Sticky sessions", "Retry on another server", "Health checks"):
        assert figures(shown)["Answered"] != "0"
        field(shown, name).check()
        shown.clock.run_for(300)
        assert figures(shown)["Answered"] == "0"
        run(shown, 500)
    kept = int(figures(shown)["Answered"])
    field(shown, "Traffic").fill("60")
    field(shown, "Weight of a").fill("2")
    run(shown, 300)
    assert int(figures(shown)["Answered"]) >= kept, "they do not with other servers or traffic"
    for where in ("caption", "figcaption"):
        assert "change of the algorithm or a checkbox" in shown.locator(where).inner_text()


def test_a_servers_time_needs_few_presses(shown: Any) -> None:
    time = field(shown, "Time of a")
    time.focus()
    for _ in range(8):
        shown.keyboard.press("ArrowRight")
    assert model_settings(shown)["servers"][0]["ms"] == 500
    shown.keyboard.press("Home")
    assert model_settings(shown)["servers"][0]["ms"] == 10
    assert time.get_attribute("aria-valuetext") == "10 milliseconds a request"
    shown.keyboard.press("ArrowRight")
    assert model_settings(shown)["servers"][0]["ms"] == 50


def test_it_says_that_the_balancer_remembers_who_failed(shown: Any) -> None:
    words = shown.locator(".lb-stage ~ .lb-help").inner_text()
    assert "failed is left out for about a second, even with retry and health checks off" in words


def test_it_waits_for_the_reader(shown: Any) -> None:
    shown.clock.run_for(3000)
    assert figures(shown) == dict.fromkeys(("Answered", "Lost"), "0") | dict.fromkeys(
        ("p50", "p95", "p99"), "\u2013"
    )
    assert table(shown)["a"] == ["1", "0", "\u2013", "0", "0"]
    assert ink(shown) == 0
    assert shown.locator(".lb-histogram").get_by_text("no answers yet").is_visible()


def test_requests_travel_and_are_counted(shown: Any) -> None:
    press(shown, "Start")
    shown.clock.run_for(2500)
    assert ink(shown) > 100
    shown.clock.run_for(20_000)
    press(shown, "Pause")
    shown.clock.run_for(300)
    requests = [int(row[1]) for row in table(shown).values()]
    assert max(requests) - min(requests) <= 1 and sum(requests) > 100
    answered, flying = int(figures(shown)["Answered"]), [int(r[3]) for r in table(shown).values()]
    assert answered == sum(requests) - sum(flying)
    for name in ("p50", "p95", "p99"):
        assert re.fullmatch(r"\d+ ms", figures(shown)[name])
    label = shown.locator(".lb-histogram").get_attribute("aria-label")
    assert label == (
        f"Histogram of the times: half within {figures(shown)['p50']}, "
        f"95 % within {figures(shown)['p95']} and 99 % within {figures(shown)['p99']}."
    )
    before = table(shown)
    shown.clock.run_for(5000)
    assert table(shown) == before, "it rests"


def test_a_killed_server_is_said_and_left_out(shown: Any) -> None:
    run(shown, 2000)
    press(shown, "Kill b")
    assert status(shown).startswith("b has died")
    assert "a and c share the traffic" in status(shown)
    assert [one["up"] for one in model_settings(shown)["servers"]] == [True, False, True]
    shown.clock.run_for(50)
    assert "b, dead" in table(shown)
    run(shown, 3000)
    assert int(figures(shown)["Lost"]) > 0 and int(table(shown)["b, dead"][4]) > 0
    press(shown, "Revive b")
    run(shown, 3000)
    assert "b" in table(shown)


def test_with_retries_and_checks_nothing_is_lost(shown: Any) -> None:
    field(shown, "Retry on another server").check()
    field(shown, "Health checks").check()
    run(shown, 1000)
    press(shown, "Kill a")
    run(shown, 3000)
    assert figures(shown)["Lost"] == "0"
    assert shown.locator(".lb-card").first.locator(".lb-is").inner_text() == "dead, left out"
    press(shown, "Kill b")
    press(shown, "Kill c")
    run(shown, 1000)
    assert int(figures(shown)["Lost"]) > 0
    assert "no server is left" in " ".join(shown.evaluate("one.said"))


def test_weights_and_times_are_sliders_of_each_server(shown: Any) -> None:
    field(shown, "Algorithm").select_option("weighted round robin")
    weight = field(shown, "Weight of a")
    weight.focus()
    for _ in range(4):
        shown.keyboard.press("ArrowRight")
    assert [one["weight"] for one in model_settings(shown)["servers"]] == [5, 1, 1]
    field(shown, "Time of b").fill("250")
    assert model_settings(shown)["servers"][1]["ms"] == 250
    assert field(shown, "Time of b").get_attribute("aria-valuetext") == "250 milliseconds a request"
    run(shown, 4000)
    a, b, c = (int(row[1]) for row in table(shown).values())
    assert abs(a - 5 * b) <= 5 and abs(b - c) <= 1
    assert shown.evaluate("one.model.saved") == 6


def test_servers_come_and_go(shown: Any) -> None:
    for _ in range(3):
        press(shown, "Add a server")
    assert [one["name"] for one in model_settings(shown)["servers"]] == list("abcdef")
    assert shown.get_by_role("button", name="Add a server").is_disabled()
    assert status(shown) == "f is a new server."
    for name in "fedc":
        press(shown, f"Remove {name}")
    assert list(table(shown)) == ["a", "b"]
    assert status(shown) == "c is gone; a and b are left."
    assert shown.get_by_role("button", name="Remove b").is_disabled()
    assert shown.evaluate("document.activeElement.textContent") == "Add a server"


def test_sticky_clients_show_their_server(shown: Any) -> None:
    field(shown, "Sticky sessions").check()
    run(shown, 8000)
    first = shown.locator(".lb-chart .lb-letter").all_text_contents()[:12]
    run(shown, 3000)
    again = shown.locator(".lb-chart .lb-letter").all_text_contents()[:12]
    assert first == again and set(first) == set("abc")


def test_step_tells_one_event(shown: Any) -> None:
    seen = []
    for _ in range(4):
        press(shown, "Step")
        seen.append(status(shown))
    assert all(re.fullmatch(r"\d+ ms: a request of client \d+ .+\.", one) for one in seen), seen
    assert "goes to a" in seen[0]
    press(shown, "Reset")
    assert status(shown) == "Back at the start." and figures(shown)["Answered"] == "0"


def test_everything_is_reached_by_tab(shown: Any) -> None:
    field(shown, "Algorithm").focus()
    stops = []
    for _ in range(19):
        shown.keyboard.press("Tab")
        stops.append(
            shown.evaluate(
                "(e => e.labels?.[0]?.textContent || e.textContent)(document.activeElement)"
            )
        )
    assert stops == [
        "Traffic", "Start", "Step", "Reset", "Time runs",
        "Sticky sessions", "Retry on another server", "Health checks",
        *(f"{one} {name}" for name in "abc" for one in ("Kill", "Weight of", "Time of")),
        "Add a server", "Remove c",
    ]  # fmt: skip


def test_what_python_sets_is_seen(shown: Any) -> None:
    shown.evaluate("""() => {
      const settings = structuredClone(one.model.get("settings"));
      settings.algorithm = "random";
      settings.servers[0].weight = 7;
      settings.servers[2].up = false;
      one.model.set("settings", settings);
    }""")
    assert field(shown, "Algorithm").input_value() == "random"
    assert field(shown, "Weight of a").input_value() == "7"
    assert shown.get_by_role("button", name="Revive c").is_visible()


def test_with_less_motion_only_the_numbers_move(open_page: Any) -> None:
    open_page.emulate_media(reduced_motion="reduce")
    show(open_page)
    press(open_page, "Start")
    open_page.clock.run_for(10_000)
    assert int(figures(open_page)["Answered"]) > 20
    assert open_page.evaluate("document.getAnimations().length") == 0


REAL = """{
  mode: "real", program: "nginx", message: "nginx read its new configuration.",
  measured: {servers: [{name: "a", requests: 40, failed: 1, open: 2},
                       {name: "b", requests: 20, failed: 0, open: 0}],
             lost: 3, p50: 101.4, p95: 140, p99: 151, buckets: []},
}"""


def test_a_real_programs_numbers_are_shown_as_measured(open_page: Any) -> None:
    show(open_page, REAL)
    open_page.evaluate("one.model.live = true")
    open_page.clock.run_for(500)
    assert table(open_page)["a"] == ["1", "40", "67 %", "2", "1"]
    assert figures(open_page) == {
        "Answered": "57", "Lost": "3", "p50": "101 ms", "p95": "140 ms", "p99": "151 ms",
    }  # fmt: skip
    assert open_page.locator(".lb-message").inner_text() == "nginx read its new configuration."
    for name in ("Step", "Reset"):
        assert open_page.get_by_role("button", name=name).count() == 0
    open_page.evaluate("one.model.send({kind: 'requests', list: [['a', 100, true]]})")
    open_page.clock.run_for(700)
    assert ink(open_page) > 10, "a real request travels"
    open_page.evaluate("""one.model.set("measured",
      {...one.model.get("measured"), lost: 9})""")
    open_page.clock.run_for(500)
    assert figures(open_page)["Lost"] == "9"


def test_two_views_share_one_lab_and_no_id(shown: Any) -> None:
    shown.evaluate("""() => {
      const el = document.querySelector("main").appendChild(document.createElement("div"));
      window.other = one.made.render({ model: one.model, el });
    }""")
    ids = shown.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids)) > 20
    first, second = shown.locator(".load-balancer-lab").all()
    press(first, "Start")
    shown.clock.run_for(8000)
    press(first, "Pause")
    shown.clock.run_for(500)
    assert figures(first) == figures(second) != {}
    shown.evaluate("other()")


def test_all_stops_when_the_widget_goes(shown: Any) -> None:
    press(shown, "Start")
    shown.clock.run_for(500)
    shown.evaluate("window.gone = one.el.querySelector('dd'); one.cleanup()")
    before = shown.evaluate("gone.textContent")
    shown.clock.run_for(2000)
    assert shown.evaluate("gone.textContent") == before
    assert shown.evaluate("[one.listeners.length, one.el.childElementCount]") == [0, 0]


def test_a_notebook_around_the_widget_gets_none_of_its_keys(shown: Any) -> None:
    shown.evaluate("""() => {
      window.taken = [];
      document.querySelector("main").addEventListener("keydown", (e) => taken.push(e.key));
    }""")
    field(shown, "Traffic").focus()
    for key in ("d", "ArrowDown", "Escape"):
        shown.keyboard.press(key)
    assert shown.evaluate("taken") == []
    assert shown.locator(".load-balancer-lab").get_attribute("data-lm-suppress-shortcuts") == "true"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(shown: Any, theme: str) -> None:
    run(shown, 2000)
    press(shown, "Kill b")
    set_theme(shown, theme)
    assert axe_on_widget(shown) == []


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_signs_can_be_seen(scheme: int) -> None:
    colours = colours_of(LoadBalancerLab._css, "lb", scheme)
    for text in ("text", "quiet"):
        for ground in ("paper", "tint"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    for sign in ("edge", "disc", "ring", "cross", "check", "accent"):
        for ground in ("paper", "tint"):
            assert contrast(colours[sign], colours[ground]) >= 3, (sign, ground)
