"""The model of the server at work, against one that counts milliseconds; and its Python side."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import traitlets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.widgets import ServerAtWork
from helpers.widgets.server_at_work import HANDLERS, WAYS
from tests.widgets.conftest import Node, node_with

ONE, THREADS, LOOP = WAYS
LETS_GO, HOLDS_ON, COMPUTES = HANDLERS
PIECES, STAGGER, READ, ANSWER, SLICE = 6, 80, 10, 10, 20
PROCESSOR = ("read", "work", "answer")
DEFAULTS = {
    "clients": 5, "slow": 1, "drip": 200, "work": 100, "way": ONE, "handler": LETS_GO
}  # fmt: skip


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One Node process for all tests, with the module as the page gets it."""
    folder = tmp_path_factory.mktemp("widget")
    with node_with(ServerAtWork._esm, "server_at_work_node.mjs", folder) as call:
        yield call


def arrivals_of(number: int, chosen: dict[str, Any]) -> list[int]:
    gap = chosen["drip"] if number < chosen["slow"] else 0
    return [number * STAGGER + piece * gap for piece in range(PIECES)]


def one_by_one(chosen: dict[str, Any]) -> list[int]:
    """When each client is answered if the server stays with one until it is done."""
    now, answered = 0, []
    for number in range(chosen["clients"]):
        unread = arrivals_of(number, chosen)
        while unread:
            while unread[0] > now:
                now += 1
            unread = [at for at in unread if at > now]
            now += READ
        now += chosen["work"] + ANSWER
        answered.append(now)
    return answered


def keeps_others_waiting(chosen: dict[str, Any]) -> bool:
    """Whether nobody else gets on while one client's work is done."""
    if chosen["handler"] == HOLDS_ON:
        return chosen["way"] == LOOP
    return chosen["handler"] == COMPUTES


def millisecond_by_millisecond(chosen: dict[str, Any]) -> list[int]:
    """When each client is answered if all share the processor, or the one thread of the loop.

    For every millisecond it has one client; when it is free, the one that has been ready for
    longest gets it. Whom a thread's end of turn sent away comes after those who became ready at
    that moment.
    """
    kept = keeps_others_waiting(chosen)
    numbers = range(chosen["clients"])
    unread = [arrivals_of(number, chosen) for number in numbers]
    ready = [(arrivals[0], 0, number) for number, arrivals in enumerate(unread)]
    needs = [0 for _ in numbers]  # milliseconds of the processor before it waits again
    on_disk = [False for _ in numbers]
    answered: list[int | None] = [None for _ in numbers]
    last_part = [False for _ in numbers]
    running, used, now = None, 0, 0
    while None in answered:
        if running is None:
            waiting = [ready[n] for n in numbers if answered[n] is None and ready[n][0] <= now]
            if waiting:
                running, used = min(waiting)[2], 0
                if not needs[running]:
                    if on_disk[running]:
                        needs[running], last_part[running] = ANSWER, True
                    else:
                        unread[running] = [at for at in unread[running] if at > now]
                        needs[running] = READ
                        if kept and not unread[running]:
                            needs[running] += chosen["work"] + ANSWER
                            last_part[running] = True
        now += 1
        if running is None:
            continue
        needs[running] -= 1
        used += 1
        if not needs[running]:
            if last_part[running]:
                answered[running] = now
            elif unread[running]:
                ready[running] = (unread[running][0], 0, running)
            else:
                on_disk[running] = True
                ready[running] = (now + chosen["work"], 0, running)
            running = None
        elif chosen["way"] == THREADS and used == SLICE:
            ready[running] = (now, 1, running)
            running = None
    return answered


def reference(chosen: dict[str, Any]) -> list[int]:
    return one_by_one(chosen) if chosen["way"] == ONE else millisecond_by_millisecond(chosen)


@st.composite
def any_settings(draw: st.DrawFn) -> dict[str, Any]:
    clients = draw(st.integers(3, 6))
    # not only what the sliders give: odd lengths put all kinds of things at the same moment
    return {
        "clients": clients,
        "slow": draw(st.integers(0, clients)),
        "drip": draw(st.sampled_from([1, 2, 5, 10, 16, 50, 80]) | st.integers(1, 400)),
        "work": draw(st.sampled_from([1, 10, 20, 60, 80, 100]) | st.integers(1, 400)),
        "way": draw(st.sampled_from(WAYS)),
        "handler": draw(st.sampled_from(HANDLERS)),
    }


many = settings(
    max_examples=300,
    suppress_health_check=(HealthCheck.function_scoped_fixture, HealthCheck.too_slow),
)


