"""Ports of this machine: a free one, and whether something answers there."""

from __future__ import annotations

import socket


def free_port() -> int:
    """A port of the loopback address that nobody holds now.

    Somebody may take it a moment later. So who starts a program on it looks whether the program
    got it, and else takes another.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(host: str, port: int) -> bool:
    """Whether a connection can be made. Nothing is sent, so no program has a request to log."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
