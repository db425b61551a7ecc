"""An HTTP/1.1 server, built from a socket.

`start(handler)` serves on an event loop; `ThreadedServer(handler)` gives each client a thread;
both read with the same strict parser. `Files(folder)` is a handler for static files, `Homemade`
the whole in a process of its own, and `ask` says to any server exactly the bytes it is given::

    from helpers.web import Files, ask, start

    site = await start(Files("songs"))
    print(await ask(site, b"GET / HTTP/1.1\\r\\nHost: here\\r\\n\\r\\n"))
"""

from typing import Any

from ._ask import ask, read_request
from ._files import Files
from ._message import Headers, Problem, Request, Response
from ._parse import body_length, parse_fields, parse_head, parse_request_line, read_requests
from ._server import Connection, Site, start
from ._threads import ThreadedServer

__all__ = [
    "Connection",
    "Files",
    "Headers",
    "Homemade",
    "Problem",
    "Request",
    "Response",
    "Site",
    "ThreadedServer",
    "ask",
    "body_length",
    "parse_fields",
    "parse_head",
    "parse_request_line",
    "read_request",
    "read_requests",
    "start",
]


def __getattr__(name: str) -> Any:
    """Homemade stands on processes, which a page has not: it is imported when it is asked for."""
    if name == "Homemade":
        from ._homemade import Homemade

        return Homemade
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
