"""The server in front of the proxy's own process: HTTP/1.1 on one side, an ASGI app on the other.

`serve` runs apps in uvicorn with h11, which reads requests byte by byte in Python and checks every
step twice. That is right for a notebook. A balancer of its own spends its day with just that, so
here the same is done with a few regular expressions, which run in C. The proxy is the same app in
both. Bodies flow as slowly as who reads them; `Limits` says what a client may take its time for.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from email.utils import formatdate
from typing import Any

from ._cycle import PHRASES, Cycle
from ._errors import BadMessage
from ._framing import LONGEST_HEAD, find_head

ENOUGH = 65_536  # bytes that wait for the app, or a client, before the other side has to wait
IDLE, HEAD, LINGER = 75.0, 10.0, 2.0  # seconds; see Client.deadline


class Front:
    """A listening socket and its clients: `async with Front(app, port) as front`.

    Attributes:
        url: where it listens, without a slash at the end.
        clients: the connections that are open.
    """

    def __init__(self, app: Any, port: int = 0, host: str = "127.0.0.1") -> None:
        self.app, self.host, self.port = app, host, port
        self.clients: set[Client] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self._date = (0, b"")

    async def __aenter__(self) -> Front:
        self.loop = asyncio.get_running_loop()
        self._stop, started = self.loop.create_future(), self.loop.create_future()
        self._life = self.loop.create_task(self._live(started))
        await started
        self._server = await self.loop.create_server(
            lambda: Client(self), self.host, self.port, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://{self.host}:{self.port}"
        self._clock = self.loop.call_later(1, self._look_at_clock)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Let nobody in, let requests end for a moment, then end what is left."""
        self._clock.cancel()
        self._server.close()
        for client in list(self.clients):
            client.leave_if_idle()
        if self.tasks:
            await asyncio.wait(set(self.tasks), timeout=1)
        for client in list(self.clients):
            client.transport.abort()
        for task in list(self.tasks):
            task.cancel()
        if self.tasks:
            await asyncio.wait(set(self.tasks), timeout=1)
        self._stop.set_result({"type": "lifespan.shutdown"})
        with contextlib.suppress(Exception):
            await self._life

    async def _live(self, started: asyncio.Future[None]) -> None:
        """The app's lifespan (ASGI specification 3.0)."""
        messages = [{"type": "lifespan.startup"}]

        async def receive() -> Any:
            return messages.pop() if messages else await self._stop

        async def send(message: Any) -> None:
            if not started.done():
                started.set_result(None)

        await self.app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)

    def _look_at_clock(self) -> None:
        self._clock = self.loop.call_later(1, self._look_at_clock)
        now = self.loop.time()
        for client in [one for one in self.clients if one.deadline < now]:
            client.expire()

    def date(self) -> bytes:
        """The Date field's value; it is made anew once a second."""
        now = int(time.time())
        if now != self._date[0]:
            self._date = (now, formatdate(now, usegmt=True).encode())
        return self._date[1]


class Client(asyncio.Protocol):
    """One client's connection.

    Attributes:
        deadline: when it is closed, by the loop's clock: IDLE seconds after an answer, HEAD after
            a request has begun, WRITE after it took some bytes of an answer, LINGER after the last
            answer. While the app works on a request, there is none.
    """

    def __init__(self, front: Front) -> None:
        self.front = front
        self.buffer = b""
        self.cycle: Cycle | None = None
        self.gone = self.full = self.lingers = False
        self.room: asyncio.Future[None] | None = None
        self.deadline = front.loop.time() + IDLE

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self.peer = tuple(peer[:2]) if peer else None
        self.front.clients.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.gone = True
        self.front.clients.discard(self)
        if self.cycle:
            self.cycle.wake()
        self.resume_writing()

    def eof_received(self) -> bool:
        """A client that says no more counts as one that has left, as it does for nginx."""
        return False

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        if self.room and not self.room.done():
            self.room.set_result(None)

    def data_received(self, data: bytes) -> None:
        cycle = self.cycle
        if self.lingers or (cycle and cycle.mistake):
            return
        if cycle and not cycle.body.done:
            data = cycle.feed(data)
            if cycle.body.size > ENOUGH:
                self.transport.pause_reading()
            cycle.wake()
        self.buffer = self.buffer + data if self.buffer else data
        if self.cycle:
            if len(self.buffer) > ENOUGH:
                self.transport.pause_reading()
        elif self.buffer:
            self.read_request()

    def read_request(self) -> None:
        """Begin with the next request if its head is here."""
        data = self.buffer
        if data[:2] == b"\r\n":  # as some clients end their last body (RFC 9112, section 2.2)
            data = data[2:]
        try:
            end = find_head(data)
            if end < 0:
                if not self.deadline_is_for_head:
                    self.deadline_is_for_head = True
                    self.deadline = self.front.loop.time() + HEAD
                return
            cycle = Cycle(self, data[:end])
        except BadMessage as error:
            self.refuse(_status_for(str(error), data), str(error))
            return
        self.buffer = b""
        self.cycle = cycle
        self.deadline, self.deadline_is_for_head = float("inf"), False
        self.buffer = cycle.feed(data[end + 4 :])
        task = self.front.loop.create_task(cycle.run())
        self.front.tasks.add(task)
        task.add_done_callback(self.front.tasks.discard)

    deadline_is_for_head = False

    def next_request(self) -> None:
        """The answer is complete and the connection stays."""
        self.cycle = None
        self.deadline = self.front.loop.time() + IDLE
        self.transport.resume_reading()
        if self.buffer:
            self.front.loop.call_soon(self.read_again)

    def read_again(self) -> None:
        if self.buffer and not self.cycle and not self.gone:
            self.read_request()

    def refuse(self, status: int, why: str) -> None:
        """Answer what can't be read as a request, and hang up."""
        bare = self.cycle.is_head if self.cycle else self.buffer.startswith(b"HEAD ")
        body = b"" if bare else why.encode() + b"\n"
        self.transport.write(
            b"HTTP/1.1 %d %b\r\nDate: %b\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
            b"Connection: close\r\n\r\n%b"
            % (status, PHRASES[status], self.front.date(), len(body), body)
        )
        self.hang_up()

    def hang_up(self) -> None:
        """Say that no more comes, and read on for a moment.

        To close both ways at once would make the system tell the client that its bytes were lost,
        and destroy what it has not read yet (RFC 9112, section 9.6).
        """
        self.cycle, self.buffer, self.lingers = None, b"", True
        self.deadline = self.front.loop.time() + LINGER
        self.transport.resume_reading()
        with contextlib.suppress(OSError, RuntimeError):
            self.transport.write_eof()

    def leave_if_idle(self) -> None:
        if not self.cycle:
            self.transport.close()

    def expire(self) -> None:
        if self.deadline_is_for_head and not self.cycle:
            self.deadline_is_for_head = False
            self.refuse(408, "The request took too long to arrive.")
        else:
            self.transport.abort()


def _status_for(mistake: str, head: bytes) -> int:
    """What a head that can't be read is answered with (RFC 6585, section 5; RFC 9110, 15.5.15)."""
    if "longer" not in mistake and "more than" not in mistake:
        return 400
    return 431 if b"\r\n" in head[:LONGEST_HEAD] else 414
