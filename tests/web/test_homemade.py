"""Our server in a process of its own."""

from __future__ import annotations

import asyncio

import pytest

from helpers.web import Homemade, ask


def test_homemade_is_handled_as_the_real_ones_are(music):
    with Homemade(music) as server:
        answer = asyncio.run(ask(server, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert '"GET / HTTP/1.1" 200 ' in server.log()
        assert [what for _, what in server.processes()] == ["master"]
        assert server.url in repr(server) and server.running
        port = server.port
    server.stop()
    assert not server.running and '"GET / HTTP/1.1" 200 ' in server.log()
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(ask(port, b""))
    with Homemade(music, port=port) as again:
        assert again.port == port
    with pytest.raises(NotADirectoryError, match="There is no folder"):
        Homemade(music / "nothing")
