"""On each chapter, the link that opens it as a notebook in the browser (`live_book.lite`)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from docutils import nodes
from sphinx.application import Sphinx

from ._assets import is_html, to_root

LINK = "live-lite"
TEXT = "Open in your browser as a notebook"


def address(docname: str) -> str:
    """Where a chapter's notebook opens, relative to its page."""
    name = quote(docname.rpartition("/")[2] + ".ipynb")
    return f"{to_root(docname)}lite/notebooks/index.html?path={name}"


def _add_link(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the link below the title of a page that was written as a notebook.

    JupyterLite starts the runtime of the pages: where there is none, there is no link.
    """
    is_notebook = Path(app.env.doc2path(docname)).suffix == ".ipynb"
    title = doctree.next_node(nodes.title)
    if not is_html(app) or not is_notebook or title is None:
        return
    if not getattr(app, "live_book_runtime", ""):
        return
    markup = (
        f'<p class="{LINK}"><a href="{address(docname)}">{TEXT}</a> '
        "(JupyterLite: nothing to install)</p>"
    )
    title.parent.insert(title.parent.index(title) + 1, nodes.raw("", markup, format="html"))


def setup(app: Sphinx) -> None:
    """Add the link as each page is written, before `_python` puts its bar above it."""
    app.connect("doctree-resolved", _add_link, priority=640)
