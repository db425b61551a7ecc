"""The chapters as JupyterLite gets them: without outputs, and able to run from top to bottom.

A cell that cannot run in a browser (its tag is `needs-NAME`) becomes text: its code, where it
runs, and what it printed when the book was built. Every other cell is the chapter's own.
"""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import yaml
from jupyter_cache import get_cache

from .._python import needs_sentence
from .._tracebacks import shorten

NEEDS = "needs-"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LINK = re.compile(r"\]\(([^)\s]+)\)|\bsrc=\"([^\"]+)\"")


def chapters_of(root: Path) -> list[Path]:
    """The notebooks that `_toc.yml` names, in reading order."""
    contents = yaml.safe_load((root / "_toc.yml").read_text("utf-8"))
    found: list[Path] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "file" in node:
                found.append(root / (str(node["file"]).removesuffix(".ipynb") + ".ipynb"))
            node = list(node.values())
        if isinstance(node, list):
            for part in node:
                walk(part)

    walk(contents)
    return [path for path in found if path.is_file()]


def needs_of(cell: dict[str, Any]) -> list[str]:
    """What a cell needs that a browser lacks: the NAME of each of its tags `needs-NAME`."""
    tags = cell["metadata"].get("tags", [])
    return [tag.removeprefix(NEEDS) for tag in tags if tag.startswith(NEEDS)]


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


def recorded_text(outputs: list[dict[str, Any]]) -> str:
    """What outputs (nbformat 4) say as plain text, without colours; "" if they say nothing."""
    parts = []
    for output in outputs:
        if output["output_type"] == "stream":
            parts.append(_text(output["text"]))
        elif output["output_type"] == "error":
            parts.append(shorten(_COLOURS.sub("", "\n".join(output["traceback"]))) + "\n")
        elif "text/plain" in output.get("data", {}):
            parts.append(_text(output["data"]["text/plain"]) + "\n")
    return _COLOURS.sub("", "".join(parts)).rstrip("\n")


def fence(text: str, language: str = "") -> str:
    """A fenced block (CommonMark 0.31, 4.5) that no line of the text can close."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{language}\n{text}\n{marks}"


def as_text(cell: dict[str, Any], outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """A code cell that cannot run in a browser as a Markdown cell."""
    recorded = recorded_text(outputs)
    parts = [fence(_text(cell["source"]).rstrip("\n"), "python")]
    parts.append(f"*{needs_sentence(needs_of(cell), bool(recorded))}*")
    if recorded:
        parts.append(fence(recorded))
    kept = {key: cell[key] for key in ("id", "metadata") if key in cell}
    return {**kept, "cell_type": "markdown", "source": "\n\n".join(parts)}


def for_lite(notebook: dict[str, Any], executed: dict[str, Any] | None) -> dict[str, Any]:
    """A chapter's copy for JupyterLite.

    Args:
        notebook: the chapter (nbformat 4).
        executed: the same chapter with outputs, from the book's build; None if there is none.
    """
    outputs = {
        (cell.get("id"), _text(cell["source"])): cell["outputs"]
        for cell in (executed or {}).get("cells", [])
        if cell["cell_type"] == "code"
    }
    result = copy.deepcopy(notebook)
    for number, cell in enumerate(result["cells"]):
        if cell["cell_type"] != "code":
            continue
        if needs_of(cell):
            recorded = outputs.get((cell.get("id"), _text(cell["source"])), [])
            result["cells"][number] = as_text(cell, recorded)
        else:
            cell.update(outputs=[], execution_count=None)
    result["metadata"].pop("widgets", None)
    # without it, the reader is asked which kernel to start: `python3` is not there by that name
    result["metadata"].setdefault("language_info", {"name": "python"})
    return result


def files_beside(notebook: dict[str, Any], folder: Path) -> set[Path]:
    """The files below the chapter's folder that its text shows or links to, pages excepted."""
    text = "\n".join(_text(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown")
    names = {first or second for first, second in _LINK.findall(text)}
    paths = {(folder / name.partition("#")[0]).resolve() for name in names if "://" not in name}
    return {
        path
        for path in paths
        if path.is_file() and path.is_relative_to(folder) and path.suffix not in (".ipynb", ".md")
    }


def plain_svg(file: Path) -> bytes:
    """A drawing in ASCII alone: JupyterLite 0.8 cannot show one with other characters in it."""
    return file.read_text("utf-8").encode("ascii", "xmlcharrefreplace")


def executed(chapter: Path, cache: Path) -> dict[str, Any] | None:
    """A chapter as nbformat 4 with the outputs of the book's build; None if it was not built.

    Args:
        chapter: the notebook.
        cache: the folder of jupyter-cache that the build keeps. (`jupyter_execute` beside it holds
            the outputs only when the notebook ran anew: myst-nb 1.4.)
    """
    if not cache.is_dir():
        return None
    try:
        _, merged = get_cache(str(cache)).merge_match_into_notebook(nbformat.read(chapter, 4))
    except KeyError:
        return None
    return json.loads(nbformat.writes(merged))


def write_contents(root: Path, cache: Path, target: Path) -> list[str]:
    """Write the chapters and the pictures they show into `target`; gives the notebooks' names.

    Args:
        root: the book's folder.
        cache: the folder that `executed` reads.
        target: an empty folder.
    """
    names = []
    for chapter in chapters_of(root):
        notebook = json.loads(chapter.read_text("utf-8"))
        recorded = executed(chapter, cache)
        (target / chapter.name).write_text(
            json.dumps(for_lite(notebook, recorded), ensure_ascii=False, indent=1) + "\n", "utf-8"
        )
        names.append(chapter.name)
        for file in files_beside(notebook, chapter.parent.resolve()):
            copied = target / file.relative_to(chapter.parent.resolve())
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_bytes(plain_svg(file) if file.suffix == ".svg" else file.read_bytes())
    return names
