"""A tap on a connection: it stands between client and server, and keeps the bytes that pass."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

KEPT = 4 * 1024 * 1024
"""Bytes that are kept of each direction; what comes after them passes, and is forgotten."""

_PIECE = 65536  # bytes


class Tap:
    """Listens on a port of its own, and passes everything on to a server and back.

    It is a context manager: with its end, its port, its connections and its threads are gone.

    Args:
        port: of the server, on this machine.

    Attributes:
        port: where the client connects.
        sent: what clients have sent so far, in order; of several connections, as it came.
        received: what they have got back.

    Raises:
        OSError: there is no free port.
    """

    def __init__(self, port: int) -> None:
        self.sent, self.received = bytearray(), bytearray()
        self._server = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open = {self._listener}
        self._closed = False
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def __repr__(self) -> str:
        return f"<Tap on port {self.port}: {len(self.sent)} bytes sent, {len(self.received)} back>"

    def __enter__(self) -> Tap:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up on both sides; closing twice is fine. What was kept stays."""
        with self._lock:
            self._closed = True
            still_open, self._open = self._open, set()
        for one in still_open:
            _hang_up(one)
        for thread in self._threads:
            thread.join()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True, name="tap")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # it was closed
                return
            try:
                server = socket.create_connection(self._server)
            except OSError:
                client.close()  # nobody there: the client gets to know it in its own words
                continue
            for one in (client, server):
                _without_delay(one)
            with self._lock:
                if not self._closed:
                    self._open |= {client, server}
                    self._start(self._pass_on, client, server, self.sent)
                    self._start(self._pass_on, server, client, self.received)
                    continue
            for one in (client, server):
                _hang_up(one)

    def _pass_on(self, source: socket.socket, target: socket.socket, kept: bytearray) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE):
                kept += piece[: max(0, KEPT - len(kept))]
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)  # the other direction may have more to say
            return
        for one in (source, target):
            _hang_up(one)


def _without_delay(one: socket.socket) -> None:
    """Let small pieces go at once, and not when the last one is confirmed: 40 ms later."""
    with contextlib.suppress(OSError):  # it has hung up already
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _hang_up(one: socket.socket) -> None:
    """Close a socket, and wake whoever waits on it."""
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
