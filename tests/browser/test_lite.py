"""JupyterLite: every chapter's link opens it, and chapter 1 runs from top to bottom."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from live_book.lite._notebooks import chapters_of, executed
from tests.browser_support import serve_folder, watched_page
from tests.notebooks import ROOT

pytestmark = pytest.mark.browser

CHAPTER_1 = "01_what_is_an_api"
SECONDS = 1000  # Playwright counts in milliseconds

CODE_CELLS = """() => {
    const cells = window.jupyterapp.shell.currentWidget.content.model.cells;
    return Array.from({ length: cells.length }, (_, i) => cells.get(i))
        .filter((cell) => cell.type === "code")
        .map((cell) => ({ id: cell.id, state: cell.executionState, count: cell.executionCount,
                          outputs: cell.outputs.toJSON() }));
}"""
ALL_RAN = (
    f"""() => ({CODE_CELLS})().every((cell) => cell.count !== null && cell.state === "idle")"""
)


@pytest.fixture
def lite(book: Path) -> Path:
    """The built site, if JupyterLite is on it."""
    assert (book / "lite" / "notebooks" / "index.html").is_file(), "make book ends with JupyterLite"
    return book


def text_of(outputs: list[dict[str, Any]]) -> str:
    """What outputs say as text; where an object is in memory says nothing."""
    parts = []
    for output in outputs:
        data = output.get("data", {})
        part = output.get("text") or data.get("text/plain") or output.get("evalue", "")
        parts.append(part if isinstance(part, str) else "".join(part))
    return re.sub(r"\b0x[0-9a-f]+", "0x", "".join(parts)).strip()


def open_notebook(page: Any, url: str) -> None:
    page.goto(url)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60 * SECONDS)
    page.wait_for_function(
        "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel",
        timeout=60 * SECONDS,
    )


@pytest.mark.parametrize("chapter", chapters_of(ROOT), ids=lambda path: path.stem)
def test_chapter_has_one_link_to_its_notebook(lite, page, site_server, chapter):
    address = f"chapters/{chapter.stem}.html"
    page.goto(site_server(lite) + address)
    link = page.get_by_role("link", name="Open in your browser as a notebook")
    assert link.count() == 1 and link.is_visible()
    link.click()
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60 * SECONDS)
    first = json.loads(chapter.read_text("utf-8"))["cells"][0]["source"]
    title = "".join(first).splitlines()[0].lstrip("# ")
    page.get_by_role("heading", name=title, level=1).wait_for()
    assert page.outside == []


@pytest.mark.slow
def test_chapter_1_runs_from_top_to_bottom(lite, browser):
    """Run all, below a path as on the hosts of project pages, with every outside host blocked."""
    source = ROOT / "chapters" / f"{CHAPTER_1}.ipynb"
    tags = {
        cell["id"]: cell["metadata"].get("tags", [])
        for cell in json.loads(source.read_text("utf-8"))["cells"]
    }
    ran = executed(source, ROOT / "_build" / ".jupyter_cache")
    recorded = {c["id"]: c["outputs"] for c in ran["cells"] if c["cell_type"] == "code"}
    with serve_folder(lite, "course") as url, watched_page(browser) as page:
        open_notebook(page, f"{url}lite/notebooks/index.html?path={source.name}")
        page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_function(ALL_RAN, timeout=240 * SECONDS)
        cells = page.evaluate(CODE_CELLS)
        assert page.outside == []
        picture = page.locator(".jp-Notebook img").first
        picture.scroll_into_view_if_needed()
        page.wait_for_function("i => i.naturalWidth > 0", arg=picture.element_handle())
    runnable = [name for name, of in recorded.items() if not needs(tags[name])]
    assert [cell["id"] for cell in cells] == runnable
    for cell in cells:
        errors = [o["evalue"] for o in cell["outputs"] if o["output_type"] == "error"]
        assert bool(errors) == ("raises-exception" in tags[cell["id"]]), (cell["id"], errors)
        if "output-varies" not in tags[cell["id"]]:
            assert text_of(cell["outputs"]) == text_of(recorded[cell["id"]]), cell["id"]


def test_widget_answers_with_python_behind_it(lite, page, site_server):
    """A number that is set in the widget's view arrives in Python, and the answer in the view."""
    open_notebook(page, f"{site_server(lite)}lite/notebooks/index.html?path={CHAPTER_1}.ipynb")
    page.evaluate(
        """source => {
            const panel = window.jupyterapp.shell.currentWidget;
            panel.content.model.sharedModel.insertCell(0, { cell_type: "code", source });
            panel.content.activeCellIndex = 0;
            void window.jupyterapp.commands.execute("notebook:run-cell");
        }""",
        WIDGET,
    )
    button = page.get_by_role("button", name="Double 21")
    button.wait_for(timeout=120 * SECONDS)
    button.click()
    page.get_by_role("button", name="Double 42").wait_for()
    assert page.outside == []


def test_tab_completes_what_an_object_has(lite, page, site_server):
    """Without jedi, which the runtime leaves out, the kernel as it comes completes no attribute."""
    open_notebook(page, f"{site_server(lite)}lite/notebooks/index.html?path={CHAPTER_1}.ipynb")
    matches = page.evaluate(
        """async () => {
            const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
            await kernel.requestExecute({ code: "import os" }).done;
            return (await kernel.requestComplete({ code: "os.pat", cursor_pos: 6 })).content.matches;
        }"""
    )
    assert any(match.endswith("path") for match in matches)


def needs(tags: list[str]) -> bool:
    return any(tag.startswith("needs-") for tag in tags)


WIDGET = '''
import anywidget, traitlets

class Doubler(anywidget.AnyWidget):
    _esm = """
    export default { render({ model, el }) {
        const button = document.createElement("button");
        const show = () => { button.textContent = `Double ${model.get("value")}`; };
        button.onclick = () => model.send("double");
        model.on("change:value", show);
        show();
        el.append(button);
    } }
    """
    value = traitlets.Int(21).tag(sync=True)

doubler = Doubler()
def answer(widget, message, buffers):
    widget.value *= 2
doubler.on_msg(answer)
doubler
'''
