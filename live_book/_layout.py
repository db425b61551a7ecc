"""Take out of the theme's pages what they load for nothing, and the second heading.

The template `layout.html` passes blocks of the theme's own layout through the functions below,
so the theme's markup is edited and not copied, and keeps working when the theme moves on.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.builders.html._assets import _JavaScript
from sphinx.config import Config

from ._assets import is_html
from ._stylesheet import BUNDLE_URL, bundle_members

_STYLESHEET = re.compile(r"""<link\b[^>]*\brel="stylesheet"[^>]*>\s*""")
_HREF = re.compile(r'href="([^"?]*)')
# The theme asks the system for light or dark only in a script that runs last, after the first paint.
_THEME_MODE = """<script>
  { const data = document.documentElement.dataset;
    if (!["light", "dark"].includes(data.theme))
      data.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"; }
</script>
"""
# What a page must contain for a script to be of any use to it.
_NEEDS = {
    "clipboard.min.js": r'class="highlight"',
    "copybutton.js": r'class="highlight"',
    "togglebutton.js": r'class="[^"]*\b(toggle|dropdown)\b',
    "toggleHint": r'class="[^"]*\b(toggle|dropdown)\b',
    "toggleOpenOnPrint": r'class="[^"]*\b(toggle|dropdown)\b',
    "togglebuttonSelector": r'class="[^"]*\b(toggle|dropdown)\b',
    "design-tabs.js": r"sd-tab-",
}


def slim_styles(app: Sphinx, block: str, pathto: Any) -> str:
    """The theme's CSS block with one stylesheet for all, and without the icon script."""
    members = set(bundle_members(app))
    kept: list[str] = []

    def judge(match: re.Match[str]) -> str:
        href = _HREF.search(match[0])
        name = re.sub(r"^(\.\./)*(\./)?", "", href[1]) if href else ""
        if name not in members:
            kept.append(match[0])
        return ""

    block = _STYLESHEET.sub(judge, block)
    # The stylesheet has the icons, as a font. The preloads name scripts that are loaded anyway.
    block = re.sub(r"<script\b[^>]*fontawesome\.js[^>]*></script>\s*", "", block)
    block = re.sub(r'<link\b[^>]*rel="preload"[^>]*>\s*', "", block)
    block = re.sub(r"<!--.*?-->\s*", "", block, flags=re.S)
    bundle = f'<link rel="stylesheet" href="{pathto(BUNDLE_URL, resource=True)}" />\n'
    return block + _THEME_MODE + bundle + "".join(kept)


def slim_head(block: str, searches_as_you_type: bool) -> str:
    """The theme's extra head without the second viewport and without the search index.

    The index is needed by the search page, and elsewhere only when searching as you type.
    """
    block = re.sub(r'<meta name="viewport"[^>]*>\s*', "", block)
    block = re.sub(r"<!--.*?-->\s*", "", block, flags=re.S)
    if not searches_as_you_type:
        block = re.sub(
            r"<script\b[^>]*(searchtools|language_data|searchindex)\.js[^>]*></script>\s*",
            "",
            block,
        )
    return block


def repair_content(block: str) -> str:
    """The theme's page with sidebars that open, and names that match what is on the screen.

    The page's header holds invisible copies of the buttons that open the sidebars. The theme's
    script takes the first of each, so the visible ones did nothing, and on a phone nobody could
    reach the contents: the copies go.

    A name must contain the visible text (WCAG 2.2, 2.5.3): the search button shows "Search
    Ctrl+K" and a folded cell "Show code cell source", so their other labels go. The sidebar
    becomes a landmark, since it holds more than the navigation.
    """
    block = re.sub(
        r'<header id="pst-header".*?</header>',
        lambda header: re.sub(
            r"<button\b[^>]*\b(?:primary|secondary)-toggle\b.*?</button>", "", header[0], flags=re.S
        ),
        block,
        flags=re.S,
    )
    block = re.sub(
        r'(<button class="[^"]*\bsearch-button-field\b[^>]*?)\s+aria-label="[^"]*"', r"\1", block
    )
    block = block.replace('<summary aria-label="Toggle hidden content">', "<summary>")
    return block.replace(
        '<div id="pst-primary-sidebar"',
        '<div id="pst-primary-sidebar" role="region" aria-label="Book"',
        1,
    )


def one_heading(block: str) -> str:
    """The theme's article without the hidden heading that it adds for print."""
    return re.sub(r'(id="jb-print-docs-body"[^>]*>\s*)<h1>.*?</h1>', r"\1", block, flags=re.S)


def slim_scripts(scripts: list[Any], body: str, defer: bool) -> list[Any]:
    """The scripts that this page needs, each once, those with a file deferred.

    `documentation_options.js` is not deferred: inline scripts after it write into its object.
    """
    kept, seen = [], set()
    for script in scripts:
        attributes = getattr(script, "attributes", {})
        name = str(getattr(script, "filename", script) or "")
        text = attributes.get("body") or ""
        key = (name, text)
        if key in seen or any(
            need in (name + text) and not re.search(pattern, body)
            for need, pattern in _NEEDS.items()
        ):
            continue
        seen.add(key)
        if (
            defer
            and name
            and not name.endswith("documentation_options.js")
            and not {"defer", "async", "type"} & set(attributes)
        ):
            script = _JavaScript(
                name, priority=getattr(script, "priority", 500), defer="defer", **attributes
            )
        kept.append(script)
    return kept


def _edit_page(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doc) -> None:
    if not is_html(app):
        return
    typing = str(context.get("theme_search_as_you_type", "")).lower() == "true"
    context["live_book_styles"] = lambda block: slim_styles(app, block, context["pathto"])
    context["live_book_head"] = lambda block: slim_head(block, typing or pagename == "search")
    context["live_book_content"] = repair_content
    context["live_book_article"] = one_heading
    # The search page's own scripts run at once and call these.
    context["script_files"] = slim_scripts(
        context["script_files"], context.get("body", ""), defer=pagename != "search" and not typing
    )


def _follow_the_system(app: Sphinx, config: Config) -> None:
    # Without it the theme logs an error on every page ("Got invalid theme mode").
    config.html_context.setdefault("default_mode", "auto")


def setup(app: Sphinx) -> None:
    """Edit each page last, when every other extension has added its scripts."""
    app.connect("config-inited", _follow_the_system)
    app.connect("html-page-context", _edit_page, priority=950)
