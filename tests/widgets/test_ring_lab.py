"""The Python side of the ring lab, its words, and the module that the page gets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from helpers.stores import Cluster
from helpers.widgets import RingLab
from helpers.widgets.ring_lab import LEVELS
from tests.widgets.conftest import Node, node_with

DEFAULTS = {
    "nodes": 5, "replication": 3, "tokens": 3, "key": "fur-elise", "write_level": "QUORUM",
    "read_level": "QUORUM", "hinted_handoff": True, "read_repair": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("ring")
    with node_with(RingLab._esm, "ring_lab_node.mjs", folder) as call:
        yield call


def test_the_settings_are_those_that_were_given() -> None:
    assert RingLab().settings == DEFAULTS
    given = {
        "nodes": 7, "replication": 5, "tokens": 8, "key": "k", "write_level": "ONE",
        "read_level": "ALL", "hinted_handoff": False, "read_repair": False,
    }  # fmt: skip
    assert RingLab(**given).settings == given
    changed = {"nodes": 4, "replication": 2, "write_level": "ONE", "read_level": "ALL"}
    assert RingLab(4, 2, "ONE", "ALL").settings == DEFAULTS | changed


def test_the_same_cell_can_run_twice() -> None:
    first, second = RingLab(), RingLab()
    first.settings = first.settings | {"replication": 1}
    assert second.settings == DEFAULTS
    assert first.model_id != second.model_id
    first.close()
    first.close()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"nodes": 2}, "nodes is a whole number from 3 to 7, and this is 2."),
        ({"nodes": True}, "nodes is a whole number from 3 to 7, and this is True."),
        ({"replication": 0}, "replication is a whole number from 1 to 5, and this is 0."),
        (
            {"replication": 6, "nodes": 7},
            "replication is a whole number from 1 to 5, and this is 6.",
        ),
        (
            {"replication": 4, "nodes": 3},
            "replication is a whole number from 1 to 3, and this is 4.",
        ),
        ({"tokens": 9}, "tokens is a whole number from 1 to 8, and this is 9."),
        ({"write_level": "TWO"}, "write_level is one of ONE, QUORUM, ALL, and this is 'TWO'."),
        ({"read_level": "all"}, "read_level is one of ONE, QUORUM, ALL, and this is 'all'."),
        ({"hinted_handoff": 1}, "hinted_handoff is True or False, and this is 1."),
        ({"read_repair": None}, "read_repair is True or False, and this is None."),
        ({"key": ""}, "key is a text of 1 to 40 letters, and this is ''."),
        ({"key": 5}, "key is a text of 1 to 40 letters, and this is 5."),
    ],
)
def test_a_setting_that_is_none_is_refused_in_one_sentence(
    given: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError) as refused:
        RingLab(**given)
    assert str(refused.value) == words


def test_the_module_is_one_that_a_page_can_load(node: Node) -> None:
    names, kind_of_render = node("exports")
    assert kind_of_render == "function"
    assert {"default", "Cluster", "Ring", "tokenOf"} <= set(names)
    for asked in ("import ", "http:", "https:", "fetch(", "eval("):
        assert asked not in RingLab._esm.replace("http://www.w3.org/2000/svg", ""), asked


@pytest.mark.parametrize(
    ("replication", "write", "read", "words"),
    [
        (3, "QUORUM", "QUORUM", "A write waits for 2 of 3 replicas, a read for 2. 2 + 2 is more than 3: "),
        (3, "ONE", "ONE", "A write waits for 1 of 3 replicas, a read for 1. 1 + 1 is not more than 3: "),
        (1, "ONE", "ONE", "A write waits for 1 of 1 replicas, a read for 1. 1 + 1 is more than 1: "),
        (4, "QUORUM", "ONE", "A write waits for 3 of 4 replicas, a read for 1. 3 + 1 is not more than 4: "),
        (5, "ALL", "ONE", "A write waits for 5 of 5 replicas, a read for 1. 5 + 1 is more than 5: "),
    ],
)  # fmt: skip
def test_what_the_levels_mean(
    node: Node, replication: int, write: str, read: str, words: str
) -> None:
    settings = DEFAULTS | {
        "replication": replication, "write_level": write, "read_level": read,
    }  # fmt: skip
    said = node("meaning", settings)
    assert said.startswith(words)
    sees = "not more" not in words
    assert ("at least one replica that has answered the last write" in said) == sees
    assert ("may ask only replicas that have missed" in said) != sees


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "00:00:00"),
        (61, "00:01:01"),
        (86_399, "23:59:59"),
        (11 * 86_400 + 3600, "11 d 01:00:00"),
    ],
)
def test_how_a_time_is_written(node: Node, seconds: int, words: str) -> None:
    assert node("stamp", seconds) == words


def test_what_is_said_leaves_out_what_stands_in_the_log_anyway(node: Node) -> None:
    cluster = Cluster(3, 3)
    cluster.stop("c")
    for number in range(6):
        cluster.write(f"key {number}", "blue")
    events = [event._asdict() for event in cluster.log]
    assert node("told", events[1:5]) == "c did not answer; a keeps a hint for it."
    assert node("told", events).endswith("And 9 more: see the log.")
    assert node("told", []) == ""


def test_how_a_node_is(node: Node) -> None:
    script = [
        ["stop", "c"],
        ["write", "waltz", "blue", "ONE", "a"],
        ["write", "waltz", "red", "ONE", "a"],
        ["delete", "etude", "ONE", "b"],
    ]
    said = node("states", {"nodes": 4, "replication": 4, "tokens": 1}, script, "waltz")
    places = Cluster(4, 4, tokens_per_node=1).replicas("waltz")
    order = ["first", "second", "third", "fourth"]
    role = {name: f"{order[places.index(name)]} replica" for name in "abcd"}
    assert said == [
        f'Runs; {role["a"]}; has "red" (timestamp 2); keeps 2 hints for c.',
        f'Runs; {role["b"]}; has "red" (timestamp 2); keeps 1 hint for c.',
        f"Stopped; {role['c']}; has nothing.",
        f'Runs; {role["d"]}; has "red" (timestamp 2).',
    ]
    said = node("states", {"nodes": 3, "replication": 1}, [["delete", "waltz"]], "waltz")
    assert sorted(said) == [
        "Runs; first replica; has a tombstone (timestamp 1).",
        *["Runs; no replica of this key."] * 2,
    ]


def test_levels_are_those_of_the_simulation(node: Node) -> None:
    assert tuple(node("levels")) == LEVELS
