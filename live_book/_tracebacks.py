"""Shorten the tracebacks of the published page, as the kernel in the page shortens its own."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx

from .page_kernel import shorten


def _shorten_all(app: Sphinx, doctree: nodes.document) -> None:
    for block in doctree.findall(nodes.literal_block):
        if "traceback" in block["classes"]:
            text = shorten(block.astext())
            block.rawsource = text  # Sphinx colours a block only if both agree
            block.children = []
            block += nodes.Text(text)


def setup(app: Sphinx) -> None:
    """Shorten the tracebacks of each page that is read."""
    app.connect("doctree-read", _shorten_all)
