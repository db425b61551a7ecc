"""The page's own TCP: connected and listening sockets that live in memory.

A browser gives Python no sockets. This is the operating system's half of TCP on a loopback
address, as far as one process can tell it apart: bytes that arrive whole and in order, a receive
buffer that fills up, an end that each side sends for itself, and resets. The rules are those of
RFC 9293 (sections 3.6, 3.8.6 and 3.10.7); where it leaves a choice, Linux is followed.
"""

from __future__ import annotations

import errno
import os
import random
import socket
from collections import deque
from collections.abc import Callable

RECEIVE_BUFFER = 4 * 1024 * 1024  # bytes that wait at a socket until read; about what Linux holds
_EPHEMERAL = range(32768, 61000)  # the ports that Linux hands out
Address = tuple  # (host, port), or (host, port, 0, 0) for IPv6


class _Socket:
    """What both kinds of socket can be asked."""

    type = socket.SOCK_STREAM
    proto = socket.IPPROTO_TCP

    def __init__(self, address: Address) -> None:
        self.family = socket.AF_INET if len(address) == 2 else socket.AF_INET6
        self._address = address
        self._options: dict[tuple[int, int], int | bytes] = {}

    def getsockname(self) -> Address:
        return self._address

    def fileno(self) -> int:
        """No file of the operating system belongs to it."""
        return -1

    def setsockopt(self, level: int, option: int, value: int | bytes, length: int = 0) -> None:
        self._options[level, option] = value

    def getsockopt(self, level: int, option: int, length: int = 0) -> int | bytes:
        return self._options.get((level, option), 0)

    def gettimeout(self) -> float:
        return 0.0

    def setblocking(self, flag: bool) -> None:
        if flag:
            raise ValueError("A socket of the page never blocks: use it through asyncio.")


class PageSocket(_Socket):
    """One end of a connection; never blocks.

    Attributes:
        on_readable: called when ``recv`` has something new to tell.
        on_writable: called when ``send`` may have room again.
    """

    def __init__(self, address: Address, peer_address: Address) -> None:
        super().__init__(address)
        self._peer_address = peer_address
        self._peer: PageSocket = self
        self._arrived = bytearray()
        self._ended = False  # the peer has sent all that it had to say
        self._shut = False  # this side has
        self._closed = False
        self._reset = False
        self._error: OSError | None = None
        self.on_readable: Callable[[], None] | None = None
        self.on_writable: Callable[[], None] | None = None

    def getpeername(self) -> Address:
        if self._closed or self._reset:
            raise _os_error(errno.ENOTCONN)
        return self._peer_address

    def readable(self) -> bool:
        """Whether ``recv`` would answer at once, be it with an end or an error."""
        ended = self._ended or self._reset or self._closed
        return bool(self._arrived) or ended

    def recv(self, limit: int) -> bytes:
        """Up to ``limit`` bytes; none at the peer's end.

        Raises:
            BlockingIOError: nothing has arrived yet.
            ConnectionResetError: the peer threw away what was sent to it.
        """
        if self._arrived:
            data = bytes(self._arrived[:limit])
            del self._arrived[:limit]
            _call(self._peer.on_writable)
            return data
        if self._ended:
            return b""
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        if self._reset:
            return b""
        raise BlockingIOError

    def send(self, data: bytes | memoryview) -> int:
        """Put as many bytes on their way as there is room for, and say how many.

        Raises:
            BlockingIOError: the peer's buffer is full.
            ConnectionResetError, BrokenPipeError: nobody reads there any more.
        """
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        if self._shut or self._reset or self._closed:
            raise _os_error(errno.EPIPE)
        peer = self._peer
        if peer._closed:
            self._take_reset()  # told only now; these bytes are lost
            return len(data)
        room = RECEIVE_BUFFER - len(peer._arrived)
        if room <= 0:
            raise BlockingIOError
        peer._arrived += data[:room]
        _call(peer.on_readable)
        return min(room, len(data))

    def shutdown(self) -> None:
        """End what this side sends; it can still receive."""
        if not self._shut:
            self._shut = True
            self._peer._take_end()

    def close(self) -> None:
        """Give the socket back. Bytes that nobody has read make the peer's connection a reset."""
        if self._closed:
            return
        self._closed = True
        self.on_readable = self.on_writable = None
        if self._arrived:
            self._arrived.clear()
            self._peer._take_reset()
        elif not self._shut:
            self._peer._take_end()

    def _take_end(self) -> None:
        if not self._closed:
            self._ended = True
            _call(self.on_readable)

    def _take_reset(self) -> None:
        if not self._closed and not self._reset:
            self._reset = True
            self._error = _os_error(errno.EPIPE if self._ended else errno.ECONNRESET)
            _call(self.on_readable)
            _call(self.on_writable)


