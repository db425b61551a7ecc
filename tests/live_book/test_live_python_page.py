"""Python in the page, in Chromium: running, editing, stopping, widgets, and what goes wrong."""

from __future__ import annotations

import pytest

from tests.browser_support import axe_findings, skip_or_fail, watched_page
from tests.live_book.tiny_book import runtime_folder

pytestmark = pytest.mark.browser

PAGE = "chapters/python.html"
START = 60_000  # milliseconds: Python starts in two seconds, and much later on a busy machine
NO_WEBASSEMBLY = "delete globalThis.WebAssembly"


class Reader:
    """What a reader of the page sees and does; cells go by their number."""

    def __init__(self, page):
        self.page = page
        self.status = page.locator(".live-status")

    def cell(self, number):
        return self.page.locator(f'[data-live-cell="{number}"]')

    def editor(self, number):
        return self.page.get_by_role("textbox", name=f"Code of cell {number}", exact=True)

    def button(self, name, number=""):
        return self.page.get_by_role("button", name=f"{name} {number}".strip(), exact=True)

    def write(self, number, code):
        self.editor(number).fill(code)

    def wait(self, number, state):
        self.cell(number).and_(self.page.locator(f'[data-live-state="{state}"]')).wait_for(
            state="attached", timeout=START
        )

    def run(self, number, code=None, state="ok"):
        if code is not None:
            self.write(number, code)
        self.button("Run cell", number).click()
        self.wait(number, state)

    def start(self, number, code):
        """Run code that does not end by itself."""
        self.write(number, code)
        self.button("Run cell", number).click()
        self.wait(number, "running")

    def run_all(self):
        self.button("Run all").click()
        self.page.wait_for_function(
            """document.documentElement.dataset.livePython === "ready"
                && !document.querySelector('[data-live-state="waiting"]')""",
            timeout=START,
        )

    def states(self):
        found = self.page.locator("[data-live-cell]").evaluate_all(
            "all => Object.fromEntries(all.map(one => [one.dataset.liveCell, one.dataset.liveState]))"
        )
        return {int(number): state for number, state in found.items()}

    def output(self, number):
        """The text of what the cell shows below its code."""
        return self.cell(number).locator(".cell_output:visible").inner_text().strip("\n")

    def code(self, number):
        return self.editor(number).inner_text().rstrip("\n")


@pytest.fixture(autouse=True)
def runtime():
    if isinstance(folder := runtime_folder(), str):
        skip_or_fail(folder)


@pytest.fixture
def fresh(page, site):
    """A page of its own, on which nothing has run."""
    page.show(site + PAGE)
    return Reader(page)


@pytest.fixture(scope="module")
def shared(browser, site):
    with watched_page(browser, viewport={"width": 1280, "height": 800}) as page:
        page.show(site + PAGE)
        yield Reader(page)


@pytest.fixture
def reader(shared):
    """The page that most tests share, since Python takes a while to start: all cells as published.

    Its names are those of the tests before.
    """
    shared.page.errors.clear()
    shared.page.evaluate("""async () => {
        const all = (selector) => document.querySelectorAll(`${selector}:not([hidden])`);
        const frame = () => new Promise(requestAnimationFrame);
        while (all(".live-stop").length) {
            all(".live-stop").forEach((one) => one.click());
            await frame();
        }
        all(".live-reset").forEach((one) => one.click());
    }""")
    return shared


