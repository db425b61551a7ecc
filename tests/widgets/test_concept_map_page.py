"""The concept map in Chromium: what lights up, for the eyes, the ears and the keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.frameworks import FRAMEWORKS, concept_map
from helpers.frameworks._concepts import concepts
from helpers.widgets import ConceptMap
from tests.widgets.stage import (
    axe_on_widget,
    colours_of,
    contrast,
    cut_off,
    follows_theme,
    set_theme,
    status,
    write_stage,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    widget = concept_map()
    return write_stage(tmp_path_factory.mktemp("page"), widget, ("concepts", "apps", "chosen"))


@pytest.fixture
def shown(open_page: Any) -> Any:
    open_page.evaluate("void (window.one = show())")
    open_page.locator(".cm-lit").first.wait_for()
    return open_page


def choose(page: Any, title: str) -> None:
    page.get_by_label(title, exact=True).check()


def lit(page: Any, at: int) -> list[str]:
    """The lines that are lit in one application."""
    return page.locator(".cm-app").nth(at).locator(".cm-lit .cm-text").all_text_contents()


@pytest.mark.parametrize("name", concepts())
def test_the_lines_of_a_concept_light_up_in_all_five(shown, name):
    choose(shown, concepts()[name].title)
    for at, framework in enumerate(FRAMEWORKS):
        wanted = [
            line
            for place in sorted(concepts()[name].places[framework], key=lambda p: (p.file, p.first))
            for line in place.text.split("\n")
        ]
        assert [line.rstrip() for line in lit(shown, at)] == [line.rstrip() for line in wanted]
        note = shown.locator(".cm-app").nth(at).locator(".cm-note")
        assert (note.text_content() if note.is_visible() else "") == concepts()[name].notes[
            framework
        ]


def test_the_first_lit_line_is_in_sight_and_the_page_stays(shown):
    shown.set_viewport_size({"width": 1000, "height": 700})
    before = shown.evaluate("scrollY")
    for title in ("Validation", "Configuration", "Testing"):
        choose(shown, title)
        for at in range(5):
            box = shown.locator(".cm-code").nth(at)
            frame = box.bounding_box()
            line = box.locator(".cm-lit").first.bounding_box()
            assert frame["y"] <= line["y"] <= frame["y"] + frame["height"] - line["height"]
    assert shown.evaluate("scrollY") == before


def test_a_sign_stands_beside_each_lit_line(shown):
    marks = shown.locator(".cm-lit .cm-mark").all_text_contents()
    assert set(marks) == {"▸"}
    assert len(marks) == shown.evaluate(
        "[...document.querySelectorAll('.cm-mark')].filter(e => e.textContent).length"
    )


def test_it_says_how_many_lines_each_has(shown):
    choose(shown, "Deployment")
    said = status(shown)
    assert said.startswith(concepts()["deployment"].says)
    assert "FastAPI 1 line, Flask " in said
    assert shown.locator(".cm-count").all_text_contents()[0] == "1 line"


def test_the_keyboard_moves_through_the_concepts(shown):
    shown.get_by_label("Routing", exact=True).focus()
    shown.keyboard.press("ArrowRight")
    assert shown.get_by_label("Validation", exact=True).is_checked()
    assert shown.evaluate("one.model.get('chosen')") == "validation"
    assert shown.evaluate("one.model.saved") == 1
    for at in range(5):
        shown.keyboard.press("Tab")
        assert shown.evaluate("document.activeElement.className") == "cm-code", at


def test_python_can_choose(shown):
    shown.evaluate("one.model.set('chosen', 'orm')")
    assert shown.get_by_label("ORM", exact=True).is_checked()
    assert any("models.ForeignKey" in line for line in lit(shown, 2))


def test_two_of_them_do_not_disturb_each_other(shown):
    shown.evaluate("void (window.two = show({ chosen: 'testing' }))")
    shown.locator(".concept-map").nth(1).get_by_label("ORM", exact=True).check()
    assert shown.locator(".concept-map").nth(0).get_by_label("Routing", exact=True).is_checked()


def test_nothing_is_left_when_it_goes(shown):
    shown.evaluate("one.cleanup()")
    assert shown.evaluate("[one.listeners.length, one.el.childElementCount]") == [0, 0]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 800, 360])
def test_everything_fits(shown, theme, width):
    shown.set_viewport_size({"width": width, "height": 800})
    set_theme(shown, theme)
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert cut_off(shown, ".cm-choice, .cm-says, .cm-head, .cm-note") == []
    assert follows_theme(shown, ".concept-map", theme)
    across = len(set(shown.locator(".cm-app").evaluate_all("all => all.map(e => e.offsetLeft)")))
    assert across == {1280: 2, 800: 2, 360: 1}[width]


@pytest.mark.parametrize(("theme", "width"), [("light", 800), ("dark", 800), ("light", 360)])
def test_axe_finds_nothing(shown, theme, width):
    shown.set_viewport_size({"width": width, "height": 800})
    set_theme(shown, theme)
    assert axe_on_widget(shown) == []


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_signs_can_be_seen(scheme):
    colours = colours_of(ConceptMap._css, "cm", scheme)
    for text in ("text", "quiet", "accent"):
        for ground in ("paper", "tint"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for text in ("text", "quiet", "sign"):
        assert contrast(colours[text], colours["lit"]) >= 4.5, text
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    assert contrast(colours["edge"], colours["paper"]) >= 3


APP = {"title": "One", "files": [("a.py", "x = 1\ny = 2\n")], "marks": {}, "notes": {}}
CONCEPT = {"name": "routing", "title": "Routing", "says": "Which?"}


def test_a_concept_that_is_not_there_is_told():
    with pytest.raises(ValueError, match="There is no concept 'magic': there are routing"):
        ConceptMap([CONCEPT], [APP], "magic")


@pytest.mark.parametrize("mark", [(1, 0, 0), (0, 0, 2), (0, 1, 0), (0, -1, 0)])
def test_a_mark_outside_of_its_file_is_told(mark):
    with pytest.raises(ValueError, match="One: a mark of routing is outside of its file"):
        ConceptMap([CONCEPT], [{**APP, "marks": {"routing": [mark]}}])
