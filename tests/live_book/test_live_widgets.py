"""Static widgets: what is written into the page, and what they do in a browser."""

from __future__ import annotations

import json
import re

import pytest

from live_book._widgets import NEEDS_JUPYTER, NO_SCRIPT, _references
from tests.browser_support import watched_page

PAGE = "chapters/widgets.html"


def models(book) -> dict:
    return json.loads(book.soup(PAGE).find(id="live-widgets").string)


class TestPage:
    def test_every_view_has_a_place_and_two_views_share_a_model(self, book):
        views = [view["data-model"] for view in book.soup(PAGE).select(".live-widget")]
        assert len(views) == 3
        assert views[0] == views[1] != views[2]

    def test_only_the_models_that_the_page_shows_are_in_it(self, book):
        counts = sorted(
            model["state"]["count"] for model in models(book).values() if "count" in model["state"]
        )
        assert counts == [3, 40]

    def test_jupyters_own_state_and_text_are_gone(self, book):
        text = book.text(PAGE)
        assert "application/vnd.jupyter" not in text
        assert "object at 0x" not in text

    def test_code_is_a_file_beside_the_page_once_for_all_models_of_a_class(self, book):
        counters = [model for model in models(book).values() if "small" in str(model)]
        assert len({model["esm"] for model in counters}) == 1
        for model in models(book).values():
            assert (book.html / "chapters" / model["esm"]).resolve().is_file()

    def test_large_binary_values_are_files_and_small_ones_are_not(self, book):
        counter = next(
            model for model in models(book).values() if len(model.get("buffers", [])) == 2
        )
        places = {buffer["path"][0]: set(buffer) for buffer in counter["buffers"]}
        assert places == {"small": {"path", "data"}, "large": {"path", "url"}}

    def test_pages_without_widgets_load_nothing_of_the_host(self, book):
        loading = [page for page in book.pages() if "live_widgets.js" in book.text(page)]
        assert loading == ["chapters/broken.html", "chapters/python.html", PAGE]

    def test_a_core_widget_says_so_to_reader_and_author(self, book):
        note = book.soup("chapters/core.html").select_one(".live-widget-note")
        assert note.get_text() == NEEDS_JUPYTER
        [warning] = [line for line in book.warnings() if "core.ipynb" in line]
        assert "IntSliderModel" in warning and "anywidget" in warning


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("IPY_MODEL_abc", ["abc"]),
        ("anywidget:abc", ["abc"]),
        ("see IPY_MODEL_abc", []),
        ([1, {"a": ["IPY_MODEL_x"]}, None, "IPY_MODEL_y"], ["x", "y"]),
    ],
)
def test_references_are_found_at_any_depth(value, expected):
    assert list(_references(value)) == expected


@pytest.mark.browser
class TestBrowser:
    @pytest.fixture
    def page(self, page, site):
        page.show(site + PAGE)
        last = page.locator(".live-widget").last
        last.scroll_into_view_if_needed()  # it starts once it is near the viewport
        last.locator("button").wait_for()
        return page

    def test_it_renders_without_errors_or_outside_requests(self, page):
        labels = page.locator(".live-widget button").all_inner_texts()
        assert labels == ["Count: 3", "Count: 3", "Count: 40"]
        assert page.errors == []
        assert page.outside == []

    def test_two_views_share_one_model_which_is_initialised_once(self, page):
        page.locator(".live-widget button").nth(1).press("Enter")
        labels = page.locator(".live-widget button").all_inner_texts()
        assert labels == ["Count: 4", "Count: 4", "Count: 40"]
        marks = page.locator(".live-widget").evaluate_all(
            "all => all.map(one => one.dataset.initialised)"
        )
        assert marks[:2] in (["1", "1"], ["2", "2"])

    def test_binary_values_arrive_as_they_were(self, page):
        view = page.locator(".live-widget").first
        assert view.get_attribute("data-small") == "0 60 255"
        assert view.get_attribute("data-large") == str(256 * 40)

    def test_a_widget_reaches_the_models_that_it_refers_to(self, page):
        view = page.locator(".live-widget").nth(2)
        assert view.get_attribute("data-child") == "3"
        assert view.get_attribute("data-deep") == "40"

    def test_asking_python_fails_at_once_with_the_reason(self, page):
        answer = page.locator(".live-widget output").first.inner_text()
        assert "no Python behind this page yet" in answer

    def test_styles_classes_and_layout_apply(self, page):
        button = page.locator(".live-widget button").first
        assert button.evaluate("one => getComputedStyle(one).paddingLeft") == "16px"
        width = page.locator(".live-widget").first.evaluate("one => one.style.maxWidth")
        assert width == "300px"

    def test_removing_a_view_cleans_up_and_leaves_the_other(self, page):
        page.evaluate("""async () => {
            const host = await import(document.querySelector('script[src*="live_widgets"]').src);
            const place = document.querySelector("main").appendChild(document.createElement("div"));
            const id = document.querySelector(".live-widget").dataset.model;
            const remove = await host.showWidget(id, place);
            place.querySelector("button").click();
            remove();
            window.left = place.childElementCount;
        }""")
        assert page.evaluate("[window.cleaned, window.left]") == [1, 0]
        assert page.locator(".live-widget button").first.inner_text() == "Count: 4"

    def test_setting_an_equal_value_tells_nobody_and_off_stops_a_listener(self, page):
        heard = page.evaluate("""async () => {
            const host = await import(document.querySelector('script[src*="live_widgets"]').src);
            const id = document.querySelector(".live-widget").dataset.model;
            const model = (await host.getModel("IPY_MODEL_" + id)).proxy();
            const heard = [];
            const hear = (_, value) => heard.push(value);
            model.on("change:list", hear);
            model.on("change", () => heard.push("any"));
            model.set("list", [1, { a: 2 }]);
            model.set("list", [1, { a: 2 }]);
            model.off("change:list", hear);
            model.set("list", [3]);
            return heard;
        }""")
        assert heard == [[1, {"a": 2}], "any", "any"]

    @pytest.mark.parametrize(
        ("index", "words"),
        [
            (0, r"the data is <odd>"),
            (1, r".+"),
        ],
    )
    def test_a_widget_that_fails_shows_one_sentence(self, page, site, index, words):
        page.show(site + "chapters/broken.html")
        note = page.locator(".live-widget").nth(index)
        pattern = rf"This widget could not start \({words}\): reload the page to try again\."
        assert re.fullmatch(pattern, note.inner_text().strip())
        assert note.locator("*").count() == 1

    def test_without_javascript_each_widget_is_one_sentence(self, browser, site):
        with watched_page(browser, java_script_enabled=False) as page:
            page.goto(site + PAGE)
            assert page.locator(".live-widget").all_inner_texts() == [NO_SCRIPT] * 3
