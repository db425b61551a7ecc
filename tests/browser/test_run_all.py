"""Run all, on every chapter's page: does Python in the page print what Python printed in Jupyter?

A chapter that joins `_toc.yml` is tested from then on. What a cell recorded when the book was
built is the truth that its run in the page is held to, except for cells with the tag
`output-varies`: their metadata says what varies, and they still have to run.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.browser_support import WatchedPage, watched_page
from tests.exercises.test_chapter_exercises import stubs_in
from tests.notebooks import ROOT, code_cells, read

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHAPTERS = re.findall(r"file: (chapters/\S+)", (ROOT / "_toc.yml").read_text("utf-8"))
LOADING = 120_000  # milliseconds; only so that a Python that never comes ends the test
RUNNING = 240_000  # milliseconds; the same for a cell that never ends

CELLS = """() => [...document.querySelectorAll("div.cell")].map((cell) => ({
    tags: [...cell.classList].filter(c => c.startsWith("tag_")).map(c => c.slice(4)),
    state: cell.dataset.liveState ?? null,
    buttons: cell.querySelectorAll(".live-tools button").length,
    needs: cell.querySelector(".live-needs")?.innerText ?? "",
    recorded: cell.querySelector(".cell_output:not(.live-output)")?.innerText ?? "",
    hidden: cell.querySelector(".cell_output:not(.live-output)")?.hidden ?? null,
    shown: cell.querySelector(".live-output")?.innerText ?? "",
}))"""
ENDED = """() => {
    const state = document.documentElement.dataset.livePython;
    const busy = document.querySelector("[data-live-state=waiting], [data-live-state=running]");
    return state === "failed" || state === "unsupported" || (state === "ready" && !busy);
}"""
PEAK = """async (audio) => {
    const url = audio.currentSrc || audio.src || audio.querySelector("source").src;
    const bytes = await (await fetch(url)).arrayBuffer();
    const sound = await new OfflineAudioContext(1, 22050, 22050).decodeAudioData(bytes);
    return sound.getChannelData(0).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
}"""


@dataclass
class Cell:
    """A code cell: where it is, what the notebook says of it, and how it looked on the page."""

    place: int
    """Its position among the page's cells, from 0; the notebook calls it number `place + 1`."""
    code: str
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def tags(self) -> set[str]:
        return set(self.before["tags"])

    @property
    def runs_here(self) -> bool:
        return not any(tag.startswith("needs-") for tag in self.tags)

    def __str__(self) -> str:
        return f"cell {self.place + 1}: {self.code.splitlines()[0][:60]!r}"


@dataclass
class Ran:
    """A chapter's page after Run all."""

    page: WatchedPage
    notebook: Any
    cells: list[Cell]
    state: str
    failed: list[str] = field(default_factory=list)
    """Requests that failed or were answered with an error, as text."""

    def element(self, place: int) -> Any:
        return self.page.locator("div.cell").nth(place)


@pytest.fixture(scope="module", params=CHAPTERS)
def ran(request, book, browser, site_server) -> Iterator[Ran]:
    notebook = read(ROOT / f"{request.param}.ipynb")
    sources = [cell.source for cell in code_cells(notebook)]
    with watched_page(browser, viewport={"width": 1280, "height": 800}) as page:
        failed: list[str] = []
        page.context.on("requestfailed", lambda one: failed.append(f"{one.failure}: {one.url}"))
        page.context.on(
            "response",
            lambda one: failed.append(f"{one.status}: {one.url}") if one.status >= 400 else None,
        )
        page.goto(f"{site_server(book)}{request.param}.html", wait_until="load")
        run_all = page.locator(".live-run-all")
        run_all.wait_for(timeout=LOADING)
        before = page.evaluate(CELLS)
        run_all.click()
        page.wait_for_function(ENDED, timeout=LOADING + RUNNING)
        after = page.evaluate(CELLS)
        assert len(before) == len(sources), "the page has other code cells than the notebook"
        cells = [
            Cell(place, *parts)
            for place, parts in enumerate(zip(sources, before, after, strict=True))
        ]
        state = page.evaluate("document.documentElement.dataset.livePython")
        yield Ran(page, notebook, cells, state, failed)


@pytest.mark.parametrize("name", ["index", *CHAPTERS])
def test_a_page_is_light_until_the_first_run(book, page, site_server, name):
    """At most 250 KB, compressed, and 30 requests; nothing of Python is among them."""
    page.goto(f"{site_server(book)}{name}.html", wait_until="networkidle")
    assert page.transferred() <= 250_000
    assert len(page.requests) <= 30, "\n".join(page.requests)
    assert [url for url in page.requests if "/_runtime/" in url] == []
    assert page.outside == []


def as_read(text: str) -> list[str]:
    """The lines of a text without what no reader sees: blanks at their ends."""
    return [line.rstrip() for line in text.strip().splitlines()]


def difference(cell: Cell) -> str:
    """How the output of the run differs from the recorded one, as a diff; "" if it does not."""
    recorded, shown = as_read(cell.before["recorded"]), as_read(cell.after["shown"])
    lines = difflib.unified_diff(recorded, shown, "recorded", "in the page", lineterm="")
    return "\n".join(["", f"--- {cell}", *list(lines)[2:]]) if recorded != shown else ""


