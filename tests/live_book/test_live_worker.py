"""The worker in Chromium: it starts the gathered runtime, runs cells, stops them and goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from live_book.runtime import gather
from tests.browser_support import WatchedPage, serve_folder, watched_page

ROOT = Path(__file__).resolve().parents[2]

PAGE = """<!doctype html><meta charset="utf-8"><title>Worker</title><link rel="icon" href="data:,">
<script type="module">
const messages = [], urls = {};
let worker;
function fresh(prefetch) {
  worker?.terminate();
  messages.length = 0;
  worker = new Worker("static/live_python_worker.js", { type: "module" });
  worker.onmessage = ({ data }) => messages.push(data);
  worker.postMessage({ type: "start", runtime: new URL("runtime/", location.href).href, prefetch });
}
function run(cell, code, number) {
  urls[cell] = URL.createObjectURL(new Blob(["run"]));
  worker.postMessage({ type: "run", cell, number, code, interrupt: urls[cell] });
}
function stop(cell) {
  URL.revokeObjectURL(urls[cell]);
  worker.postMessage({ type: "interrupt" });
}
const comm = (message) => worker.postMessage({ type: "comm", message });
const of = (cell) => messages.filter((one) => one.cell === cell);
const has = (test) => messages.some(test);
Object.assign(window, { messages, fresh, run, stop, comm, of, has });
</script>"""


class Worker:
    """The test's hand on the worker."""

    def __init__(self, page: WatchedPage) -> None:
        self.page = page
        self.cells = 0

    def start(self, prefetch: tuple[str, ...] = ()) -> dict[str, Any]:
        """Start afresh; the message that ends the start."""
        self.page.evaluate("(names) => fresh(names)", list(prefetch))
        return self.wait("(one) => ['ready', 'failed'].includes(one.type)")

    def wait(self, test: str) -> dict[str, Any]:
        """The first message that passes, when it has come."""
        handle = self.page.wait_for_function(f"messages.find({test})", timeout=60_000)
        return handle.json_value()

    def begin(self, code: str) -> str:
        self.cells += 1
        cell = f"cell {self.cells}"
        self.page.evaluate("([cell, code]) => run(cell, code, 7)", [cell, code])
        return cell

    def end(self, cell: str) -> tuple[str, list[dict[str, Any]]]:
        """The status of a cell, when it has ended, and its outputs with joined text."""
        self.wait(f"(one) => one.type === 'done' && one.cell === {cell!r}")
        *rest, done = [
            one for one in self.page.evaluate("(cell) => of(cell)", cell) if one["type"] != "comm"
        ]
        outputs: list[dict[str, Any]] = []
        for one in rest:
            output = one["output"]
            same = outputs and output.get("name") and outputs[-1].get("name") == output["name"]
            if same:
                outputs[-1]["text"] += output["text"]
            else:
                outputs.append(output)
        return done["status"], outputs

    def run(self, code: str) -> tuple[str, list[dict[str, Any]]]:
        return self.end(self.begin(code))

    def stop(self, code: str, sign: str = "runs") -> tuple[str, list[dict[str, Any]]]:
        """Run code, stop it when it has printed a sign, and wait for its end."""
        cell = self.begin(f"print({sign!r})\n{code}")
        try:
            self.wait(f"(one) => one.cell === {cell!r} && one.output?.text?.includes({sign!r})")
        finally:  # or the tests after this one would wait for its end
            self.page.evaluate("(cell) => stop(cell)", cell)
        return self.end(cell)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with the worker and a runtime of links, and its address."""
    folder = tmp_path_factory.mktemp("worker")
    (folder / "index.html").write_text(PAGE, "utf-8")
    (folder / "static").symlink_to(ROOT / "live_book" / "static")
    (folder / "runtime").mkdir()
    for file in gather(ROOT).iterdir():
        (folder / "runtime" / file.name).symlink_to(file)
    with serve_folder(folder) as url:
        yield folder, url


@pytest.fixture(scope="module")
def shared(browser, site) -> Iterator[Worker]:
    """One worker for the tests that leave it well."""
    with watched_page(browser) as page:
        page.goto(site[1])
        worker = Worker(page)
        assert worker.start()["type"] == "ready"
        yield worker
        assert page.outside == []


def test_it_says_what_is_loading_and_how_much_is_left(shared):
    steps = [one for one in shared.page.evaluate("messages") if one["type"] == "progress"]
    loaded = [one["loaded"] for one in steps if one["total"] and "Python" in one["text"]]
    assert loaded == sorted(loaded)
    assert any(re.fullmatch(r"Loading Python: \d+\.\d of \d+\.\d MB", s["text"]) for s in steps)
    assert "Starting Python" in [one["text"] for one in steps]
    assert all(one["loaded"] <= one["total"] for one in steps)


def test_a_cell_prints_shows_and_says_that_it_is_done(shared):
    assert shared.run("print('one')\nprint('two')\n6 * 7") == (
        "ok",
        [
            {"output_type": "stream", "name": "stdout", "text": "one\ntwo\n"},
            {
                "output_type": "execute_result",
                "execution_count": 7,
                "data": {"text/plain": "42"},
                "metadata": {},
            },
        ],
    )


def test_done_brings_the_coloured_code(shared):
    cell = shared.begin("1")
    shared.end(cell)
    done = shared.wait(f"(one) => one.type === 'done' && one.cell === {cell!r}")
    assert done["highlighted"] == '<span class="mi">1</span>\n'


def test_errors_are_short_and_carry_the_number_of_the_cell(shared):
    status, (error,) = shared.run("import json\njson.loads('{')")
    assert status == "error"
    text = "\n".join(error["traceback"])
    assert "Cell In[7], line 2" in text and "inside libraries left out" in text
    assert "/lib/" not in text


def test_await_works_at_the_top_and_names_stay(shared):
    shared.run("import asyncio\nkept = await asyncio.sleep(0.01, 'kept')")
    assert shared.run("kept")[1][0]["data"] == {"text/plain": "'kept'"}


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "while True: print('x')",
        "import time; time.sleep(100)",
        "import asyncio; await asyncio.sleep(100)",
        "import asyncio\nwhile True: await asyncio.sleep(0)",
        "import itertools\nfor n in itertools.count(): n * 2",
        "import json\nlong = json.dumps([1] * 10_000)\nwhile True: json.loads(long)",
        "import re; re.match('(a+)+$', 'a' * 40 + 'b')",
        "while True:\n    try:\n        1 / 0\n    except Exception:\n        pass",
        "import asyncio\nasync def busy():\n    while True: pass\n"
        "task = asyncio.create_task(busy())\nawait asyncio.sleep(100)",
    ],
)
def test_stop_ends_code_that_never_would(shared, code):
    status, outputs = shared.stop(code)
    assert status == "interrupted"
    errors = [one for one in outputs if one["output_type"] == "error"]
    assert errors[0]["ename"] == "KeyboardInterrupt"
    assert errors[0]["traceback"][-1] == "KeyboardInterrupt"
    assert shared.run("'still here'")[0] == "ok"


def test_a_run_that_was_stopped_before_its_turn_does_not_start(shared):
    first = shared.begin("import time; time.sleep(0.5)")
    second = shared.begin("print('never')")
    shared.page.evaluate("(cell) => stop(cell)", second)
    shared.end(first)
    assert shared.end(second) == ("interrupted", [])


def test_a_flood_is_cut(shared):
    status, (text, notice) = shared.run("for n in range(50_000): print('a line', n)")
    assert status == "ok"
    assert len(text["text"]) == 100_000
    assert "cut here" in notice["text"]


@pytest.mark.parametrize(
    "code",
    [
        "def deeper(): return deeper()\ndeeper()",
        "def deeper(): return sorted([1], key=lambda one: deeper())\ndeeper()",
        "class Odd:\n    def __eq__(self, other): return self == other\nOdd() == Odd()",
        "class Odd:\n    def __repr__(self): return repr(self)\nOdd()",
    ],
)
def test_endless_recursion_ends_the_cell_and_not_python(shared, code):
    status, outputs = shared.run(code)
    assert (status, outputs[-1]["ename"]) == ("error", "RecursionError")
    assert shared.run("'still here'")[0] == "ok"


def test_a_package_comes_when_it_is_imported(shared):
    before = len(shared.page.requests)
    status, (result,) = shared.run("import pydantic\npydantic.TypeAdapter(int).validate_json('8')")
    assert (status, result["data"]["text/plain"]) == ("ok", "8")
    came = " ".join(shared.page.requests[before:])
    assert "pydantic_core" in came and "sqlalchemy" not in came


def test_an_import_that_no_text_names_brings_the_package_too(shared):
    status, (result,) = shared.run("__import__('a2wsgi').__name__")
    assert (status, result["data"]["text/plain"]) == ("ok", "'a2wsgi'")


def test_a_widget_and_its_view_talk_in_bytes(shared):
    status, outputs = shared.run(
        "import anywidget, traitlets\nclass W(anywidget.AnyWidget):\n"
        "    _esm = 'export default {}'\n    n = traitlets.Int(1).tag(sync=True)\n"
        "    raw = traitlets.Any(b'abc').tag(sync=True)\n"
        "w = W()\nw.observe(lambda change: print('now', bytes(w.raw), w.n), 'raw')\nw"
    )
    assert status == "ok"
    model = outputs[-1]["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
    opened = f"messages.find((one) => one.message?.comm_id === {model!r})"
    sent = shared.page.evaluate(f"[...new Uint8Array({opened}.message.buffers[0])]")
    assert bytes(sent) == b"abc"
    shared.page.evaluate(
        """(id) => comm({ comm_id: id, msg_type: "comm_msg", buffers: [new Uint8Array([1, 2]).buffer],
            data: { method: "update", state: { n: 5 }, buffer_paths: [["raw"]] } })""",
        model,
    )
    printed = shared.wait(
        f"(one) => one.cell === 'cell {shared.cells}' && one.output?.text?.startsWith('now')"
    )
    assert printed["output"]["text"] == "now b'\\x01\\x02' 5\n"


@contextmanager
def missing(folder: Path, pattern: str) -> Iterator[None]:
    """The runtime without one of its files."""
    file = next((folder / "runtime").glob(pattern))
    hidden = file.with_suffix(".hidden")
    file.rename(hidden)
    try:
        yield
    finally:
        hidden.rename(file)


def test_a_failed_download_is_told_and_can_be_tried_again(browser, site):
    folder, url = site
    with watched_page(browser) as page:
        page.goto(url)
        worker = Worker(page)
        assert worker.start()["type"] == "ready"
        with missing(folder, "nest_asyncio-*.whl"):
            status, (error,) = worker.run("import nest_asyncio")
        assert (status, error["ename"]) == ("error", "ImportError")
        assert "run the cell again" in error["evalue"] and "nest_asyncio" in error["evalue"]
        assert worker.run("import nest_asyncio")[0] == "ok"


def test_a_start_that_fails_says_so_in_a_sentence(browser, site):
    folder, url = site
    with watched_page(browser) as page:
        page.goto(url)
        worker = Worker(page)
        with missing(folder, "traitlets-*.whl"):
            told = worker.start()
        assert told["type"] == "failed"
        assert "download" in told["text"] and "try again" in told["text"]


def test_when_python_breaks_down_the_page_is_told(browser, site):
    with watched_page(browser) as page:
        page.goto(site[1])
        worker = Worker(page)
        worker.start()
        cell = worker.begin("import os\nos._exit(3)")
        status, (text,) = worker.end(cell)
        assert status == "error"
        assert "started again" in text["text"]
        assert worker.wait("(one) => one.type === 'failed'")["text"]
