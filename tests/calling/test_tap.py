"""The tap: what passes is kept, ends are passed on, and nothing outlives it."""

from __future__ import annotations

import socket
import threading

from helpers.calling import Tap
from helpers.calling._tap import KEPT
from tests.serving.apps import refuses
from tests.waiting import eventually


def taps() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "tap"]


class Echo:
    """A server that answers everything in capitals, and says goodbye at the end."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                while piece := connection.recv(65536):
                    connection.sendall(piece.upper())
                connection.sendall(b"bye")

    def __enter__(self) -> Echo:
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def read_all(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def test_it_passes_on_and_keeps():
    with Echo() as server, Tap(server.port) as tap:
        with socket.create_connection(("127.0.0.1", tap.port), timeout=10) as client:
            client.sendall(b"la la")
            assert client.recv(100) == b"LA LA"
            assert (tap.sent, tap.received) == (b"la la", b"LA LA")
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == b"bye", "the other direction stays open"
        assert repr(tap) == f"<Tap on port {tap.port}: 5 bytes sent, 8 back>"
    assert not taps()
    assert refuses(tap.port)
    assert tap.received == b"LA LAbye"


def test_it_ends_while_both_sides_wait():
    with Echo() as server:
        tap = Tap(server.port)
        client = socket.create_connection(("127.0.0.1", tap.port), timeout=10)
        client.sendall(b"la")
        assert client.recv(100) == b"LA"
        tap.close()
        tap.close()
        assert not taps()
        assert read_all(client) == b""
        client.close()


def test_nobody_is_there():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Tap(port) as tap:
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", tap.port), timeout=10) as client:
                assert read_all(client) == b""


def test_it_keeps_no_more_than_it_says():
    with Echo() as server, Tap(server.port) as tap:
        with socket.create_connection(("127.0.0.1", tap.port), timeout=30) as client:
            many = KEPT + 100_000
            threading.Thread(target=client.sendall, args=(b"x" * many,), daemon=True).start()
            left = many
            while left:
                left -= len(client.recv(65536))
        assert len(tap.sent) == len(tap.received) == KEPT
    eventually(lambda: not taps())
