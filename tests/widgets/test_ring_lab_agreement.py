"""The ring lab's JavaScript does what helpers.stores.Cluster does: the same history, twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.stores import Cluster, Ring, Unavailable
from helpers.stores._replicas import LEVELS
from helpers.stores._ring import token_of
from helpers.widgets import RingLab
from tests.widgets.conftest import Node, node_with

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
METHODS = {"setClock": "set_clock", "setReplication": "set_replication"}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("ring")
    with node_with(RingLab._esm, "ring_lab_node.mjs", folder) as call:
        yield call


def in_python(rules: dict[str, Any], script: list[list[Any]]) -> dict[str, Any]:
    """What the harness gives of JavaScript, of the Python simulation."""
    cluster = Cluster(**{"tokens_per_node" if k == "tokens" else k: v for k, v in rules.items()})
    results: list[Any] = []
    for what, *arguments in script:
        try:
            if what == "switch":
                vars(cluster).update(arguments[0])
                results.append(None)
            else:
                results.append(getattr(cluster, METHODS.get(what, what))(*arguments))
        except Unavailable as error:
            results.append(["unavailable", error.required, error.alive])
        except ConnectionError:
            results.append(["stopped", None, None])
    return {
        "results": results,
        "log": [list(event) for event in cluster.log],
        "kept": [
            [[key, list(cell)] for key, cell in cluster._kept[name].items()]
            for name in cluster.nodes
        ],
        "hints": [
            [[hint.target, hint.key, list(hint.cell), hint.kept] for hint in cluster.hints[name]]
            for name in cluster.nodes
        ],
    }


@st.composite
def histories(draw: st.DrawFn) -> tuple[dict[str, Any], list[list[Any]]]:
    nodes = draw(st.integers(2, 7))
    rules = {
        "nodes": nodes,
        "replication": draw(st.integers(1, nodes)),
        "tokens": draw(st.integers(1, 4)),
        "hinted_handoff": draw(st.booleans()),
        "read_repair": draw(st.booleans()),
        "hint_window": draw(st.integers(0, 200)),
        "gc_grace": draw(st.integers(0, 300)),
    }
    names = "abcdefg"[:nodes]
    name = st.sampled_from(names)
    key = st.sampled_from(["waltz", "étude", "🎵", "a longer key of a song"])
    value = st.sampled_from(["", "blue", "red", "\uffee", "🎵", "🎶"])
    asked = (st.sampled_from(LEVELS), st.one_of(st.none(), name))
    clock = st.one_of(st.none(), st.none(), st.integers(-2, 20))
    some = st.sets(name, min_size=1, max_size=nodes - 1).map(sorted)
    moves = [
        *[st.tuples(st.just("write"), key, value, *asked, clock)] * 3,
        st.tuples(st.just("delete"), key, *asked, clock),
        *[st.tuples(st.just("read"), key, *asked)] * 2,
        *[st.tuples(st.just("stop"), name)],
        *[st.tuples(st.just("start"), name)] * 2,
        st.tuples(st.just("cut"), some),
        st.tuples(st.just("heal")),
        st.tuples(st.just("repair")),
        st.tuples(st.just("advance"), st.one_of(st.integers(0, 90), st.sampled_from([3600, 7200]))),
        st.tuples(st.just("setClock"), name, st.integers(-90, 90)),
        st.tuples(st.just("setReplication"), st.integers(1, nodes)),
        st.tuples(
            st.just("switch"),
            st.fixed_dictionaries({"hinted_handoff": st.booleans(), "read_repair": st.booleans()}),
        ),
    ]
    return rules, [list(move) for move in draw(st.lists(st.one_of(moves), max_size=40))]


@settings(max_examples=500)
@given(history=histories())
def test_any_history(node: Node, history: tuple[dict[str, Any], list[list[Any]]]) -> None:
    """Each result, each sentence, each version that is kept, and each hint."""
    rules, script = history
    played, expected = node("play", rules, script), in_python(rules, script)
    for name, found in expected.items():
        assert played[name] == found, name


def test_the_sentences_of_a_long_history_are_all_there(node: Node) -> None:
    """So that the agreement is about each kind of event, and not about half of them."""
    script = [
        ["write", "waltz", "old", "ALL", "a"],
        ["stop", "c"],
        ["write", "waltz", "new", "ONE", "a"],
        ["advance", 50],
        ["start", "c"],
        ["cut", ["a", "b"]],
        ["setClock", "c", -500],
        ["write", "waltz", "lost", "ONE", "c"],
        ["advance", 150],
        ["write", "waltz", "later", "ONE", "c"],
        ["write", "waltz", "never", "ALL", "c"],
        ["heal"],
        ["switch", {"hinted_handoff": False}],
        ["stop", "b"],
        ["delete", "waltz", "ONE", "a"],
        ["start", "b"],
        ["read", "waltz", "ALL", "b"],
        ["repair"],
        ["advance", 400],
        ["switch", {"hinted_handoff": True}],
        ["stop", "b"],
        ["write", "waltz", "again", "ONE", "a"],
        ["advance", 400],
        ["start", "b"],
    ]
    rules = {"nodes": 3, "hint_window": 100, "gc_grace": 300}
    played = node("play", rules, script)
    assert played == in_python(rules, script)
    assert {kind for _, kind, *_ in played["log"]} == {
        "ask", "write", "read", "answer", "refuse", "hint", "lost", "differ", "repair", "handoff",
        "expire", "drop", "stop", "start", "cut", "heal", "clock", "time", "note",
    }  # fmt: skip


def test_defaults_and_levels_are_the_same(node: Node) -> None:
    assert tuple(node("levels")) == LEVELS
    defaults, cluster = node("defaults"), Cluster()
    assert defaults.pop("nodes") == len(cluster.nodes)
    assert defaults.pop("tokens") * 5 == len(cluster.ring.tokens)
    assert defaults == {name: getattr(cluster, name) for name in defaults}


@given(keys=st.lists(text, min_size=1, max_size=20))
def test_the_tokens(node: Node, keys: list[str]) -> None:
    assert node("tokens", keys) == [str(token_of(key)) for key in keys]


@given(nodes=st.integers(1, 8), tokens=st.integers(1, 8), key=text, data=st.data())
def test_the_ring(node: Node, nodes: int, tokens: int, key: str, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, nodes))
    names, ring = "abcdefgh"[:nodes], Ring(nodes, tokens)
    assert node("ring", names, tokens) == [[str(token), name] for token, name in ring.tokens]
    assert node("replicas", names, tokens, key, count) == ring.replicas(key, count)