def answered(model: Node, **changes: Any) -> dict[str, int]:
    result = model("simulate", {**DEFAULTS, **changes})
    return {client["name"]: client["answered"] for client in result["clients"]}


def waited(model: Node, **changes: Any) -> dict[str, int]:
    result = model("simulate", {**DEFAULTS, **changes})
    return {one["name"]: one["answered"] - one["complete"] for one in result["clients"]}


@many
@given(any_settings())
def test_every_client_is_answered_when_counting_says_so(model: Node, chosen: Any) -> None:
    result = model("simulate", chosen)
    assert [client["answered"] for client in result["clients"]] == reference(chosen)
    assert result["end"] == max(reference(chosen))


@many
@given(any_settings())
def test_the_spans_make_sense(model: Node, chosen: Any) -> None:
    clients = model("simulate", chosen)["clients"]
    at_processor = []
    for number, client in enumerate(clients):
        spans = client["spans"]
        assert client["arrivals"] == arrivals_of(number, chosen)
        assert client["complete"] == client["arrivals"][-1]
        assert spans[0]["from"] == client["start"] == number * STAGGER
        assert spans[-1]["to"] == client["answered"]
        assert all(one["to"] == other["from"] for one, other in pairwise(spans))
        assert all(one["what"] != other["what"] for one, other in pairwise(spans))
        assert all(span["from"] < span["to"] for span in spans)
        length = {what: 0 for what in ("bytes", "turn", "disk", *PROCESSOR)}
        for span in spans:
            length[span["what"]] += span["to"] - span["from"]
            held = span["what"] == "disk" and keeps_others_waiting(chosen)
            if held or span["what"] in PROCESSOR:
                at_processor.append((span["from"], span["to"]))
            if span["what"] == "bytes":
                assert span["to"] in client["arrivals"]
        assert length["answer"] == ANSWER
        done, undone = ("work", "disk") if chosen["handler"] == COMPUTES else ("disk", "work")
        assert (length[done], length[undone]) == (chosen["work"], 0)
    at_processor.sort()
    assert all(end <= start for (_, end), (start, _) in pairwise(at_processor))
    if chosen["way"] != ONE:  # nobody stands in line before an idle processor
        for span in (span for client in clients for span in client["spans"]):
            if span["what"] == "turn":
                busy = sum(
                    min(end, span["to"]) - max(start, span["from"])
                    for start, end in at_processor
                    if start < span["to"] and end > span["from"]
                )
                assert busy == span["to"] - span["from"]


@many
@given(any_settings())
def test_the_threads_are_where_the_clients_are_served(model: Node, chosen: Any) -> None:
    result = model("simulate", chosen)
    served = {
        (client["number"], span["what"], span["from"], span["to"])
        for client in result["clients"]
        for span in client["spans"]
    }
    drawn = [
        (span["client"], span["what"], span["from"], span["to"])
        for thread in result["threads"]
        for span in thread
        if span["what"] != "door"
    ]
    assert len(drawn) == len(set(drawn)) and set(drawn) <= served
    assert {one for one in served if one[1] in PROCESSOR} <= set(drawn)
    for thread in result["threads"]:
        assert all(one["to"] == other["from"] for one, other in pairwise(thread))
    count = len(result["threads"])
    assert count == (chosen["clients"] + 1 if chosen["way"] == THREADS else 1)


@many
@given(any_settings(), st.integers(0, 4000))
def test_threads_and_states_are_counted_at_any_time(model: Node, chosen: Any, time: int) -> None:
    clients = model("simulate", chosen)["clients"]
    alive = [
        sum(one["start"] <= moment < one["answered"] for one in clients)
        for moment in range(time + 1)
    ]
    [counted] = model("threadsAt", chosen, [time])
    if chosen["way"] == THREADS:
        total = sum(one["start"] <= time for one in clients)
        assert counted == {"now": alive[time], "most": max(alive), "total": total}
    else:
        assert counted == {"now": 1, "most": 1, "total": 1}
    for client, state in zip(clients, model("statesAt", chosen, time), strict=True):
        assert (state == "away") == (time < client["start"])
        assert (state == "done") == (time >= client["answered"])


@given(any_settings())
@settings(parent=many, max_examples=50)
def test_the_axis_has_room_for_every_way(model: Node, chosen: Any) -> None:
    ends = [
        max(reference({**chosen, "way": way, "handler": handler}))
        for way in WAYS
        for handler in HANDLERS
    ]
    axis = model("axisEnd", chosen)
    assert axis % 100 == 0 and 0 <= axis - max(ends) < 100


