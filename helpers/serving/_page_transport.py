"""asyncio's transport (PEP 3156) over a socket that lives in memory.

Protocols are called as asyncio's own transport over a real socket calls them: in a later turn of
the loop, and ``pause_writing`` within the ``write`` that fills the buffer.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio.transports import _FlowControlMixin  # the water marks of every transport of asyncio
from collections.abc import Callable, Iterable
from typing import Any

from ._page_socket import PageSocket

_READ_SIZE = 256 * 1024  # bytes that asyncio reads at once
_QUIET_WRITES = 5  # writes to a lost connection before asyncio says so in its log
_logger = logging.getLogger("asyncio")


class PageTransport(_FlowControlMixin, asyncio.Transport):
    """One end of a connection, for one protocol.

    Args:
        loop: the loop on which the protocol is called.
        sock: this end's socket, which belongs to the transport from now on.
        protocol: told of what happens.
        server: is told by ``_detach`` when the connection is over.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: PageSocket,
        protocol: asyncio.BaseProtocol,
        server: Any = None,
    ) -> None:
        names = {"sockname": sock.getsockname(), "peername": sock._peer_address}
        super().__init__({"socket": sock, **names}, loop)
        self._sock = sock
        self._protocol = protocol
        self._server = server
        self._buffer = bytearray()  # written, and not yet taken by the socket
        self._closing = False
        self._paused = False
        self._at_end = False  # the peer's end was told
        self._eof = False  # write_eof was called
        self._lost = 0  # the protocol was told, or will be, that the connection is lost
        self._read_planned = self._write_planned = False
        loop.call_soon(protocol.connection_made, self)
        loop.call_soon(self._listen_to_socket)

    def __repr__(self) -> str:
        state = "closing" if self._closing else "open"
        return f"<PageTransport {self.get_extra_info('sockname')} {state}>"

    def _listen_to_socket(self) -> None:
        if not self._lost:
            self._sock.on_readable = self._plan_read
            self._sock.on_writable = self._plan_write
            self._plan_read()
            self._plan_write()

    def _after_this_turn(self, callback: Callable[[], None]) -> None:
        """Call it after everything that this turn of the loop plans for the next.

        So does a loop over real sockets, which asks the system what has arrived at the end of a
        turn. Servers rely on it: a client's end that is read too early would cut an answer short.
        """
        self._loop.call_soon(self._loop.call_soon, callback)

    # reading

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def is_reading(self) -> bool:
        return not self._closing and not self._paused

    def pause_reading(self) -> None:
        if self.is_reading():
            self._paused = True

    def resume_reading(self) -> None:
        if not self._closing and self._paused:
            self._paused = False
            self._plan_read()

    def _plan_read(self) -> None:
        wanted = self.is_reading() and not self._at_end
        if wanted and not self._read_planned and self._sock.readable():
            self._read_planned = True
            self._after_this_turn(self._read)

    def _read(self) -> None:
        self._read_planned = False
        if not self.is_reading() or self._at_end:
            return
        what = "Fatal error: the protocol's call failed."
        try:
            if isinstance(self._protocol, asyncio.BufferedProtocol):
                ended = self._fill_protocol(self._protocol)
            else:
                data = self._sock.recv(_READ_SIZE)
                ended = not data
                if data:
                    what = "Fatal error: protocol.data_received() call failed."
                    self._protocol.data_received(data)
            if ended:
                what = "Fatal error: protocol.eof_received() call failed."
                self._at_end = True
                if not self._protocol.eof_received():
                    self.close()
        except BlockingIOError:
            return
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._fatal_error(error, what)
        else:
            self._plan_read()

    def _fill_protocol(self, protocol: asyncio.BufferedProtocol) -> bool:
        buffer = memoryview(protocol.get_buffer(-1)).cast("B")
        if not len(buffer):
            raise RuntimeError("get_buffer() returned an empty buffer")
        data = self._sock.recv(len(buffer))
        buffer[: len(data)] = data
        if data:
            protocol.buffer_updated(len(data))
        return not data

    # writing

    def get_write_buffer_size(self) -> int:
        return len(self._buffer)

    def can_write_eof(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(
                f"data argument must be a bytes-like object, not {type(data).__name__!r}"
            )
        if self._eof:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not data:
            return
        if self._lost:
            if self._lost >= _QUIET_WRITES:
                _logger.warning("socket.send() raised exception.")
            self._lost += 1
            return
        waited = bool(self._buffer)
        self._buffer += data
        if not waited:
            self._send()
        if self._buffer:
            self._maybe_pause_protocol()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def write_eof(self) -> None:
        if not self._closing and not self._eof:
            self._eof = True
            if not self._buffer:
                self._sock.shutdown()

    def _send(self) -> None:
        """Hand the socket what it takes; the rest stays in the buffer."""
        try:
            while self._buffer:
                with memoryview(self._buffer) as data:
                    sent = self._sock.send(data)
                del self._buffer[:sent]
        except BlockingIOError:
            pass
        except OSError as error:
            self._fatal_error(error, "Fatal write error on socket transport")

    def _plan_write(self) -> None:
        if self._buffer and not self._write_planned:
            self._write_planned = True
            self._after_this_turn(self._write_more)

    def _write_more(self) -> None:
        self._write_planned = False
        if self._lost or not self._buffer:
            return
        self._send()
        if self._lost:
            return
        self._maybe_resume_protocol()  # which may write again
        if self._buffer:
            return
        if self._closing:
            self._lost += 1
            self._lose_connection(None)
        elif self._eof:
            self._sock.shutdown()

    # the end

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        """Send what was written, and then end the connection."""
        if not self._closing:
            self._closing = True
            if not self._buffer:
                self._lost += 1
                self._loop.call_soon(self._lose_connection, None)

    def hang_up(self) -> None:
        """Let the peer know now of a ``close`` that it would hear of a turn of the loop later."""
        if self._closing and not self._buffer:
            self._sock.close()

    def abort(self) -> None:
        """End the connection at once; what waits to be sent is dropped."""
        self._force_close(None)

    def _fatal_error(self, error: BaseException, message: str) -> None:
        if not isinstance(error, OSError):
            context = {"exception": error, "transport": self, "protocol": self._protocol}
            self._loop.call_exception_handler({"message": message, **context})
        self._force_close(error)

    def _force_close(self, error: BaseException | None) -> None:
        if not self._lost:
            self._buffer.clear()
            self._closing = True
            self._lost += 1
            self._loop.call_soon(self._lose_connection, error)

    def _lose_connection(self, error: BaseException | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            self._sock.close()
            if self._server is not None:
                self._server._detach(self)
