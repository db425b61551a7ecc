"""axe-core finds nothing on any page, in light, dark and at 360 px."""

from __future__ import annotations

import pytest

from tests.browser_support import axe_findings, watched_page

pytestmark = pytest.mark.browser

WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}


@pytest.mark.parametrize(
    ("viewport", "scheme"),
    [
        (WIDE, "light"),
        (WIDE, "dark"),
        (PHONE, "light"),
        (PHONE, "dark"),
    ],
)
def test_no_findings(browser, book, site, viewport, scheme):
    findings = {}
    with watched_page(browser, viewport=viewport, color_scheme=scheme) as page:
        for name in [*book.pages(), "search.html?q=widgets"]:
            page.show(site + name)
            findings[name] = axe_findings(page)
    assert {name: found for name, found in findings.items() if found} == {}


@pytest.mark.parametrize(
    ("viewport", "selector"),
    [
        (WIDE, ".dropdown-download-buttons button"),
        (WIDE, ".toggle-button"),
        (PHONE, ".primary-toggle:visible"),
        (PHONE, ".search-button:visible"),
    ],
)
def test_no_findings_in_what_a_button_opens(browser, site, viewport, selector):
    with watched_page(browser, viewport=viewport) as page:
        page.show(site + "plain.html")
        page.locator(selector).first.press("Enter")
        assert axe_findings(page) == []


def test_wide_code_scrolls_by_keyboard(browser, site):
    with watched_page(browser, viewport=PHONE) as page:
        page.show(site + "plain.html")
        code = page.locator("pre").first
        code.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("document.querySelector('pre').scrollLeft > 0")
