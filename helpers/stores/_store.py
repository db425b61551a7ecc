"""The contract that five engines keep: what a store promises, and how it says no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from .._told import Told
from ..music import Listen, Song


class StoreError(Told, RuntimeError):
    """The engine refused. The message says why in one sentence, then in the engine's own words.

    The engine's own exception is the cause (``error.__cause__``).
    """


@runtime_checkable
class Store(Protocol):
    """One catalogue of songs, and who heard them. This text is the contract of every store.

    What is the same in all stores:

    * **Arguments are checked first.** If one of them is wrong, nothing is stored of the whole call.
      A wrong type is a TypeError, a value that cannot be is a ValueError; both name the argument.
    * **Text is data.** ``'; DROP TABLE songs; --`` is a title like any other. Text is not empty
      and holds no NUL character (PostgreSQL cannot keep one).
    * **A call that returns is durable.** Whoever kills the process, or the engine's own, with
      ``kill -9`` after that finds everything again. What a store adds about a power cut is in its
      own docstring.
    * **What the engine refuses is a StoreError**, and what the store held before is still there.
    * The order of text is that of its Unicode numbers, as in Python.
    * After `close`, every call is a StoreError.

    A listen may name a song that is not in the catalogue: only the relational stores could forbid
    it (with a foreign key), and all five are to do the same.
    """

    def add(self, *songs: Song | Mapping[str, Any]) -> None:
        """Put songs into the catalogue. A song whose id is there already takes the place of the old.

        Args:
            songs: a Song each, or a dictionary with exactly the fields of ``Song.as_dict()``: id,
                title, composer, key, genre (text), year, tempo (whole numbers of 32 bits), melody
                (a list of ``{"pitch": text or None, "beats": number}``).

        No song is ever half there. Whether a call is all or nothing, each store says.

        Raises:
            TypeError, ValueError: see the contract; the message names the field.
            StoreError: the engine refused, for example because a song is too large for it.
        """
        ...

    def get(self, song_id: str) -> dict[str, Any] | None:
        """The song with this id, as ``Song.as_dict()`` gives it; None if there is none."""
        ...

    def find(self, **fields: str | int) -> list[dict[str, Any]]:
        """The songs whose fields all have these values, sorted by id. Without a field: all songs.

        Args:
            fields: any of id, title, composer, year, key, tempo, genre. A value is equal or it is
                not: no patterns, no operators.

        Raises:
            ValueError: there is no such field, or it cannot be searched (the melody).
            TypeError: the value is not of the field's type. So a dictionary such as
                ``{"$ne": None}``, which a document database might take for an operator, is no
                value either.
        """
        ...

    def record(self, *listens: Listen) -> None:
        """Store listens. Durable when it returns.

        A listen's id belongs to one listen for ever: to record it again changes nothing. So a
        client that got no answer can safely send the same again. Stores rely on it: two different
        listens with the same id are a mistake that they do not have to notice.

        Nobody ever sees half a listen, such as a listen that is stored and not counted, not even
        after ``kill -9``. Whether a call with many listens is all or nothing, each store says.

        Args:
            listens: id from 0 to 2**63 - 1; listener and song_id: text; at: with a time zone, in
                whole milliseconds; seconds from 0 to 2**31 - 1.
        """
        ...

    def plays(self, song_id: str) -> int:
        """How many listens of this song are stored; 0 for a song that nobody knows."""
        ...

    def top(self, count: int = 10) -> list[tuple[str, int]]:
        """The most played songs as (song id, plays): most plays first, then by id.

        Songs without a listen are not among them, so the list may be shorter than `count`.
        """
        ...

    def close(self) -> None:
        """Let go of the engine. Closing twice is fine. What is stored stays stored."""
        ...
