"""A log-structured merge tree, small enough to read: what is inside of Cassandra and RocksDB.

Everything is in memory. What a real one would have on the disk, the log and the runs, is here in
lists that are only ever appended to or replaced as a whole, as files would be.

Sources: P. O'Neil et al., "The log-structured merge-tree (LSM-tree)", Acta Informatica 33, 1996;
B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors", CACM 13 (7), 1970;
F. Chang et al., "Bigtable: A Distributed Storage System for Structured Data", OSDI 2006, section 5.3.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import NamedTuple

TOMBSTONE = None


class RunInfo(NamedTuple):
    """What is in one sorted run.

    Attributes:
        keys: how many keys it has, those with a tombstone included.
        tombstones: how many of its keys have one.
        first, last: the least and the greatest key.
    """

    keys: int
    tombstones: int
    first: str
    last: str


class Bloom:
    """A Bloom filter: answers "certainly not" or "perhaps", and needs a few bits for each key.

    Args:
        keys: what it should know.
        bits_per_key: 10 bits let about one of a hundred unknown keys pass.
        hashes: how many bits each key sets.
    """

    def __init__(self, keys: Iterable[str], bits_per_key: int = 10, hashes: int = 7) -> None:
        keys = list(keys)
        self.size, self.hashes, self.bits = max(64, len(keys) * bits_per_key), hashes, 0
        for key in keys:
            self.bits |= self._mask(key)

    def __contains__(self, key: str) -> bool:
        """Whether all bits of the key are set: it is perhaps there. Otherwise it certainly isn't."""
        mask = self._mask(key)
        return self.bits & mask == mask

    def _mask(self, key: str) -> int:
        digest = blake2b(key.encode(), digest_size=16).digest()
        start, step = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big")
        mask = 0
        for number in range(self.hashes):
            mask |= 1 << (start + number * step) % self.size
        return mask


class Run:
    """A sorted run: keys in order, their values, and a filter. Once made, it never changes.

    A real one is a file, an SSTable (*sorted string table*).
    """

    def __init__(self, items: Iterable[tuple[str, str | None]]) -> None:
        pairs = list(items)
        self.keys = [key for key, _ in pairs]
        self.values = [value for _, value in pairs]
        self.bloom = Bloom(self.keys)

    def place(self, key: str) -> int | None:
        """Where the key stands, found by halving; None if it is not there."""
        place = bisect_left(self.keys, key)
        return place if self.keys[place : place + 1] == [key] else None


class TinyLsm:
    """Keys and values, both text, in a log-structured merge tree.

    Args:
        limit: as soon as the memtable has so many keys, it is flushed; None flushes only on demand.

    Attributes:
        log: what was written since the last flush, in that order.
        memtable: the same as a dictionary, the newest value of each key.
        runs: sorted runs, the newest first.
        searched: how many runs `get` has searched for a key.
        saved: how many it did not have to search, thanks to their Bloom filters.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self.log: list[tuple[str, str | None]] = []
        self.memtable: dict[str, str | None] = {}
        self.runs: list[Run] = []
        self.searched = self.saved = 0

    def put(self, key: str, value: str | None) -> None:
        """Write a value, whether the key is there or not: nothing is looked up."""
        self.log.append((key, value))
        self.memtable[key] = value
        if self.limit and len(self.memtable) >= self.limit:
            self.flush()

    def delete(self, key: str) -> None:
        """Write a tombstone: older runs can't be changed, and may have the key."""
        self.put(key, TOMBSTONE)

    def flush(self) -> None:
        """Turn the memtable into a sorted run. Its log is not needed any more."""
        if self.memtable:
            self.runs.insert(0, Run(sorted(self.memtable.items())))
            self.memtable, self.log = {}, []

    def get(self, key: str) -> str | None:
        """The newest value; None if there is none, or if the newest is a tombstone."""
        if key in self.memtable:
            return self.memtable[key]
        for run in self.runs:
            if key not in run.bloom:
                self.saved += 1
                continue
            self.searched += 1
            place = run.place(key)
            if place is not None:
                return run.values[place]
        return None

    def compact(self) -> None:
        """Merge everything into one run: of each key the newest value, and no tombstones."""
        self.flush()
        merged = Run(self.items())
        self.runs = [merged] if merged.keys else []

    def items(self, start: str = "") -> Iterator[tuple[str, str]]:
        """All keys that are there, from `start` on, in order, with their values."""
        sources = [sorted(self.memtable.items())]
        sources += [list(zip(run.keys, run.values, strict=True)) for run in self.runs]
        last = None
        for key, _, value in heapq.merge(*map(_aged, range(len(sources)), sources)):
            if key != last and value is not TOMBSTONE and key >= start:
                yield key, value
            last = key

    def recover(self) -> None:
        """What the start after a crash does: the memtable is gone, and the log brings it back."""
        self.memtable = dict(self.log)

    def layout(self) -> list[RunInfo]:
        """What is in each run, the newest first."""
        return [
            RunInfo(len(run.keys), run.values.count(TOMBSTONE), run.keys[0], run.keys[-1])
            for run in self.runs
        ]

    def __repr__(self) -> str:
        dead = list(self.memtable.values()).count(TOMBSTONE)
        lines = [described("memtable", len(self.memtable), dead)]
        lines += [described("run", *one) for one in self.layout()]
        return "\n".join(lines)


def _aged(age: int, items: list[tuple[str, str | None]]) -> Iterator[tuple[str, int, str | None]]:
    """With its age, so that of equal keys the newest comes first out of a merge."""
    return ((key, age, value) for key, value in items)


def described(
    name: str,
    count: int,
    tombstones: int,
    first: str = "",
    last: str = "",
    nouns: tuple[str, str] = ("key", "keys"),
) -> str:
    """One line on a memtable or a run; `nouns` names what is counted, one of it and several."""
    words = f"{name}: {count} {nouns[count != 1]}"
    if tombstones:
        words += f", {tombstones} of them {'a tombstone' if tombstones == 1 else 'tombstones'}"
    return words + (f", {first} to {last}" if first or last else "")
