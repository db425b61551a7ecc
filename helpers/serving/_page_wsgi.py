"""A WSGI app (PEP 3333) as an ASGI app, without threads: the app runs in line.

The app's body goes out piece by piece, and after each the event loop gets the time to bring it to
the client, so that clients read while the app still produces.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Callable
from io import BytesIO
from typing import Any

Headers = list[tuple[str, str]]
_TURNS = 8  # of the event loop, until a client's task has a piece that was sent


class WSGIApp:
    """An ASGI app that runs a WSGI app.

    Args:
        app: called with ``(environ, start_response)``.
    """

    def __init__(self, app: Callable[..., Any]) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            body = await _whole_body(receive)
            if body is not None:
                await _Answer(self.app, _environ(scope, body), send).run()
        elif scope["type"] == "lifespan":  # WSGI knows none
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await send({"type": "websocket.close", "code": 1000})


class _Answer:
    """One call of the app, and what comes of it."""

    def __init__(self, app: Callable[..., Any], environ: dict[str, Any], send: Any) -> None:
        self._app = app
        self._environ = environ
        self._send = send
        self._context = contextvars.copy_context()
        self._start: dict[str, Any] | None = None  # what start_response was told
        self._started = False  # it is on its way
        self._written: list[bytes] = []  # by the app's calls of write()

    async def run(self) -> None:
        pieces = self._context.run(self._app, self._environ, self._start_response)
        try:
            await self._flush()
            steps = iter(pieces)
            while (piece := self._context.run(next, steps, None)) is not None:
                await self._flush(piece)
            await self._send_start()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            if hasattr(pieces, "close"):
                self._context.run(pieces.close)

    def _start_response(
        self, status: str, headers: Headers, exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """PEP 3333, "The start_response() Callable"."""
        if exc_info:
            try:
                if self._started:  # too late for another answer
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # or the traceback would hold on to this frame
        elif self._start is not None:
            raise AssertionError("The app called start_response twice, and without exc_info.")
        self._start = {
            "type": "http.response.start",
            "status": int(status.split(" ", 1)[0]),
            "headers": [
                (name.strip().lower().encode("latin-1"), value.strip().encode("latin-1"))
                for name, value in headers
            ],
        }
        return self._written.append

    async def _flush(self, piece: bytes = b"") -> None:
        """Send what was written and the piece; the headers wait for the first byte."""
        written, self._written[:] = [*self._written, piece], []
        for data in filter(None, written):
            await self._send_start()
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
            for _ in range(_TURNS):
                await asyncio.sleep(0)

    async def _send_start(self) -> None:
        if self._start is None:
            raise AssertionError("The app sent its body before it called start_response.")
        if not self._started:
            self._started = True
            await self._send(self._start)


async def _whole_body(receive: Any) -> bytes | None:
    """The request's body; ``None`` if the client has gone before it was complete."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


def _environ(scope: Any, body: bytes) -> dict[str, Any]:
    """PEP 3333, "environ Variables"."""
    from a2wsgi.wsgi import build_environ

    single = {"wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.errors": sys.stderr}
    return build_environ(scope, BytesIO(body)) | single
