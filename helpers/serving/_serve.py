"""``serve(app)``: a real HTTP server inside the notebook.

The server is uvicorn, on a socket that is bound to the loopback address before it starts. So the
port is known at once, and no other program can take it in between. It runs in a thread with an
event loop of its own and never touches the notebook's: it works before and after
``nest_asyncio.apply()``. It is a daemon thread of the kernel's process, so nothing is left when
the kernel ends, however it ends.

In a page there are neither sockets nor threads: there uvicorn runs on the page's own event loop
and the page's own network.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from types import ModuleType
from typing import Any

from . import _interface
from ._interface import ASGIApp, as_asgi
from ._notebook import Cell, current_cell, replaces

HOST = "127.0.0.1"
_EXIT_TIMEOUT = 4.0  # seconds that all servers together may hold up the end of the process

_running: set[Server] = set()
_lock = threading.RLock()


class Server:
    """A running API. Made by ``serve``; a context manager that stops it at the end.

    Attributes:
        url: such as ``"http://127.0.0.1:54321"``, without a slash at the end.
        port: the port it listens on.
    """

    def __init__(self, app: ASGIApp, port: int, cell: Cell | None) -> None:
        engine = _engine()
        listener = _listen(engine, port)
        self.port: int = listener.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        self._cell = cell
        self._engine = engine.Engine(app, listener)

    @property
    def running(self) -> bool:
        """Whether it answers requests."""
        return self in _running and self._engine.alive

    def stop(self) -> None:
        """Stop the server and give its port back. Stopping twice is fine.

        A request that is still running gets 0.05 seconds to finish and is then cut off. Called by
        the app itself, it returns at once and the server stops right after.
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
    _ask_no_proxy_for_loopback()
    cell = current_cell()
    with _lock:
        replaced = [s for s in _running if replaces(cell, s._cell) or port == s.port]
    for server in replaced:
        server.stop()
    return _started(asgi_app, port, cell)


def serve_apart(app: Any, port: int = 0) -> Server:
    """As `serve`, but for a helper: no cell owns it, and who starts it has to stop it.

    A widget that starts a server when a reader presses a button runs in no cell.
    """
    asgi_app = as_asgi(app)
    _check_port(port)
    _ask_no_proxy_for_loopback()
    return _started(asgi_app, port, None)


def _started(asgi_app: ASGIApp, port: int, cell: Cell | None) -> Server:
    server = Server(asgi_app, port, cell)
    try:
        server._engine.start()
        with _lock:
            _running.add(server)
    except BaseException:  # an interrupt must not leave a server that nobody can stop
        server.stop()
        raise
    return server


def _check_port(port: int) -> None:
    if not isinstance(port, int) or isinstance(port, bool):
        raise TypeError(f"A port is a whole number, and this is {type(port).__name__}.")
    if not 0 <= port <= 65535:
        raise ValueError(f"Ports go from 1 to 65535, and 0 picks a free one. {port} is neither.")


def _ask_no_proxy_for_loopback() -> None:
    """Where a proxy is set up for the internet, HTTP clients must not use it for this machine."""
    lower, upper = os.environ.get("no_proxy"), os.environ.get("NO_PROXY")
    for name, listed in (("no_proxy", lower or upper), ("NO_PROXY", upper or lower)):
        hosts = [host.strip() for host in (listed or "").split(",") if host.strip()]
        if HOST not in hosts and "*" not in hosts:
            hosts.append(HOST)
        os.environ[name] = ",".join(hosts)


def _engine() -> ModuleType:
    """What runs servers here; imported with the first server, because uvicorn is large."""
    if _interface.IN_PAGE:
        from . import _page_engine as engine
    else:
        from . import _engine as engine
    return engine


def _listen(engine: ModuleType, port: int) -> Any:
    try:
        return engine.listen(HOST, port)
    except OSError as error:
        raise OSError(
            error.errno,
            f"Port {port} can't be used: another program holds it, or it is reserved. "
            "Call serve(app) without a port, and it picks a free one.",
        ) from None


@atexit.register
def _stop_all() -> None:
    """All at once, so that several apps that are slow to stop take no longer than one."""
    servers = list(_running)
    for server in servers:
        server._engine.ask_to_stop()
    end = time.monotonic() + _EXIT_TIMEOUT
    for server in servers:
        server._engine.stop(max(0.0, end - time.monotonic()))


def _leave_to_parent() -> None:
    """A forked process inherits the sockets but no thread that could answer on them."""
    for server in _running:
        server._engine.listener.close()
    _running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
