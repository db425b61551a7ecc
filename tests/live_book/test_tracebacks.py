"""Tracebacks are cut down to the reader's own cells and the last line."""

from __future__ import annotations

import re

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from live_book.page_kernel import shorten


@pytest.fixture(scope="module")
def printed():
    """What IPython prints for some errors, asked from a real kernel, without its colours."""
    sources = {
        "own": "def half(x):\n    return x / 0\n\nhalf(1)",
        "library": "import json\njson.loads('{')",
        "chained": "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n"
        "    raise ValueError('two\\nlines') from error",
        "silent": "raise KeyboardInterrupt",
        "syntax": "1 +",
    }
    cells = [new_code_cell(source) for source in sources.values()]
    notebook = NotebookClient(new_notebook(cells=cells), allow_errors=True).execute()
    texts = ["\n".join(cell.outputs[-1].traceback) for cell in notebook.cells]
    return dict(zip(sources, (re.sub(r"\x1b\[[0-9;]*m", "", t) for t in texts), strict=True))


def test_own_steps_stay(printed):
    short = shorten(printed["own"])
    assert short.count("Cell In[1]") == 2
    assert short.endswith("ZeroDivisionError: division by zero")
    assert "left out" not in short


def test_steps_inside_libraries_go_and_with_them_the_machines_folders(printed):
    short = shorten(printed["library"])
    assert "json.loads('{')" in short and "File " not in short
    assert "inside libraries left out" in short
    assert short.splitlines()[-1].startswith("JSONDecodeError: Expecting property name")


def test_of_a_chain_the_last_error_stays_with_its_whole_message(printed):
    short = shorten(printed["chained"])
    assert "ZeroDivisionError:" not in short
    assert short.endswith("ValueError: two\nlines")


def test_an_error_without_a_message(printed):
    assert shorten(printed["silent"]).splitlines()[-1].startswith("KeyboardInterrupt")


def test_what_is_no_traceback_stays_as_it_is(printed):
    assert shorten("Hello\nworld") == "Hello\nworld"
    assert "SyntaxError" in shorten(printed["syntax"])
