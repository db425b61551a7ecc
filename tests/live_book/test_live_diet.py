"""The page's diet: what it loads, its head, and what of the theme had to be repaired."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from live_book._head import shorten
from live_book._math import find_mathjax
from live_book._not_found import make_links_absolute, root_path
from tests.browser_support import serve_folder, watched_page
from tests.live_book.tiny_book import BASE, build_book

CHAPTER = "chapters/widgets.html"


class TestPages:
    def test_nothing_is_loaded_from_another_site(self, book):
        for page in book.pages():
            soup = book.soup(page)
            addresses = [tag["src"] for tag in soup.select("[src]")]
            addresses += [
                tag["href"] for tag in soup.select("link[href]") if tag["rel"] != ["canonical"]
            ]
            assert [one for one in addresses if urlsplit(one).netloc] == [], page
            assert "unpkg.com" not in book.text(page) and "jsdelivr" not in book.text(page), page

    def test_every_local_file_that_a_page_names_is_there(self, book):
        for page in book.pages():
            base = urljoin("/book/", page)
            for tag in book.soup(page).select("script[src], link[href], img[src], source[src]"):
                address = tag.get("src") or tag.get("href")
                if urlsplit(address).netloc:
                    continue
                path = urlsplit(urljoin(base, address)).path.removeprefix("/book/")
                assert (book.html / path).is_file(), f"{page}: {address}"

    @pytest.mark.parametrize("word", ["fontawesome.js", "thebe", "require.min.js", "THEBE"])
    def test_what_is_useless_is_gone(self, book, word):
        assert [page for page in book.pages() if word in book.text(page)] == []

    def test_one_heading_and_one_viewport_a_page(self, book):
        for page in book.pages():
            assert len(book.soup(page).select("h1")) == 1, page

    def test_scripts_are_loaded_where_there_is_something_for_them(self, book):
        def scripts(page: str) -> set[str]:
            found = book.soup(page).select("script[src]")
            return {Path(urlsplit(tag["src"]).path).name for tag in found}

        assert {"copybutton.js", "togglebutton.js", "design-tabs.js"} <= scripts("plain.html")
        assert not {"copybutton.js", "togglebutton.js", "design-tabs.js"} & scripts("index.html")
        assert "searchindex.js" in scripts("search.html")
        assert "searchindex.js" not in scripts("plain.html")

    def test_formulas_use_a_local_copy_or_are_reported(self, book):
        using = [page for page in book.pages() if "tex-chtml.js" in book.text(page)]
        reports = [line for line in book.warnings() if "MathJax" in line]
        if find_mathjax():
            assert (using, reports) == (["formulas.html"], [])
            assert (book.html / "_static/mathjax/tex-chtml.js").is_file()
        else:
            assert using == []
            assert len(reports) == 1

    def test_nothing_else_is_reported(self, book):
        expected = ("core.ipynb", "formulas.md")
        assert [line for line in book.warnings() if not any(e in line for e in expected)] == []


class TestHead:
    def description(self, book, page: str) -> str:
        [tag] = book.soup(page).select('meta[name="description"]')
        return tag["content"]

    def test_description_from_front_matter_or_the_first_paragraph(self, book):
        assert self.description(book, "plain.html") == "Words from the front matter."
        assert self.description(book, CHAPTER) == "A page of the tiny book."
        index = self.description(book, "index.html")
        assert index.startswith("A book of a few pages") and index.endswith("\u2026")
        assert len(index) <= 160

    def test_every_page_has_one(self, book):
        assert all(self.description(book, page) for page in book.pages())

    def test_social_card(self, book):
        soup = book.soup(CHAPTER)
        card = {tag["property"]: tag["content"] for tag in soup.select("meta[property]")}
        assert card["og:title"] == "Widgets"
        assert card["og:description"] == "A page of the tiny book."
        assert card["og:type"] == "article"
        assert card["og:url"] == BASE + CHAPTER
        path = card["og:image"].removeprefix(BASE)
        assert (book.html / path).read_bytes().startswith(b"\x89PNG")

    def test_favicon(self, book):
        assert "live_icon.svg" in book.soup(CHAPTER).select_one('link[rel="icon"]')["href"]

    @pytest.mark.parametrize(
        ("text", "longest", "expected"),
        [
            ("short", 10, "short"),
            ("exactly ten", 11, "exactly ten"),
            ("one two, three", 10, "one two\u2026"),
        ],
    )
    def test_shorten_cuts_at_words(self, text, longest, expected):
        assert shorten(text, longest) == expected


class TestNotFound:
    @pytest.mark.parametrize(
        ("base", "root"),
        [
            ("", "/"),
            ("https://a.example", "/"),
            ("https://a.example/x/y", "/x/y/"),
            ("https://a.example/x/", "/x/"),
        ],
    )
    def test_root(self, base, root):
        assert root_path(base) == root

    def test_only_relative_links_change(self):
        page = '<a href="a.html"><a href="./b"><a href="#c"><a href="/d"><a href="mailto:e@f">'
        assert make_links_absolute(page, "/r/") == (
            '<a href="/r/a.html"><a href="/r/b"><a href="#c"><a href="/d"><a href="mailto:e@f">'
        )

    @pytest.mark.browser
    def test_it_works_at_any_depth_of_a_project_page(self, book, page):
        with serve_folder(book.html, "book") as url:
            page.show(url + "no/such/page.html")
            # The browser reports the page's own status 404, and nothing else.
            assert len(page.errors) == 1
            page.get_by_role("link", name="first page").click()
            assert page.title().startswith("Tiny book")
            assert page.url == url + "index.html"


@pytest.mark.browser
class TestBrowser:
    def test_budget(self, page, site):
        page.goto(site + CHAPTER, wait_until="networkidle")
        assert page.transferred() <= 250_000
        assert len(page.requests) <= 30

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_every_page_is_quiet(self, browser, book, site, scheme):
        with watched_page(browser, color_scheme=scheme) as page:
            for name in book.pages():
                if name not in ("chapters/broken.html", "404.html"):
                    page.show(site + name)
                    assert page.evaluate("document.documentElement.dataset.theme") == scheme
            assert page.errors == []
            assert page.outside == []

    def test_icons_are_drawn(self, page, site):
        page.show(site + "plain.html")
        page.evaluate("document.fonts.ready.then(() => null)")
        fonts = page.evaluate(
            "[...document.fonts].filter(font => font.status == 'loaded').map(font => font.family)"
        )
        assert any("Awesome" in family for family in fonts)
        assert any(re.search(r"live_fa-solid-\d+\.woff", url) for url in page.requests)

    def test_a_phone_reaches_the_contents_and_nothing_is_too_wide(self, browser, book, site):
        with watched_page(browser, viewport={"width": 360, "height": 740}) as page:
            for name in book.pages():
                page.show(site + name)
                assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
            page.show(site + "plain.html")
            page.locator(".primary-toggle:visible").click()
            page.get_by_role("dialog").get_by_role("link", name="Core widgets").click()
            assert page.url.endswith("chapters/core.html")

    def test_search_finds_a_page(self, page, site):
        page.show(site + "plain.html")
        page.keyboard.press("Control+k")
        page.keyboard.type("tiny")
        page.keyboard.press("Enter")
        result = page.locator("#search-results a").first
        result.wait_for()
        assert page.errors == []

    def test_reduced_motion(self, browser, site):
        with watched_page(browser, reduced_motion="reduce") as page:
            page.goto(site + "plain.html")
            slow = page.evaluate("""[...document.querySelectorAll("*")].filter(one =>
                parseFloat(getComputedStyle(one).transitionDuration) > 0.001).length""")
            assert slow == 0


def test_building_again_changes_only_what_changed(book):
    before = {page: book.text(page) for page in book.pages()}
    plain = book.folder / "plain.md"
    source = plain.read_text("utf-8")
    try:
        plain.write_text(source.replace("The first tab.", "Another first tab."), "utf-8")
        build_book(book.folder)
        after = {page: book.text(page) for page in book.pages()}
        assert [page for page in before if before[page] != after[page]] == ["plain.html"]
        assert "live-book-version" not in "".join(after.values())
    finally:
        plain.write_text(source, "utf-8")
        build_book(book.folder)
