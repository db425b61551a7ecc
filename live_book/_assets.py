"""Files that the extension puts on the site: its own static files and hashed extracts of pages."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

PACKAGE = Path(__file__).parent
EXTRACTS = "_live"
"""Folder of the site that holds what was cut out of pages: audio, widget code, binary state."""


def is_html(app: Sphinx) -> bool:
    """Say whether this build writes HTML pages."""
    return getattr(app.builder, "format", "") == "html"


def write_extract(app: Sphinx, stem: str, suffix: str, content: bytes) -> str:
    """Write content once under a name that depends on it alone, so that browsers may cache it.

    Returns the path from the site's root, with forward slashes.
    """
    digest = hashlib.sha256(content).hexdigest()[:16]
    path = f"{EXTRACTS}/{stem}-{digest}{suffix}"
    target = Path(app.outdir, path)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return path


def to_root(docname: str) -> str:
    """The relative URL from a page to the site's root: "" or "../" as often as needed."""
    return "../" * docname.count("/")


def _add_static_path(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(PACKAGE / "static"))
    config.templates_path.insert(0, str(PACKAGE / "templates"))
    if not config.html_favicon:
        config.html_favicon = str(PACKAGE / "static" / "live_icon.svg")


def setup(app: Sphinx) -> None:
    """Register the static files, the templates and the favicon."""
    app.connect("config-inited", _add_static_path)
    app.add_css_file("live_book.css", priority=900)
