"""No page misses a rule that the site's stylesheet leaves out."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
import tinycss2

from live_book._stylesheet import BUNDLE, whole_stylesheet

pytestmark = pytest.mark.browser

# What narrows a selector, or holds only now and then: without it, it means more.
NARROWER = re.compile(
    r":(?:not|is|where|has)\([^()]*(?:\([^()]*\)[^()]*)*\)"
    r"|(?<!:):(?:hover|focus-visible|focus-within|focus|active|visited|link|target|checked|disabled"
    r"|enabled|valid|invalid|placeholder-shown|-[\w-]+)\b"
)
ANYTHING = ":not(x-none)"
# A part of an element that no selector can find.
PART = re.compile(r"::[\w-]+(?:\([^)]*\))?|:(?:before|after|first-line|first-letter)\b")

FOUND = """selectors => selectors.filter(selector => {
    try { return document.querySelector(selector); } catch { return true; }
})"""


def selectors(css: str) -> set[str]:
    """All selectors of a stylesheet, also those inside of `@media`."""
    found: set[str] = set()
    waiting = [tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)]
    while waiting:
        for rule in waiting.pop():
            if rule.type == "qualified-rule":
                commas = [at for at, token in enumerate(rule.prelude) if token == ","]
                for begin, end in pairwise([-1, *commas, len(rule.prelude)]):
                    found.add(tinycss2.serialize(rule.prelude[begin + 1 : end]).strip())
            elif rule.content is not None and rule.lower_at_keyword in ("media", "supports"):
                waiting.append(tinycss2.parse_rule_list(rule.content, True, True))
    return found


@pytest.fixture(scope="module")
def sheets(book) -> tuple[str, str]:
    """The whole stylesheet, and what the site has of it."""
    css = (book / BUNDLE).read_text("utf-8")
    members = re.match(r"/\* what this site uses of: (.*) \*/", css)[1].split()
    return whole_stylesheet(book, members), css


@pytest.fixture(scope="module")
def left_out(sheets) -> list[str]:
    whole, css = sheets
    gone = selectors(whole) - selectors(css)
    # without their states: what could be meant, ever
    return sorted({PART.sub("", NARROWER.sub(ANYTHING, one)) or "*" for one in gone})


def test_nothing_on_any_page_is_meant(book, site_server, page, left_out):
    assert len(left_out) > 1000
    pages = sorted(
        file.relative_to(book).as_posix()
        for file in [*book.glob("*.html"), *(book / "chapters").glob("*.html")]
    )
    for address in pages:
        page.goto(site_server(book) + address)
        assert page.evaluate(FOUND, left_out) == [], address


def test_it_is_less_than_half(sheets):
    whole, css = sheets
    assert len(css) < len(whole) / 2
