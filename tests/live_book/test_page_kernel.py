"""The kernel of the page gives the outputs that ipykernel gives for the same cells."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from live_book.page_kernel import shorten

LIVE_BOOK = Path(__file__).resolve().parents[2] / "live_book"

RUN = f"""
import asyncio, json, sys
sys.path.insert(0, {str(LIVE_BOOK)!r})
from page_kernel import Kernel

steps, messages = json.load(sys.stdin), []
kernel = Kernel(lambda message, buffers: messages.append(
    json.loads(json.dumps({{**message, "buffers": [one.hex() for one in buffers]}}))))
kernel.start()

async def main():
    for number, step in enumerate(steps, 1):
        if isinstance(step, str):
            await kernel.run(f"cell {{number}}", number, step)
        elif "stop" in step:
            loop = asyncio.get_running_loop()
            loop.call_later(0.2, kernel.interrupt)
            await kernel.run(f"cell {{number}}", number, step["stop"])
        else:
            opened = [one for one in messages if one["type"] == "comm"
                      and one["message"]["msg_type"] == "comm_open"]
            buffers = [bytes.fromhex(one) for one in step.pop("buffers", [])]
            kernel.receive_comm(
                {{"comm_id": opened[-1]["message"]["comm_id"], "msg_type": "comm_msg", **step}},
                [memoryview(one) for one in buffers])
            await asyncio.sleep(0.01)

