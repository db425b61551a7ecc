"""The service's own copy of the catalogue: what its clients add, replace, remove and play."""

from __future__ import annotations

import base64
import json
from collections import OrderedDict
from collections.abc import Iterable
from hashlib import sha256

from ._search import fold
from ._song import Song

_KEYS_KEPT = 1000


class Library:
    """Songs in order of their titles, with a count of plays.

    Every app has its own, in memory: what one app's clients add is gone when the app is.
    """

    def __init__(self, songs: Iterable[Song]) -> None:
        self._songs = {song.id: song for song in songs}
        self._plays: dict[str, int] = {}
        self._answered: OrderedDict[tuple[str, str], int] = OrderedDict()

    def __contains__(self, song_id: str) -> bool:
        return song_id in self._songs

    def get(self, song_id: str) -> Song | None:
        """The song with this id, if there is one."""
        return self._songs.get(song_id)

    def put(self, song: Song) -> None:
        """Add the song, or replace the one with its id."""
        self._songs[song.id] = song

    def remove(self, song_id: str) -> bool:
        """Remove a song; says whether it was there."""
        self._plays.pop(song_id, None)
        for answered in [pair for pair in self._answered if pair[0] == song_id]:
            del self._answered[answered]
        return self._songs.pop(song_id, None) is not None

    def in_order(self) -> list[Song]:
        """All songs, sorted by title."""
        return sorted(self._songs.values(), key=place)

    def plays(self, song_id: str) -> int:
        """How often a song was played."""
        return self._plays.get(song_id, 0)

    def count_play(self, song_id: str, key: str | None) -> int:
        """Count one play and return the new count.

        A play that comes again with the same key is not counted again: its first answer is
        repeated (the Idempotency-Key header, draft-ietf-httpapi-idempotency-key-header). The last
        1000 keys are remembered.
        """
        if key is not None and (song_id, key) in self._answered:
            return self._answered[song_id, key]
        self._plays[song_id] = count = self.plays(song_id) + 1
        if key is not None:
            self._answered[song_id, key] = count
            if len(self._answered) > _KEYS_KEPT:
                self._answered.popitem(last=False)
        return count


def place(song: Song) -> tuple[str, str]:
    """Where a song stands in the list; no two songs share a place."""
    return song.title.casefold(), song.id


def write_cursor(song: Song) -> str:
    """A cursor: the place of the last song a client has seen, packed so that nobody edits it."""
    packed = json.dumps(place(song), ensure_ascii=False).encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[str, str]:
    """The place that a cursor stands for.

    Raises:
        ValueError: it is not a cursor of this service.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, b"-_", validate=True))
    except (ValueError, RecursionError):
        found = None
    match found:
        case [str(title), str(song_id)]:
            return title, song_id
    raise ValueError("Take the cursor from the `next` of an earlier page, unchanged")


def song_id_for(title: str) -> str:
    """The id that a title gives: "Für Elise" becomes "fur-elise".

    A title without a Latin letter or digit gets an id made from its hash.
    """
    return fold(title).replace(" ", "-") or "song-" + sha256(title.encode()).hexdigest()[:8]
