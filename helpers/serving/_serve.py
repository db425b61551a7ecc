"""``serve(app)``: a real HTTP server in a thread of the notebook.

The server is uvicorn, on a socket that is bound to the loopback address before the thread starts.
So the port is known at once, and no other program can take it in between. The thread makes its
own event loop and never touches the notebook's: it works before and after
``nest_asyncio.apply()``. It is a daemon thread of the kernel's process, so nothing is left when
the kernel ends, however it ends.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import socket
import threading
from typing import Any

from ._interface import ASGIApp, as_asgi
from ._notebook import current_cell

HOST = "127.0.0.1"
_START_TIMEOUT = 10.0  # seconds an app may take to start, its lifespan included
_GRACE = 0.05  # seconds that a request still running gets when the server stops

_running: set[Server] = set()
_lock = threading.RLock()


class Server:
    """A running API. Made by ``serve``; a context manager that stops it at the end.

    Attributes:
        url: such as ``"http://127.0.0.1:54321"``, without a slash at the end.
        port: the port it listens on.
    """

    def __init__(self, app: ASGIApp, listener: socket.socket, cell: tuple[str, int] | None) -> None:
        self.port: int = listener.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        self._cell = cell
        self._engine = _Engine(app, listener)

    @property
    def running(self) -> bool:
        """Whether it answers requests."""
        return self in _running

    def stop(self) -> None:
        """Stop the server and give its port back. Stopping twice is fine.

        A request that is still running gets 0.05 seconds to finish and is then cut off.
        """
        with _lock:
            _running.discard(self)
        self._engine.stop()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Server {self.url} ({'running' if self.running else 'stopped'})>"


def serve(app: Any, port: int = 0) -> Server:
    """Start an app and return once it answers.

    Running a cell again first stops the servers that the cell started before, and asking for a
    port that one of this notebook's servers holds replaces that server.

    Args:
        app: an ASGI app (FastAPI, Starlette, Django's ASGI handler) or a WSGI app (Flask,
            Django's WSGI handler).
        port: the port to listen on; 0 picks a free one.

    Raises:
        TypeError: ``app`` is not a web app, or ``port`` not a whole number.
        ValueError: ``port`` is outside 0 to 65535.
        OSError: another program holds the port.
        RuntimeError: the app failed while starting; its own error is shown as the cause.
        TimeoutError: the app did not finish starting within 10 seconds.
    """
    asgi_app = as_asgi(app)
    _check_port(port)
    cell = current_cell()
    with _lock:
        replaced = [s for s in _running if _replaces(cell, s._cell) or port == s.port]
    for server in replaced:
        server.stop()
    server = Server(asgi_app, _listen(port), cell)
    server._engine.start()
    with _lock:
        _running.add(server)
    return server


def _replaces(new: tuple[str, int] | None, old: tuple[str, int] | None) -> bool:
    """The same cell, in a later run: several servers from one run live side by side."""
    return new is not None and old is not None and new[0] == old[0] and new[1] != old[1]


def _check_port(port: int) -> None:
    if not isinstance(port, int) or isinstance(port, bool):
        raise TypeError(f"A port is a whole number, and this is {type(port).__name__}.")
    if not 0 <= port <= 65535:
        raise ValueError(f"Ports go from 1 to 65535, and 0 picks a free one. {port} is neither.")


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise OSError(
            error.errno,
            f"Port {port} can't be used: another program holds it, or it is reserved. "
            "Call serve(app) without a port, and it picks a free one.",
        ) from None


class _Engine:
    """uvicorn in a thread of its own."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self._app = app
        self._listener = listener
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="serve", daemon=True)

    def start(self) -> None:
        try:
            self._thread.start()
            answered = self._ready.wait(_START_TIMEOUT)
        except BaseException:  # an interrupt must not leave half a server behind
            self.stop()
            raise
        if not answered:
            self.stop()
            raise TimeoutError(
                f"The app did not finish starting within {_START_TIMEOUT:.0f} seconds. "
                "Look at what it does in its lifespan."
            )
        if not self._thread.is_alive() or self._stopping is None:
            self.stop()
            raise RuntimeError(
                f"The app failed while starting: {self._failure or 'it gave no reason'}"
            ) from self._failure

    def stop(self) -> None:
        loop = self._loop
        if loop is not None and self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # the loop closed in the meantime
                loop.call_soon_threadsafe(self._ask_to_stop)
            if self._thread is not threading.current_thread():
                self._thread.join(_START_TIMEOUT)
        self._listener.close()

    def _ask_to_stop(self) -> None:
        if self._stopping is not None:
            self._stopping.set()
        else:  # still starting: nothing to finish, so leave at once
            for task in asyncio.all_tasks(self._loop):
                task.cancel()

    def _run(self) -> None:
        self._loop = loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self._serve())
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            self._failure = self._failure or error
        finally:
            _close(loop)
            self._listener.close()
            self._ready.set()

    async def _serve(self) -> None:
        import uvicorn

        engine = self

        class Uvicorn(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                engine._stopping = asyncio.Event()
                engine._ready.set()

            async def main_loop(self) -> None:
                """Like uvicorn's own, but woken by ``stop`` instead of looking ten times a second."""
                while not await self.on_tick(0):
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(engine._stopping.wait(), timeout=1)
                        return

        config = uvicorn.Config(
            self._watch_start,
            interface="asgi3",
            proxy_headers=False,  # the app sees its real peer, also behind a proxy of ours
            http="h11",  # the same parser everywhere, whatever else is installed
            ws="none",
            lifespan="auto",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=_GRACE,  # type: ignore[arg-type] - passed on to asyncio
        )
        await Uvicorn(config).serve(sockets=[self._listener])

    async def _watch_start(self, scope: Any, receive: Any, send: Any) -> None:
        """The app, with the error that stops it from starting kept for the reader."""
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if scope["type"] == "lifespan":
                self._failure = error
            raise


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is still running and close the loop, as ``asyncio.run`` does."""

    async def cancel_all() -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    try:
        loop.run_until_complete(cancel_all())
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


@atexit.register
def _stop_all() -> None:
    for server in list(_running):
        server.stop()
