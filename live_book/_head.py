"""What search engines and messengers read of a page: description, social card, favicon."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urljoin

from docutils import nodes
from sphinx.application import Sphinx

from ._assets import is_html

CARD = "_static/live_card.png"
CARD_SIZE = (1200, 630)
_LONGEST = 160
"""Characters of a description that search engines show."""


def first_paragraph(doctree: nodes.document) -> str:
    """The text of the first paragraph of running text, or "" if the page has none."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, (nodes.section, nodes.document)):
            text = " ".join(paragraph.astext().split())
            if text:
                return text
    return ""


def shorten(text: str, longest: int = _LONGEST) -> str:
    """The text cut at a word, with an ellipsis, if it has more than `longest` characters."""
    if len(text) <= longest:
        return text
    return text[: longest - 1].rsplit(" ", 1)[0].rstrip(" ,;:.") + "\u2026"


def describe(app: Sphinx, pagename: str, context: dict[str, Any], doctree: Any) -> str:
    """The page's description: front matter, else its first paragraph, else the book's title.

    Front matter is `description` at the top level, or MyST's `html_meta`, which is already in the
    page's meta tags.
    """
    written = re.search(
        r'<meta\b(?=[^>]*\bname="description")[^>]*\bcontent="([^"]*)"',
        context.get("metatags") or "",
    )
    if written:
        return html.unescape(written[1])
    front_matter = app.env.metadata.get(pagename, {}).get("description")
    if front_matter:
        return " ".join(str(front_matter).split())
    paragraph = first_paragraph(doctree) if doctree is not None else ""
    book = app.config.html_title
    if paragraph:
        return shorten(paragraph)
    title = re.sub(r"<[^>]*>", "", context.get("title") or "")
    return f"{title} \u2014 {book}" if title and title != book else book


def _add_tags(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree) -> None:
    if not is_html(app):
        return
    description = describe(app, pagename, context, doctree)
    existing = context.get("metatags") or ""
    title = html.unescape(re.sub(r"<[^>]*>", "", context.get("title") or app.config.html_title))
    properties = {
        "og:title": title,
        "og:description": description,
        "og:type": "website" if pagename == app.config.root_doc else "article",
        "og:site_name": app.config.html_title,
    }
    base = app.config.html_baseurl
    if base:
        base = base.rstrip("/") + "/"
        # These two must be absolute (ogp.me, "Basic Metadata"), so they need html.baseurl.
        properties["og:url"] = urljoin(base, context["pathto"](pagename, baseuri=""))
        properties["og:image"] = urljoin(base, CARD)
        properties["og:image:width"], properties["og:image:height"] = map(str, CARD_SIZE)
        properties["og:image:alt"] = f"Title card: {app.config.html_title}"
    tags = [
        f'<meta property="{name}" content="{html.escape(value)}" />'
        for name, value in properties.items()
        if f'property="{name}"' not in existing
    ]
    if 'name="description"' not in existing:
        tags.insert(0, f'<meta name="description" content="{html.escape(description)}" />')
    if base:
        tags.append('<meta name="twitter:card" content="summary_large_image" />')
    context["metatags"] = existing + "\n    " + "\n    ".join(tags) + "\n"


def setup(app: Sphinx) -> None:
    """Add the tags to every page."""
    app.connect("html-page-context", _add_tags, priority=800)
