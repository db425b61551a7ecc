"""Connections to the servers that stay open between two requests.

A new connection costs a round trip before the first byte of a request can travel, and some work
for both systems; a proxy that opens one for each request spends most of its time on that.
"""

from __future__ import annotations

import asyncio

from ._connection import Connection
from ._errors import NotConnected
from ._urls import Address

MOST_IDLE = 64  # connections that wait for one server
LONGEST_IDLE = 4.0  # seconds; less than servers wait (uvicorn 5, Apache 5, nginx 60)


class Pool:
    """The connections of one event loop. It ends with `close`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._idle: dict[Address, list[Connection]] = {}
        self._busy: set[Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self.closed = False

    def reuse(self, address: Address) -> Connection | None:
        """A connection that has carried requests before: the one that did so last."""
        idle = self._idle.get(address)
        while idle:
            connection = idle.pop()
            if connection.usable:
                self._busy.add(connection)
                return connection
        return None

    async def connect(self, address: Address, seconds: float) -> Connection:
        """A new connection. Raises NotConnected if there is none after so many seconds."""
        host, port = address
        try:
            async with asyncio.timeout(seconds):
                _, connection = await self._loop.create_connection(
                    lambda: Connection(self._loop), host, port
                )
        except TimeoutError:
            raise NotConnected(f"No connection came about in {seconds:g} seconds.") from None
        except (OSError, UnicodeError) as error:
            raise NotConnected(f"No connection: {error}") from error
        self._busy.add(connection)
        return connection

    def put_back(self, address: Address, connection: Connection, whole: bool) -> None:
        """The request on a connection is over: keep it for the next, if that is possible.

        `whole` says that all of the request was sent.
        """
        self._busy.discard(connection)
        if not connection.finish(whole):
            return
        idle = self._idle.setdefault(address, [])
        if self.closed or len(idle) >= MOST_IDLE:
            connection.close()
            return
        idle.append(connection)
        if not self._sweeper:
            self._sweeper = self._loop.call_later(LONGEST_IDLE, self._sweep)

    def drop(self, connection: Connection) -> None:
        """End a connection, whatever is on it."""
        self._busy.discard(connection)
        connection.finish(False)

    def forget(self, address: Address) -> None:
        """Close the connections to one server that carry no request."""
        for connection in self._idle.pop(address, ()):
            connection.close()

    def close(self) -> None:
        """Close all connections, also those that carry requests."""
        self.closed = True
        if self._sweeper:
            self._sweeper.cancel()
        for address in list(self._idle):
            self.forget(address)
        for connection in self._busy:
            connection.close()
        self._busy.clear()

    def _sweep(self) -> None:
        """Close what has waited for too long, and look again later."""
        oldest = self._loop.time() - LONGEST_IDLE
        self._sweeper = None
        for address, idle in list(self._idle.items()):
            for connection in idle:
                if connection.idle_since <= oldest:
                    connection.close()
            kept = [one for one in idle if one.usable]
            if kept:
                self._idle[address] = kept
            else:
                del self._idle[address]
        if self._idle:
            self._sweeper = self._loop.call_later(LONGEST_IDLE / 4, self._sweep)