asyncio.run(main())
kernel.outputs.flush()
print(json.dumps(messages), file=sys.__stdout__)
"""

CELLS = {
    "streams": "import sys\nprint('a')\nprint('b', end='')\nprint('c', file=sys.stderr)",
    "last line": "x = 40\nx + 2",
    "nothing": "x = 1",
    "None": "None",
    "semicolon": "x + 1;",
    "semicolon and comment": "x + 1; # not shown",
    "remembered": "5 * 5",
    "underscore": "_ + 1",
    "Out": "sorted(Out), In[2]",
    "order": "print('one')\ndisplay('two')\nprint('three')\n'four'",
    "html": "from IPython.display import *\nHTML('<b>bold</b>')",
    "images": "Image(data=b'\\x89PNG\\r\\n\\x1a\\n' + bytes(40), format='png')",
    "svg": "SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')",
    "audio": "Audio(b'RIFF', rate=8000)",
    "several": "display(HTML('<i>'), Markdown('*m*'), {'text/plain': 'raw'}, raw=False)",
    "raw": "display({'text/plain': 'p', 'text/html': '<p>'}, raw=True, metadata={'a': 1})",
    "own repr": "class Song:\n    def __repr__(self):\n        return 'a song'\n"
    "    def _repr_html_(self):\n        return '<em>a song</em>'\nSong()",
    "own bundle": "class Wide:\n    def _repr_mimebundle_(self, include=None, exclude=None):\n"
    "        return {'text/plain': 'w', 'application/json': {'n': [1, None]}}\nWide()",
    "pretty": "{'key' + str(n): list(range(n)) for n in range(12)}",
    "clear": "print('old')\nclear_output()\nprint('new')",
    "clear wait": "print('old')\ndisplay('old')\nclear_output(wait=True)\nprint('new')",
    "display id": "handle = display('first', display_id='here')\nhandle.update('second')",
    "top-level await": "import asyncio\nprint('before')\nawait asyncio.sleep(0.01, 'after')",
    "capture": "%%capture kept\nprint('inside')",
    "captured": "kept.stdout",
    "magic": "%precision 3",
    "precision": "1 / 3",
    "unset": "%precision",
    "error": "def half(n):\n    return n / 0\n\nhalf(1)",
    "library": "import json\njson.loads('{')",
    "chained": "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n"
    "    raise ValueError('two\\nlines') from error",
    "printed first": "print('so far')\n{}['missing']",
    "syntax": "1 +",
    "indentation": "if True:\nprint(1)",
    "name": "unknown_name",
    "recursion": "def deeper():\n    return deeper()\n\ndeeper()",
    "mutual recursion": "class Odd:\n    def __eq__(self, other):\n        return self == other\n"
    "Odd() == Odd()",
    "interrupted": "raise KeyboardInterrupt",
    "repr fails": "class Bad:\n    def __repr__(self):\n        raise TypeError('no repr')\nBad()",
    "logging": "import logging\nlogging.warning('careful')",
    "warning": "import warnings\nwarnings.simplefilter('always')\nprint(len('x'))",
    "still works": "x",
}


def run_in_page(steps: list) -> list[dict]:
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps(steps),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def outputs_of(messages: list[dict], cell: str) -> list[dict]:
    """The outputs that a notebook keeps for a cell, as nbclient keeps them."""
    kept: list[dict] = []
    clear = False
    for message in messages:
        if message["type"] != "output" or message["cell"] != cell:
            continue
        output = message["output"]
        if output["output_type"] == "clear_output":
            clear = output["wait"]
            if not clear:
                kept.clear()
            continue
        if clear:
            kept.clear()
            clear = False
        if output["output_type"] == "update_display_data":
            for one in kept:
                if one.get("id") == output["transient"]["display_id"]:
                    one.update(data=output["data"], metadata=output["metadata"])
            continue
        if output["output_type"] == "stream" and kept and kept[-1].get("name") == output["name"]:
            kept[-1]["text"] += output["text"]
            continue
        output["id"] = output.pop("transient", {}).get("display_id")
        kept.append(dict(output))
    for one in kept:
        del one["id"]
    return kept


def plain(outputs: list) -> list[dict]:
    """Outputs with short tracebacks and without what differs from run to run."""
    results = json.loads(json.dumps(outputs))
    for one in results:
        if one["output_type"] == "error":
            text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(one["traceback"]))
            one["traceback"] = shorten(text).rstrip()
            one["evalue"] = re.sub(r" \(\S+, line \d+\)$", "", one["evalue"])
        for key, value in one.get("data", {}).items():
            if isinstance(value, str):
                one["data"][key] = re.sub(r"0x[0-9a-f]+", "0x", value)
    return results


@pytest.fixture(scope="module")
def both() -> dict[str, tuple[list, list]]:
    """For each cell its outputs in the page and from ipykernel."""
    cells = [new_code_cell(code) for code in CELLS.values()]
    truth = NotebookClient(new_notebook(cells=cells), allow_errors=True, timeout=60).execute()
    messages = run_in_page(list(CELLS.values()))
    return {
        name: (plain(outputs_of(messages, f"cell {number}")), plain(cell.outputs))
        for number, (name, cell) in enumerate(zip(CELLS, truth.cells, strict=True), 1)
    }


@pytest.mark.parametrize("name", CELLS)
def test_outputs_are_those_of_ipykernel(both, name):
    page, truth = both[name]
    assert page == truth


def test_statuses_tell_errors_from_success():
    messages = run_in_page(["1", "1 / 0", "1 +", CELLS["repr fails"], {"stop": "pass"}])
    statuses = [one["status"] for one in messages if one["type"] == "done"]
    assert statuses == ["ok", "error", "error", "error", "ok"]


def test_the_source_of_what_a_cell_defined_can_be_read():
    code = "import inspect\ndef one():\n    return 1"
    (text,) = outputs_of(run_in_page([code, "print(inspect.getsource(one))"]), "cell 2")
    assert text["text"] == "def one():\n    return 1\n\n"


def test_a_cell_that_waits_can_be_stopped_and_the_next_one_runs():
    wait = "import asyncio\nprint('waits')\nawait asyncio.sleep(100)"
    messages = run_in_page([{"stop": wait}, "'next'"])
    printed, error = outputs_of(messages, "cell 1")
    assert printed["text"] == "waits\n"
    assert error["ename"] == "KeyboardInterrupt"
    assert error["traceback"][-1] == "KeyboardInterrupt"
    assert "Cell In[1], line 3" in error["traceback"][0]
    assert [one["status"] for one in messages if one["type"] == "done"] == ["interrupted", "ok"]


def test_numbers_are_those_the_page_gives():
    messages = run_in_page(["'first'", "'second'", "Out[1], In[2], _i1"])
    (result,) = outputs_of(messages, "cell 3")
    assert result["execution_count"] == 3
    assert result["data"]["text/plain"] == "('first', \"'second'\", \"'first'\")"


def test_background_tasks_go_on_between_cells():
    start = (
        "import asyncio\nasync def later():\n    await asyncio.sleep(0.01)\n    print('later')\n"
        "task = asyncio.create_task(later())"
    )
    messages = run_in_page([start, "await task"])
    assert outputs_of(messages, "cell 1") == []
    assert outputs_of(messages, "cell 2")[0]["text"] == "later\n"


def test_an_error_that_nobody_awaits_is_shown():
    fails = "async def fails():\n    1 / 0\n\ntask = asyncio.create_task(fails())"
    messages = run_in_page(["import asyncio\n" + fails, "await asyncio.sleep(0.01)\ndel task"])
    text, error = outputs_of(messages, "cell 2")
    assert "never retrieved" in text["text"]
    assert error["ename"] == "ZeroDivisionError"
    assert "Cell In[1]" in error["traceback"][0]


@pytest.mark.parametrize("code", ["!ls", "%pip install x", "%%bash\nls", "input()", "x = !ls"])
def test_what_a_page_has_not_got_is_said_in_one_sentence(code):
    (error,) = outputs_of(run_in_page([code]), "cell 1")
    assert error["ename"] == "NotInAPage"
    assert "page" in error["evalue"] and "\n" not in error["evalue"]


def test_a_flood_is_cut_with_a_notice_and_the_cell_goes_on():
    code = "for n in range(30_000):\n    print('some text', n)\n'the end'"
    messages = run_in_page([code, "print('next')"])
    text, notice, result = outputs_of(messages, "cell 1")
    assert len(text["text"]) == 100_000 and text["text"].startswith("some text 0\n")
    assert "cut here" in notice["text"] and "100,000 characters" in notice["text"]
    assert result["data"]["text/plain"] == "'the end'"
    assert outputs_of(messages, "cell 2")[0]["text"] == "next\n"


def test_the_first_line_of_a_cell_goes_at_once():
    """However soon after the cell before: what it says must not wait for its computing."""
    messages = run_in_page(["print('before')", "print('now')\nprint('soon after')"])
    sent = [one["output"]["text"] for one in messages if one["type"] == "output"]
    assert sent == ["before\n", "now\n", "soon after\n"]


def test_too_many_displays_are_cut_with_a_notice():
    messages = run_in_page(["for n in range(300):\n    display(n)"])
    *shown, notice = outputs_of(messages, "cell 1")
    assert len(shown) == 100
    assert "100 results" in notice["text"]


def test_an_output_of_many_megabytes_is_left_out():
    messages = run_in_page(["display({'text/html': 'x' * 30_000_000}, raw=True)"])
    (notice,) = outputs_of(messages, "cell 1")
    assert notice["output_type"] == "stream" and "30 MB" in notice["text"]


def test_get_parent_tells_the_cell_and_the_run():
    code = "parent = get_ipython().kernel.get_parent()\n" + (
        "parent['header']['msg_id'], parent['metadata']['cellId'], parent['content']['code'][:6]"
    )
    messages = run_in_page([code, code])
    runs = [outputs_of(messages, f"cell {n}")[0]["data"]["text/plain"] for n in (1, 2)]
    first, second = map(eval, runs)
    assert first[1:] == ("cell 1", "parent")
    assert first[0] != second[0]
