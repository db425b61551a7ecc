"""The Python side of the cache timeline, its words, and the module that the page gets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from helpers.widgets import CacheTimeline
from tests.widgets.conftest import Node, node_with

DEFAULTS = {
    "max_age": 10, "s_maxage": None, "stale_while_revalidate": 5, "stale_if_error": 0,
    "every": 2, "latency": 0.5, "validator": True, "seed": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("timeline")
    with node_with(CacheTimeline._esm, "cache_timeline_node.mjs", folder) as call:
        yield call


def test_the_settings_are_those_that_were_given() -> None:
    assert CacheTimeline().settings == DEFAULTS
    given = {
        "max_age": 0, "s_maxage": 60, "stale_while_revalidate": 30, "stale_if_error": 60,
        "every": 0.5, "latency": 3, "validator": False, "seed": 7,
    }  # fmt: skip
    assert CacheTimeline(**given).settings == given
    assert CacheTimeline(3, 4, 5, 6).settings == DEFAULTS | {
        "max_age": 3, "s_maxage": 4, "stale_while_revalidate": 5, "stale_if_error": 6,
    }  # fmt: skip


def test_the_same_cell_can_run_twice() -> None:
    first, second = CacheTimeline(), CacheTimeline()
    first.settings = first.settings | {"max_age": 1}
    assert second.settings == DEFAULTS
    assert first.model_id != second.model_id
    first.close()
    first.close()


@pytest.mark.parametrize(
    ("name", "value", "bounds"),
    [
        ("max_age", -1, "a whole number of seconds from 0 to 60"),
        ("max_age", 61, "a whole number of seconds from 0 to 60"),
        ("max_age", 2.5, "a whole number of seconds from 0 to 60"),
        ("max_age", True, "a whole number of seconds from 0 to 60"),
        ("max_age", None, "a whole number of seconds from 0 to 60"),
        ("s_maxage", 61, "a whole number of seconds from 0 to 60 or None"),
        ("s_maxage", "10", "a whole number of seconds from 0 to 60 or None"),
        ("stale_while_revalidate", 31, "a whole number of seconds from 0 to 30"),
        ("stale_if_error", -1, "a whole number of seconds from 0 to 60"),
        ("every", 0, "a number of seconds from 0.5 to 10"),
        ("every", True, "a number of seconds from 0.5 to 10"),
        ("every", float("nan"), "a number of seconds from 0.5 to 10"),
        ("latency", 3.5, "a number of seconds from 0.1 to 3"),
        ("validator", 1, "True or False"),
        ("seed", "x", "a whole number"),
    ],
)
def test_a_setting_that_is_none_is_refused_in_one_sentence(
    name: str, value: Any, bounds: str
) -> None:
    with pytest.raises(ValueError) as refused:
        CacheTimeline(**{name: value})
    assert str(refused.value) == f"{name} is {bounds}, and this is {value!r}."


def test_the_module_is_one_that_a_page_can_load(node: Node) -> None:
    names, kind_of_render = node("exports")
    assert kind_of_render == "function"
    assert {"default", "Timeline", "headerOf"} <= set(names)
    for asked in ("import ", "http:", "https:", "fetch(", "eval("):
        assert asked not in CacheTimeline._esm.replace("http://www.w3.org/2000/svg", ""), asked


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (
            {"stale_while_revalidate": 0},
            "A shared cache may use an answer for 10 s without asking.",
        ),
        (
            {"stale_if_error": 30},
            "A shared cache may use an answer for 10 s without asking. For 5 s more it may use it "
            "while it asks. Up to 30 s after it got stale, it may stand in for an error.",
        ),
        (
            {"s_maxage": 20},
            "A shared cache may use an answer for 20 s without asking: s-maxage goes before "
            "max-age. But s-maxage also forbids it to use what is stale: the rest has no effect "
            "here.",
        ),
        (
            {"s_maxage": 0, "stale_while_revalidate": 0},
            "A shared cache has to ask before every use: s-maxage goes before max-age.",
        ),
    ],
)
def test_what_the_header_means(node: Node, rules: dict[str, Any], words: str) -> None:
    assert node("words", DEFAULTS | rules) == words


@pytest.mark.parametrize(
    ("rules", "script", "words"),
    [
        ({}, [], "Nothing is kept: the next client waits for the origin."),
        ({}, [[0, "ask"]], "Nothing is kept yet: the first answer is on its way."),
        ({}, [[0, "ask"], [0, "purge"]], "Nothing is kept: the next client waits for the origin."),
        (
            {},
            [[0, "ask"], [4000, ""]],
            "Fresh for 6 s more: clients get the copy at once, and the origin hears nothing.",
        ),
        (
            {},
            [[0, "ask"], [12_000, ""]],
            "Stale for 2 s, but clients still get it at once; the next one makes the cache ask the "
            "origin.",
        ),
        (
            {},
            [[0, "ask"], [12_000, "ask"]],
            "Stale for 2 s, but clients still get it at once; the cache is asking the origin.",
        ),
        (
            {},
            [[0, "ask"], [15_000, ""]],
            "Stale for 5 s: the next client waits while the cache asks the origin whether it is "
            "still good.",
        ),
        (
            {"validator": False},
            [[0, "ask"], [15_000, "setOrigin", False]],
            "Stale for 5 s: the next client waits while the cache asks the origin for it anew "
            "(there is no ETag to ask with). The origin is down, too.",
        ),
        (
            {"stale_if_error": 6},
            [[0, "ask"], [15_000, "setOrigin", False]],
            "Stale for 5 s: the next client waits while the cache asks the origin whether it is "
            "still good. The origin is down: the copy stands in for the error.",
        ),
        (
            {},
            [[0, "ask"], [4000, "change", DEFAULTS | {"max_age": 1, "every": None}]],
            "Fresh for 6 s more: clients get the copy at once, and the origin hears nothing. It "
            "came with max-age=10, stale-while-revalidate=5.",
        ),
    ],
)
def test_how_it_is_now(node: Node, rules: dict[str, Any], script: list, words: str) -> None:
    rules = DEFAULTS | {"every": None} | rules
    script = script or [[0, ""]]
    assert node("situation", rules, script) == words


def test_what_is_long_ago_is_forgotten(node: Node) -> None:
    """A page that runs for a day does not grow: 200 seconds are remembered."""
    script = [[time * 1000, ""] for time in range(0, 3601, 60)]
    end = node("play", DEFAULTS | {"every": 0.5, "max_age": 0}, script)["states"][-1]
    assert sum(end["tally"].values()) > 7000
    for name in ("requests", "calls", "kept"):
        assert 0 < len(end[name]) < 900, name
    assert end["requests"][0]["asked"] >= 3_399_000
