"""What moves on the pages: anywidgets, each a NAME.py with its NAME.js and NAME.css beside it.

``SongRequest`` sends a request for a song, shows request and response down to the bytes, and plays
the answer.
"""

from .song_request import SongRequest

__all__ = ["SongRequest"]
