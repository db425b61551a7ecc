"""The simulated cluster: levels, hints, read repair, clocks that disagree, tombstones, repair."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.stores import Cluster, Unavailable
from helpers.stores._replicas import Cell, required, wins

KEY = "fur-elise"
DAY = 86_400


def named(cluster: Cluster, replicas: int = 3) -> tuple[list[str], list[str]]:
    """The replicas of KEY, and the other nodes."""
    mine = cluster.replicas(KEY)
    assert len(mine) == replicas
    return mine, [node for node in cluster.nodes if node not in mine]


def values(cluster: Cluster) -> list[str | None]:
    """What each replica of KEY has, in the order of the ring; "" for a tombstone."""
    return [cell and cell.value for cell in cluster.stored(KEY).values()]


@pytest.mark.parametrize(
    ("replication", "numbers"),
    [(1, (1, 1, 1)), (2, (1, 2, 2)), (3, (1, 2, 3)), (4, (1, 3, 4)), (5, (1, 3, 5))],
)
def test_how_many_replicas_a_level_needs(replication: int, numbers: tuple[int, ...]) -> None:
    assert tuple(required(level, replication) for level in ("ONE", "QUORUM", "ALL")) == numbers


def test_a_write_goes_to_all_replicas_and_a_read_to_as_many_as_it_needs() -> None:
    cluster = Cluster()
    (first, _, third), (other, _) = named(cluster)
    assert cluster.write(KEY, "one", "ONE", at=other) == 1
    assert values(cluster) == ["one"] * 3
    assert cluster.read(KEY, "QUORUM", at=third) == "one"
    asked = [event.source for event in cluster.log if event.kind == "read"]
    assert asked == [third, first], "itself, and then along the ring"
    assert cluster.read("no such key") is None


@pytest.mark.parametrize("ask", ["write", "read", "delete"])
def test_too_few_replicas(ask: str) -> None:
    cluster = Cluster()
    (first, second, third), _ = named(cluster)
    cluster.stop(first)
    cluster.stop(second)
    arguments = [KEY, "new"] if ask == "write" else [KEY]
    with pytest.raises(Unavailable) as refused:
        getattr(cluster, ask)(*arguments, at=third)
    error = refused.value
    assert (error.level, error.required, error.alive) == ("QUORUM", 2, 1)
    assert f"and {third} reaches 1 of them" in str(error)
    assert values(cluster) == [None] * 3
    assert not any(cluster.hints.values()), "what is refused is not hinted at"
    assert "Nothing is done." in cluster.story(1)
    getattr(cluster, ask)(*arguments, level="ONE", at=third)


def test_a_coordinator_that_is_no_replica_may_reach_none() -> None:
    cluster = Cluster(replication=1)
    (owner,), others = named(cluster, 1)
    cluster.stop(owner)
    with pytest.raises(Unavailable) as refused:
        cluster.write(KEY, "new", "ONE", at=others[0])
    assert (refused.value.required, refused.value.alive) == (1, 0)


def test_a_stopped_coordinator_answers_nobody() -> None:
    cluster = Cluster()
    cluster.stop("a")
    with pytest.raises(ConnectionError, match="a is stopped"):
        cluster.write(KEY, "new", at="a")
    cluster.write(KEY, "new")
    assert cluster.log[-1].source == "b", "the first that runs is asked"


def test_the_log_is_a_story() -> None:
    cluster = Cluster(3, tokens_per_node=1)
    cluster.stop("c")
    cluster.write("cover", "blue", at="a")
    cluster.start("c")
    lines = cluster.story().splitlines()
    assert lines[:2] == ["c stops.", 'The client asks a to write "blue" under "cover", at QUORUM.']
    assert sorted(lines[2:5]) == [
        'a sends it to b. b stores "blue" (timestamp 1).',
        'a stores "blue" (timestamp 1).',
        "c did not answer; a keeps a hint for it.",
    ]
    assert lines[5:] == [
        "a answers: done. 2 of 3 replicas have answered, and QUORUM needs 2.",
        "c starts again, with what it had.",
        'Hint: a sends it to c. c stores "blue" (timestamp 1).',
    ]
    assert str(cluster.log[0]) == "c stops."
    assert cluster.story(0) == ""


class TestHints:
    def test_they_are_delivered_when_the_replica_is_back(self) -> None:
        cluster = Cluster()
        (first, _, third), _ = named(cluster)
        cluster.stop(third)
        cluster.write(KEY, "new", at=first)
        assert values(cluster) == ["new", "new", None]
        assert [hint.target for hint in cluster.hints[first]] == [third]
        cluster.start(third)
        assert values(cluster) == ["new"] * 3
        assert cluster.hints[first] == []

    def test_they_wait_for_the_cut_to_heal_and_for_their_holder(self) -> None:
        cluster = Cluster()
        (first, _, third), _ = named(cluster)
        cluster.cut({third})
        cluster.write(KEY, "new", at=first)
        cluster.stop(first)
        cluster.heal()
        assert values(cluster)[2] is None, "the hint sleeps with who keeps it"
        cluster.start(first)
        assert values(cluster)[2] == "new"

    def test_a_hint_does_not_win_over_a_newer_write(self) -> None:
        cluster = Cluster()
        (first, _, third), _ = named(cluster)
        cluster.cut({third})
        cluster.write(KEY, "old", at=first)
        cluster.write(KEY, "new", "ONE", at=third)
        assert values(cluster) == ["old", "old", "new"]
        cluster.heal()
        assert values(cluster) == ["new"] * 3
        assert 'keeps "new" (timestamp 2), which wins over "old"' in cluster.story()

    def test_they_can_be_switched_off(self) -> None:
        cluster = Cluster(hinted_handoff=False)
        (first, _, third), _ = named(cluster)
        cluster.stop(third)
        cluster.write(KEY, "new", at=first)
        cluster.start(third)
        assert values(cluster) == ["new", "new", None]
        assert "hinted handoff is off" in cluster.story()

    def test_none_is_kept_for_a_node_that_is_away_for_longer_than_the_window(self) -> None:
        cluster = Cluster(hint_window=3600)
        (first, _, third), _ = named(cluster)
        cluster.stop(third)
        cluster.advance(3599)
        cluster.write(KEY, "in time", at=first)  # one second later
        cluster.write(KEY, "too late", at=first)
        cluster.start(third)
        assert values(cluster) == ["too late", "too late", "in time"]
        assert "away for more than 1 hour" in cluster.story()
        cluster.stop(third)
        cluster.write(KEY, "again", at=first)
        assert len(cluster.hints[first]) == 1, "the window begins anew"

    def test_an_old_one_is_thrown_away(self) -> None:
        cluster = Cluster(gc_grace=DAY)
        (first, _, third), _ = named(cluster)
        cluster.stop(third)
        cluster.write(KEY, "new", at=first)
        cluster.advance(DAY + 1)
        cluster.start(third)
        assert values(cluster) == ["new", "new", None]
        assert cluster.hints[first] == []
        assert f"{first} throws away its hint for {third}" in cluster.story()


class TestReadRepair:
    def stale(self, **settings: Any) -> tuple[Cluster, list[str]]:
        """A cluster whose third replica has missed a write."""
        cluster = Cluster(hinted_handoff=False, **settings)
        replicas, _ = named(cluster)
        cluster.write(KEY, "old")
        cluster.stop(replicas[2])
        cluster.write(KEY, "new", at=replicas[0])
        cluster.start(replicas[2])
        assert values(cluster) == ["new", "new", "old"]
        return cluster, replicas

    def test_the_newest_answer_wins_and_is_sent_to_who_has_an_older_one(self) -> None:
        cluster, (_, _, third) = self.stale()
        assert cluster.read(KEY, "QUORUM", at=third) == "new"
        assert values(cluster) == ["new"] * 3

    def test_who_is_not_asked_is_not_repaired(self) -> None:
        cluster, (first, _, _) = self.stale()
        assert cluster.read(KEY, "QUORUM", at=first) == "new"
        assert values(cluster) == ["new", "new", "old"]

    def test_with_one_there_is_nothing_to_compare(self) -> None:
        cluster, (_, _, third) = self.stale()
        assert cluster.read(KEY, "ONE", at=third) == "old"
        assert values(cluster) == ["new", "new", "old"]

    def test_it_can_be_switched_off(self) -> None:
        cluster, (_, _, third) = self.stale(read_repair=False)
        assert cluster.read(KEY, "ALL", at=third) == "new"
        assert values(cluster) == ["new", "new", "old"]

    def test_a_tombstone_is_sent_too(self) -> None:
        cluster, (first, _, third) = self.stale()
        cluster.stop(third)
        cluster.delete(KEY, at=first)
        cluster.start(third)
        assert cluster.read(KEY, at=third) is None
        assert values(cluster) == ["", "", ""]


class TestLastWriteWins:
    def test_an_older_write_wins_if_its_clock_is_ahead(self) -> None:
        cluster = Cluster()
        cluster.set_clock("a", 60)
        assert cluster.write(KEY, "older", at="a") == 61
        assert cluster.write(KEY, "newer", "ALL", at="b") == 2
        assert cluster.read(KEY, "ALL") == "older", "the newer write was acknowledged, and is lost"
        assert values(cluster) == ["older"] * 3
        cluster.advance(60)
        cluster.write(KEY, "newer", at="b")
        assert cluster.read(KEY, "ALL") == "newer"

    def test_a_deletion_by_a_clock_that_is_behind_deletes_nothing(self) -> None:
        cluster = Cluster()
        cluster.write(KEY, "value", at="a")
        cluster.set_clock("b", -60)
        cluster.delete(KEY, at="b")
        assert cluster.read(KEY) == "value"
        assert cluster.clock("b") == cluster.now - 60

    def test_the_client_may_give_the_timestamp(self) -> None:
        cluster = Cluster()
        cluster.write(KEY, "first", clock=100)
        cluster.write(KEY, "second", clock=99)
        assert cluster.read(KEY) == "first"

    def test_equal_timestamps(self) -> None:
        for one, other in (("b", "a"), ("a", "b")):
            cluster = Cluster()
            for value in (one, other):
                cluster.write(KEY, value, clock=5)
            assert cluster.read(KEY, "ALL") == "b", "the greater value"
            cluster.delete(KEY, clock=5)
            cluster.write(KEY, "c", clock=5)
            assert cluster.read(KEY, "ALL") is None, "a tombstone wins over any value"

    def test_what_wins_over_what(self) -> None:
        order = [Cell(1, -1, "z"), Cell(2, -1, "\uffff"), Cell(2, -1, "\U0001f3b5"), Cell(2, 0, "")]
        order += [Cell(2, 7, ""), Cell(3, -1, "")]
        for place, cell in enumerate(order):
            assert wins(cell, None)
            assert [wins(cell, other) for other in order] == [
                place > at for at in range(len(order))
            ]


class TestTombstones:
    def test_a_deleted_value_stays_deleted_if_the_repair_comes_in_time(self) -> None:
        cluster, third = self.slept_through()
        cluster.advance(9 * DAY)
        cluster.start(third)
        cluster.repair()
        cluster.advance(2 * DAY)
        assert values(cluster) == [None] * 3, "all have dropped their tombstones"
        assert cluster.read(KEY, "ALL") is None

    def test_it_comes_back_if_the_repair_comes_too_late(self) -> None:
        cluster, third = self.slept_through()
        cluster.advance(11 * DAY)
        cluster.start(third)
        assert values(cluster) == [None, None, "deleted"]
        cluster.repair()
        assert cluster.read(KEY, "ALL") == "deleted", "it was deleted, and is there again"
        assert values(cluster) == ["deleted"] * 3

    def test_gc_grace_is_over_when_more_than_that_has_passed(self) -> None:
        cluster = Cluster(gc_grace=100)
        cluster.delete(KEY)
        cluster.advance(100)
        assert values(cluster) == [""] * 3
        cluster.advance(1)
        assert values(cluster) == [None] * 3
        assert "older than 100 seconds (gc_grace)" in cluster.story()

    def test_a_stopped_node_drops_it_when_it_starts(self) -> None:
        cluster = Cluster(gc_grace=100)
        cluster.delete(KEY)
        (first, _, _), _ = named(cluster)
        cluster.stop(first)
        cluster.advance(200)
        assert values(cluster) == ["", None, None]
        cluster.start(first)
        assert values(cluster) == [None] * 3

    def slept_through(self) -> tuple[Cluster, str]:
        """A cluster whose third replica sleeps while a value is deleted; no hint lives so long."""
        cluster = Cluster()
        (first, _, third), _ = named(cluster)
        cluster.write(KEY, "deleted")
        cluster.stop(third)
        cluster.advance(4 * 3600)
        cluster.delete(KEY, at=first)
        assert not cluster.hints[first]
        return cluster, third


class TestRepair:
    def test_each_side_of_a_cut_for_itself(self) -> None:
        cluster = Cluster(5, 5, hinted_handoff=False)
        cluster.stop("b")
        cluster.stop("d")
        cluster.cut({"d", "e"})
        cluster.write(KEY, "left", "ONE", at="a")
        cluster.write(KEY, "right", "ONE", at="e")
        cluster.start("b")
        cluster.start("d")
        assert cluster.repair() == 2
        found = cluster.stored(KEY)
        assert {node: cell.value for node, cell in found.items()} == {
            "a": "left", "b": "left", "c": "left", "d": "right", "e": "right",
        }  # fmt: skip
        cluster.heal()
        assert cluster.repair() == 3
        assert values(cluster) == ["right"] * 5
        assert cluster.repair() == 0

    def test_stopped_nodes_take_no_part(self) -> None:
        cluster = Cluster(3, 3, hinted_handoff=False)
        cluster.stop("c")
        cluster.write(KEY, "new", at="a")
        assert cluster.repair() == 0
        assert "Stopped nodes take no part: c." in cluster.story()
        assert cluster.stored(KEY)["c"] is None

    def test_it_brings_values_to_new_replicas(self) -> None:
        cluster = Cluster(replication=1)
        cluster.write(KEY, "value")
        cluster.set_replication(3)
        assert values(cluster) == ["value", None, None]
        assert cluster.read(KEY, "ONE", at=cluster.replicas(KEY)[1]) is None
        cluster.repair()
        assert values(cluster) == ["value"] * 3


def test_what_is_done_twice_is_done_once() -> None:
    cluster = Cluster()
    for change in (lambda: cluster.stop("a"), lambda: cluster.start("a"), cluster.heal):
        change()
        before = len(cluster.log)
        change()
        assert len(cluster.log) == before
    assert cluster.running("a")


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (lambda c: c.write(KEY, 5), TypeError, "A value is text, and this is 5: write str(5)."),
        (lambda c: c.read(5), TypeError, "A key is text, and this is 5: write str(5)."),
        (lambda c: c.read(""), ValueError, "A key may not be empty."),
        (lambda c: c.read(KEY, "MOST"), ValueError, "level is one of ONE, QUORUM, ALL"),
        (lambda c: c.read(KEY, at="x"), ValueError, "There is no node 'x': the nodes are a, b"),
        (lambda c: c.write(KEY, "", clock=0.5), ValueError, "clock is a whole number"),
        (lambda c: c.stop("x"), ValueError, "There is no node 'x'"),
        (lambda c: c.start("x"), ValueError, "There is no node 'x'"),
        (lambda c: c.cut({"a", "x"}), ValueError, "There is no node 'x'"),
        (lambda c: c.cut(""), ValueError, "A cut has nodes on both sides."),
        (lambda c: c.cut("abcde"), ValueError, "A cut has nodes on both sides."),
        (lambda c: c.advance(-1), ValueError, "seconds is a whole number from 0 on"),
        (lambda c: c.set_clock("a", "5"), ValueError, "offset is a whole number"),
        (lambda c: c.set_replication(6), ValueError, "replication_factor is a whole number"),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    wrong: Any, error: type[Exception], words: str
) -> None:
    cluster = Cluster()
    with pytest.raises(error) as refused:
        wrong(cluster)
    assert words in str(refused.value)
    assert (cluster.log, cluster.now, cluster.replication) == ([], 0, 3)


@pytest.mark.parametrize(
    "settings",
    [{"replication": 0}, {"replication": 6}, {"nodes": 0}, {"hint_window": -1}, {"gc_grace": None}],
)
def test_what_makes_no_cluster(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is a whole number"):
        Cluster(**settings)
