"""A WSGI app (PEP 3333) as an ASGI app: a2wsgi, in threads that end with their request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from a2wsgi.wsgi import WSGIMiddleware, WSGIResponder


class WSGIApp(WSGIMiddleware):
    """Like its parent, but a request that is cut off ends its thread at its next piece."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            responder = _Responder(self.app, _DaemonThreads(), self.send_queue_size)
            await responder(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class _Responder(WSGIResponder):
    _over = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._over = True

    def send(self, message: Any) -> None:
        if self._over:  # the event loop may be closed: nobody would ever take the message
            raise ConnectionAbortedError("The request was cut off.")
        super().send(message)


class _DaemonThreads(Executor):
    """A thread for every call.

    Unlike the threads of a pool they are gone when the call is over, and one that is stuck in
    somebody's app does not hold up the end of the process.
    """

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=run, name="serve-wsgi", daemon=True).start()
        return future