def run(ran: Ran, place: int, code: str) -> dict[str, Any]:
    """Type code in the place of a cell's own, press Shift+Enter; how the cell looks afterwards."""
    editor = ran.element(place).locator(".cell_input pre")
    editor.focus()
    ran.page.keyboard.press("ControlOrMeta+a")
    ran.page.keyboard.insert_text(code)
    assert as_read(editor.inner_text()) == as_read(code)
    ran.page.keyboard.press("Shift+Enter")
    ran.page.wait_for_function(ENDED, timeout=RUNNING)
    return ran.page.evaluate(CELLS)[place]


def test_every_cell_ran(ran):
    """An error where the notebook expects one, and nowhere else."""
    told = ran.page.locator(".live-status").inner_text()
    assert ran.state == "ready", "\n".join([told, *ran.page.errors, *ran.failed])
    wrong = []
    for cell in filter(lambda one: one.runs_here, ran.cells):
        expected = "error" if "raises-exception" in cell.tags else "ok"
        if cell.after["state"] != expected:
            shown = "\n".join(as_read(cell.after["shown"])[-15:])
            wrong.append(f"{cell} is {cell.after['state']!r}, not {expected!r}\n{shown}")
    assert not wrong, "\n\n".join(["", *wrong])


def test_outputs_are_the_recorded_ones(ran):
    different = [
        difference(cell)
        for cell in ran.cells
        if cell.runs_here and "output-varies" not in cell.tags
    ]
    assert not any(different), "\n".join(filter(None, different))


def test_an_output_that_varies_is_exempt_for_a_reason(ran):
    for cell, source in zip(ran.cells, code_cells(ran.notebook), strict=True):
        if "output-varies" in cell.tags:
            assert source.metadata.get("output_varies"), f"{cell}: say in metadata what varies"
            if cell.runs_here and cell.before["recorded"].strip():
                assert cell.after["shown"].strip(), f"{cell} shows nothing"


def test_cells_that_need_more_than_a_browser_say_where_they_run(ran):
    for cell in ran.cells:
        if cell.runs_here:
            assert cell.before["buttons"] and not cell.before["needs"], cell
        else:
            assert cell.after["buttons"] == 0 and cell.after["state"] is None, cell
            assert re.match(r"Runs in .+\.$", cell.after["needs"]), cell
            assert "\n" not in cell.after["needs"], cell
            assert cell.after["recorded"] == cell.before["recorded"], cell
            assert not cell.after["shown"], cell


def test_what_was_recorded_makes_room_for_the_run(ran):
    """No output is to be seen twice."""
    for cell in ran.cells:
        if cell.before["hidden"] is not None:  # it has a recorded output
            assert cell.after["hidden"] == cell.runs_here, cell


def made_again(ran: Ran, selector: str) -> Iterator[tuple[Cell, Any, Any]]:
    """Each cell that ran, its element, and what the run made where as many were recorded."""
    for cell in filter(lambda one: one.runs_here, ran.cells):
        outputs = ran.element(cell.place)
        recorded = outputs.locator(f".cell_output:not(.live-output) {selector}").count()
        made = outputs.locator(f".live-output {selector}")
        assert made.count() == recorded, cell
        yield cell, outputs, made


def test_sound_can_be_heard(ran):
    """Where a recording had a player, the run made one too, and it holds sound."""
    for cell, _, players in made_again(ran, ".output audio"):
        for player in players.all():
            assert 0.5 < player.evaluate(PEAK) <= 1, cell


def test_widgets_have_python_behind_them(ran):
    """Each widget is drawn anew; the song widget is sent by keyboard, and Python answers."""
    for _cell, outputs, widgets in made_again(ran, ".live-widget"):
        for widget in widgets.all():
            widget.scroll_into_view_if_needed()
            widget.locator(":scope > *").first.wait_for()
        for song_request in outputs.locator(".live-output .song-request").all():
            song_request.get_by_label("Name of a song").focus()
            ran.page.keyboard.press("ControlOrMeta+a")
            ran.page.keyboard.type("no song has this name")
            ran.page.keyboard.press("Enter")
            song_request.get_by_text("HTTP/1.1 404 Not Found").wait_for()
            assert song_request.get_by_text(
                re.compile(r"real bytes, over 127\.0\.0\.1:\d+")
            ).count()


def test_solutions_are_right_in_the_page(ran):
    """The stub asks for an answer; with the folded solution typed in, the check says right."""
    stubs, problems = stubs_in(ran.notebook)
    assert stubs and not problems
    places = {id(cell): place for place, cell in enumerate(code_cells(ran.notebook))}
    wrong = []
    for stub in stubs:
        place = places[id(ran.notebook.cells[stub.place])]
        assert f"Exercise {stub.number}: not answered yet" in ran.cells[place].after["shown"]
        seen = run(ran, place, stub.solution)
        if seen["state"] != "ok" or f"Exercise {stub.number}: right" not in seen["shown"]:
            wrong.append(f"{stub.number}: {seen['state']}: {seen['shown']}")
    assert not wrong, "\n".join(wrong)


def test_nothing_was_wrong_meanwhile(ran):
    """Once all this is done on the page: no complaint, no failed request, none to outside."""
    loaded = {url.rpartition("/")[2] for url in ran.page.requests if "/_runtime/" in url}
    assert "pyodide.asm.wasm" in loaded, "the requests of the page's worker are watched, too"
    assert ran.page.errors == []
    assert ran.page.outside == []
    assert ran.failed == []
