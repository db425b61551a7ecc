"""The page that a static host shows for a wrong address: `404.html`, in the site's look.

A host shows it under the wrong address, at any depth, so its links may not be relative. They
start at the site's root: the path of `html.baseurl`, or "/" if that is not set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sphinx.application import Sphinx

from ._assets import is_html

PAGE = "404"
_BODY = """
<section id="not-found">
<h1>There is no page here</h1>
<p>The address may be mistyped, or the page has moved.</p>
<p>Start from the <a href="{home}">first page</a>, or
<a href="{search}">search the book</a>.</p>
</section>
"""


def root_path(baseurl: str) -> str:
    """The path of the site's root, with a slash at both ends: "/" or "/course/"."""
    path = urlsplit(baseurl or "").path.strip("/")
    return f"/{path}/" if path else "/"


def make_links_absolute(page: str, root: str) -> str:
    """A page at the site's root with every relative link rewritten to start at `root`."""
    page = re.sub(
        r'(\s(?:href|src|action)=")(?![a-zA-Z][a-zA-Z+.-]*:|/|#|")(?:\./)?',
        rf"\g<1>{root}",
        page,
    )
    return re.sub(r'data-content_root="[^"]*"', f'data-content_root="{root}"', page)


def _collect(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    if is_html(app):
        home = app.builder.get_target_uri(app.config.root_doc)
        body = _BODY.format(home=home, search=app.builder.get_target_uri("search"))
        yield PAGE, {"title": "There is no page here", "body": body}, "page.html"


def _finish(app: Sphinx, exception: Exception | None) -> None:
    page = Path(app.outdir, f"{PAGE}.html")
    if exception or not is_html(app) or not page.is_file():
        return
    text = page.read_text("utf-8")
    # The address of the missing page is not one to be found under.
    text = re.sub(r'\s*<link rel="canonical"[^>]*>', "", text)
    page.write_text(make_links_absolute(text, root_path(app.config.html_baseurl)), "utf-8")


def setup(app: Sphinx) -> None:
    """Write the page with the others and make its links absolute when the build ends."""
    app.connect("html-collect-pages", _collect)
    app.connect("build-finished", _finish, priority=960)