class TestRun:
    def test_nothing_of_python_is_loaded_before_the_first_run(self, fresh, page):
        fresh.button("Run cell", 1).hover()
        fresh.editor(1).click()
        page.wait_for_load_state("networkidle")
        assert [url for url in page.requests if "_runtime" in url or "worker" in url] == []
        assert page.evaluate("document.documentElement.dataset.livePython") == "off"

    def test_run_all_gives_what_was_recorded(self, fresh, page):
        reader = fresh
        recorded = {number: reader.output(number) for number in (1, 2, 5, 6, 8, 10)}
        reader.run_all()
        assert reader.states() == {1: "ok", 2: "ok", 4: "ok", 5: "error", 6: "ok", 7: "ok"} | {
            8: "ok",
            10: "ok",
        }
        assert {number: reader.output(number) for number in recorded} == recorded
        assert reader.cell(1).locator(".live-output .output.stream").count() == 1
        assert reader.cell(5).locator(".live-output .output.traceback").count() == 1
        assert reader.status.inner_text() == "All cells have run."
        assert page.evaluate("window.ran") == 2  # the recorded script, and the live one
        assert reader.cell(4).locator(".live-output").inner_text().split() == ["bold", "'after'"]
        assert reader.cell(4).locator(".live-output img").get_attribute("alt")
        assert page.errors == [] and page.outside == []

    def test_run_all_above(self, reader):
        reader.button("Run all above cell", 5).click()
        reader.wait(4, "ok")
        assert reader.states()[1] == "ok" and reader.states()[5] == "idle"

    def test_a_missing_name_leads_to_run_all_above(self, fresh):
        fresh.run(5, "made_above", state="error")
        note = fresh.cell(5).locator(".live-note")
        assert note.inner_text() == "a name is missing: press Run all above, then Run"
        fresh.button("Run all above cell", 5).click()
        note.filter(has_text="the cells above have run").wait_for(timeout=START)
        fresh.run(5, state="error")
        assert note.inner_text() == "your run failed"

    def test_run_all_stops_at_an_error(self, reader):
        reader.write(2, "missing")
        reader.run_all()
        states = reader.states()
        assert (states[1], states[2], states[4], states[10]) == ("ok", "error", "idle", "idle")
        assert "NameError: name 'missing' is not defined" in reader.output(2)
        assert "Cell 2 failed" in reader.status.inner_text()

    def test_a_failing_exercise_does_not_stop_run_all(self, reader):
        reader.write(6, "missing")
        reader.run_all()
        assert (reader.states()[6], reader.states()[10]) == ("error", "ok")

    def test_a_cell_without_output_shows_none(self, reader):
        reader.run(1, "quiet = 1")
        assert reader.cell(1).locator(".cell_output:visible").count() == 0
        assert "no output" in reader.cell(1).locator(".live-note").inner_text()

    def test_names_are_kept_until_restart(self, reader):
        reader.run(1)
        reader.run(2, "greeting")
        assert reader.output(2) == "'hello'"
        reader.button("Restart").click()
        reader.run(2, state="error")
        assert "NameError" in reader.output(2)

    def test_streams_are_joined_and_cleared(self, reader):
        reader.run(
            1,
            "import sys\n"
            "from IPython.display import clear_output\n"
            "print('gone')\n"
            "clear_output(wait=True)\n"
            "print('a', end='')\n"
            "print('err', file=sys.stderr)\n"
            "print('b\\n10%\\r20%\\x1b[31m!\\x1b[0m')\n",
        )
        outputs = reader.cell(1).locator(".live-output > .output")
        assert [text.strip() for text in outputs.all_inner_texts()] == ["ab\n20%!", "err"]
        assert "stderr" in outputs.nth(1).get_attribute("class")

    def test_long_output_scrolls_by_keyboard(self, reader):
        page = reader.page
        reader.run(10)
        box = reader.cell(10).locator(".live-output pre")
        box.and_(page.locator("[tabindex='0']")).focus()
        page.keyboard.press("End")
        page.wait_for_function("document.activeElement.scrollTop > 0")


