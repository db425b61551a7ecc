"""Python in the published page: Run buttons on code cells, and where the others run.

A page with code cells gets the scripts that run them in the browser (`static/live_python.js`) and
room for their buttons, so that nothing moves when these appear. Nothing of Python itself is loaded
before the reader presses Run. The runtime lies in `_runtime/` on the site (`live_book.runtime`).

A cell whose tag says what it needs (`needs-nginx`) cannot run in a browser. It keeps its recorded
output and says in one line where it runs.
"""

from __future__ import annotations

import hashlib
import html
import json
import math
import os
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from ._assets import PACKAGE, is_html, to_root

logger = logging.getLogger(__name__)

STATIC = PACKAGE / "static"
MODULES = ("live_cells.js", "live_kernel.js", "live_outputs.js")
"""What `live_python.js` imports."""
LATER = "live_parts.js"
"""What `live_widgets.js` imports, with the first widget."""
WORKER = "live_python_worker.js"

NEEDS = {
    "apache": "is Apache",
    "cassandra": "is Cassandra",
    "fastavro": "is fastavro",
    "grpc": "is gRPC",
    "haproxy": "is HAProxy",
    "java": "is Java",
    "jupyter": "is Jupyter's own event loop",
    "maven": "is Maven",
    "mongodb": "is MongoDB or FerretDB",
    "nginx": "is nginx",
    "node": "is Node.js",
    "postgres": "is PostgreSQL",
    "pymongo": "is pymongo",
    "rocksdict": "is RocksDB",
    "sockets": "are real sockets",
    "subprocess": "are other programs to start",
    "threads": "are threads",
}
"""What `needs-NAME` stands for, with the verb that "where there" takes."""

PROMISE = (
    "The code on this page runs in your browser, and nothing is sent anywhere. Click into a cell to "
    "change it; Shift+Enter runs it. The first run loads Python: up to {megabytes} MB, once."
)
NO_SCRIPT = "JavaScript is off, though: turn it on to run code."
FROM_A_FILE = (
    "A page that was opened as a file cannot run its code: show the book with make serve. "
    "The outputs below were recorded."
)


def needs_sentence(names: list[str], recorded: bool) -> str:
    """The line that says where a cell runs.

    Args:
        names: what the cell needs, each the NAME of a tag `needs-NAME`; at least one.
        recorded: whether the page shows an output of the cell.
    """
    words = [NEEDS.get(name, f"is {name}").split(" ", 1) for name in names]
    things = [thing for _, thing in words]
    listed = " and ".join(filter(None, [", ".join(things[:-1]), things[-1]]))
    verb = words[0][0] if len(words) == 1 else "are"
    where = f"Runs in JupyterLab on your machine, where there {verb} {listed}"
    return f"{where}; the output below was recorded." if recorded else f"{where}."


def _tags(cell: nodes.container) -> list[str]:
    return [str(tag) for tag in (cell.get("cell_metadata") or {}).get("tags", [])]


def _cells(doctree: nodes.document) -> list[nodes.container]:
    return [
        node for node in doctree.findall(nodes.container) if node.get("nb_element") == "cell_code"
    ]


def _part(cell: nodes.container, name: str) -> nodes.Node | None:
    """The child of a cell that is, or holds folded, its part of this name."""
    for child in cell.children:
        if any(
            one.get("nb_element") == name
            for one in child.findall(lambda node: isinstance(node, nodes.Element))
        ):
            return child
    return None


