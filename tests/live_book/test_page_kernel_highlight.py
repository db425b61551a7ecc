"""Code that was edited and run is coloured with the spans of the built page."""

from __future__ import annotations

import json

import pytest

from live_book.page_kernel._highlight import highlight


def test_the_spans_are_those_of_the_built_page(book):
    compared = 0
    for notebook in book.folder.rglob("*.ipynb"):
        if "_build" in notebook.parts:
            continue
        page = notebook.relative_to(book.folder).with_suffix(".html").as_posix()
        if not (book.html / page).is_file():
            continue
        built = [
            block.decode_contents().removeprefix("<span></span>")
            for block in book.soup(page).select("div.cell_input pre")
        ]
        for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                code = "".join(cell["source"])
                assert _same(highlight(code)) in map(_same, built), code
                compared += 1
    assert compared


def _same(markup: str) -> str:
    # BeautifulSoup writes quotes and apostrophes as they are.
    for name, sign in (("&#39;", "'"), ("&quot;", '"'), ("&#x27;", "'")):
        markup = markup.replace(name, sign)
    return markup.rstrip("\n")


@pytest.mark.parametrize("code", ["", "1 +", "'", "%time x", "!ls", "for\n\n\n", "\ud800"])
def test_code_of_any_kind_is_coloured(code):
    assert isinstance(highlight(code), str)