@given(any_settings())
@settings(parent=many, max_examples=50)
def test_steps_go_from_change_to_change(model: Node, chosen: Any) -> None:
    moments = model("moments", chosen)
    clients = model("simulate", chosen)["clients"]
    assert moments[0] == 0 and moments[-1] == max(one["answered"] for one in clients)
    assert moments == sorted(set(moments))
    assert {at for one in clients for at in one["arrivals"]} <= set(moments)


# What a chapter can ask its readers to predict.


def test_one_slow_client_stops_everyone(model: Node) -> None:
    assert waited(model) == {"A": 120, "B": 1160, "C": 1200, "D": 1240, "E": 1280}
    assert waited(model, slow=0) == {"A": 120, "B": 160, "C": 200, "D": 240, "E": 280}


def test_threads_and_an_event_loop_cure_it_alike(model: Node) -> None:
    everybody = dict.fromkeys("ABCDE", 120)
    assert waited(model, way=THREADS) == waited(model, way=LOOP) == everybody
    assert model("threadsAt", {**DEFAULTS, "way": THREADS, "slow": 5}, [2000])[0]["most"] == 5
    assert model("threadsAt", {**DEFAULTS, "way": LOOP, "slow": 5}, [2000])[0]["most"] == 1


def test_a_handler_that_holds_on_stops_the_loop_and_no_thread(model: Node) -> None:
    stopped = {"A": 120, "B": 120, "C": 160, "D": 210, "E": 250}
    assert waited(model, way=LOOP, handler=HOLDS_ON) == stopped
    assert waited(model, way=THREADS, handler=HOLDS_ON) == dict.fromkeys("ABCDE", 120)
    assert waited(model, way=ONE, handler=HOLDS_ON) == waited(model, way=ONE)


def test_computing_in_the_loop_makes_quick_clients_wait(model: Node) -> None:
    chosen = {"slow": 0, "work": 300}
    assert waited(model, way=LOOP, **chosen) == dict.fromkeys("ABCDE", 320)
    blocked = {"A": 320, "B": 560, "C": 800, "D": 1040, "E": 1280}
    assert waited(model, way=LOOP, handler=COMPUTES, **chosen) == blocked
    assert waited(model, way=ONE, handler=COMPUTES, **chosen) == blocked
    # threads share the processor: no sooner done, but the last waits no longer than the others
    shared = waited(model, way=THREADS, handler=COMPUTES, **chosen)
    assert max(answered(model, way=THREADS, handler=COMPUTES, **chosen).values()) == 1600
    assert shared["A"] > 2 * blocked["A"]


def test_the_code_is_one_module_that_loads_nothing(model: Node) -> None:
    names, kind_of_render = model("exports")
    assert {"default", "simulate"} <= set(names) and kind_of_render == "function"
    code = ServerAtWork._esm
    assert "import " not in code
    assert code.count("export default") == 1
    assert "innerHTML" not in code and "insertAdjacentHTML" not in code
    assert "http://" not in code.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in code


def test_the_settings_arrive() -> None:
    widget = ServerAtWork(clients=6, slow=2, drip=50, work=20, way=LOOP, handler=COMPUTES)
    state = {name: getattr(widget, name) for name in DEFAULTS}
    assert state == {
        "clients": 6, "slow": 2, "drip": 50, "work": 20, "way": LOOP,
        "handler": COMPUTES,
    }  # fmt: skip
    plain = ServerAtWork()
    assert {name: getattr(plain, name) for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"clients": 7}, "clients is a whole number from 3 to 6, and this is 7."),
        ({"clients": "5"}, "clients is a whole number from 3 to 6, and this is '5'."),
        ({"clients": 4, "slow": 5}, "slow is a whole number from 0 to 4, and this is 5."),
        ({"drip": 0}, "drip is a whole number from 50 to 400, and this is 0."),
        ({"work": 20.5}, "work is a whole number from 20 to 400, and this is 20.5."),
        (
            {"way": "loop"},
            "way is one of 'one after the other', 'a thread for each', 'event loop', "
            "and this is 'loop'.",
        ),
        (
            {"handler": "waits"},
            "handler is one of 'waits and lets go', 'waits and holds on', 'computes', "
            "and this is 'waits'.",
        ),
    ],
)
def test_bad_settings_get_one_sentence(changes: Any, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        ServerAtWork(**changes)
    assert str(caught.value) == sentence


def test_later_settings_stay_within_bounds() -> None:
    widget = ServerAtWork()
    with pytest.raises(traitlets.TraitError):
        widget.clients = 7
    assert widget.clients == 5
