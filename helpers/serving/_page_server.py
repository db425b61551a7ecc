"""A server on the page's own network, as ``asyncio.Server`` is one on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ._page_socket import PageListener
from ._page_transport import PageTransport

Protocols = Callable[[], asyncio.BaseProtocol]


class PageServer(asyncio.AbstractServer):
    """What ``create_server`` returns: like ``asyncio.Server``."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listeners: list[PageListener],
        protocol_factory: Protocols,
    ) -> None:
        self._loop = loop
        self._listeners = listeners
        self._protocol_factory = protocol_factory
        self._transports: set[PageTransport] = set()
        self._over: asyncio.Future[None] = loop.create_future()
        self._forever: asyncio.Future[None] | None = None
        self._serving = False
        self._closed = False

    def __repr__(self) -> str:
        return f"<PageServer {[listener.getsockname() for listener in self.sockets]}>"

    @property
    def sockets(self) -> tuple[PageListener, ...]:
        """The listening sockets; none once it is closed."""
        return () if self._closed else tuple(self._listeners)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def is_serving(self) -> bool:
        return self._serving

    async def start_serving(self) -> None:
        self.listen()
        await asyncio.sleep(0)

    def listen(self) -> None:
        """Accept clients, also those that have waited so far."""
        if self._serving or self._closed:
            return
        self._serving = True
        for listener in self._listeners:
            listener.listen()
            listener.on_connection = self._plan_accept
        self._plan_accept()

    async def serve_forever(self) -> None:
        if self._forever is not None:
            raise RuntimeError(f"server {self!r} is already being awaited on serve_forever()")
        if self._closed:
            raise RuntimeError(f"server {self!r} is closed")
        self.listen()
        self._forever = self._loop.create_future()
        try:
            await self._forever
        except asyncio.CancelledError:
            self.close()
            await self.wait_closed()
            raise
        finally:
            self._forever = None

    def close(self) -> None:
        """Refuse new clients. The connections that there are go on."""
        if self._closed:
            return
        self._closed, self._serving = True, False
        for listener in self._listeners:
            listener.close()
        if self._forever is not None and not self._forever.done():
            self._forever.cancel()
        self._end_if_over()

    def close_clients(self) -> None:
        for transport in list(self._transports):
            transport.close()

    def abort_clients(self) -> None:
        for transport in list(self._transports):
            transport.abort()

    def hang_up(self) -> None:
        """End the connections that are to be closed and have nothing more to send, at once."""
        for transport in list(self._transports):
            transport.hang_up()

    async def wait_closed(self) -> None:
        """Wait until it is closed and its last connection is over."""
        await asyncio.shield(self._over)

    def _plan_accept(self) -> None:
        self._loop.call_soon(self.accept_waiting)

    def accept_waiting(self) -> None:
        """Let in the clients that have connected by now."""
        for listener in self.sockets:
            while listener.waiting:
                protocol = self._protocol_factory()
                transport = PageTransport(self._loop, listener.accept(), protocol, self)
                self._transports.add(transport)

    def _detach(self, transport: PageTransport) -> None:
        self._transports.discard(transport)
        self._end_if_over()

    def _end_if_over(self) -> None:
        if self._closed and not self._transports and not self._over.done():
            self._over.set_result(None)
