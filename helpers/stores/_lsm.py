"""The catalogue in RocksDB: sorted keys and bytes, and every table and index made by hand."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..music import Listen
from . import _values
from ._engine import Engine, client

_FAMILIES = ("songs", "songs_by_composer", "listens", "listens_by_song", "plays")
_END = b"\0"  # ends a text within a key; no text holds it, so no key begins like another by chance
_BLOOM_BITS = 10  # for each key: about 1 wrong "perhaps" in 100 (RocksDB wiki, Bloom Filter)


def filtered_options(rocks: Any) -> Any:
    """RocksDB's options for a folder that is made if need be, with a Bloom filter for each file.

    Args:
        rocks: the module `rocksdict`.
    """
    options = rocks.Options(raw_mode=True)  # keys and values are bytes, as they are
    options.create_if_missing(True)
    table = rocks.BlockBasedOptions()
    table.set_bloom_filter(_BLOOM_BITS, False)
    options.set_block_based_table_factory(table)
    return options


class LsmStore(Engine):
    """The catalogue in RocksDB, a log-structured merge tree that runs inside this process.

    The engine knows keys, bytes and their order, nothing else. This is what the store makes of it,
    one column family a row:

    ====================  ==========================  =====================================
    column family         key                         value
    ====================  ==========================  =====================================
    ``songs``             song id                     the song, JSON
    ``songs_by_composer`` composer, 0, song id        nothing: the key says it all
    ``listens``           listen id, 8 bytes          the listen, JSON; at in milliseconds
    ``listens_by_song``   song id, 0, listen id       nothing
    ``plays``             song id                     how many listens, 8 bytes
    ====================  ==========================  =====================================

    Text is UTF-8, numbers are big-endian: then the order of the bytes is the order of the values,
    and "all listens of a song" are neighbours. 0 is one zero byte.

    A call of `add` or `record` is one write batch over all column families: all of it or nothing,
    also after kill -9. The write-ahead log is flushed to the disk before the call returns
    (``WriteOptions.sync``), so that a power cut loses nothing either, as far as the disk keeps its
    word (RocksDB wiki, "Write Ahead Log", "Column Families").

    The counts in `plays` are right because a listen that is there already is left out, and because
    one lock makes "read the count, write it back" one step. A folder belongs to one process at a
    time; several threads may use the store.

    `get`, `plays` and `find(composer=...)` read what they need; any other `find` reads all songs,
    and `top` reads one count for each song.

    Attributes:
        db: the ``rocksdict.Rdict``, for questions of your own.
        families: name of the column family -> its ``Rdict``.
    """

    _name = "RocksDB"
    _errors = (Exception,)  # rocksdict raises nothing more special

    def __init__(self, folder: str | Path) -> None:
        """Open the folder, or make it.

        Raises:
            StoreError: it cannot be opened, or another process (or store) has it open.
        """
        if not isinstance(folder, str | Path):
            raise TypeError(f"folder is the name of a folder, not {folder!r}.")
        self._rocks = client("rocksdict", "rocksdict")
        self._lock = threading.RLock()
        with self._told():
            self.db = self._rocks.Rdict(
                str(folder),
                options=self._options(),
                column_families={name: self._options() for name in _FAMILIES},
            )
            self.families = {name: self.db.get_column_family(name) for name in _FAMILIES}
            self._handles = {name: self.db.get_column_family_handle(name) for name in _FAMILIES}
        self._durably = self._rocks.WriteOptions()
        self._durably.sync = True

    def _options(self) -> Any:
        # Is this listen new? The filter answers "no such key" without a look at the file.
        options = filtered_options(self._rocks)
        options.create_missing_column_families(True)
        return options

    def _explain(self, error: BaseException) -> str | None:
        said = str(error)
        if "lock" in said.lower():
            return (
                "A folder of RocksDB belongs to one process at a time: close the store that has "
                "it open."
            )
        if "IO error" in said or "os error" in said:
            return "RocksDB cannot use the folder: is it there, and may you write to it?"
        return None

    def _batch(self) -> Any:
        return self._rocks.WriteBatch(raw_mode=True)

    def _add(self, documents: Sequence[dict[str, Any]]) -> None:
        songs, by_composer = self._handles["songs"], self._handles["songs_by_composer"]
        with self._lock:
            batch = self._batch()
            for song in documents:
                key = song["id"].encode()
                if (old := self._get(song["id"])) and old["composer"] != song["composer"]:
                    batch.delete(_pair(old["composer"], key), by_composer)
                batch.put(key, _bytes(song), songs)
                batch.put(_pair(song["composer"], key), b"", by_composer)
            self.db.write(batch, self._durably)

    def _get(self, song_id: str) -> dict[str, Any] | None:
        found = self.families["songs"].get(song_id.encode())
        return None if found is None else json.loads(found)

    def _find(self, wanted: Mapping[str, str | int]) -> list[dict[str, Any]]:
        if "id" in wanted:
            found = self._get(wanted["id"])
            songs = [found] if found else []
        elif "composer" in wanted:
            prefix = _pair(wanted["composer"])
            keys = [key[len(prefix) :] for key in self._keys("songs_by_composer", prefix)]
            songs = [json.loads(one) for one in self.families["songs"].get(keys)] if keys else []
        else:
            songs = [json.loads(one) for one in self.families["songs"].values()]
        return [s for s in songs if all(s[name] == value for name, value in wanted.items())]

    def _keys(self, family: str, prefix: bytes) -> Iterator[bytes]:
        """The keys that begin with the prefix: seek the first, then go on to its neighbours."""
        for key in self.families[family].keys(from_key=prefix):
            if not key.startswith(prefix):
                return
            yield key

    def _record(self, listens: Sequence[Listen]) -> None:
        with self._lock:
            there = self.families["listens"].get([_number(one.id) for one in listens])
            new = [one for one, old in zip(listens, there, strict=True) if old is None]
            if not new:
                return
            batch, plays = self._batch(), {}
            for one in new:
                song, number = one.song_id, _number(one.id)
                batch.put(number, _bytes(_listen(one)), self._handles["listens"])
                batch.put(_pair(song, number), b"", self._handles["listens_by_song"])
                plays[song] = plays.get(song, 0) + 1
            for song, more in plays.items():
                total = _number(self._plays(song) + more)
                batch.put(song.encode(), total, self._handles["plays"])
            self.db.write(batch, self._durably)

    def _plays(self, song_id: str) -> int:
        return int.from_bytes(self.families["plays"].get(song_id.encode()) or b"")

    def _top(self, count: int) -> list[tuple[str, int]]:
        counts = [(key.decode(), int.from_bytes(n)) for key, n in self.families["plays"].items()]
        return sorted(counts, key=lambda one: (-one[1], one[0]))[:count]

    def _close(self) -> None:
        with self._lock:
            for family in self.families.values():
                family.close()
            self.families, self._handles = {}, {}
            self.db.close()


def _number(value: int) -> bytes:
    return value.to_bytes(8)


def _pair(first: str, second: bytes = b"") -> bytes:
    return first.encode() + _END + second


def _bytes(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _listen(one: Listen) -> dict[str, Any]:
    return {
        "id": one.id,
        "listener": one.listener,
        "song_id": one.song_id,
        "at": _values.milliseconds(one.at),
        "seconds": one.seconds,
    }
