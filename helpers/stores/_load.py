"""Load many listens into a store, and show how far it is."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sized
from itertools import islice
from typing import Any

from .._progress import ProgressBar
from ..music import Listen
from ._store import Store
from ._values import whole_number

_REDRAW = 0.1  # seconds between two pictures of the bar
_MOST = 2**31 - 1


def load(
    store: Store, listens: Iterable[Listen], batch: int = 1000, *, total: int | None = None
) -> int:
    """Record listens in batches, with a progress bar in a notebook or a terminal.

    Args:
        store: where to.
        listens: such as ``listening_events(100_000)``; read as they are needed, so that a stream
            of any length fits into memory.
        batch: how many go to the store in one call of `record`. More in a call: fewer commits,
            each of which waits for the disk. Fewer: less to send again after a crash.
        total: how many there will be, for the bar; None if nobody knows.

    Returns:
        how many the store has acknowledged. Those that it had already count too.

    Raises:
        TypeError, ValueError: `batch` is no whole number from 1 on, or a listen is wrong.
        StoreError: the engine refused. What was acknowledged before stays; to load the same
            again stores only what is missing.
    """
    batch = whole_number("batch", batch, 1, _MOST)
    if total is None and isinstance(listens, Sized):
        total = len(listens)
    events, done, drawn = iter(listens), 0, 0.0
    bar = ProgressBar(f"Listens stored in {_engine(store)}", total)
    try:
        while some := list(islice(events, batch)):
            store.record(*some)
            done += len(some)
            if (now := time.monotonic()) >= drawn + _REDRAW:
                bar.show(done)
                drawn = now
    finally:  # also after an error: the bar stays where it stopped
        bar.end(done)
    return done


def _engine(store: Any) -> str:
    return getattr(store, "_name", type(store).__name__)
