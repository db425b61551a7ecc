"""MathJax from a local copy on pages with formulas, and none of it anywhere else.

The copy comes from the package `sphinx-mathjax-offline` (MathJax 3), when it is installed. Only
the TeX reader and its fonts are copied, and only when some page has a formula.
"""

from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

from ._assets import is_html

logger = logging.getLogger(__name__)

SCRIPT = "mathjax/tex-chtml.js"
_FONTS = "mathjax/output/chtml/fonts/woff-v2"
_PACKAGE = "sphinx-mathjax-offline"


def find_mathjax() -> Path | None:
    """The folder that holds `mathjax/tex-chtml.js`, or None if the package is not installed."""
    try:
        files = metadata.files(_PACKAGE) or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.as_posix().endswith(SCRIPT):
            return Path(str(file.locate())).resolve().parent.parent
    return None


def _use_local_copy(app: Sphinx, config: Config) -> None:
    config.mathjax_path = SCRIPT


def _has_formulas(app: Sphinx, docname: str) -> bool:
    # `has_equations` of the domain also counts the pages that a page lists as its children, so
    # that the first page would load MathJax for a formula anywhere in the book.
    return bool(app.env.get_domain("math").data["has_equations"].get(docname))


def _is_mathjax(script: Any) -> bool:
    attributes = getattr(script, "attributes", {})
    settings = (attributes.get("body") or "").startswith("window.MathJax")
    return settings or str(getattr(script, "filename", script)).endswith(SCRIPT)


def _check_page(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doc) -> None:
    if not is_html(app) or doc is None:
        return
    formulas, copy = _has_formulas(app, pagename), find_mathjax()
    if not (formulas and copy):
        context["script_files"] = [one for one in context["script_files"] if not _is_mathjax(one)]
    if formulas and not copy:
        logger.warning(
            "This page has a formula, and no local copy of MathJax is installed, so readers will "
            "see its TeX source. Run: python -m pip install %s",
            _PACKAGE,
            location=pagename,
            type="live_book",
            subtype="math",
        )


def _copy_mathjax(app: Sphinx, exception: Exception | None) -> None:
    if exception or not is_html(app):
        return
    source = find_mathjax()
    if source and any(_has_formulas(app, docname) for docname in app.env.found_docs):
        static = Path(app.outdir, "_static")
        shutil.copytree(source / _FONTS, static / _FONTS, dirs_exist_ok=True)
        shutil.copyfile(source / SCRIPT, static / SCRIPT)


def setup(app: Sphinx) -> None:
    """Point MathJax at the local copy, warn where it is missing, copy it where it is needed."""
    app.connect("config-inited", _use_local_copy)
    app.connect("html-page-context", _check_page, priority=850)
    app.connect("build-finished", _copy_mathjax)
