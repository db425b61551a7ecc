"""Lighthouse on the built book: no fault found, and nothing moves while a page loads.

How fast a page is depends on the machine and on what else it does, so it is measured in
`benchmarks/lighthouse.py`. What a page weighs does not, and has its limits in
`tests/live_book/test_live_diet.py`.
"""

from __future__ import annotations

import pytest

from tests.browser.lighthouse import PAGES, costs, lighthouse, score

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.alone]

ALL_OF_THEM = ("accessibility", "best-practices", "seo")
"""The categories in which nothing may be missing. They do not change from run to run."""


@pytest.mark.parametrize("address", PAGES)
def test_on_a_phone(book, site_server, tmp_path, address):
    """A phone with a slow processor and a slow line, simulated: Lighthouse's own settings."""
    url = site_server(book) + address
    report = lighthouse(url, tmp_path, categories=("performance", *ALL_OF_THEM))
    for category in ALL_OF_THEM:
        assert score(report, category) == 1, costs(report, category)
    shifts = report["audits"]["cumulative-layout-shift"]
    assert shifts["score"] == 1, shifts["displayValue"]


@pytest.mark.parametrize("address", PAGES[:2])
def test_on_a_desk(book, site_server, tmp_path, address):
    url = site_server(book) + address
    report = lighthouse(url, tmp_path, "--preset=desktop", categories=ALL_OF_THEM)
    for category in ALL_OF_THEM:
        assert score(report, category) == 1, costs(report, category)


def test_a_page_with_faults_is_found(tmp_path, site_server):
    """Can the tests above fail? A page without a title, language or text for its picture."""
    site, profile = tmp_path / "site", tmp_path / "profile"
    site.mkdir()
    profile.mkdir()
    (site / "index.html").write_text("<!doctype html><p><img src='data:,'></p>")
    report = lighthouse(site_server(site), profile, categories=ALL_OF_THEM)
    assert score(report, "accessibility") < 1 and score(report, "seo") < 1
    assert "html-has-lang" in costs(report, "accessibility")
