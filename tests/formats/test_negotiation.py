"""Which media type a client gets: the examples of RFC 9110, and what is malformed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.formats import best_of

# RFC 9110, section 12.5.1, in the order of the weights that it gives: 1, 0.7, 0.5, 0.4, 0.3. Its
# table has one more row, text/html;level=3, which the errata correct.
EXAMPLE = (
    "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, "
    "*/*;q=0.5"
)
BY_WEIGHT = [
    "text/plain;format=flowed",
    "text/plain",
    "image/jpeg",
    "text/plain;format=fixed",
    "text/html",
]


@pytest.mark.parametrize("best", range(len(BY_WEIGHT)))
def test_the_example_of_the_rfc(best):
    offered = BY_WEIGHT[best:]
    assert best_of(EXAMPLE, offered[::-1]) == offered[0]


def test_the_first_examples_of_the_rfc():
    assert best_of("audio/*; q=0.2, audio/basic", ["audio/mpeg", "audio/basic"]) == "audio/basic"
    accept = "text/plain; q=0.5, text/html, text/x-dvi; q=0.8, text/x-c"
    assert best_of(accept, ["text/plain", "text/x-dvi"]) == "text/x-dvi"
    assert best_of(accept, ["text/x-c", "text/html"]) == "text/x-c", "equal: the server's order"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("a/b", "a/b"),
        ("A/B", "a/b"),
        ("a/b;q=0", None),
        ("a/b;q=0, */*", "a/c"),
        ("a/b;q=0.000", None),
        ("a/*", "a/b"),
        ("x/y", None),
        ("x/y, */*;q=0.001", "a/b"),
        ('a/c;x="1,2"', None),
        ('a/c;x="1,2", a/b', "a/b"),
        ("a/b ; q=0.1 , a/c;Q=0.2", "a/c"),
        (",, ,a/c", "a/c"),
        ("a/c;", "a/c"),
        # malformed members say nothing
        ("", "a/b"),
        ("nonsense", "a/b"),
        ("*/c", "a/b"),
        ("a/b;q=2, a/c", "a/c"),
        ("a/b;q=0.1234, a/c", "a/c"),
        ("a/b;q=-1, a/c", "a/c"),
        ("a/b;q=nan, a/c", "a/c"),
        ("a/b x, a/c", "a/c"),
        ("a/c," * 2000, "a/b"),
    ],
)
def test_what_is_chosen(accept, chosen):
    assert best_of(accept, ["a/b", "a/c"]) == chosen


def test_a_parameter_is_part_of_what_is_offered():
    assert best_of('a/c;x="1,2"', ["a/b", 'a/c;x="1,2"']) == 'a/c;x="1,2"'
    assert best_of("a/c;x=1", ["a/c;X=1;y=2", "a/b"]) == "a/c;X=1;y=2"


def test_nothing_to_offer():
    assert best_of("*/*", []) is None
    with pytest.raises(ValueError, match="'json' is no media type"):
        best_of("*/*", ["json"])


@given(st.text(st.sampled_from('ab/*;q=0.1,"\\ \t'), max_size=200))
def test_any_header_has_an_answer(accept):
    assert best_of(accept, ["a/b", "b/a"]) in ("a/b", "b/a", None)
