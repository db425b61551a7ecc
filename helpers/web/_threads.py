"""The same conversations on real sockets, with a thread for each: to be held against the loop."""

from __future__ import annotations

import contextlib
import socket
import threading

from ._again import remember, take_former
from ._message import Problem, Request
from ._parse import read_requests
from ._server import CONTINUE, Handler, answer, refusal


class ThreadedServer:
    """A running server that gives each connection a thread; a context manager that stops it.

    It reads and answers as ``start`` does. It has one limit only: ``idle`` seconds without a byte.

    Attributes:
        url: such as ``"http://127.0.0.1:54321"``, without a slash at the end.
        port: the port it listens on.
    """

    def __init__(
        self,
        handler: Handler,
        at_once: int | None = None,
        port: int = 0,
        *,
        idle: float = 15.0,
    ) -> None:
        """Start at once.

        Args:
            handler: called with a Request, in the connection's thread.
            at_once: how many clients have a thread at the same time; the others wait until one
                is free. 1 serves one after the other, None all.
            port: the port to listen on; 0 picks a free one.
            idle: seconds without a byte from a client, or to it, after which it is let go.

        Raises:
            ValueError: at_once is less than 1.
            OSError: the port is taken.
        """
        if at_once is not None and at_once < 1:
            raise ValueError(f"at_once is a number of clients from 1 on, and this is {at_once}.")
        for former in take_former():
            former.stop()
        self._handler, self._idle = handler, idle
        self._free = threading.Semaphore(at_once) if at_once else None
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._lock = threading.Lock()
        self._talks: dict[threading.Thread, socket.socket] = {}
        self._stopping = False
        # Daemon threads: a notebook that ends without stop() does not have to wait for clients.
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()
        remember(self)

    @property
    def threads(self) -> int:
        """How many threads talk with a client now."""
        return len(self._talks)

    @property
    def connections(self) -> int:
        """The same as ``threads``: each has one connection."""
        return len(self._talks)

    def stop(self) -> None:
        """Give the port back and end every connection. Stopping twice is fine."""
        with self._lock:
            first, self._stopping = not self._stopping, True
            for client in self._talks.values():
                _hang_up(client)
        if first:
            if self._free:
                self._free.release()
            # accept() can't be interrupted on every system; one more client wakes it.
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        for thread in [self._accepting, *self._talks]:
            if thread is not threading.current_thread():
                thread.join()

    def __enter__(self) -> ThreadedServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<ThreadedServer {self.url} ({'stopped' if self._stopping else 'running'})>"

    def _accept(self) -> None:
        with self._listener:
            while True:
                if self._free:
                    self._free.acquire()
                client = self._listener.accept()[0]
                thread = threading.Thread(target=self._talk, args=[client], daemon=True)
                with self._lock:
                    if self._stopping:
                        client.close()
                        return
                    self._talks[thread] = client
                thread.start()

    def _talk(self, client: socket.socket) -> None:
        try:
            with client:
                client.settimeout(self._idle)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with contextlib.suppress(OSError):
                    self._answer_all(client)
                    client.shutdown(socket.SHUT_WR)
                    client.settimeout(min(2, self._idle))
                    while client.recv(1 << 16):  # until it has read our last answer
                        pass
        finally:
            with self._lock:
                del self._talks[threading.current_thread()]
            if self._free:
                self._free.release()

    def _answer_all(self, client: socket.socket) -> None:
        buffer = bytearray()
        try:
            for step in read_requests(buffer):
                if isinstance(step, Request):
                    for piece in answer(self._handler, step, step.keeps_alive())[1]:
                        client.sendall(piece)
                    if not step.keeps_alive():
                        return
                elif step == "continue":
                    client.sendall(CONTINUE)
                else:
                    data = client.recv(1 << 16)
                    if not data:
                        return
                    buffer += data
        except Problem as problem:
            client.sendall(b"".join(refusal(problem, buffer)))


def _hang_up(client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
