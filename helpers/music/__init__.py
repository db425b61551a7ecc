"""The music streaming service that every chapter shares.

``SONGS`` is the catalogue, ``find_song`` looks a song up by its name, ``render_wav`` plays it,
and ``create_app`` puts all three behind an HTTP API.
"""

from ._api import create_app
from ._catalogue import SONGS
from ._search import SongNotFound, find_song, search_songs
from ._song import Note, Song
from ._synthesis import SAMPLE_RATE, audio_etag, render_wav

__all__ = [
    "SAMPLE_RATE",
    "SONGS",
    "Note",
    "Song",
    "SongNotFound",
    "audio_etag",
    "create_app",
    "find_song",
    "render_wav",
    "search_songs",
]
