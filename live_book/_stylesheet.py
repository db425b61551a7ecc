"""One stylesheet for the site with the rules that can apply, and icon fonts with the icons in use.

A dozen stylesheets hold up the first paint, and the theme's icon font alone weighs 150 KB for
some forty icons.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, join, normpath

from sphinx.application import Sphinx
from sphinx.util import logging

from ._assets import is_html
from ._icon_font import subset_font
from ._unused_css import drop_unused_rules, words_of

logger = logging.getLogger(__name__)

_HERE = Path(__file__).parent

BUNDLE = "_static/live_site.css"
BUNDLE_URL = f"{BUNDLE}?v=live-book-version"
"""As written into pages; the version is filled in once the stylesheet is known."""

_THEME = ["_static/styles/theme.css", "_static/styles/pydata-sphinx-theme.css"]
_ICON_CLASS = re.compile(r"\bfa-[a-z0-9-]+")
# Made by the theme's scripts, so in no page's text.
_SCRIPTED_ICONS = {"fa-xmark"}
# `.fa-bars:before,.fa-navicon:before{content:"\f0c9"}`
_GLYPH_RULE = re.compile(
    r'((?:\.fa-[a-z0-9-]+:{1,2}before,?)+)\{content:"(?:\\[0-9a-f]+\s?|[^"\\])+"\}'
)
_ICON_FONT_URLS = re.compile(
    r'src:url\("(?P<path>[^"]*/(?P<name>fa-[a-z]+-[0-9]+)\.woff2)"\)[^;}]*'
)
_ADDRESS = re.compile(
    r"""@import\s+(?:url\()?["']?(?P<sheet>[^"')]+\.css)["']?\)?\s*;"""
    r"""|url\((?P<quote>["']?)(?!data:|[a-z]+:|/|\#)(?P<file>[^"')]+)(?P=quote)\)"""
)
_ESCAPE = re.compile(r"\\([0-9a-f]{2,6})\b")


def bundle_members(app: Sphinx) -> list[str]:
    """The stylesheets that every page shares, in their order, as paths from the site's root."""
    shared = sorted(app.builder._orig_css_files, key=lambda css: css.priority)
    names = [str(css.filename) for css in shared]
    return [*_THEME, *(name for name in names if "://" not in name and name not in _THEME)]


def join_stylesheets(outdir: Path, members: list[str], target: str) -> str:
    """Read stylesheets into one text: local imports resolved, relative URLs made to fit `target`.

    A member that is not there is skipped. Paths are relative to `outdir`; all lie in `_static`.
    """
    here = dirname(target) + "/"

    def read(name: str) -> str:
        file = outdir / name
        if not file.is_file():
            return ""
        text = file.read_text("utf-8").lstrip("\ufeff").replace('@charset "UTF-8";', "")
        text = re.sub(r"/\*#\s*sourceMappingURL=.*?\*/", "", text)
        return _ADDRESS.sub(lambda match: resolve(match, dirname(name)), text)

    def resolve(match: re.Match[str], folder: str) -> str:
        if match["sheet"]:
            return read(normpath(join(folder, match["sheet"])))
        return f'url("{normpath(join(folder, match["file"])).removeprefix(here)}")'

    return "\n".join(read(name) for name in members)


def icons_used(outdir: Path) -> set[str]:
    """The icon classes ("fa-bars") that appear in any page of the site."""
    used = set(_SCRIPTED_ICONS)
    for page in outdir.rglob("*.html"):
        if "_static" not in page.parts:
            used.update(_ICON_CLASS.findall(page.read_text("utf-8")))
    return used


def drop_glyph_rules(css: str, wanted: set[str]) -> str:
    """The stylesheet without the rules of icons that the site does not use."""
    return _GLYPH_RULE.sub(
        lambda match: match[0] if wanted & set(_ICON_CLASS.findall(match[1])) else "", css
    )


def slim_icon_fonts(css: str, static: Path) -> str:
    """The stylesheet with each icon font replaced by its used part, written into `static`.

    Which characters are used is read from the stylesheet, so unused rules must be gone from it.
    """
    characters = {int(code, 16) for code in _ESCAPE.findall(css)}
    # Icons are private characters (U+E000 to U+F8FF), which the theme also writes as they are.
    characters.update(ord(char) for char in set(css) if "\ue000" <= char <= "\uf8ff")

    def replace(match: re.Match[str]) -> str:
        source = static / match["path"].replace(".woff2", ".ttf")
        try:
            font = subset_font(source.read_bytes(), characters)
        except (OSError, ValueError) as error:
            logger.warning(
                "The icon font %s could not be cut down, so pages load the whole of it: %s",
                source.name,
                error,
                type="live_book",
                subtype="icons",
            )
            return match[0]
        name = f"live_{match['name']}.woff"
        (static / name).write_bytes(font)
        digest = hashlib.sha256(font).hexdigest()[:8]
        return f'src:url("{name}?v={digest}") format("woff")'

    return _ICON_FONT_URLS.sub(replace, css)


def whole_stylesheet(outdir: Path, members: list[str]) -> str:
    """What every page shares, with only the icons in use."""
    css = join_stylesheets(outdir, members, BUNDLE)
    return slim_icon_fonts(drop_glyph_rules(css, icons_used(outdir)), outdir / "_static")


def _what_may_name_a_class(outdir: Path) -> Iterator[Path]:
    """The site's pages, the scripts that they load, and what makes outputs when a cell runs."""
    for page in outdir.rglob("*.html"):
        if "_static" not in page.parts:
            yield page
    yield from (outdir / "_static").rglob("*.js")
    for package in (_HERE, _HERE.parent / "helpers"):
        for ending in ("*.py", "*.js"):
            yield from package.rglob(ending)


def _write_bundle(app: Sphinx, exception: Exception | None) -> None:
    # When no page was out of date, Sphinx writes nothing and the last stylesheet still holds.
    if exception or not is_html(app) or not hasattr(app.builder, "_orig_css_files"):
        return
    outdir = Path(app.outdir)
    members = bundle_members(app)
    css = whole_stylesheet(outdir, members)
    css = drop_unused_rules(css, words_of(_what_may_name_a_class(outdir)))
    css = f"/* what this site uses of: {' '.join(members)} */\n{css}"
    (outdir / BUNDLE).write_text(css, "utf-8")
    version = hashlib.sha256(css.encode()).hexdigest()[:8]
    for page in outdir.rglob("*.html"):
        text = page.read_text("utf-8")
        if "live-book-version" in text:
            text = text.replace("live-book-version", version)
            # No colours are defined for "auto": without JavaScript the page is light.
            text = text.replace('data-theme="auto"', 'data-theme="light"', 1)
            page.write_text(text, "utf-8")


def setup(app: Sphinx) -> None:
    """Write the stylesheet last: other extensions still write theirs when the build ends."""
    app.connect("build-finished", _write_bundle, priority=950)
