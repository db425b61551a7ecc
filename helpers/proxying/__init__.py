"""A reverse proxy: it takes a client's request, has a server behind it answer, and passes that on.

`ReverseProxy(urls, algorithm)` is an ASGI app; a balancer is one with a choice to make::

    from helpers import serve
    from helpers.balancing import LeastConnections
    from helpers.proxying import ReverseProxy

    balancer = serve(ReverseProxy([a.url, b.url], LeastConnections))

`python -m helpers.proxying URL URL` runs one in a process of its own, and `Standalone(urls)` handles
such a process as Nginx and the others are handled.
"""

from typing import Any

from ._app import ReverseProxy
from ._cache import Cache
from ._cache_statistics import CacheStatistics
from ._statistics import Row, Statistics

__all__ = ["Cache", "CacheStatistics", "ReverseProxy", "Row", "Standalone", "Statistics"]


def __getattr__(name: str) -> Any:
    """Standalone stands on processes, which a page has not: it is imported when it is asked for."""
    if name == "Standalone":
        from ._standalone import Standalone

        return Standalone
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
