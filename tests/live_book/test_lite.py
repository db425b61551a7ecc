"""``live_book.lite``: the copies of the chapters, the list of packages, and the built folder."""

from __future__ import annotations

import importlib.util
import json
import zipfile
from urllib.parse import urljoin

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from live_book import _lite
from live_book.lite import LiteNotBuilt, _build, _lock, _notebooks, build
from tests.browser_support import skip_or_fail
from tests.notebooks import ROOT

ERROR = {
    "output_type": "error", "ename": "ValueError", "evalue": "no",
    "traceback": ["\x1b[31mValueError\x1b[0m: no"],
}  # fmt: skip


def code(source, *tags, outputs=(), name="cell"):
    return {"cell_type": "code", "id": name, "source": source, "metadata": {"tags": list(tags)},
            "outputs": list(outputs), "execution_count": 3}  # fmt: skip


def notebook(*cells):
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def fences(markdown):
    return [t for t in MarkdownIt("commonmark").parse(markdown) if t.type == "fence"]


# --- the copies of the chapters


def test_a_cell_that_needs_more_becomes_text_with_what_it_printed():
    printed = {"output_type": "stream", "name": "stdout", "text": ["one\n", "two\n"]}
    before = notebook(code("start()", "needs-nginx"))
    ran = notebook(code("start()", "needs-nginx", outputs=[printed]))
    (cell,) = _notebooks.for_lite(before, ran)["cells"]
    assert cell["cell_type"] == "markdown" and "outputs" not in cell
    assert [f.content for f in fences(cell["source"])] == ["start()\n", "one\ntwo\n"]
    assert (
        "Runs in JupyterLab on your machine, where there is nginx; the output below was"
        in cell["source"]
    )


@pytest.mark.parametrize("ran", [None, notebook(code("another()", "needs-nginx", outputs=[ERROR]))])
def test_an_output_of_other_code_is_not_shown(ran):
    (cell,) = _notebooks.for_lite(notebook(code("start()", "needs-nginx")), ran)["cells"]
    assert [f.content for f in fences(cell["source"])] == ["start()\n"]
    assert "recorded" not in cell["source"]


def test_errors_lose_their_colours():
    assert _notebooks.recorded_text([ERROR]) == "ValueError: no"


@given(st.text("`~ \nab-#", max_size=40).filter(str.strip))
def test_nothing_inside_can_close_a_fence(text):
    """Judged by markdown-it, a CommonMark parser."""
    (only,) = [t for t in MarkdownIt("commonmark").parse(_notebooks.fence(text)) if t.level == 0]
    assert only.type == "fence" and only.content == text + "\n"


@pytest.mark.parametrize("chapter", _notebooks.chapters_of(ROOT), ids=lambda path: path.stem)
def test_every_other_cell_of_a_chapter_is_unchanged(chapter):
    before = json.loads(chapter.read_text("utf-8"))
    after = _notebooks.for_lite(before, None)
    nbformat.validate(after)
    assert len(before["cells"]) == len(after["cells"])
    for old, new in zip(before["cells"], after["cells"], strict=True):
        if old["cell_type"] == "code" and _notebooks.needs_of(old):
            assert new["cell_type"] == "markdown"
        else:
            assert old == new


def test_chapters_are_those_of_the_contents_in_order(tmp_path):
    (tmp_path / "chapters").mkdir()
    for name in ("b", "a", "left_out"):
        (tmp_path / "chapters" / f"{name}.ipynb").write_text("{}")
    (tmp_path / "_toc.yml").write_text(
        "root: index\nparts:\n- chapters:\n  - file: chapters/b\n    sections:\n"
        "    - file: chapters/a\n  - file: words\n"
    )
    assert [path.stem for path in _notebooks.chapters_of(tmp_path)] == ["b", "a"]


def test_pictures_come_along_and_nothing_from_elsewhere(tmp_path):
    book = tmp_path / "book"
    (book / "images").mkdir(parents=True)
    (book / "images" / "x.svg").write_text("<svg>ü</svg>", "utf-8")
    (book / "other.md").write_text("text")
    (tmp_path / "secret.txt").write_text("text")
    text = "![x](images/x.svg) [o](other.md) [s](../secret.txt) [w](https://example.com/x.svg)"
    cell = {"cell_type": "markdown", "source": text, "metadata": {}}
    found = _notebooks.files_beside(notebook(cell), book)
    assert found == {book / "images" / "x.svg"}
    assert _notebooks.plain_svg(found.pop()) == b"<svg>&#252;</svg>"


def test_the_reader_is_not_asked_for_a_kernel():
    assert _notebooks.for_lite(notebook(), None)["metadata"]["language_info"]["name"] == "python"


# --- the list of packages


def test_imports_inside_functions_count(tmp_path):
    file = tmp_path / "x.py"
    file.write_text(
        "import os\nfrom . import y\ndef f():\n    import uvicorn.config\n    from h11 import z"
    )
    assert _lock.imports_of([file]) == {"uvicorn", "h11"}


def write_wheel(folder, name, version):
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "")
        archive.writestr(
            f"{name}-{version}.dist-info/METADATA", f"Name: {name}\nVersion: {version}\n"
        )
    return wheel


