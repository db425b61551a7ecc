"""How the ring lab looks in Chromium: themes, narrow pages, focus, contrast, what axe finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.widgets import RingLab
from tests.widgets.stage import (
    axe_on_widget,
    colours_of,
    contrast,
    cut_off,
    field,
    follows_theme,
    press,
    set_theme,
    write_stage,
)
from tests.widgets.test_ring_lab_page import show, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stage(tmp_path_factory.mktemp("page"), RingLab(), ("settings",))


@pytest.fixture
def shown(open_page: Any) -> Any:
    """With no motion: what happens is there at once."""
    open_page.emulate_media(reduced_motion="reduce")
    show(open_page)
    return open_page


def test_everything_is_reached_by_tab_and_the_focus_is_seen(shown: Any) -> None:
    field(shown, "Node c Beyond the cut").focus()
    shown.keyboard.press("Space")
    field(shown, "Replication factor").focus()
    stops = []
    for _ in range(34):
        stops.append(
            shown.evaluate(
                "(e => e.labels?.[0]?.textContent || e.getAttribute('aria-labelledby') && 'log'"
                " || e.textContent)(document.activeElement)"
            )
        )
        style = shown.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style == "solid", stops[-1]
        shown.keyboard.press("Tab")
    nodes = [
        words
        for name in "abcde"
        for words in (f"Stop {name}", f"Node {name} Beyond the cut", f"Clock of {name}")
    ]
    assert stops[:14] == [
        "Replication factor", "Tokens of each node", "Write level", "Read level", "Hinted handoff",
        "Read repair", "Key", "Value", "Coordinator", "Write", "Read", "Delete", "log", "Stop a",
    ]  # fmt: skip
    assert stops[13:28] == nodes
    assert stops[28:34] == [
        "1 minute passes", "4 hours pass", "11 days pass", "Repair", "Heal the network",
        "Start again",
    ]  # fmt: skip


def busy(page: Any) -> None:
    """A picture with all there is in it, and the longest words."""
    field(page, "Tokens of each node").fill("8")
    field(page, "Replication factor").fill("5")
    write(page, "a value with many letters in it")
    press(page, "Stop e")
    write(page, "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW")
    field(page, "Node b Beyond the cut").check()
    field(page, "Node d Beyond the cut").check()
    for name in "abcde":
        field(page, f"Clock of {name}").fill("-55")
    press(page, "11 days pass")
    press(page, "Read")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 800, 1280])
def test_it_follows_the_theme_and_nothing_is_cut(shown: Any, theme: str, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 800})
    set_theme(shown, theme)
    shown.wait_for_function(
        "width => +document.querySelector('.rl-chart svg').viewBox.baseVal.width < width",
        arg=width,
        polling=20,
    )
    busy(shown)
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    outside = shown.evaluate("""() => {
      const frame = document.querySelector(".rl-chart svg").getBoundingClientRect();
      return [...document.querySelectorAll(".rl-chart text")].filter((one) => {
        const { left, right, top, bottom, width } = one.getBoundingClientRect();
        return width && (left < frame.left - 0.5 || right > frame.right + 0.5
          || top < frame.top - 0.5 || bottom > frame.bottom + 0.5);
      }).map((one) => one.textContent);
    }""")
    assert outside == []
    boxes = ".ring-lab p, .ring-lab button, .rl-field, .rl-legend li, .rl-line"
    assert cut_off(shown, boxes) == []
    assert follows_theme(shown, ".ring-lab", theme)


@pytest.mark.parametrize(("theme", "width"), [("light", 800), ("dark", 800), ("light", 360)])
def test_axe_finds_nothing(shown: Any, theme: str, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 800})
    set_theme(shown, theme)
    busy(shown)
    assert axe_on_widget(shown) == []


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_signs_can_be_seen(scheme: int) -> None:
    colours = colours_of(RingLab._css, "rl", scheme)
    for text in ("text", "quiet", "accent", "good", "warn", "bad", "yarn"):
        for ground in ("paper", "tint"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    assert contrast(colours["edge"], colours["paper"]) >= 3
