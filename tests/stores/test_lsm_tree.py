"""The two log-structured merge trees: each is a dictionary, and both are built alike inside."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from helpers.stores import Bloom, LsmTree, RunInfo, SSTable, TinyLsm

KEYS = st.sampled_from(["", "a", "ab", "b", "fur-elise", "z", "zz", "süß", "\u266b", "\U0001f3b5"])
VALUES = st.text(alphabet="ab\u266b\U0001f3b5", max_size=3)


class BothTrees(RuleBasedStateMachine):
    """Any history of writes, flushes and compactions, in both trees and in a dictionary."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.tiny, self.rocks = TinyLsm(), LsmTree(self.folder)
        self.model: dict[str, str] = {}

    @rule(key=KEYS, value=VALUES)
    def put(self, key: str, value: str) -> None:
        for one in (self.tiny, self.rocks):
            one.put(key, value)
        self.model[key] = value

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        for one in (self.tiny, self.rocks):
            one.delete(key)
        self.model.pop(key, None)

    @rule()
    def flush(self) -> None:
        for one in (self.tiny, self.rocks):
            one.flush()
        assert not self.tiny.memtable
        assert self.rocks.memtable_entries == 0

    @rule()
    def compact(self) -> None:
        for one in (self.tiny, self.rocks):
            one.compact()
            assert len(one.layout()) == bool(self.model)
            assert sum(run.keys for run in one.layout()) == len(self.model)
            assert sum(run.tombstones for run in one.layout()) == 0

    @rule()
    def crash(self) -> None:
        self.tiny.memtable = {}
        self.tiny.recover()

    @rule()
    def close_and_open(self) -> None:
        """RocksDB flushes what its log has when it is opened; so do we, to stay alike."""
        self.rocks.close()
        self.rocks = LsmTree(self.folder)
        for one in (self.tiny, self.rocks):
            one.flush()

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        for one in (self.tiny, self.rocks):
            assert one.get(key) == self.model.get(key)

    @rule(start=KEYS)
    def scan(self, start: str) -> None:
        wanted = sorted((key, value) for key, value in self.model.items() if key >= start)
        for one in (self.tiny, self.rocks):
            assert list(one.items(start)) == wanted

    @invariant()
    def alike_inside(self) -> None:
        if hasattr(self, "rocks"):
            assert self.tiny.layout() == self.rocks.layout()
            assert (not self.tiny.memtable) == (self.rocks.memtable_entries == 0)

    def teardown(self) -> None:
        if hasattr(self, "rocks"):
            self.rocks.close()
            shutil.rmtree(self.folder)


BothTrees.TestCase.settings = settings(max_examples=25, stateful_step_count=25)
test_both_trees_are_a_dictionary = BothTrees.TestCase


@given(st.lists(st.tuples(KEYS, st.none() | VALUES)), st.integers(1, 4))
def test_a_tree_that_flushes_by_itself_is_a_dictionary_too(writes, limit):
    tiny, model = TinyLsm(limit), {}
    for key, value in writes:
        tiny.put(key, value)
        assert len(tiny.memtable) < limit
        model[key] = value
        assert tiny.get(key) == value
    assert dict(tiny.items()) == {k: v for k, v in model.items() if v is not None}


@given(st.lists(st.text(max_size=5)))
def test_a_bloom_filter_never_forgets(keys):
    bloom = Bloom(keys)
    assert all(key in bloom for key in keys)


def test_a_bloom_filter_seldom_takes_a_stranger_for_a_friend():
    bloom = Bloom(f"song-{number}" for number in range(1000))
    wrong = sum(f"other-{number}" in bloom for number in range(10_000))
    assert 0 < wrong < 200  # about one of a hundred


def test_an_empty_bloom_filter_knows_nothing():
    assert "fur-elise" not in Bloom([])


def test_filters_save_searches_in_both():
    folder = tempfile.mkdtemp()
    tiny = TinyLsm()
    with LsmTree(folder) as rocks:
        for one in (tiny, rocks):
            for number in range(100):
                one.put(f"song-{number}", "la")
            one.flush()
            for number in range(50):
                assert one.get(f"song-{number}!") is None
        assert tiny.saved + tiny.searched == 50
        assert tiny.saved > 40
        assert rocks.bloom_saves > 40
    shutil.rmtree(folder)


def test_what_rocksdb_shows(tmp_path):
    with LsmTree(tmp_path / "tree") as tree:
        tree.put("b", "1")
        tree.put("b", "2")
        tree.delete("a")
        assert (tree.memtable_entries, tree.memtable_tombstones) == (3, 1)
        assert repr(tree) == "memtable: 3 entries, 1 of them a tombstone"
        tree.flush()
        (table,) = tree.sstables()
        assert isinstance(table, SSTable)
        assert (table.level, table.keys, table.tombstones) == (0, 2, 1)
        assert (table.first, table.last) == ("a", "b")
        assert table.file in tree.files()
        assert table.size == (tree.folder / table.file).stat().st_size
        assert tree.levels() == {0: 2}
        tree.compact()
        (last,) = tree.levels()
        assert last > 0 and tree.levels() == {last: 1}
        assert "1 key, b to b" in repr(tree)
    tree.close()


def test_a_folder_belongs_to_one_tree(tmp_path):
    with LsmTree(tmp_path), pytest.raises(Exception, match=r"(?i)lock"):
        LsmTree(tmp_path)


def test_the_tiny_tree_says_what_it_has():
    tiny = TinyLsm(limit=2)
    for key in "dcba":
        tiny.put(key, "la")
    tiny.delete("d")
    assert tiny.layout() == [RunInfo(2, 0, "a", "b"), RunInfo(2, 0, "c", "d")]
    assert repr(tiny) == (
        "memtable: 1 key, 1 of them a tombstone\nrun: 2 keys, a to b\nrun: 2 keys, c to d"
    )
    assert tiny.get("d") is None
    tiny.compact()
    assert tiny.layout() == [RunInfo(3, 0, "a", "c")]


def test_without_its_log_a_crash_would_lose_the_memtable():
    tiny = TinyLsm()
    tiny.put("a", "old")
    tiny.flush()
    tiny.put("a", "new")
    tiny.memtable = {}
    assert tiny.get("a") == "old"
    tiny.recover()
    assert tiny.get("a") == "new"
