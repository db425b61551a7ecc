"""Where answers are kept: in memory, never more than so many bytes; what was used longest ago goes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable

from ._cache_entry import Entry
from ._framing import Field

MOST_VARIANTS = 64  # answers to one URL that differ in what Vary names

Key = tuple[bytes, bytes]  # host and target


class Store:
    """Answers by host and target; a lock of its own makes it safe to use from any thread.

    Args:
        max_bytes: how much all answers together may take.

    Attributes:
        size: bytes that they take now.
        evicted: how many had to go so far because there was no room.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes, self.size, self.evicted = max_bytes, 0, 0
        self._kept: OrderedDict[Key, list[Entry]] = OrderedDict()  # the last used one is last
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return sum(map(len, list(self._kept.values())))

    def find(self, key: Key, fields: Iterable[Field]) -> Entry | None:
        """The newest answer to such a request."""
        with self._lock:
            variants = self._kept.get(key)
            if not variants:
                return None
            self._kept.move_to_end(key)
            return next((one for one in variants if one.answers(fields)), None)

    def has(self, key: Key) -> bool:
        """Whether there is any answer from this URL, for whatever request."""
        return key in self._kept

    def put(self, key: Key, entry: Entry, good: Callable[[], bool] = lambda: True) -> bool:
        """Keep an answer, in place of what answered the same requests; False: it is not kept.

        What was asked for later is not replaced by what was asked for earlier. `good` is asked
        at a moment when nothing can be dropped.
        """
        if _size(key, entry) > self.max_bytes:
            return False
        with self._lock:
            variants = self._kept.get(key, [])
            newer = any(_same(one, entry) and one.turn > entry.turn for one in variants)
            if newer or not good():
                return False
            gone = [one for one in variants if _same(one, entry)]
            kept = [one for one in variants if not _same(one, entry)]
            gone += kept[MOST_VARIANTS - 1 :]
            self._kept[key] = [entry, *kept[: MOST_VARIANTS - 1]]
            self._kept.move_to_end(key)
            self.size += _size(key, entry) - sum(_size(key, one) for one in gone)
            self._make_room()
            return True

    def replace(self, key: Key, old: Entry, new: Entry | None) -> None:
        """Put an answer with newer fields, or nothing, in the place of itself, if it is there."""
        with self._lock:
            variants = self._kept.get(key, [])
            if not any(one is old for one in variants):
                return
            others = [one for one in variants if one is not old]
            if new:  # its Vary may be a newer one, too
                others = [new, *(one for one in others if not _same(one, new))]
            self.size += sum(_size(key, one) for one in others)
            self.size -= sum(_size(key, one) for one in variants)
            self._kept[key] = others
            if not others:
                del self._kept[key]
            self._make_room()

    def drop(self, key: Key) -> int:
        """Forget a URL; how many answers that were."""
        with self._lock:
            variants = self._kept.pop(key, [])
            self.size -= sum(_size(key, one) for one in variants)
            return len(variants)

    def drop_target(self, target: bytes | None) -> int:
        """Forget a target on all hosts, or everything; how many answers that were."""
        with self._lock:
            keys = [key for key in self._kept if target is None or key[1] == target]
        return sum(self.drop(key) for key in keys)

    def _make_room(self) -> None:
        """Let go what was used longest ago: of one URL, the oldest answer first."""
        while self.size > self.max_bytes:
            key, variants = next(iter(self._kept.items()))
            self.size -= _size(key, variants.pop())
            self.evicted += 1
            if not variants:
                del self._kept[key]


def _size(key: Key, entry: Entry) -> int:
    """Bytes that an answer takes, with the URL that it is kept under."""
    return entry.size + len(key[0]) + len(key[1])


def _same(one: Entry, other: Entry) -> bool:
    """Whether two answers are answers to the same requests."""
    return one.selecting == other.selecting