def shared_lock():
    def entry(name, *imports, depends=()):
        return {"name": name, "file_name": f"{name}.whl", "imports": imports, "depends": [*depends]}

    return {
        "info": {"python": "3.14.2"},
        "packages": {
            "backend-fundamentals": entry("backend-fundamentals", "helpers", depends=["comm"]),
            "uvicorn": entry("uvicorn", "uvicorn"),
            "comm": entry("comm", "comm"),
            "unused": entry("unused", "unused"),
        },
    }


def test_lock_leads_to_the_runtime_and_helpers_bring_what_they_import(tmp_path):
    helper = tmp_path / "h.py"
    helper.write_text("def serve():\n    import uvicorn")
    wheel = write_wheel(tmp_path, "pyodide_kernel", "1.0")
    shared = shared_lock()
    lock = _lock.lite_lock(shared, "../_runtime/x/", {"pypi/k.whl": wheel}, [helper])
    packages = lock["packages"]
    assert packages["uvicorn"]["file_name"] == "../_runtime/x/uvicorn.whl"
    assert packages["pyodide-kernel"]["file_name"] == "pypi/k.whl"
    assert packages["pyodide-kernel"]["imports"] == ["pyodide_kernel"]
    assert packages["backend-fundamentals"]["depends"] == ["comm", "uvicorn"]
    assert shared == shared_lock(), "the pages' own list is not touched"


# --- the built folder


def need_jupyterlite():
    for module in ("jupyterlite_core", "jupyterlite_pyodide_kernel"):
        if importlib.util.find_spec(module) is None:
            skip_or_fail(f"{module} is not here: python -m pip install -r requirements.txt")


def write_site(folder):
    (folder / "book" / "helpers").mkdir(parents=True)
    (folder / "book" / "_toc.yml").write_text("root: index\nchapters:\n- file: one\n")
    (folder / "book" / "one.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook()))
    runtime = folder / "html" / "_runtime" / "abc"
    runtime.mkdir(parents=True)
    (runtime / "pyodide-lock.json").write_text(json.dumps(shared_lock()))
    return folder / "book", folder / "html"


@pytest.mark.slow
def test_built_once_and_again_only_after_a_change(tmp_path):
    need_jupyterlite()
    root, html = write_site(tmp_path)
    build(root, html, "_runtime/abc/")
    lite = html / "lite"
    settings = json.loads((lite / "jupyter-lite.json").read_text("utf-8"))["jupyter-config-data"]
    kernel = settings["litePluginSettings"]["@jupyterlite/pyodide-kernel-extension:kernel"]
    address = urljoin("http://x/repo/lite/", kernel["pyodideUrl"])
    assert address == "http://x/repo/_runtime/abc/pyodide.mjs"
    assert kernel["disablePyPIFallback"] is True
    assert {e["name"] for e in settings["federated_extensions"]} == {*_build.EXTENSIONS}
    packages = json.loads((lite / "pyodide-lock.json").read_text("utf-8"))["packages"]
    assert {"piplite", "pyodide-kernel", "ipykernel"} <= {*kernel["loadPyodideOptions"]["packages"]}
    for package in ("piplite", "pyodide-kernel", "ipykernel", "lite-settings"):
        assert (lite / packages[package]["file_name"]).is_file()
    assert (lite / "files" / "one.ipynb").is_file()
    assert not list(lite.rglob("*.map")), "source maps"
    assert sorted(p.name for p in lite.iterdir() if (p / "index.html").is_file()) == ["notebooks"]

    mark = lite / "mark"  # a new build clears the folder
    mark.touch()
    build(root, html, "_runtime/abc/")
    assert mark.exists()
    (root / "one.ipynb").write_text(
        nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("changed")]))
    )
    build(root, html, "_runtime/abc/")
    assert not mark.exists()
    assert "changed" in (lite / "files" / "one.ipynb").read_text("utf-8")


def test_without_a_runtime_it_says_what_to_do(tmp_path):
    root, html = write_site(tmp_path)
    with pytest.raises(LiteNotBuilt, match="Build the book first: make book"):
        build(root, html, "_runtime/missing/")


def test_without_an_extension_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(_build.sys, "prefix", str(tmp_path))
    with pytest.raises(LiteNotBuilt, match=r"-r requirements\.txt"):
        _build.extension_folders()


def test_another_jupyterlite_is_noticed(tmp_path, monkeypatch):
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "1.js").write_text('send({msgType:"execute_reply",content:s})')
    monkeypatch.setattr(_build.metadata, "version", lambda name: "99")
    with pytest.raises(LiteNotBuilt, match=r"This version of JupyterLite \(99\)"):
        _build._run_past_expected_errors(tmp_path)


# --- the link


@pytest.mark.parametrize(
    ("page", "opens"),
    [("chapters/01_what_is_an_api", "01_what_is_an_api.ipynb"), ("a b", "a%20b.ipynb")],
)
def test_link_leads_to_the_notebook_under_any_base(page, opens):
    address = urljoin(f"https://host.example/repo/{page}.html", _lite.address(page))
    assert address == f"https://host.example/repo/lite/notebooks/index.html?path={opens}"