class PageListener(_Socket):
    """A listening socket.

    Attributes:
        waiting: connections that were made and that nobody has accepted yet.
        on_connection: called when there is one more.
    """

    def __init__(self, address: Address, forget: Callable[[], None]) -> None:
        super().__init__(address)
        self._forget = forget
        self.listening = False
        self.closed = False
        self.waiting: deque[PageSocket] = deque()
        self.on_connection: Callable[[], None] | None = None

    def listen(self, backlog: int = 0) -> None:
        """From now on clients can connect; they wait until they are accepted, however many."""
        self.listening = not self.closed

    def accept(self) -> PageSocket:
        """The connection that has waited longest; ``IndexError`` if there is none."""
        return self.waiting.popleft()

    def close(self) -> None:
        """Refuse new clients, reset those that nobody has accepted, give the port back."""
        if self.closed:
            return
        self.closed, self.listening, self.on_connection = True, False, None
        self._forget()
        while self.waiting:
            left = self.waiting.popleft()
            left._peer._take_reset()
            left.close()


class Addresses:
    """Who listens where. One for a page."""

    def __init__(self) -> None:
        self._listeners: dict[tuple[str, int], PageListener] = {}
        self._next = random.randrange(len(_EPHEMERAL))

    def bind(self, host: str, port: int) -> PageListener:
        """A socket on ``host`` (an IP address) and ``port``; 0 picks one that was free for long.

        Raises:
            OSError: with ``EADDRINUSE``, somebody holds the port.
        """
        port = port or self._free_port()
        address = full_address(host, port)
        if (host, port) in self._listeners:
            reason = os.strerror(errno.EADDRINUSE).lower()
            raise OSError(
                errno.EADDRINUSE,
                f"error while attempting to bind on address {address!r}: {reason}",
            )
        listener = PageListener(address, lambda: self._listeners.pop((host, port)))
        self._listeners[host, port] = listener
        return listener

    def connect(self, host: str, port: int, local_port: int = 0) -> PageSocket:
        """The client's end of a new connection to ``host``, an IP address.

        Raises:
            ConnectionRefusedError: nobody listens there.
        """
        there = full_address(host, port)
        listener = self._listeners.get((host, port))
        if listener is None or not listener.listening:
            raise OSError(errno.ECONNREFUSED, f"Connect call failed {there}")
        here = full_address(host, local_port or self._free_port())
        client, accepted = PageSocket(here, there), PageSocket(there, here)
        client._peer, accepted._peer = accepted, client
        listener.waiting.append(accepted)
        _call(listener.on_connection)
        return client

    def _free_port(self) -> int:
        taken = {port for _, port in self._listeners}
        while True:
            self._next = (self._next + 1) % len(_EPHEMERAL)
            if _EPHEMERAL[self._next] not in taken:
                return _EPHEMERAL[self._next]


def full_address(host: str, port: int) -> Address:
    """A host's address and a port as sockets write them."""
    return (host, port, 0, 0) if ":" in host else (host, port)


def _os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def _call(callback: Callable[[], None] | None) -> None:
    if callback is not None:
        callback()
