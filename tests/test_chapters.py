"""Every chapter has the parts that a chapter has.

nbmake runs each notebook once, from its own folder: pytest collects chapters/*.ipynb. That it runs
twice, alone and offline, is tested in exercises/test_chapter_exercises.py, with its exercises.
"""

from __future__ import annotations

import importlib
import re
from statistics import median

import pytest

from tests.notebooks import (
    NOTEBOOKS,
    ROOT,
    code_cells,
    lines_of,
    links_of,
    read,
    text_of,
    without_code,
)

each_chapter = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)

PARTS = (
    "## Overview",
    "## Exercises",
    "## Quick quiz",
    "## Summary",
    "## What's next",
    "## Sources",
)
# what a cell may need besides Python; a browser has none of it
NEEDS = {"needs-sockets", "needs-jupyter", "needs-subprocess", "needs-nginx", "needs-haproxy",
         "needs-apache", "needs-postgres", "needs-mongodb", "needs-cassandra", "needs-node",
         "needs-java", "needs-maven", "needs-rocksdict", "needs-wrk", "needs-pymongo", "needs-fastavro",
         "needs-grpc"}  # fmt: skip
TAGS = NEEDS | {"raises-exception", "output-varies", "exercise"}


def test_there_are_chapters():
    assert {"00_template", "01_what_is_an_api"} <= {path.stem for path in NOTEBOOKS}


@each_chapter
def test_is_committed_without_outputs(path):
    for cell in code_cells(read(path)):
        assert not cell.outputs and cell.execution_count is None, (
            "run: nbstripout --keep-id chapters/*.ipynb"
        )


@each_chapter
def test_has_the_parts_of_a_chapter(path):
    notebook = read(path)
    text = text_of(notebook)
    assert len(re.findall(r"^# ", without_code(text), re.MULTILINE)) == 1, "one title"
    places = [text.find(part) for part in PARTS]
    assert -1 not in places and places == sorted(places), f"these parts, in this order: {PARTS}"
    opening = notebook.cells[0].source
    picture = re.search(r"!\[([^\]]+)\]\(images/system[a-z-]*\.svg\)", opening)
    assert picture and len(picture[1]) > 40, "the map of the system, with a text in its place"
    assert re.search(r"^\| You should know \|", text, re.MULTILINE), "prerequisites as a table"
    assert re.search(r"^\*\*Time:\*\* about \d+ minutes", text, re.MULTILINE)
    assert len(re.findall(r"^\d\. ", text[places[0] : places[1]], re.MULTILINE)) >= 3, "goals"
    assert len(re.findall(r"^\*\*Predict", text, re.MULTILINE)) >= 5
    assert len(re.findall(r"^### Exercise \d+\.\d+: ", text, re.MULTILINE)) >= 5
    assert text.count("<details><summary>") == text.count("</details>")


@each_chapter
def test_cells_are_short_and_explained(path):
    notebook = read(path)
    lengths = [len(lines_of(cell)) for cell in code_cells(notebook)]
    assert max(lengths) <= 15
    assert median(lengths) <= 4
    words = len(without_code(text_of(notebook)).split())
    assert 13 <= words / sum(lengths) <= 25, f"{words / sum(lengths):.1f} words a code line"


@each_chapter
def test_shows_a_widget_and_an_error_that_it_explains(path):
    cells = read(path).cells
    widget = re.compile(r"from helpers\.widgets import|import concept_map")
    assert any(widget.search(cell.source) for cell in cells)
    expected = [i for i, c in enumerate(cells) if "raises-exception" in c.metadata.get("tags", [])]
    assert expected
    for i in expected:
        assert cells[i + 1].cell_type == "markdown", f"nothing explains the error of {cells[i].id}"


@each_chapter
def test_is_the_same_in_every_home(path):
    """No chapter asks where it runs, and each tag is one that the page understands."""
    for cell in read(path).cells:
        tags = set(cell.metadata.get("tags", []))
        assert tags <= TAGS, cell.id
        reason = cell.metadata.get("output_varies", "")
        assert bool(reason) == ("output-varies" in tags), f"{cell.id}: say in metadata what varies"
        if cell.cell_type == "code":
            assert "sys.platform" not in cell.source and "emscripten" not in cell.source.lower()
            sockets = re.search(r"subprocess|uvicorn|httpx\.get\(", cell.source)
            if sockets:
                assert NEEDS & tags, f"{cell.id} needs a tag"


@each_chapter
def test_links_inside_the_book_hold(path):
    for link in links_of(read(path)):
        if not re.match(r"[a-z]+:", link):
            assert (path.parent / link.partition("#")[0]).exists(), link


@each_chapter
def test_lists_the_outside_addresses_by_https(path):
    for link in links_of(read(path)):
        assert not link.startswith("http:"), link


@each_chapter
def test_imports_from_one_place_of_the_house(path):
    """Every name that a chapter imports from helpers is public there."""
    for cell in code_cells(read(path)):
        for module, names in re.findall(r"^from (helpers[\w.]*) import (.+)$", cell.source, re.M):
            assert not any(part.startswith("_") for part in module.split("."))
            public = importlib.import_module(module).__all__
            for name in names.split(","):
                assert name.strip() in public, f"{name} from {module}"


def test_the_contents_name_every_chapter():
    contents = (ROOT / "_toc.yml").read_text("utf-8")
    for path in NOTEBOOKS:
        listed = f"chapters/{path.stem}" in contents
        assert listed != (path.stem == "00_template"), path.stem
