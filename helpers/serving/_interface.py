"""Tell the two kinds of Python web app apart, and give both the same shape.

An ASGI app is called with ``(scope, receive, send)`` and awaited (ASGI specification 3.0); a WSGI
app is called with ``(environ, start_response)`` and returns its body (PEP 3333).
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]


def as_asgi(app: Any) -> ASGIApp:
    """The app as an ASGI app; a WSGI app is wrapped by a2wsgi.

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
    arguments = _positional_arguments(app)
    if arguments == 2:
        from a2wsgi import WSGIMiddleware

        return WSGIMiddleware(app)
    if arguments == 3:
        return app
    raise TypeError(
        "serve takes an ASGI app, called with (scope, receive, send), or a WSGI app, called with "
        f"(environ, start_response). This one takes {arguments} arguments."
    )


def _positional_arguments(app: Callable[..., Any]) -> int:
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(app).parameters.values()
    required = [p for p in parameters if p.kind in positional and p.default is p.empty]
    if not required and any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return 3 if inspect.iscoroutinefunction(app) else 2
    return len(required)
