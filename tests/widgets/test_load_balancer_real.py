"""The load balancer lab drives a real nginx or HAProxy: its settings reach the program, and count."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

from helpers.programs import ProgramMissing
from helpers.widgets import LoadBalancerLab
from tests.browser_support import skip_or_fail
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="HAProxy runs on Linux and macOS")
BOTH = pytest.mark.parametrize("program", ["nginx", "haproxy"])


@pytest.fixture
def lab(program: str) -> Iterator[LoadBalancerLab]:
    try:
        made = LoadBalancerLab(rate=100, ms=10, program=program)
    except ProgramMissing as missing:
        skip_or_fail(str(missing))
    drive = made._drive
    yield made
    replicas = list(drive._replicas.values())
    made.close()
    made.close()
    assert not drive._thread.is_alive()
    assert not drive._program.running
    assert not any(replica._server.running for replica in replicas)


def counts(lab: LoadBalancerLab) -> dict[str, int]:
    return {row["name"]: row["requests"] - row["open"] for row in lab.measured.get("servers", ())}


def failures(lab: LoadBalancerLab) -> dict[str, int]:
    return {row["name"]: row["failed"] for row in lab.measured["servers"]}


def change(lab: LoadBalancerLab, **changes: object) -> None:
    """What a reader does at the sliders: a, b, c are a server's, the others the lab's."""
    rows = [{**row, **changes.pop(row["name"], {})} for row in lab.settings["servers"]]
    lab.settings = {**lab.settings, "servers": rows, **changes}


def more_than(lab: LoadBalancerLab, number: int) -> Callable[[], bool]:
    """Whether so many more requests were answered since now."""
    wanted = sum(counts(lab).values()) + number
    return lambda: sum(counts(lab).values()) >= wanted


@BOTH
def test_equal_servers_get_equal_shares(lab):
    eventually(more_than(lab, 60))
    found = counts(lab)
    assert set(found) == set("abc")
    assert max(found.values()) - min(found.values()) <= 12  # some are still under way
    assert lab.measured["lost"] == 0
    assert 10 <= lab.measured["p50"] <= lab.measured["p95"] <= lab.measured["p99"]
    assert lab.mode == "real"


@BOTH
def test_a_weight_reaches_the_running_program(lab, program):
    change(lab, algorithm="weighted round robin")
    eventually(lambda: "new configuration" in lab.message)
    change(lab, a={"weight": 8})
    told = "set weight lab/a 8" if program == "haproxy" else "nginx has read"
    eventually(lambda: told in lab.message)
    eventually(more_than(lab, 10))
    before = counts(lab)
    eventually(more_than(lab, 100))
    found = {name: count - before[name] for name, count in counts(lab).items()}
    assert found["a"] > 4 * found["b"] and found["a"] > 4 * found["c"]


@BOTH
def test_weight_0_means_nothing_new(lab):
    eventually(more_than(lab, 10))
    change(lab, algorithm="weighted round robin", b={"weight": 0})
    eventually(lambda: lab.message != "")
    before = counts(lab)["b"]
    eventually(more_than(lab, 60))
    assert counts(lab)["b"] <= before + 5


@BOTH
def test_a_dead_server_is_left_out_and_comes_back(lab):
    eventually(more_than(lab, 20))
    change(lab, b={"up": False})
    eventually(lambda: failures(lab)["b"] > 0)
    before = counts(lab)["a"]
    eventually(lambda: counts(lab)["a"] > before + 20)
    assert lab.measured["lost"] <= 10, "only what b was working on"
    change(lab, b={"up": True})
    answered = counts(lab)["b"] - failures(lab)["b"]
    eventually(lambda: counts(lab)["b"] - failures(lab)["b"] > answered + 5)


@BOTH
@pytest.mark.parametrize(
    "algorithm",
    [
        "random",
        "least connections",
        "power of two choices",
        "IP hash",
        "consistent hash",
        "weighted round robin, HAProxy's order",
    ],
)
def test_every_algorithm_is_one_that_the_program_has(lab, algorithm):
    change(lab, algorithm=algorithm)
    eventually(lambda: lab.message != "")
    assert "new configuration" in lab.message, lab.message
    eventually(more_than(lab, 30))
    assert lab.measured["lost"] == 0
    if algorithm == "consistent hash":
        change(lab, a={"weight": 3})
        eventually(more_than(lab, 10))


@BOTH
def test_a_sticky_client_stays(lab):
    sent: list[list] = []
    lab.send = lambda content, *rest: sent.extend(content["list"])  # type: ignore[method-assign]
    change(lab, sticky=True)
    eventually(lambda: "new configuration" in lab.message)
    eventually(more_than(lab, 60))
    assert {name for name, _, ok in sent if ok} <= set("abc")
    assert lab.measured["lost"] == 0


@BOTH
def test_servers_come_and_go(lab):
    fourth = {"name": "d", "weight": 1, "ms": 10, "up": True}
    lab.settings = {**lab.settings, "servers": [*lab.settings["servers"], fourth]}
    eventually(lambda: counts(lab).get("d", 0) > 5)
    lab.settings = {**lab.settings, "servers": lab.settings["servers"][:2]}
    eventually(lambda: set(counts(lab)) == set("ab"))
    eventually(more_than(lab, 20))


@BOTH
def test_a_second_lab_ends_the_first(lab, program):
    second = LoadBalancerLab(rate=50, program=program)
    try:
        assert lab._drive._thread.is_alive() is False
        eventually(more_than(second, 5))
    finally:
        second.close()


@BOTH
def test_a_lab_that_nobody_has_any_more_ends(lab):
    eventually(more_than(lab, 5))
    thread = lab._drive._thread
    lab._drive._lab = lambda: None
    eventually(lambda: not thread.is_alive())
