"""What holds for every history of the simulated cluster, and a history for what does not."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from helpers.stores import Cluster, Unavailable
from helpers.stores._replicas import LEVELS, required

NODES = "abcde"
node = st.sampled_from(NODES)
level = st.sampled_from(LEVELS)
value = st.one_of(st.none(), st.sampled_from(["blue", "green", "red"]))
"""None deletes."""

trouble = st.one_of(
    st.tuples(st.just("stop"), node),
    st.tuples(st.just("start"), node),
    st.tuples(st.just("cut"), st.sets(node, min_size=1, max_size=4)),
    st.tuples(st.just("heal")),
    st.tuples(st.just("advance"), st.integers(0, 5000)),
)
step = st.one_of(
    trouble, st.tuples(st.just("write"), value, node), st.tuples(st.just("read"), node)
)


def answers(steps: list[tuple[Any, ...]], write: str, read: str, **given: Any) -> list[bool]:
    """For each read that had an answer: whether it was what was acknowledged last."""
    cluster, last, right = Cluster(NODES, **given), None, []
    for what, *arguments in steps:
        try:
            if what == "write":
                text, at = arguments
                if text is None:
                    cluster.delete("key", write, at)
                else:
                    cluster.write("key", text, write, at)
                last = text
            elif what == "read":
                right.append(cluster.read("key", read, *arguments) == last)
            else:
                getattr(cluster, what)(*arguments)
        except (Unavailable, ConnectionError):
            pass
    return right


@settings(max_examples=400, suppress_health_check=[HealthCheck.filter_too_much])
@given(
    steps=st.lists(step, max_size=40),
    replication=st.integers(1, 5),
    levels=st.tuples(level, level),
    hinted_handoff=st.booleans(),
    read_repair=st.booleans(),
)
def test_if_r_and_w_are_more_than_n_a_read_sees_the_last_write(
    steps: list[tuple[Any, ...]], replication: int, levels: tuple[str, str], **given: bool
) -> None:
    """Whatever fails meanwhile: if a write and a read are both answered, they share a replica."""
    write, read = levels
    if required(write, replication) + required(read, replication) <= replication:
        write, read = "QUORUM", "QUORUM"
    assert all(answers(steps, write, read, replication=replication, **given))


def test_with_one_and_one_it_need_not() -> None:
    """R + W = 2 is not more than 3; the shortest history that shows it is found."""
    found = find(
        st.lists(step, max_size=20),
        lambda steps: not all(answers(steps, "ONE", "ONE")),
        settings=settings(max_examples=5000, derandomize=True),
    )
    kinds = [what for what, *_ in found]
    assert kinds in (["stop", "write", "start", "read"], ["cut", "write", "read"]), found


def test_that_history_by_hand() -> None:
    """Beyond the cut nobody knows of the write; with a level of ALL it is not even begun."""
    for side in ({"a", "b"}, {"c", "d", "e"}):
        history = [("cut", side), ("write", "blue", "a"), *[("read", at) for at in NODES]]
        assert not all(answers(history, "ONE", "ONE"))
        assert all(answers(history, "ALL", "ONE"))


class Histories(RuleBasedStateMachine):
    """Any history, with clocks that disagree, against a dictionary that knows the winner."""

    def __init__(self) -> None:
        super().__init__()
        # gc_grace is long enough for the machine never to see a tombstone dropped
        self.cluster = Cluster(NODES, tokens_per_node=2, gc_grace=10**9)
        self.winners: dict[str, tuple[int, bool, int, str]] = {}

    def wrote(self, key: str, text: str | None, timestamp: int) -> None:
        made = self.cluster.now if text is None else -1
        version = (timestamp, text is None, made, text or "")
        self.winners[key] = max(version, self.winners.get(key, version))

    @rule(
        key=st.sampled_from(["etude", "nocturne", "waltz"]),
        text=value,
        level=level,
        at=node,
        clock=st.one_of(st.none(), st.integers(-3, 30)),
    )
    def write(self, key: str, text: str | None, level: str, at: str, clock: int | None) -> None:
        with contextlib.suppress(Unavailable, ConnectionError):
            if text is None:
                self.wrote(key, None, self.cluster.delete(key, level, at, clock))
            else:
                self.wrote(key, text, self.cluster.write(key, text, level, at, clock))

    @rule(key=st.sampled_from(["etude", "nocturne", "waltz"]), level=level, at=node)
    def read(self, key: str, level: str, at: str) -> None:
        """A read gives nothing that nobody wrote, and changes no winner."""
        with contextlib.suppress(Unavailable, ConnectionError):
            assert self.cluster.read(key, level, at) in (None, "blue", "green", "red")

    @rule(change=trouble)
    def change(self, change: tuple[Any, ...]) -> None:
        what, *arguments = change
        getattr(self.cluster, what)(*arguments)

    @rule(at=node, offset=st.integers(-20, 20))
    def clock(self, at: str, offset: int) -> None:
        self.cluster.set_clock(at, offset)

    @rule(hinted_handoff=st.booleans(), read_repair=st.booleans())
    def switch(self, hinted_handoff: bool, read_repair: bool) -> None:
        self.cluster.hinted_handoff = hinted_handoff
        self.cluster.read_repair = read_repair

    @rule()
    def repair(self) -> None:
        self.cluster.repair()

    @rule()
    def mend(self) -> None:
        """After all is mended and repaired, all replicas have the winner, and so do all reads."""
        self.cluster.heal()
        for name in NODES:
            self.cluster.start(name)
        self.cluster.repair()
        assert not any(self.cluster.hints.values())
        for key, (timestamp, deleted, made, text) in self.winners.items():
            assert set(self.cluster.stored(key).values()) == {(timestamp, made, text)}
            for name in NODES:
                assert self.cluster.read(key, "ONE", name) == (None if deleted else text)
        assert self.cluster.repair() == 0

    @invariant()
    def no_replica_has_more_than_the_winner(self) -> None:
        for key, (timestamp, _, made, text) in self.winners.items():
            for cell in self.cluster.stored(key).values():
                assert cell is None or cell <= (timestamp, made, text)

    def teardown(self) -> None:
        self.mend()


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=150, stateful_step_count=30)
