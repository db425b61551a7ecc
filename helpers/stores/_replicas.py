"""What a node of the simulated cluster keeps, which of two versions wins, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

LEVELS = ("ONE", "QUORUM", "ALL")
"""Consistency levels: how many replicas have to answer before the client gets its answer."""

_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


class Unavailable(Exception):
    """The coordinator reaches too few replicas for the consistency level, and does nothing at all.

    Cassandra says the same with its error UnavailableException: `required` and `alive` are its
    words. Nothing was written anywhere, and no hint is kept.

    Attributes:
        level: the consistency level that was asked for.
        required: how many replicas it needs.
        alive: how many of them the coordinator reaches.
    """

    def __init__(self, level: str, required: int, alive: int, replicas: list[str], at: str) -> None:
        self.level, self.required, self.alive = level, required, alive
        super().__init__(
            f"{level} needs {required} of the replicas {', '.join(replicas)}, and {at} reaches "
            f"{alive} of them. Start or reconnect a replica, ask through another node, or use a "
            "lower level."
        )


def required(level: str, replication: int) -> int:
    """How many replicas a consistency level needs.

    Source: Apache Cassandra documentation, page "Dynamo", section "Tunable Consistency".

    Args:
        level: ONE; QUORUM, a majority; or ALL.
        replication: the replication factor.

    Raises:
        ValueError: there is no such level.
    """
    if level not in LEVELS:
        raise ValueError(f"level is one of {', '.join(LEVELS)}, and this is {level!r}.")
    return {"ONE": 1, "QUORUM": replication // 2 + 1, "ALL": replication}[level]


class Cell(NamedTuple):
    """One version of a value on a node.

    Attributes:
        timestamp: when it was written, in seconds, by the clock of the coordinator or the client.
        deleted: for a tombstone, the second when it was made, by the cluster's true time; -1 for a
            value.
        value: the text; "" for a tombstone.
    """

    timestamp: int
    deleted: int
    value: str

    def __str__(self) -> str:
        what = f'"{self.value}"' if self.deleted < 0 else "a tombstone"
        return f"{what} (timestamp {self.timestamp})"


def wins(one: Cell, other: Cell | None) -> bool:
    """Whether a version takes the place of another one: last write wins.

    The greater timestamp wins. If they are equal, a tombstone wins over a value, and the greater of
    two values wins, byte by byte. What counts is only that all nodes decide the same.
    Source: Apache Cassandra documentation, page "Frequently Asked Questions", "What happens if two
    updates are made with the same timestamp?".
    """
    # Python compares texts by code points, which is the order of their bytes in UTF-8.
    return other is None or one > other


@dataclass(frozen=True)
class Hint:
    """What a coordinator keeps for a replica that it did not reach.

    Attributes:
        target: the node that it is for.
        key, cell: what the node should store.
        kept: the second since when it is kept.
    """

    target: str
    key: str
    cell: Cell
    kept: int


class Event(NamedTuple):
    """One thing that happened in the cluster.

    Attributes:
        time: the cluster's true time in seconds.
        kind: "ask", "write", "read", "answer", "refuse", "hint", "lost", "differ", "repair",
            "handoff", "expire", "drop", "stop", "start", "cut", "heal", "clock", "time", "note".
        source: who did it or sent it: a node, "client", or "".
        target: who got it, or "".
        text: a sentence for the reader.
    """

    time: int
    kind: str
    source: str
    target: str
    text: str

    def __str__(self) -> str:
        return self.text


def duration(seconds: int) -> str:
    """Seconds in words, in the greatest unit that divides them: 7200 is "2 hours"."""
    size, unit = next((s, u) for s, u in _UNITS if seconds % s == 0 and (seconds or s == 1))
    count = seconds // size
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
