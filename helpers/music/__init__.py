"""The music streaming service that every chapter shares.

``SONGS`` is the catalogue, ``find_song`` looks a song up by its name, ``render_wav`` plays it,
``render_cover`` draws its picture, and ``create_app`` puts the first three behind an HTTP API.
``listening_events`` makes up who listened to what: what the database chapters store and count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._catalogue import SONGS
from ._cover import render_cover
from ._listening import Listen, listening_events
from ._search import SongNotFound, find_song, search_songs
from ._song import Note, Song
from ._synthesis import SAMPLE_RATE, audio_etag, render_wav

if TYPE_CHECKING:
    from ._api import create_app

__all__ = [
    "SAMPLE_RATE",
    "SONGS",
    "Listen",
    "Note",
    "Song",
    "SongNotFound",
    "audio_etag",
    "create_app",
    "find_song",
    "listening_events",
    "render_cover",
    "render_wav",
    "search_songs",
]


def __getattr__(name: str) -> Any:
    # FastAPI takes longest to load, above all in a page; who only looks songs up does not wait.
    if name == "create_app":
        from ._api import create_app

        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
