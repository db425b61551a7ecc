"""The body of a client's request on its way through: never whole, unless it is small."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ._connection import Connection
from ._errors import ClientGone, ClientSlow, Failure

KEPT = 65_536  # bytes of a body that are kept, so that it can be sent again

Receive = Callable[[], Awaitable[dict[str, Any]]]


class ClientBody:
    """Reads the client's messages (ASGI); only one at a time may read.

    Args:
        receive: as the app was given it.
        length: bytes, or None if the body comes in chunks.

    Attributes:
        complete: all of it has come.
        kept: what came so far, for another try; None once that is too much. The first piece is
            kept however large it is: it is here before there is a connection to a server.
    """

    def __init__(self, receive: Receive, length: int | None) -> None:
        self._receive = receive
        self._left = length
        self._size = 0
        self.complete = length == 0
        self.kept: list[bytes] | None = []

    async def next(self) -> bytes:
        """The next bytes, framed for a server. Raises ClientGone."""
        message = await self._receive()
        if message["type"] != "http.request":
            raise ClientGone("The client hung up before all of its request was here.")
        data = message.get("body", b"")
        self.complete = not message.get("more_body", False)
        if self._left is None:
            data = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
            if self.complete:
                data += b"0\r\n\r\n"
        else:
            self._left -= len(data)
            if self._left < 0 or (self.complete and self._left):
                raise ClientGone("The body is not as long as it says.")
        self._size += len(data)
        if self.kept and self._size > KEPT:
            self.kept = None
        elif self.kept is not None:
            self.kept.append(data)
        return data

    async def pass_on(self, connection: Connection) -> None:
        """Send what comes to a server, and then wait for the client to hang up.

        What goes wrong is told to those who wait for the connection's answer.
        """
        try:
            while not self.complete:
                connection.awaits_client = True
                data = await self.next()
                connection.awaits_client = False
                await connection.send(data)
            while (await self._receive())["type"] != "http.disconnect":
                pass
            connection.fail(ClientGone("The client hung up before it had all of its answer."))
        except ClientGone as gone:
            connection.fail(gone)
        except (Failure, ClientSlow):
            pass  # it is the connection that says so, and it has said so
