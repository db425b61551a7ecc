"""The model of the load balancer lab, and its Python side.

The model is held to what must be true of any such system, whatever its settings; to queueing
theory, where that knows an answer; and to what the chapter says of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.balancing import IPHash, Request
from helpers.widgets import LoadBalancerLab
from helpers.widgets.load_balancer_lab import ALGORITHMS
from tests.widgets.conftest import Node, node_with


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("lab")
    with node_with(LoadBalancerLab._esm, "load_balancer_lab_node.mjs", folder) as call:
        yield call


def lab(**given_: Any) -> dict[str, Any]:
    """The settings of a lab."""
    return LoadBalancerLab(**given_).settings


def dead(chosen: dict[str, Any], *names: str) -> dict[str, Any]:
    """The same settings, with some of the servers down."""
    rows = [one | {"up": one["up"] and one["name"] not in names} for one in chosen["servers"]]
    return chosen | {"servers": rows}


def run(model: Node, *history: Any, seed: int = 1) -> list[dict[str, Any]]:
    """How the lab is at some times; what comes with a time holds up to it, None: as before."""
    return model("run", seed, [list(one) for one in history])["states"]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[float, dict[str, Any]]]:
    """Some settings, one after the other, each for up to two seconds."""
    history, time = [], 0.0
    for _ in range(draw(st.integers(1, 5))):
        count = draw(st.integers(2, 6))
        rows = [
            {
                "name": name,
                "weight": draw(st.integers(0, 10)),
                "ms": draw(st.integers(10, 500)),
                "up": draw(st.booleans()),
            }
            for name in draw(st.permutations("abcdef"))[:count]
        ]
        time += draw(st.integers(0, 2000))
        flags = {name: draw(st.booleans()) for name in ("sticky", "retry", "checks")}
        rate = draw(st.integers(1, 200))
        algorithm = draw(st.sampled_from(ALGORITHMS))
        history.append((time, {"algorithm": algorithm, "rate": rate, "servers": rows, **flags}))
    return history


@settings(max_examples=100)
@given(histories(), st.integers(0, 2**31))
def test_no_request_is_forgotten(model: Node, history: Any, seed: int) -> None:
    for state in run(model, *history, seed=seed):
        assert state["arrived"] == state["done"] + state["lost"] + state["counted"]
        assert state["counted"] <= state["inFlight"]
        for server, open_, counted in zip(
            state["servers"], state["open"], state["openCounted"], strict=True
        ):
            refused = open_ - server["line"] - server["work"]
            assert refused >= 0 and server["work"] <= 4 and server["line"] <= 20
            assert server["work"] == 4 or not server["line"], "nobody queues at a free place"
            assert server["up"] or not server["line"] + server["work"], "the dead do not work"
            assert server["given"] >= server["done"] + server["failed"] + counted
        # a server that has gone may be about to refuse some
        assert sum(state["open"]) <= state["inFlight"]
        assert len(state["times"]) == min(state["done"], 500)
        assert all(time >= 0 for time in state["times"])


@settings(max_examples=20)
@given(histories(), st.integers(0, 2**31))
def test_it_repeats_and_does_not_depend_on_the_frames(model: Node, history: Any, seed: int) -> None:
    end = history[-1][0] + 500
    [*_, last] = run(model, *history, (end, None), seed=seed)
    frames: list[Any] = []
    at = 0.0
    for until, chosen in [*history, (end, None)]:
        frames.append((at, chosen))
        while at + 16.7 < until:
            frames.append((at := at + 16.7, None))
        frames.append((at := until, None))
    [*_, again] = run(model, *frames, (end, None), seed=seed)
    assert again == last


def test_requests_come_as_often_as_set_and_independently(model: Node) -> None:
    arrived = [
        run(model, (1, lab(rate=50)), (20_000, None), seed=seed)[-1]["arrived"]
        for seed in range(40)
    ]
    mean = sum(arrived) / 40
    spread = sum((count - mean) ** 2 for count in arrived) / 39
    assert mean == pytest.approx(1000, abs=4 * math.sqrt(1000 / 40))
    # the counts of a Poisson process vary by as much as their mean; chi squared with 39 degrees
    assert 17 < 39 * spread / mean < 73


def test_littles_law(model: Node) -> None:
    """On average as many are in the system as come in the time that one stays."""
    history = [(time, None) for time in range(20, 60_000, 20)]
    states = run(model, (1, lab(rate=60, algorithm="least connections")), *history)
    inside = sum(state["inFlight"] for state in states) / len(states)
    stay = sum(states[-1]["times"]) / len(states[-1]["times"])
    assert inside == pytest.approx(60 * stay / 1000, rel=0.15)


def test_equal_servers_share_and_weights_count(model: Node) -> None:
    [_, even] = run(model, (1, lab()), (30_000, None))
    counts = [server["given"] for server in even["servers"]]
    assert max(counts) - min(counts) <= 1
    chosen = lab(algorithm="weighted round robin", weights=[5, 1, 1], rate=30)
    [_, uneven] = run(model, (1, chosen), (30_000, None))
    a, b, c = (server["given"] for server in uneven["servers"])
    assert abs(a - 5 * b) <= 5 and abs(b - c) <= 1


def test_a_slow_server_queues_unless_its_requests_are_counted(model: Node) -> None:
    slow = {"servers": 3, "ms": [400, 60, 60], "rate": 45}
    [_, turns] = run(model, (1, lab(**slow)), (20_000, None))
    [_, least] = run(model, (1, lab(**slow, algorithm="least connections")), (20_000, None))
    assert turns["servers"][0]["line"] > 10 and turns["lost"] > 0
    assert least["servers"][0]["line"] == 0 and least["lost"] == 0
    assert max(least["times"]) < max(turns["times"])


def test_a_dead_server_costs_requests_until_it_is_left_out(model: Node) -> None:
    chosen = lab(rate=60)
    told = model("run", 1, [[5000, chosen], [15_000, dead(chosen, "b")]])
    before, after = told["states"]
    assert before["lost"] == 0 < after["lost"]
    careful = lab(rate=60, retry=True, checks=True)
    [_, saved] = run(model, (5000, careful), (15_000, dead(careful, "b")))
    assert saved["lost"] == 0, "with retries none is lost"
    assert saved["servers"][1]["out"]


def test_checks_find_a_dead_server_and_no_further_request_is_lost(model: Node) -> None:
    chosen = lab(rate=60, checks=True)
    _, found, later = run(model, (1000, chosen), (1300, dead(chosen, "a")), (9000, None))
    assert found["servers"][0]["out"] and found["lost"] == later["lost"]


def test_a_revived_server_gets_requests_again(model: Node) -> None:
    chosen = lab(rate=60, checks=True)
    states = run(model, (2000, chosen), (4000, dead(chosen, "c")), (6000, chosen))
    middle, end = states[1]["servers"][2], states[2]["servers"][2]
    assert middle["out"] and not end["out"] and end["given"] > middle["given"] + 10


def test_without_any_server_all_is_lost_and_nothing_breaks(model: Node) -> None:
    chosen = lab(rate=40)
    none = dead(chosen, "a", "b", "c")
    before, after, zero = run(
        model,
        (1000, none),
        (3000, None),
        (4000, lab(rate=40, algorithm="IP hash", weights=[0, 0, 0])),
    )
    assert before["done"] == after["done"] == 0 < before["lost"] < after["lost"]
    assert zero["done"] == 0 < zero["lost"] < after["lost"], "counted anew with the algorithm"


def test_sticky_clients_stay_while_their_server_lives(model: Node) -> None:
    chosen = lab(sticky=True, rate=40, retry=True)
    first, same, away = run(model, (10_000, chosen), (20_000, None), (30_000, dead(chosen, "a")))
    assert first["last"] == same["last"] and len(first["last"]) == 12
    assert "a" in first["last"].values() and "a" not in away["last"].values()
    stayed = {client for client, server in first["last"].items() if server != "a"}
    assert all(away["last"][client] == first["last"][client] for client in stayed)


def test_ip_hash_sends_the_labs_clients_where_the_python_does(model: Node) -> None:
    names = "abcd"
    algorithm = IPHash(list(names))
    addresses = model("clients")
    [_, state] = run(model, (1, lab(servers=4, algorithm="IP hash")), (30_000, None))
    assert state["last"] == {
        str(number): algorithm.choose(Request(client=address))
        for number, address in enumerate(addresses)
    }
    assert set(state["last"].values()) == set(names), "each server has clients"


@pytest.mark.parametrize(
    "changes",
    [{"algorithm": "least connections"}, {"sticky": True}, {"retry": True}, {"checks": True}],
    ids=lambda changes: next(iter(changes)),
)
def test_counts_begin_anew_with_another_way_to_balance(model: Node, changes: Any) -> None:
    """And what came before does not count when it ends, nor what it took."""
    slow = lab(ms=[500, 60, 60], rate=45)
    history = (9000, slow), (9000, slow | changes), (12_000, None)
    before, anew, later = run(model, *history)
    assert before["done"] > 100 and max(before["times"]) > 1000
    assert (anew["arrived"], anew["done"], anew["lost"]) == (0, 0, 0) and anew["times"] == []
    assert anew["begun"] == before["begun"] + 1
    assert anew["inFlight"] == before["inFlight"] > 10 and anew["open"] == before["open"]
    assert later["arrived"] == later["done"] + later["lost"] + later["counted"] > 50
    given_ = sum(server["given"] for server in later["servers"])
    assert given_ == later["arrived"] or changes.get("retry")


def test_counts_go_on_with_other_servers_or_traffic(model: Node) -> None:
    chosen = lab(rate=40)
    faster = chosen | {"rate": 80}
    before, *after = run(model, (3000, chosen), (4000, faster), (5000, dead(faster, "a")))
    for state in after:
        assert state["begun"] == before["begun"] and state["done"] > before["done"]


def test_a_loss_before_the_counts_began_is_no_news(model: Node) -> None:
    servers = [{"name": "a", "weight": 1, "up": True, "out": False, "waiting": 0}]
    before = {"begun": 1, "lost": 5, "servers": servers}
    assert model("news", before, before | {"begun": 2, "lost": 0}) == ""
    assert model("news", before, before | {"begun": 2, "lost": 1}) == "1 request lost."
    assert model("news", before, before | {"lost": 6}) == "1 request lost."
    assert model("news", before, before | {"lost": 0}) == "", "a real program's, a moment later"


def test_step_tells_what_comes_next(model: Node) -> None:
    run(model, (0, lab()))
    told = [model("step") for _ in range(30)]
    assert [time for time, *_ in told] == sorted(time for time, *_ in told)
    assert told[0][1] == "work" and {"work", "answer"} <= {what for _, what, _ in told}


def test_a_replay_shows_what_happened(model: Node) -> None:
    run(model, (0, lab() | {"rate": 0}))
    state = model(
        "replay", [["a", 40, True], ["b", 20, True], ["b", 5, False], [None, 1, False]], 900
    )
    assert (state["done"], state["lost"], state["inFlight"]) == (2, 2, 0)
    assert [server["done"] for server in state["servers"]] == [1, 1, 0]
    assert state["servers"][1]["failed"] == 1


@given(st.lists(st.floats(0, 10_000), max_size=60), st.sampled_from([0.5, 0.95, 0.99]))
def test_percentiles_are_the_nearest_rank(model: Node, times: list[float], part: float) -> None:
    found = model("percentile", times, part)
    if not times:
        assert found is None
        return
    assert found in times
    assert sum(time <= found for time in times) >= part * len(times)
    assert sum(time < found for time in times) < part * len(times)


@given(st.lists(st.floats(0, 10_000), max_size=60))
def test_each_time_is_in_one_bar(model: Node, times: list[float]) -> None:
    assert sum(model("bucketed", times)) == len(times)


def test_the_bars_end_where_the_axis_says(model: Node) -> None:
    ends = [25 * 2 ** (at / 2) for at in range(13)]
    for at, end in enumerate(ends):
        assert model("bucketed", [end])[at] == 1, end
        assert model("bucketed", [end * 1.01])[at + 1] == 1, end


def test_bad_settings_are_one_sentence() -> None:
    for given_, words in [
        ({"servers": 1}, "servers is a whole number from 2 to 6"),
        ({"servers": 7}, "servers is a whole number"),
        ({"servers": True}, "servers is a whole number"),
        ({"rate": 0}, "rate is a whole number from 1 to 200"),
        ({"algorithm": "best"}, "algorithm is one of 'round robin'"),
        ({"program": "apache"}, "program is one of 'nginx', 'haproxy'"),
        ({"weights": [1, 2]}, "weights has a number for each of 3 servers"),
        ({"weights": "123"}, "weights has a number for each"),
        ({"weights": [1, 2, 11]}, "weights of c is a whole number from 0 to 10"),
        ({"weights": {"d": 1}}, "weights names the server 'd'"),
        ({"ms": 5}, "ms of a is a whole number from 10 to 500"),
    ]:
        with pytest.raises(ValueError, match=words) as raised:
            LoadBalancerLab(**given_)
        assert str(raised.value).endswith(".") and "\n" not in str(raised.value)


def test_weights_and_times_by_order_or_name() -> None:
    rows = LoadBalancerLab(weights={"b": 4}, ms=[10, 20, 30]).settings["servers"]
    assert [(one["name"], one["weight"], one["ms"], one["up"]) for one in rows] == [
        ("a", 1, 10, True), ("b", 4, 20, True), ("c", 1, 30, True)
    ]  # fmt: skip


def test_a_simulation_is_stopped_and_closed_without_ado() -> None:
    widget = LoadBalancerLab()
    widget.stop()
    widget.stop()
    widget.close()


def test_a_page_says_that_it_simulates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "emscripten")
    widget = LoadBalancerLab(program="nginx")
    assert (widget.mode, widget.program) == ("simulation", "")
    assert "A page cannot start nginx" in widget.message
