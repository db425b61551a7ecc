"""Tell the two kinds of Python web app apart, and give both the same shape.

An ASGI app is called with ``(scope, receive, send)`` and awaited (ASGI specification 3.0); a WSGI
app is called with ``(environ, start_response)`` and returns its body (PEP 3333).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Awaitable, Callable
from typing import Any

IN_PAGE = sys.platform == "emscripten"  # no sockets, no threads
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]


def as_asgi(app: Any) -> ASGIApp:
    """The app as an ASGI app; a WSGI app is wrapped by a2wsgi, or in a page by code of ours.

    Raises:
        TypeError: it is neither of the two; the message says what ``serve`` takes.
    """
    if not callable(app):
        raise TypeError(
            f"serve takes a web app, such as FastAPI() or Flask(__name__), "
            f"and this is {type(app).__name__}."
        )
    if inspect.isclass(app):
        raise TypeError(f"serve takes an app, not its class: write serve({app.__name__}()).")
    if _is_coroutine_function(app):
        if _takes(app, 3):
            return app
    elif _takes(app, 2):
        return _from_wsgi(app)
    elif _takes(app, 3):
        return app
    name = getattr(app, "__name__", type(app).__name__)
    raise TypeError(
        "serve takes an ASGI app, called with (scope, receive, send), or a WSGI app, called with "
        f"(environ, start_response), and {name} can be called in neither way."
    )


def _from_wsgi(app: Callable[..., Any]) -> ASGIApp:
    if IN_PAGE:  # a2wsgi needs threads
        from ._page_wsgi import WSGIApp
    else:
        from ._wsgi import WSGIApp
    return WSGIApp(app)


def _is_coroutine_function(app: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__)


def _takes(app: Callable[..., Any], arguments: int) -> bool:
    try:
        inspect.signature(app).bind(*[None] * arguments)
    except (TypeError, ValueError):  # ValueError: built in and without a signature, such as max
        return False
    return True