class TestEdit:
    def test_by_keyboard_alone(self, reader):
        page = reader.page
        reader.editor(1).focus()
        page.keyboard.press("Control+a")
        page.keyboard.type("for letter in 'ab':")
        page.keyboard.press("Enter")
        page.keyboard.type("print(letter)")
        assert reader.code(1) == "for letter in 'ab':\n    print(letter)"
        page.keyboard.press("Shift+Enter")
        reader.wait(1, "ok")
        assert reader.output(1) == "a\nb"
        assert page.evaluate("document.activeElement.ariaLabel") == "Code of cell 2"
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.ariaLabel") == "Run cell 2"
        page.keyboard.press("Enter")
        reader.wait(2, "ok")
        assert reader.output(2) == "42"

    def test_tab_reaches_every_editor(self, reader):
        """The theme takes what does not scroll out of the order, again after each resize."""
        editors = reader.page.locator(".cell_input pre[role=textbox]")
        editors.evaluate_all("all => all.forEach((one) => { one.tabIndex = -1; })")
        reader.page.wait_for_function(
            "[...document.querySelectorAll('pre[role=textbox]')].every((one) => one.tabIndex === 0)"
        )

    def test_tab_leaves_the_editor_and_changes_nothing(self, reader):
        page = reader.page
        before = reader.code(1)
        reader.editor(1).focus()
        page.keyboard.press("Tab")
        assert not page.evaluate("document.activeElement.isContentEditable")
        assert reader.code(1) == before

    def test_undo_takes_a_new_line_back(self, reader):
        page = reader.page
        before = reader.code(2)
        reader.editor(2).focus()
        page.keyboard.press("Control+End")
        page.keyboard.press("Enter")
        page.keyboard.type("more")
        assert reader.code(2) == f"{before}\nmore"
        for _ in range(len("more") + 1):
            page.keyboard.press("Control+z")
        assert reader.code(2) == before

    def test_control_enter_runs_in_place_and_colours_follow(self, reader):
        page = reader.page
        reader.editor(1).fill("lambda: 'new'")
        page.keyboard.press("Control+Enter")
        reader.wait(1, "ok")
        assert page.evaluate("document.activeElement.ariaLabel") == "Code of cell 1"
        assert "live-uncoloured" in reader.editor(1).get_attribute("class")
        page.keyboard.press("Escape")
        assert reader.editor(1).locator("span.k").inner_text() == "lambda"
        assert "live-uncoloured" not in reader.editor(1).get_attribute("class")

    def test_reset_brings_code_and_output_back(self, reader):
        assert reader.button("Reset cell", 2).count() == 0
        code, output = reader.code(2), reader.output(2)
        reader.run(2, "'mine'")
        assert reader.output(2) == "'mine'"
        reader.button("Reset cell", 2).click()
        assert (reader.code(2), reader.output(2)) == (code, output)
        assert reader.states()[2] == "idle"
        assert reader.button("Reset cell", 2).count() == 0

    def test_edits_survive_a_reload_and_reset(self, fresh, page):
        reader = fresh
        original = reader.code(2)
        reader.write(2, "'mine'")
        page.reload()
        assert reader.code(2) == "'mine'"
        reader.button("Reset cell", 2).click()
        page.reload()
        assert reader.code(2) == original

    def test_the_copy_button_copies_what_the_reader_wrote(self, reader):
        page = reader.page
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        reader.editor(1).focus()
        page.keyboard.press("Control+a")
        page.keyboard.type("one")
        page.keyboard.press("Enter")
        page.keyboard.type("two")
        reader.cell(1).locator(".cell_input .copybtn").click()
        page.wait_for_selector(".copybtn.success")
        assert page.evaluate("navigator.clipboard.readText()").rstrip("\n") == "one\ntwo"


class TestStop:
    def test_a_loop_without_end(self, reader):
        reader.start(1, "while True: pass")
        reader.button("Stop cell", 1).click()
        reader.wait(1, "interrupted")
        reader.run(2)  # Python is still there
        assert reader.output(2) == "42"

    def test_waiting_for_something(self, reader):
        reader.start(1, "import asyncio\nawait asyncio.sleep(1000)")
        reader.button("Stop").click()
        reader.wait(1, "interrupted")

    def test_what_cannot_be_stopped_ends_python(self, reader):
        reader.start(1, "while True:\n    try:\n        while True: pass\n    except: pass")
        reader.button("Stop cell", 1).click()
        reader.wait(1, "interrupted")
        assert "All names are gone" in reader.status.inner_text()
        reader.run(2)
        assert reader.output(2) == "42"

    def test_a_waiting_cell_leaves_the_queue(self, reader):
        reader.start(1, "import asyncio\nawait asyncio.sleep(1000)")
        reader.button("Run cell", 2).click()
        reader.wait(2, "waiting")
        reader.button("Stop cell", 2).click()
        assert reader.states()[2] == "idle"
        reader.button("Stop cell", 1).click()
        reader.wait(1, "interrupted")
        assert reader.states()[2] == "idle"

    def test_a_flood_leaves_the_page_responsive(self, reader):
        reader.write(1, "while True: print('flood ' * 20)")
        reader.button("Run cell", 1).click()
        reader.cell(1).locator(".live-output", has_text="flood").wait_for(timeout=START)
        reader.write(2, "'still here'")
        reader.button("Stop cell", 1).click()
        reader.wait(1, "interrupted")
        assert len(reader.cell(1).locator(".live-output").text_content()) < 600_000
        reader.run(2)
        assert reader.output(2) == "'still here'"


