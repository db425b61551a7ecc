"""Rules that can't apply are left out, and nothing else is."""

from __future__ import annotations

import pytest

from live_book._unused_css import drop_unused_rules, words_of

WORDS = {"card", "title", "sd-row"}


@pytest.mark.parametrize(
    ("css", "left"),
    [
        (".card{a:b}.modal{c:d}", ".card{a:b}"),
        (".card,.modal{a:b}", ".card{a:b}"),
        (".modal .card{a:b}", ""),
        (".card.modal{a:b}", ""),
        ("p,a:hover,[class*=modal]{a:b}", "p,a:hover,[class*=modal]{a:b}"),
        (".card:not(.modal){a:b}", ".card:not(.modal){a:b}"),
        (".card:is(.modal,.other){a:b}", ".card:is(.modal,.other){a:b}"),
        (":where(.modal,p) .title{a:b}", ":where(.modal,p) .title{a:b}"),
        (".card:not(:is(.x,.y)) .title{a:b}", ".card:not(:is(.x,.y)) .title{a:b}"),
        (r".sd-row\/2{a:b}", ""),
        ('.sd-row>.card::before{content:"}"}', '.sd-row>.card::before{content:"}"}'),
        ("@media print{.modal{a:b}.card{c:d}}", "@media print{.card{c:d}}"),
        ("@media print{.modal{a:b}}", ""),
        ("@media print{@supports (a:b){.card{a:b}.x{c:d}}}",
         "@media print{@supports (a:b){.card{a:b}}}"),
        ("@font-face{src:url(a.b)}", "@font-face{src:url(a.b)}"),
        ("@keyframes modal{from{a:b}}", "@keyframes modal{from{a:b}}"),
        ("@layer modal;", "@layer modal;"),
        (".bs-tooltip-auto{a:b}.ansi-red-fg{c:d}", ".bs-tooltip-auto{a:b}.ansi-red-fg{c:d}"),
        ("/* .card{} */.card{a:b}", ".card{a:b}"),
        ('[data-x="a,.modal"]{a:b}', '[data-x="a,.modal"]{a:b}'),
    ],
)  # fmt: skip
def test_what_is_left(css, left):
    assert drop_unused_rules(css, WORDS) == left


def test_text_that_is_no_css_stays_as_it_is():
    css = ".modal{a:b} } .card{a:b"
    assert drop_unused_rules(css, WORDS) == css


def test_words_are_those_of_all_files(tmp_path):
    page, script = tmp_path / "page.html", tmp_path / "script.js"
    page.write_text('<p class="card title-1">', "utf-8")
    script.write_text("part.classList.add('sd-row')", "utf-8")
    assert {"card", "title-1", "sd-row"} <= words_of([page, script])
