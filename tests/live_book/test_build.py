"""``live_book.build``: a good book is built, a bad one is not, and nothing stale is kept."""

from __future__ import annotations

import json

import pytest

from live_book.build import build, fingerprint, forget_outdated

CONFIG = """\
title: A small book
only_build_toc_files: true
execute:
  execute_notebooks: cache
sphinx:
  config:
    nb_execution_raise_on_error: true
"""


def write_book(root, *, code="1 + 1", text="# A small book"):
    (root / "_config.yml").write_text(CONFIG)
    (root / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n- file: one\n")
    (root / "index.md").write_text(text)
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# One"},
        {"cell_type": "code", "id": "b", "metadata": {}, "source": code, "outputs": [],
         "execution_count": None},
    ]  # fmt: skip
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    notebook = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (root / "one.ipynb").write_text(json.dumps(notebook))


@pytest.mark.slow
def test_builds_a_book_and_names_the_file_to_open(tmp_path, capfd):
    write_book(tmp_path, code="print('six', 2 * 3)")
    assert build(tmp_path) == 0
    said = capfd.readouterr().out
    assert str(tmp_path / "_build" / "html" / "index.html") in said.splitlines()[-1]
    assert "six 6" in (tmp_path / "_build" / "html" / "one.html").read_text("utf-8")

    # the second build runs no notebook again
    ran = list((tmp_path / "_build" / ".jupyter_cache").rglob("base.ipynb"))
    before = [file.stat().st_mtime_ns for file in ran]
    assert build(tmp_path) == 0
    assert before and [file.stat().st_mtime_ns for file in ran] == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mistake", "named"),
    [({"code": "1 / 0"}, "one.ipynb"), ({"text": "# A small book\n\n[x](nowhere.md)"}, "index.md")],
    ids=["a cell fails", "a page warns"],
)
def test_fails_and_names_the_page(tmp_path, capfd, mistake, named):
    write_book(tmp_path, **mistake)
    assert build(tmp_path) != 0
    said = capfd.readouterr()
    assert named in said.out
    assert "The book was not built" in said.err


def test_results_of_other_helpers_are_forgotten(tmp_path):
    (tmp_path / "helpers").mkdir()
    (tmp_path / "helpers" / "a.py").write_text("1")
    output = tmp_path / "_build"
    forget_outdated(tmp_path, output)
    (output / ".jupyter_cache").mkdir()
    (output / "html").mkdir()

    forget_outdated(tmp_path, output)
    assert (output / ".jupyter_cache").exists(), "nothing changed"

    (tmp_path / "_config.yml").write_text("title: x")
    forget_outdated(tmp_path, output)
    assert (output / ".jupyter_cache").exists() and not (output / "html").exists()

    (tmp_path / "helpers" / "a.py").write_text("2")
    forget_outdated(tmp_path, output)
    assert not (output / ".jupyter_cache").exists()


def test_fingerprint_sees_names_and_contents(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("1")
    first = fingerprint(tmp_path, ["a"])
    (tmp_path / "a" / "x").rename(tmp_path / "a" / "y")
    second = fingerprint(tmp_path, ["a"])
    (tmp_path / "a" / "y").write_text("2")
    assert len({first, second, fingerprint(tmp_path, ["a"])}) == 3