def _prepare_page(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Say where the cells run that cannot run here, and keep room for the buttons of the others."""
    if not is_html(app):
        return
    cells = _cells(doctree)
    runnable = False
    for cell in cells:
        source, output = _part(cell, "cell_code_source"), _part(cell, "cell_code_output")
        names = [tag.removeprefix("needs-") for tag in _tags(cell) if tag.startswith("needs-")]
        markup = ""
        if names:
            sentence = html.escape(needs_sentence(names, output is not None))
            markup = f'<p class="live-needs">{sentence}</p>'
        elif source is not None and app.live_book_runtime:
            runnable = True
            markup = '<div class="live-tools"></div>'
        if markup:
            place = cell.index(source) + 1 if source is not None else 0
            cell.insert(place, nodes.raw("", markup, format="html"))
    title = doctree.next_node(nodes.title)
    if runnable and title is not None:
        title.parent.insert(
            title.parent.index(title) + 1,
            nodes.raw("", _bar(app.live_book_runtime_size), format="html"),
        )
        doctree["live_numbers"] = [
            int(cell.get("exec_count") or position) for position, cell in enumerate(cells, 1)
        ]


def _bar(size: int) -> str:
    promise = PROMISE.format(megabytes=math.ceil(size / 1e6))
    # As the script will make it, so that nothing moves when it does. A page that was opened as a
    # file loads no modules, so this one script is in the page.
    return (
        f'<div class="live-bar"><p class="live-status">{promise}</p>'
        '<button type="button" class="live-button live-run-all" disabled>Run all</button>'
        f"<noscript>{NO_SCRIPT}</noscript><script>"
        'if (location.protocol === "file:") {'
        ' document.documentElement.dataset.livePython = "unsupported";'
        f" document.currentScript.parentElement.textContent = {json.dumps(FROM_A_FILE)}; }}"
        "</script></div>"
    )


def _version(name: str) -> str:
    path = STATIC / name
    content = path.read_bytes() if path.is_file() else b""
    return f"{name}?v={hashlib.sha256(content).hexdigest()[:8]}"


def _load_scripts(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree
) -> None:
    """Load the scripts on pages with cells that run, and on no other."""
    if not is_html(app) or doctree is None or not doctree.get("live_numbers"):
        return
    root = to_root(pagename)
    app.add_css_file("live_python.css", priority=910)
    app.add_js_file(
        "live_python.js",
        type="module",
        **{
            "data-runtime": root + app.live_book_runtime,
            "data-worker": f"{root}_static/{_version(WORKER)}",
            "data-numbers": " ".join(map(str, doctree["live_numbers"])),
        },
    )
    # With the version in their address, the modules of one page always fit together.
    modules = {name: f"{root}_static/{_version(name)}" for name in (*MODULES, LATER)}
    imports = {f"{root or './'}_static/{name}": url for name, url in modules.items()}
    tags = [f'<script type="importmap">{json.dumps({"imports": imports})}</script>']
    tags += [f'<link rel="modulepreload" href="{url}">' for url in list(modules.values())[:-1]]
    context["metatags"] = (context.get("metatags") or "") + "\n    " + "\n    ".join(tags) + "\n"


def _place_runtime(app: Sphinx) -> None:
    """Put the runtime on the site, if there is one to put; `app.live_book_runtime` is its path."""
    app.live_book_runtime, app.live_book_runtime_size = "", 0
    wanted = os.environ.get("COURSE_RUNTIME") or app.config.live_book_runtime
    if not is_html(app) or "off" in (wanted, os.environ.get("LIVE_BOOK_RUNTIME")):
        return
    from .runtime import RuntimeNotGathered, gather, place

    try:
        runtime = gather(PACKAGE.parent) if wanted == "auto" else Path(app.confdir, wanted)
        app.live_book_runtime = place(runtime, Path(app.outdir))
        app.live_book_runtime_size = _size(runtime)
    except RuntimeNotGathered as error:
        logger.warning("%s", error, type="live_book", subtype="python")


def _size(runtime: Path) -> int:
    """The bytes that a page loads at most, unless a cell imports a package on demand."""
    manifest = json.loads((runtime / "manifest.json").read_text("utf-8"))
    core = [one["bytes"] for one in manifest["packages"].values() if one.get("core", True)]
    return sum(core) + sum(manifest["files"].values())


def _outdated(app: Sphinx, env: BuildEnvironment, *_changes: set[str]) -> list[str]:
    """With another runtime, or none, every page is written again."""
    before, env.live_book_runtime = getattr(env, "live_book_runtime", None), app.live_book_runtime
    return [] if before == app.live_book_runtime else list(env.found_docs)


def setup(app: Sphinx) -> None:
    """Register the setting, place the runtime, and prepare each page as it is written."""
    app.add_config_value("live_book_runtime", "auto", "html", [str])
    app.connect("builder-inited", _place_runtime)
    app.connect("env-get-outdated", _outdated)
    # Before `_widgets` and `_audio` take the tree, and before the lists of scripts are copied.
    app.connect("doctree-resolved", _prepare_page, priority=650)
    app.connect("html-page-context", _load_scripts, priority=650)
