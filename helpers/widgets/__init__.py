"""What moves on the pages: anywidgets, each a NAME.py with its NAME.js and NAME.css beside it.

``SongRequest`` sends a request for a song, shows request and response down to the bytes, and plays
the answer. ``ServerAtWork`` shows how a server deals with several clients at once.
"""

from .server_at_work import ServerAtWork
from .song_request import SongRequest

__all__ = ["ServerAtWork", "SongRequest"]
