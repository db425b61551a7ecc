"""RocksDB with its lid off: one table of texts, and a look at its memtable, files and filters.

What is shown comes from RocksDB itself: its properties, its list of live files and its statistics
(RocksDB wiki, "RocksDB Basics", "RocksDB Bloom Filter", "Compaction", "Statistics").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

from ._engine import client
from ._lsm import filtered_options
from ._tiny_lsm import RunInfo, described

_PROPERTY = "rocksdb."


class SSTable(NamedTuple):
    """One sorted file of RocksDB's.

    Attributes:
        file: its name in the folder.
        level: 0 for what was flushed, more for what was compacted.
        keys: how many keys it has, those with a tombstone included.
        tombstones: how many of its keys have one.
        first, last: the least and the greatest key.
        size: in bytes.
    """

    file: str
    level: int
    keys: int
    tombstones: int
    first: str
    last: str
    size: int


class LsmTree:
    """Keys and values, both text, in RocksDB, a log-structured merge tree inside this process.

    It is for looking, not for storing a catalogue (`LsmStore` does that): it flushes a memtable
    when you say so, or when it has reached RocksDB's own limit of 64 MB, and compacts only when you
    say so, so that nothing changes between two looks.

    Writes go to RocksDB's write-ahead log, which is handed to the operating system before `put`
    returns: they outlive the death of the process, and not a power cut.

    Args:
        folder: where its files are; it is made if it is not there. It belongs to one tree at a
            time.

    Raises:
        StoreError: rocksdict is not installed.
        Exception: RocksDB's own, such as "lock hold by current process" if the folder is in use.
    """

    def __init__(self, folder: str | Path) -> None:
        rocks = client("rocksdict", "rocksdict")
        self.folder = Path(folder)
        self._options = filtered_options(rocks)
        self._options.set_disable_auto_compactions(True)
        self._options.enable_statistics()
        # Without "force", a single file would be moved to the last level as it is.
        self._everything = rocks.CompactOptions()
        self._everything.set_bottommost_level_compaction(rocks.BottommostLevelCompaction.force())
        self._closed = False
        self._db = rocks.Rdict(str(folder), options=self._options)

    def put(self, key: str, value: str) -> None:
        """Write a value, whether the key is there or not."""
        self._db.put(key.encode(), value.encode())

    def delete(self, key: str) -> None:
        """Write a tombstone."""
        self._db.delete(key.encode())

    def get(self, key: str) -> str | None:
        """The newest value; None if there is none."""
        found = self._db.get(key.encode())
        return None if found is None else found.decode()

    def items(self, start: str = "") -> Iterator[tuple[str, str]]:
        """All keys that are there, from `start` on, in order, with their values."""
        for key, value in self._db.items(from_key=start.encode()):
            yield key.decode(), value.decode()

    def flush(self) -> None:
        """Write the memtable into a new file of level 0, and wait until that is done."""
        self._db.flush()

    def compact(self) -> None:
        """Merge all files and the memtable into the last level, and wait until that is done."""
        self._db.compact_range(None, None, self._everything)

    @property
    def memtable_entries(self) -> int:
        """How many entries are in the memtable: each write is one, also to the same key."""
        return self._number("num-entries-active-mem-table")

    @property
    def memtable_tombstones(self) -> int:
        """How many of these are tombstones."""
        return self._number("num-deletes-active-mem-table")

    @property
    def bloom_saves(self) -> int:
        """How many searches in a file a Bloom filter has saved since the tree was opened."""
        said = self._options.get_statistics() or ""
        found = re.search(r"^rocksdb\.bloom\.filter\.useful COUNT : (\d+)", said, re.MULTILINE)
        return int(found[1]) if found else 0

    def sstables(self) -> list[SSTable]:
        """The files with data, by level, the newest first within one."""
        tables = [
            SSTable(
                one["name"].lstrip("/"),
                one["level"],
                one["num_entries"],
                one["num_deletions"],
                one["start_key"].decode(),
                one["end_key"].decode(),
                one["size"],
            )
            for one in self._db.live_files()
        ]
        # Names are numbers that rise; they have six digits or more.
        return sorted(tables, key=lambda one: (one.level, -int(one.file.partition(".")[0])))

    def levels(self) -> dict[int, int]:
        """How many keys each level has, tombstones included; levels without files are left out."""
        keys: dict[int, int] = {}
        for one in self.sstables():
            keys[one.level] = keys.get(one.level, 0) + one.keys
        return keys

    def layout(self) -> list[RunInfo]:
        """What is in each file, the newest first, in the words of `TinyLsm.layout`."""
        return [RunInfo(*one[2:6]) for one in self.sstables()]

    def files(self) -> list[str]:
        """The names of all files in the folder, sorted: the SSTables end in `.sst`, logs in `.log`."""
        return sorted(one.name for one in self.folder.iterdir())

    def close(self) -> None:
        """Close the files; they stay where they are. Closing twice is fine."""
        if not self._closed:
            self._closed = True
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        entries, tombstones = self.memtable_entries, self.memtable_tombstones
        lines = [described("memtable", entries, tombstones, nouns=("entry", "entries"))]
        lines += [described(f"level {one.level}, {one.file}", *one[2:6]) for one in self.sstables()]
        return "\n".join(lines)

    def _number(self, name: str) -> int:
        return self._db.property_int_value(_PROPERTY + name) or 0
