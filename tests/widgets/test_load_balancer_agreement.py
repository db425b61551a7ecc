"""The lab's JavaScript chooses as helpers.balancing does: the same traffic, choice for choice."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.balancing import (
    Algorithm,
    ConsistentHash,
    IPHash,
    LeastConnections,
    NoServer,
    PowerOfTwoChoices,
    Random,
    Request,
    RoundRobin,
    WeightedRoundRobin,
)
from helpers.widgets import LoadBalancerLab
from helpers.widgets.load_balancer_lab import ALGORITHMS
from tests.widgets.conftest import Node, node_with

CLASSES = {
    "round robin": RoundRobin,
    "weighted round robin": WeightedRoundRobin,
    "weighted round robin, HAProxy's order": lambda servers: WeightedRoundRobin(servers, "haproxy"),
    "random": Random,
    "least connections": LeastConnections,
    "power of two choices": PowerOfTwoChoices,
    "IP hash": IPHash,
    "consistent hash": ConsistentHash,
}
ROUNDS = 40
"""Choices for each set of weights."""

names = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6, unique=True)
weights = st.one_of(st.integers(0, 10), st.integers(1, 40), st.sampled_from([0.5, 1.5, 3.25]))
addresses = st.one_of(
    st.ip_addresses(v=4).map(str), st.sampled_from(["198.51.3.7", "a.b.c.d", "Chlo\u00eb", ""])
)
numbers = st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=40)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("lab")
    with node_with(LoadBalancerLab._esm, "load_balancer_lab_node.mjs", folder) as call:
        yield call


def play(algorithm: Algorithm, script: list[list[Any]]) -> list[str | None]:
    """What Python chooses in a script of [what, ...arguments]."""
    chosen = []
    for what, *given_ in script:
        if what == "choose":
            client, without = given_
            try:
                chosen.append(algorithm.choose(Request(client=client), without=without))
            except NoServer:
                chosen.append(None)
        else:
            {"setWeight": algorithm.set_weight}.get(what, getattr(algorithm, what, None))(*given_)
            chosen.append(None)
    return chosen


def made(name: str, servers: dict[str, float], dice: list[float]) -> Algorithm:
    algorithm = CLASSES[name](servers)
    at = iter(range(10**6))
    algorithm._random = lambda: dice[next(at) % len(dice)]
    return algorithm


def agree(
    node: Node, name: str, servers: dict[str, float], script: list, dice: list[float]
) -> None:
    ours = play(made(name, servers, dice), script)
    assert node("play", name, list(servers.items()), script, dice) == ours


def test_the_same_algorithms(node):
    assert node("algorithms") == list(ALGORITHMS) == list(CLASSES)


@pytest.mark.parametrize("name", ALGORITHMS)
@settings(max_examples=200)
@given(data=st.data())
def test_any_weights(node, name, data):
    """200 sets of weights for each algorithm; requests of any client stay open or end."""
    servers = {server: data.draw(weights) for server in data.draw(names)}
    clients = data.draw(st.lists(addresses, min_size=1, max_size=8))
    dice = data.draw(numbers)
    script, algorithm = [], made(name, servers, dice)
    for turn in range(ROUNDS):
        script.append(["choose", clients[turn % len(clients)], []])
        chosen = play(algorithm, script[-1:])[0]
        if chosen and dice[turn % len(dice)] < 0.7:
            script.append(["acquire", chosen])
            algorithm.acquire(chosen)
        busy = [server for server, count in algorithm.connections.items() if count]
        if busy and turn % 3 == 2:
            script.append(["release", busy[turn % len(busy)]])
            algorithm.release(busy[turn % len(busy)])
    agree(node, name, servers, script, dice)


@pytest.mark.parametrize("name", ALGORITHMS)
@settings(max_examples=30)
@given(data=st.data())
def test_servers_that_come_and_go(node, name, data):
    servers = {server: data.draw(weights) for server in data.draw(names)}
    there = set(servers)
    script: list[list[Any]] = []
    for _ in range(data.draw(st.integers(1, 6))):
        what = data.draw(st.sampled_from(["add", "remove", "setWeight", "without"]))
        server = data.draw(st.sampled_from("abcdef"))
        if what == "add" and server not in there:
            script.append(["add", server, data.draw(weights)])
            there.add(server)
        elif what == "remove" and server in there:
            script.append(["remove", server])
            there.remove(server)
        elif what == "setWeight" and server in there:
            script.append(["setWeight", server, data.draw(weights)])
        without = data.draw(names) if what == "without" else []
        script += [["choose", f"10.{turn}.0.1", without] for turn in range(7)]
    agree(node, name, servers, script, data.draw(numbers))


@given(st.binary(max_size=40))
def test_the_checksum_is_zlibs(node, data):
    assert node("crc32", list(data)) == zlib.crc32(data)
