"""What moves on the pages: anywidgets, each a NAME.py with its NAME.js and NAME.css beside it.

``SongRequest`` sends a request for a song, shows request and response down to the bytes, and plays
the answer. ``ServerAtWork`` shows how a server deals with several clients at once. In
``LoadBalancerLab`` requests travel through a balancer to servers that can be changed and killed.
``CacheTimeline`` shows one object in a shared cache get old and be renewed. ``BsonBytes`` takes the
bytes of a document apart. ``FormatBytes`` writes a song in nine formats. ``ConceptMap`` shows one
concept in several applications.
"""

from .bson_bytes import BsonBytes
from .cache_timeline import CacheTimeline
from .concept_map import ConceptMap
from .format_bytes import FormatBytes
from .load_balancer_lab import LoadBalancerLab
from .ring_lab import RingLab
from .server_at_work import ServerAtWork
from .song_request import SongRequest

__all__ = [
    "BsonBytes",
    "CacheTimeline",
    "ConceptMap",
    "FormatBytes",
    "LoadBalancerLab",
    "RingLab",
    "ServerAtWork",
    "SongRequest",
]