class TestWidgets:
    @pytest.fixture
    def view(self, reader):
        reader.run(7)
        view = reader.cell(7).locator(".live-output .live-widget")
        view.locator("button").first.wait_for()
        return view

    def heard(self, view, text):
        view.locator("output", has_text=text).wait_for()

    def test_a_change_reaches_python_and_its_answer_the_page(self, reader, view):
        view.get_by_role("button", name="Add").press("Enter")
        self.heard(view, "doubled: 2")
        view.get_by_role("button", name="Add").press("Enter")
        self.heard(view, "doubled: 4")
        assert reader.page.errors == []

    def test_messages_and_commands_with_binary_values(self, view):
        view.get_by_role("button", name="Ask").click()
        self.heard(view, "pong 3")
        view.get_by_role("button", name="Call").click()
        self.heard(view, "HEY! 9")
        assert view.get_attribute("data-bytes") == "7"

    def test_styles_classes_and_layout(self, view):
        assert view.evaluate("one => one.style.maxWidth") == "400px"
        padding = view.locator("button").first.evaluate("one => getComputedStyle(one).paddingLeft")
        assert padding == "16px"

    def test_python_changes_a_widget_and_closes_it(self, reader, view):
        reader.run(8, "clicker.clicks = 21")
        self.heard(view, "doubled: 42")
        reader.run(8, "clicker.close()")
        view.locator("button").first.wait_for(state="detached")

    def test_after_restart_it_is_told_that_python_is_gone(self, reader, view):
        reader.button("Restart").click()
        with reader.page.page.expect_event("pageerror") as error:
            view.get_by_role("button", name="Call").click()
        assert "no Python behind this page" in str(error.value)

    def test_the_recorded_one_works_with_no_python(self, fresh, page):
        recorded = fresh.cell(7).locator(".cell_output .live-widget")
        recorded.scroll_into_view_if_needed()
        recorded.get_by_role("button", name="Add").click()
        assert page.evaluate("document.documentElement.dataset.livePython") == "off"


class TestTrouble:
    def test_a_failed_download_can_be_tried_again(self, fresh, page):
        reader = fresh
        page.page.route("**/pyodide.asm.wasm", lambda route: route.abort(), times=1)
        reader.button("Run cell", 1).click()
        reader.button("Retry").click(timeout=START)
        reader.wait(1, "ok")
        assert reader.output(1) == "hello"

    def test_a_failed_worker_too(self, fresh, page):
        reader = fresh
        page.page.route("**/live_python_worker.js*", lambda route: route.abort(), times=1)
        reader.button("Run cell", 1).click()
        reader.button("Retry").click(timeout=START)
        reader.wait(1, "ok")

    def test_an_old_browser_gets_one_sentence(self, page, site):
        page.page.add_init_script(NO_WEBASSEMBLY)
        page.show(site + PAGE)
        assert page.evaluate("document.documentElement.dataset.livePython") == "unsupported"
        assert "cannot run Python" in page.locator(".live-bar").inner_text()
        assert page.locator(".live-button").count() == 0
        assert page.locator("[contenteditable]").count() == 0
        assert page.locator(".cell_output:visible").first.inner_text().strip() == "hello"
        assert page.errors == []

    def test_without_javascript_there_are_no_dead_buttons(self, browser, site):
        with watched_page(browser, java_script_enabled=False) as page:
            page.goto(site + PAGE)
            assert "JavaScript" in page.locator(".live-bar").inner_text()
            assert page.locator(".live-tools:visible").count() == 0


@pytest.mark.parametrize("width", [1280, 360])
def test_accessible_in_use(reader, width):
    page = reader.page
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(reduced_motion="reduce")  # colours change at once
    reader.run_all()
    reader.write(2, "edited = True")
    for theme in ("light", "dark"):
        page.evaluate(
            """async (theme) => {
                document.documentElement.dataset.theme = theme;
                for (const _ of "12") await new Promise(requestAnimationFrame); // it is painted
                await Promise.allSettled(document.getAnimations().map((one) => one.finished));
            }""",
            theme,
        )
        assert axe_findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        small = page.locator(".live-button:visible").evaluate_all(
            "all => all.filter(one => one.offsetHeight < 24 || one.offsetWidth < 24).length"
        )
        assert small == 0
        assert page.errors == []


def test_the_page_does_not_move_when_the_script_comes(page, site):
    page.page.add_init_script("""window.moved = 0; new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.moved += entry.value;
    }).observe({ type: "layout-shift", buffered: true });""")
    page.show(site + PAGE)
    assert page.evaluate("window.moved") < 0.05


def test_whoever_ran_something_before_gets_it_faster(fresh, page):
    reader = fresh
    reader.run(1)
    page.reload()
    page.wait_for_function(
        "document.querySelector('link[rel=prefetch][href*=\"pyodide.asm.wasm\"]')", timeout=START
    )
    assert page.evaluate("document.documentElement.dataset.livePython") == "off"
    reader.button("Run cell", 1).hover()
    page.wait_for_function("document.documentElement.dataset.livePython !== 'off'")


def test_names_of_imported_modules(reader):
    code = (
        "import a.b, c as d\nfrom e.f import (g,\n  h)\n  import i\nx = 'import j'\nfrom . import k"
    )
    names = reader.page.evaluate(
        """async (code) => {
            const { src } = document.querySelector("script[data-runtime]");
            return (await import(src)).importedNames([code]);
        }""",
        code,
    )
    assert names == ["a", "c", "e", "i"]
