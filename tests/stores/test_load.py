"""`load` fills a store in batches, and its bar says how far it is."""

from __future__ import annotations

import io
import re
import sys
import types
from typing import Any

import pytest

from helpers._progress import ProgressBar
from helpers.music import listening_events
from helpers.stores import SqliteStore, load


class Recorder:
    """A store that notes how many listens each call brings; it fails at the call `fails_at`."""

    def __init__(self, fails_at: int = 0) -> None:
        self.sizes: list[int] = []
        self._fails_at = fails_at

    def record(self, *listens: Any) -> None:
        if len(self.sizes) + 1 == self._fails_at:
            raise RuntimeError("the disk is full")
        self.sizes.append(len(listens))


@pytest.fixture
def notebook(monkeypatch) -> list[str]:
    """A notebook's kernel, as far as the bar sees it: the HTML that it showed, one after the other."""
    shown: list[str] = []

    class Handle:
        def update(self, html: Any) -> None:
            shown.append(html.data)

    def display(html: Any, display_id: bool) -> Handle:
        assert display_id
        shown.append(html.data)
        return Handle()

    import IPython
    import IPython.display

    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    monkeypatch.setattr(IPython.display, "display", display)
    return shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_everything_is_stored_and_counted():
    with SqliteStore() as store:
        assert load(store, listening_events(2_345), batch=100) == 2_345
        assert sum(plays for _, plays in store.top(100)) == 2_345
        assert load(store, listening_events(2_400)) == 2_400, "those that were there count too"
        assert sum(plays for _, plays in store.top(100)) == 2_400


@pytest.mark.parametrize(
    ("count", "batch", "sizes"),
    [(0, 5, []), (5, 5, [5]), (12, 5, [5, 5, 2]), (3, 1, [1, 1, 1]), (3, 1000, [3])],
)
def test_listens_go_in_batches(count, batch, sizes):
    store = Recorder()
    assert load(store, listening_events(count), batch) == count
    assert store.sizes == sizes


def test_a_stream_is_read_as_it_is_needed():
    taken = []

    def stream():
        for one in listening_events(100):
            taken.append(one.id)
            yield one

    with pytest.raises(RuntimeError, match="disk is full"):
        load(Recorder(fails_at=2), stream(), batch=10)
    assert taken == list(range(1, 21))


@pytest.mark.parametrize(("batch", "kind"), [(0, ValueError), (-1, ValueError), ("9", TypeError)])
def test_a_wrong_batch_is_named(batch, kind):
    with pytest.raises(kind, match="batch is "):
        load(Recorder(), listening_events(3), batch)


def test_a_notebook_gets_one_bar_that_ends_full(notebook):
    with SqliteStore() as store:
        load(store, list(listening_events(1_500)), batch=500)
    assert "Listens stored in SQLite" in notebook[0]
    assert 'value="0" max="1500"' in notebook[0]
    assert 'value="1500" max="1500"' in notebook[-1]
    assert "1,500 of 1,500" in notebook[-1]
    values = [int(re.search(r'value="(\d+)"', html)[1]) for html in notebook]
    assert values == sorted(values)


def test_a_stream_of_unknown_length_has_a_bar_without_an_end_until_it_ends(notebook):
    load(Recorder(), listening_events(70), batch=7)
    assert "<progress>" in notebook[0]
    assert 'value="70" max="70"' in notebook[-1]


def test_after_an_error_the_bar_stays_where_it_stopped(notebook):
    with pytest.raises(RuntimeError):
        load(Recorder(fails_at=3), listening_events(100), batch=10, total=100)
    assert "20 of 100" in notebook[-1]


def test_a_bar_of_nothing(notebook):
    assert load(Recorder(), []) == 0
    assert "0 of 0" in notebook[-1]


def test_the_label_is_text_not_html(notebook):
    ProgressBar("<b>&", 1)
    assert "&lt;b&gt;&amp;" in notebook[0]


def test_a_terminal_gets_one_line(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    load(Recorder(), listening_events(10), batch=5, total=10)
    text = terminal.getvalue()
    assert text.count("\n") == 1 and text.endswith("\n")
    assert f"[{'#' * 30}] 10 of 10" in text.rpartition("\r")[2]


def test_anywhere_else_it_is_silent(capsys):
    load(Recorder(), listening_events(10))
    assert capsys.readouterr() == ("", "")
