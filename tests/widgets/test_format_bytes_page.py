"""The format widget in Chromium: what the reader sees, edits, and can do with the keyboard."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers.formats import FORMATS
from helpers.music import find_song
from helpers.widgets import FormatBytes
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

ELISE = find_song("fur-elise")
SHORT = replace(ELISE, melody=ELISE.melody[:4])
NOTES = "Notes, PITCH:BEATS; R is a rest"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stage(tmp_path_factory.mktemp("page"), FormatBytes(), ("song", "format"))


@pytest.fixture
def shown(open_page: Any) -> Any:
    show(open_page)
    return open_page


def show(page: Any) -> None:
    page.evaluate("void (window.one = show())")
    page.locator(".fb-part").first.wait_for()


def sizes(page: Any) -> dict[str, str]:
    names = page.locator(".fb-name").all_text_contents()
    return dict(zip(names, page.locator(".fb-size").all_text_contents(), strict=True))


def bytes_shown(page: Any) -> bytes:
    return bytes.fromhex("".join(page.locator(".fb-hex").all_text_contents()))


def about(page: Any) -> str:
    return page.locator(".fb-about").text_content()


def part(page: Any, words: str) -> Any:
    return page.get_by_role("option").filter(has_text=words).first


def test_it_begins_with_every_size_and_the_bytes_of_json(shown: Any) -> None:
    expected = {name: f"{len(form.encode(SHORT))} bytes" for name, form in FORMATS.items()}
    assert sizes(shown) == expected
    assert bytes_shown(shown) == FORMATS["JSON"].encode(SHORT)
    assert shown.get_by_role("radio", checked=True).input_value() == "JSON"
    assert status(shown) == ""


@pytest.mark.parametrize("name", FORMATS)
def test_the_bytes_of_each_format(shown: Any, name: str) -> None:
    field_of = shown.locator(f'input[value="{name}"]')
    field_of.check()
    assert bytes_shown(shown) == FORMATS[name].encode(SHORT)
    assert shown.evaluate("one.model.get('format')") == name
    assert shown.evaluate("one.model.saved") == (name != "JSON")


def test_the_longest_bar_is_full(shown: Any) -> None:
    widths = shown.locator(".fb-bar span").evaluate_all(
        "all => all.map(e => parseFloat(e.style.width))"
    )
    lengths = [len(form.encode(SHORT)) for form in FORMATS.values()]
    assert widths == pytest.approx([100 * one / max(lengths) for one in lengths], abs=0.01)


def test_sizes_and_bytes_follow_the_song(shown: Any) -> None:
    field(shown, "Title").fill("Pour Élise ♪")
    field(shown, "Year").fill("7")
    field(shown, NOTES).fill("R:1 F#4:0.5")
    field(shown, "Other names, parted by ;").fill("one; two")
    notes = tuple(
        replace(SHORT.melody[0], pitch=pitch, beats=beats)
        for pitch, beats in ((None, 1.0), ("F#4", 0.5))
    )
    song = replace(SHORT, title="Pour Élise ♪", year=7, melody=notes, aliases=("one", "two"))
    assert sizes(shown) == {
        name: f"{len(form.encode(song))} bytes" for name, form in FORMATS.items()
    }
    assert bytes_shown(shown) == FORMATS["JSON"].encode(song)
    press(shown, "Start again")
    assert bytes_shown(shown) == FORMATS["JSON"].encode(SHORT)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("Year", "18th", "The year is a whole number from 0 to 2147483647"),
        ("Year", "2147483648", "The year is a whole number from 0 to 2147483647"),
        (NOTES, "E5:0.25 H5:1", '"H5:1" is no note'),
        (NOTES, "E5:0", '"E5:0" is no note'),
        ("Title", "x" * 41, "41 characters"),
        ("Title", "bell\a", "a character that not all formats carry"),
    ],
)
def test_what_is_no_song_is_told_and_the_bytes_stay(
    shown: Any, name: str, text: str, words: str
) -> None:
    field(shown, name).fill(text)
    assert words in status(shown)
    assert bytes_shown(shown) == FORMATS["JSON"].encode(SHORT)
    press(shown, "Start again")
    assert status(shown) == ""


def test_a_part_says_whose_it_is(shown: Any) -> None:
    part(shown, "Für·Elise").hover()
    at = FORMATS["JSON"].encode(SHORT).index("Für".encode())
    assert about(shown) == f"title, its value, bytes {at} to {at + 9}: Für Elise"
    shown.mouse.move(0, 0)
    assert about(shown) == "no field: the frame of the whole, byte 0: {"


def test_with_the_keyboard_alone(shown: Any) -> None:
    field(shown, "Other names, parted by ;").focus()
    for _ in range(2):  # the button, then the chosen format
        shown.keyboard.press("Tab")
    shown.keyboard.press("ArrowDown")
    assert shown.evaluate("one.model.get('format')") == "XML"
    shown.keyboard.press("Tab")
    assert about(shown).startswith("no field: the frame of the whole, byte 0: <")
    shown.keyboard.press("ArrowRight")
    assert about(shown) == "no field: the name of the whole, bytes 1 to 4: song"
    shown.keyboard.press("End")
    assert about(shown).endswith(": >")
    shown.keyboard.press("ArrowRight")
    shown.keyboard.press("Home")
    assert ", byte 0: <" in about(shown)
    selected = shown.get_by_role("option", selected=True)
    assert selected.count() == 1 and selected.get_attribute("data-part") == "0"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 800, 1280])
def test_it_follows_the_theme_and_nothing_is_cut(open_page: Any, theme: str, width: int) -> None:
    open_page.set_viewport_size({"width": width, "height": 900})
    set_theme(open_page, theme)
    show(open_page)
    assert follows_theme(open_page, ".format-bytes", theme)
    assert (
        cut_off(open_page, ".fb-format, .fb-part, .fb-name, .fb-size, .fb-about, .fb-legend") == []
    )
    assert open_page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [360, 800])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(open_page: Any, theme: str, width: int) -> None:
    open_page.set_viewport_size({"width": width, "height": 900})
    set_theme(open_page, theme)
    show(open_page)
    assert axe_on_widget(open_page) == []


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_colour_of_a_field_can_be_read(scheme: int) -> None:
    css = FormatBytes._css
    grounds = colours_of(css, "fb", scheme)
    colours = [pair[scheme] for pair in re.findall(r"--of: light-dark\((#\w+), (#\w+)\)", css)]
    assert len(colours) == len(set(colours)) == 10
    for ground in ("tint", "lit", "paper"):
        assert all(contrast(one, grounds[ground]) >= 4.5 for one in colours), ground


def test_all_stops_when_the_widget_goes(shown: Any) -> None:
    shown.evaluate("one.cleanup()")
    assert shown.locator(".format-bytes").count() == 0
    assert shown.evaluate("one.listeners.length") == 0


def test_two_on_one_page_do_not_meet(shown: Any) -> None:
    shown.evaluate("void (window.two = show({ format: 'CSV' }))")
    first, second = shown.locator(".format-bytes").all()
    assert first.get_by_role("radio", checked=True).input_value() == "JSON"
    assert second.get_by_role("radio", checked=True).input_value() == "CSV"
