"""The BSON widget in Chromium: what the reader sees, hears and can do with the keyboard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import json_util

from helpers.widgets import BsonBytes
from helpers.widgets.bson_bytes import SONG
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

ENCODED = bson.encode(json_util.loads(SONG))
TITLE = (21, 43)  # bytes of the field
BIG = json.dumps({f"field-{at}": {"text": "la " * 9, "n": [at, None, 1.5]} for at in range(19)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stage(tmp_path_factory.mktemp("page"), BsonBytes(), ("document",))


@pytest.fixture
def shown(open_page: Any) -> Any:
    show(open_page)
    return open_page


def show(page: Any) -> None:
    page.evaluate("void (window.one = show())")
    page.locator(".bb-row").first.wait_for()


def editor(page: Any) -> Any:
    return page.get_by_label("The document, in MongoDB's Extended JSON", exact=True)


def grid_bytes(page: Any) -> bytes:
    found = page.locator(".bb-grid .bb-hex").all_text_contents()
    return bytes.fromhex("".join(found))


def byte(page: Any, at: int) -> Any:
    return page.locator(f'[data-at="{at}"]')


def row(page: Any, at: int) -> Any:
    return page.get_by_role("option").nth(at)


def about(page: Any) -> list[str]:
    return page.locator(".bb-about p").all_text_contents()


def lit(page: Any, name: str = "lit") -> tuple[int, int] | None:
    """The bytes that are lit, as start and end; they stand side by side."""
    found = page.locator(f".bb-grid .bb-{name}").evaluate_all("all => all.map(e => +e.dataset.at)")
    assert found == list(range(found[0], found[-1] + 1)) if found else True
    return (found[0], found[-1] + 1) if found else None


def focused(page: Any) -> str:
    return page.evaluate("JSON.stringify(document.activeElement.dataset)")


def test_it_begins_with_the_song_and_its_bytes(shown: Any) -> None:
    assert editor(shown).input_value() == SONG
    assert grid_bytes(shown) == ENCODED
    assert status(shown) == "213 bytes of BSON, in 14 fields."
    assert about(shown) == [
        "The whole document",
        "213 bytes, bytes 0 to 212: length 4, closing 00 1, fields inside 208",
        "10 fields. Point at a byte or a field, or move with the arrow keys.",
    ]
    names = shown.locator(".bb-name").all_text_contents()
    assert names[:6] == ["The whole document", "_id", "title", "year", "composer", "name"]
    assert shown.evaluate("one.model.saved") == 0
    letters = shown.locator(".bb-grid .bb-letter").all_text_contents()
    assert "".join(letters[22:42]) == "titleFrElise", "and none for a byte that is no letter alone"


def test_the_two_sizes_are_bars_with_numbers(shown: Any) -> None:
    compact = json_util.dumps(json_util.loads(SONG), ensure_ascii=False, separators=(",", ":"))
    size = len(compact.encode())
    assert shown.locator("dt").all_text_contents() == ["BSON", "JSON, no spaces"]
    assert shown.locator("dd").all_text_contents() == ["213 bytes", f"{size} bytes"]
    widths = shown.locator(".bb-bar span").evaluate_all("all => all.map(e => e.style.width)")
    assert float(widths[0].rstrip("%")) == pytest.approx(100 * 213 / size, abs=0.01)
    assert widths[1] == "100%"


def test_the_roles_are_marked_and_counted(shown: Any) -> None:
    legend = shown.locator(".bb-legend li > span:last-child").all_text_contents()
    assert legend == ["length 28", "type 14", "field name 61", "value 89", "closing 00 21"]
    lines = [
        byte(shown, at).locator(".bb-hex").evaluate(
            "e => (s => s.textDecorationLine + ' ' + s.textDecorationStyle)(getComputedStyle(e))"
        )
        for at in (0, 4, 5, 9, 212)
    ]  # fmt: skip
    assert lines == [
        "underline double", "underline solid", "underline dotted", "none solid", "underline wavy",
    ]  # fmt: skip


def test_pointing_at_a_byte_lights_it_and_its_field(shown: Any) -> None:
    byte(shown, 51).hover()
    assert about(shown) == [
        "year (int32)", "value, bytes 49 to 52", "int32, little-endian: 12 07 00 00 = 1810.",
    ]  # fmt: skip
    assert (lit(shown), lit(shown, "now")) == ((43, 53), (49, 53))
    assert shown.locator(".bb-field.bb-lit .bb-name").all_text_contents() == ["year"]
    byte(shown, 2).hover()
    assert about(shown)[0] == "The whole document"
    assert (lit(shown), lit(shown, "now")) == (None, (0, 4))
    shown.mouse.move(0, 0)
    assert about(shown)[2].startswith("10 fields."), "what was chosen is back"
    assert lit(shown, "now") is None


def test_selecting_a_field_lights_its_bytes(shown: Any) -> None:
    row(shown, 2).click()
    shown.mouse.move(0, 0)
    assert lit(shown) == TITLE
    assert about(shown)[0] == "title (string)"
    assert about(shown)[1].startswith("22 bytes, bytes 21 to 42: type 1, field name 5")
    assert row(shown, 2).get_attribute("aria-selected") == "true"
    assert shown.locator('[aria-selected="true"]').count() == 1
    row(shown, 4).hover()
    assert lit(shown) == (53, 109), "with the fields inside"
    shown.mouse.move(0, 0)
    assert lit(shown) == TITLE


def test_the_arrow_keys_go_from_byte_to_byte(shown: Any) -> None:
    columns = shown.locator(".bb-row").first.locator(".bb-byte").count()
    assert columns == 16
    byte(shown, 0).focus()
    places = []
    for key in (
        "ArrowLeft", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowUp", "End", "Home",
        "Control+End", "ArrowDown", "ArrowRight", "Control+Home", "ArrowUp",
    ):  # fmt: skip
        shown.keyboard.press(key)
        places.append(json.loads(focused(shown))["at"])
    assert list(map(int, places)) == [0, 1, 17, 33, 17, 31, 16, 212, 212, 212, 0, 0]
    shown.keyboard.press("End")
    assert about(shown)[0] == "_id (objectId)"
    assert lit(shown, "now") == (13, 18)
    assert row(shown, 1).get_attribute("aria-selected") == "true"
    described = shown.evaluate(
        "document.getElementById(document.activeElement.getAttribute('aria-describedby')).innerText"
    )
    assert "5 bytes as they are" in described


def test_the_arrow_keys_go_from_field_to_field(shown: Any) -> None:
    row(shown, 0).focus()
    shown.keyboard.press("ArrowDown")
    shown.keyboard.press("ArrowDown")
    assert (lit(shown), about(shown)[0]) == (TITLE, "title (string)")
    shown.keyboard.press("End")
    assert about(shown)[0] == "plays (int64)"
    shown.keyboard.press("Home")
    shown.keyboard.press("ArrowUp")
    assert about(shown)[0] == "The whole document"


def test_tab_stops_once_in_the_bytes_and_once_in_the_fields(shown: Any) -> None:
    row(shown, 3).focus()
    stops = []
    for _ in range(4):
        stops.append(focused(shown))
        assert shown.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        shown.keyboard.press("Shift+Tab")
    assert stops == ['{"field":"3"}', '{"at":"43"}', "{}", "{}"], "where the field begins"
    assert shown.evaluate("document.activeElement === document.body")


def test_the_focused_byte_is_not_behind_what_is_told(shown: Any) -> None:
    shown.set_viewport_size({"width": 360, "height": 640})
    byte(shown, 0).focus()
    for _ in range(20):
        shown.keyboard.press("ArrowDown")
        seen = shown.evaluate("""() => {
          const cell = document.activeElement.getBoundingClientRect();
          const told = document.querySelector(".bb-about").getBoundingClientRect();
          return cell.top >= 0 && cell.bottom <= told.top && told.bottom <= innerHeight + 1;
        }""")
        assert seen, focused(shown)


def test_editing_encodes_at_once_and_tells_python(shown: Any) -> None:
    text = '{"title": "Gnossienne", "year": 1893}'
    editor(shown).fill(text)
    assert grid_bytes(shown) == bson.encode({"title": "Gnossienne", "year": 1893})
    assert status(shown) == "37 bytes of BSON, in 2 fields."
    assert shown.evaluate("[one.model.get('document'), one.model.saved]") == [text, 1]
    editor(shown).press("End")
    for _ in range(2):
        editor(shown).press("ArrowLeft")
    assert about(shown)[0] == "year (int32)", "the field in which the caret stands"
    editor(shown).press("Backspace")
    assert grid_bytes(shown) == bson.encode({"title": "Gnossienne", "year": 183})
    assert about(shown)[2] == "int32, little-endian: b7 00 00 00 = 183."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"title": "x",}', "Line 1, column 14: there is a comma too many, as nothing follows it."),
        (
            '{"plays": 99999999999999999999}',
            "Line 1, column 11: this whole number does not fit into 64 bits, the most that BSON "
            "has for one.",
        ),
        (
            '{"a": "' + "x" * 3000 + '"}',
            "This document takes 3013 bytes, and the picture shows up to 2048; MongoDB itself takes "
            "up to 16 MiB.",
        ),
    ],
)  # fmt: skip
def test_a_bad_text_gets_a_sentence_and_the_last_good_bytes_stay(
    shown: Any, text: str, sentence: str
) -> None:
    editor(shown).fill(text)
    assert status(shown) == sentence
    assert grid_bytes(shown) == ENCODED
    assert (
        shown.locator(".bb-title").nth(1).text_content() == "The BSON bytes of the last good text"
    )
    assert editor(shown).get_attribute("aria-invalid") == "true"
    assert shown.evaluate("[one.model.saved, one.model.get('document')]") == [0, SONG]
    byte(shown, 51).hover()
    assert about(shown)[2].endswith("= 1810.")
    shown.get_by_role("button", name="Start again").click()
    assert editor(shown).input_value() == SONG
    assert status(shown) == "213 bytes of BSON, in 14 fields."
    assert editor(shown).get_attribute("aria-invalid") is None
    assert shown.locator(".bb-title").nth(1).text_content() == "Its BSON bytes"


def test_text_from_outside_is_text(shown: Any) -> None:
    editor(shown).fill('{"<img src=x onerror=alert(1)>": "<b>bold</b>"}')
    row(shown, 1).click()
    assert about(shown)[0] == "<img src=x onerror=alert(1)> (string)"
    assert shown.locator("main img, main b").count() == 0


def test_the_empty_document(shown: Any) -> None:
    editor(shown).fill("{}")
    assert grid_bytes(shown) == b"\5\0\0\0\0"
    assert status(shown) == "5 bytes of BSON, in 0 fields."
    byte(shown, 4).hover()
    assert about(shown)[2] == "00 where the next type would stand: the whole document ends here."


def test_what_python_sets_is_seen(shown: Any) -> None:
    shown.evaluate("""one.model.set('document', '{"year": 1893}')""")
    assert editor(shown).input_value() == '{"year": 1893}'
    assert grid_bytes(shown) == bson.encode({"year": 1893})
    assert shown.evaluate("one.model.saved") == 0


def test_a_notebook_gets_no_keys(shown: Any) -> None:
    shown.evaluate("""() => {
      window.taken = [];
      document.querySelector("main").addEventListener("keydown", (e) => taken.push(e.key));
    }""")
    for place in (editor(shown), byte(shown, 0), row(shown, 0)):
        place.focus()
        for key in ("d", "ArrowDown", "Escape"):
            shown.keyboard.press(key)
    assert shown.evaluate("taken") == []
    assert shown.locator(".bson-bytes").get_attribute("data-lm-suppress-shortcuts") == "true"


def test_two_widgets_share_nothing(shown: Any) -> None:
    shown.evaluate("void show()")
    ids = shown.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids)) == 10
    second = shown.locator("main > div").last
    second.locator("textarea").fill("{}")
    assert second.locator(".bb-hex").count() == 5 + 5
    assert shown.locator("main > div").first.locator(".bb-grid .bb-hex").count() == 213


def test_all_stops_when_the_widget_goes(shown: Any) -> None:
    shown.evaluate("one.cleanup()")
    assert shown.evaluate("[one.listeners.length, one.el.childElementCount]") == [0, 0]


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_bars_move_only_for_who_wants_it(open_page: Any, motion: str) -> None:
    open_page.emulate_media(reduced_motion=motion)
    show(open_page)
    moving = open_page.locator(".bb-bar span").first.evaluate(
        "e => getComputedStyle(e).transitionDuration"
    )
    assert (moving == "0s") == (motion == "reduce")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 700, 800, 1280])
def test_it_follows_the_theme_and_nothing_is_cut(shown: Any, theme: str, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 800})
    set_theme(shown, theme)
    columns = 8 if width < 700 else 16
    shown.wait_for_function(
        "count => document.querySelector('.bb-row').childElementCount === count + 1",
        arg=columns,
        polling=20,
    )
    for text in (SONG, BIG):
        editor(shown).fill(text)
        byte(shown, 5).hover()
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        boxes = ".bb-byte, .bb-at, .bb-field, dt, dd, p, button, .bb-legend li"
        assert cut_off(shown, boxes) == []
    assert follows_theme(shown, ".bson-bytes", theme)


@pytest.mark.parametrize(("theme", "width"), [("light", 800), ("dark", 800), ("light", 360)])
def test_axe_finds_nothing(shown: Any, theme: str, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 800})
    set_theme(shown, theme)
    byte(shown, 51).focus()
    editor(shown).fill("{,}")
    byte(shown, 35).focus()
    assert axe_on_widget(shown) == []


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_signs_can_be_seen(scheme: int) -> None:
    colours = colours_of(BsonBytes._css, "bb", scheme)
    for text in ("text", "quiet", "length", "type", "name", "value", "terminator"):
        for ground in ("paper", "tint", "lit"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    for ground in ("paper", "lit"):
        assert contrast(colours["accent"], colours[ground]) >= 3
    assert contrast(colours["edge"], colours["paper"]) >= 3
