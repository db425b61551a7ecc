"""Small apps that the tests of helpers.serving share, and what they look at from outside."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]


async def plain(scope: Any, receive: Any, send: Any) -> None:
    """The smallest ASGI app: it answers "hello", and knows nothing of lifespans."""
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-kind", b"asgi")]})
    await send({"type": "http.response.body", "body": b"hello"})


def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """The smallest WSGI app."""
    start_response("200 OK", [("X-Kind", "wsgi"), ("Content-Length", "5")])
    return [b"hello"]


class Busy:
    """An ASGI app with requests that do not end, and a lifespan.

    /wait never answers; /stream never stops; anything else answers at once.

    Attributes:
        arrived: set as soon as a request that does not end is being worked on.
        log: what happened, in order.
    """

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.log: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        try:
            await self._answer(scope, send)
        except asyncio.CancelledError:
            self.log.append("cut off")
            raise

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        self.log.append("startup")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.log.append("shutdown")
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Any, send: Any) -> None:
        if scope["path"] == "/wait":
            self.arrived.set()
            await asyncio.Event().wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while scope["path"] == "/stream":
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            self.arrived.set()
        await send({"type": "http.response.body", "body": b"hello"})


def refuses(port: int, host: str = "127.0.0.1") -> bool:
    """Whether nobody listens on the port; whoever resets a new connection still did."""
    try:
        socket.create_connection((host, port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        pass
    return False


def is_free(port: int) -> bool:
    """Whether a server could be started on the port."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


of_other_tests: set[threading.Thread] = set()
"""Threads that were there when the test began: other tests' clients keep some for a while."""


def serve_threads() -> list[threading.Thread]:
    """The threads that servers, and the endpoints that they run in threads, have left."""
    names = ("serve", "AnyIO worker thread")
    threads = set(threading.enumerate()) - of_other_tests
    return [thread for thread in threads if thread.name.startswith(names)]


def listening(pid: int | None = None) -> list[tuple[str, int]]:
    """The addresses a process listens on, as the operating system tells them."""
    connections = psutil.Process(pid).net_connections("tcp")
    return [tuple(c.laddr) for c in connections if c.status == psutil.CONN_LISTEN]


@contextlib.contextmanager
def request_to(port: int, text: bytes) -> Iterator[socket.socket]:
    """An open connection on which some bytes were sent."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(text)
        yield connection


def run_python(script: str, *arguments: str, **more: Any) -> str:
    """What a script prints in a Python of its own; it has to end by itself with code 0.

    A script that hangs is ended after a minute, and the test fails. `more` goes to `subprocess.run`.
    """
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        **more,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def block(seconds: float) -> None:
    """Wait as beginners do: without ``await``."""
    time.sleep(seconds)
