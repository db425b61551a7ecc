"""What the stores share: arguments are checked in one place, and the engine's errors explained.

A store's own module then shows its engine and nothing else.
"""

from __future__ import annotations

import contextlib
import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from ..music import Listen, Song
from . import _values
from ._store import StoreError

_MOST = 2**31 - 1  # songs that `top` can be asked for


class Engine(ABC):
    """A store whose public methods check, and whose private ones talk to one engine."""

    _name = "?"
    _errors: tuple[type[BaseException], ...] = ()  # what the engine's client raises
    _closed = False

    def add(self, *songs: Song | Mapping[str, Any]) -> None:
        """Put songs into the catalogue; see `Store.add`."""
        # of two songs with the same id the later one counts, as if they came one after the other
        documents = {one["id"]: one for one in map(_values.document_of, songs)}
        with self._told():
            if documents:
                self._add(list(documents.values()))

    def get(self, song_id: str) -> dict[str, Any] | None:
        """The song with this id, or None; see `Store.get`."""
        song_id = _values.text("song_id", song_id)
        with self._told():
            return self._get(song_id)

    def find(self, **fields: str | int) -> list[dict[str, Any]]:
        """The songs with these values, sorted by id; see `Store.find`."""
        wanted = _values.checked_search(fields)
        with self._told():
            return sorted(self._find(wanted), key=lambda song: song["id"])

    def record(self, *listens: Listen) -> None:
        """Store listens, durably and each once; see `Store.record`."""
        checked: dict[int, Listen] = {}
        for listen in map(_values.checked_listen, listens):
            checked.setdefault(listen.id, listen)
        with self._told():
            if checked:
                self._record(list(checked.values()))

    def plays(self, song_id: str) -> int:
        """How often a song was played; see `Store.plays`."""
        song_id = _values.text("song_id", song_id)
        with self._told():
            return self._plays(song_id)

    def top(self, count: int = 10) -> list[tuple[str, int]]:
        """The most played songs; see `Store.top`."""
        count = _values.whole_number("count", count, 0, _MOST)
        with self._told():
            # zero rows: MongoDB refuses to be asked for them
            return self._top(count) if count else []

    def close(self) -> None:
        """Let go of the engine; see `Store.close`."""
        if not self._closed:
            self._closed = True
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__} on {self._name}{' (closed)' if self._closed else ''}"

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """While the block runs, an error of the engine becomes a StoreError that explains it."""
        if self._closed:
            raise StoreError(
                "This store is closed. Make a new one: what was stored is still there."
            )
        try:
            yield
        except StoreError:
            raise
        except self._errors as error:
            why = self._explain(error) or f"{self._name} could not do it."
            said = next(iter(str(error).splitlines()), "") or type(error).__name__
            raise StoreError(f"{why}\n{self._name} says: {said[:300]}") from error

    def _explain(self, error: BaseException) -> str | None:
        """One sentence on an error that readers meet; None for any other."""
        return None

    @abstractmethod
    def _add(self, documents: Sequence[dict[str, Any]]) -> None:
        """Store songs, at least one, each id once."""

    @abstractmethod
    def _get(self, song_id: str) -> dict[str, Any] | None: ...

    @abstractmethod
    def _find(self, wanted: Mapping[str, str | int]) -> list[dict[str, Any]]:
        """The songs with these values, in any order."""

    @abstractmethod
    def _record(self, listens: Sequence[Listen]) -> None:
        """Store listens, at least one, each id once, times in UTC."""

    @abstractmethod
    def _plays(self, song_id: str) -> int: ...

    @abstractmethod
    def _top(self, count: int) -> list[tuple[str, int]]:
        """The `count` most played, at least one."""

    @abstractmethod
    def _close(self) -> None: ...


def client(module: str, package: str) -> Any:
    """Import an engine's client where it is first used: a page in the browser has none but SQLite.

    Raises:
        StoreError: it is not installed, or cannot be on this system.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise StoreError(
            f"The Python package {package} is not here. On your own machine "
            "`pip install -r requirements.txt` brings it; in a page in the browser only "
            f"SqliteStore runs. (Python says: {error})"
        ) from error
