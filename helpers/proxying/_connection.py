"""One connection to a server, and the request that is on it."""

from __future__ import annotations

import asyncio

from ._answer import Answer
from ._errors import BadAnswer, BadMessage, BrokenOff, ClientSlow, TooSlow

ENOUGH = 65_536  # bytes of an answer that may wait here for a client that is slower


class Connection(asyncio.Protocol):
    """An asyncio protocol: the loop calls it when bytes come or the connection ends.

    Attributes:
        used: how many requests it has carried so far.
        idle_since: since when it carries none, by the loop's clock.
        answer: to the request that is on it; None if there is none.
        heard: any byte came back for the last request.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.used, self.idle_since = 0, 0.0
        self.answer: Answer | None = None
        self.awaits_client = False  # the request's body is not complete, and the client's turn
        self._error: Exception | None = None
        self._news: asyncio.Future[None] | None = None  # who waits for more of the answer
        self._room: asyncio.Future[None] | None = None  # who waits until it takes more
        self._timer: asyncio.TimerHandle | None = None
        self._waits = 0  # for how long already, in units of the timer
        self._full = self.closed = self.heard = False

    @property
    def usable(self) -> bool:
        """Whether another request can be sent on it."""
        return not (self.closed or self.answer or self._transport.is_closing())

    # What a request does with it.

    def begin(self, method: str, head: bytes, timeout: float) -> None:
        """Send a request's head, and the beginning of its body if that is here.

        Args:
            method: it decides how long the answer's body is.
            head: the bytes.
            timeout: seconds that may pass in which nothing moves.
        """
        self.answer = Answer(method)
        self.used += 1
        self.heard = False
        self._timeout = timeout
        self._moved = self._loop.time()
        self._timer = self._loop.call_later(timeout, self._look_at_clock)
        self._transport.write(head)

    async def send(self, data: bytes) -> None:
        """Send more of the body, and wait while the server takes no more.

        Raises:
            BrokenOff, TooSlow: and the one who waits for the answer hears of it too.
        """
        if self._error or self.closed:
            raise self._error or BrokenOff("The connection has ended.")
        self._transport.write(data)
        self._moved = self._loop.time()
        while self._full and not self._error:
            self._room = self._loop.create_future()
            try:
                await self._room
            finally:
                self._room = None
        if self._error:
            raise self._error

    async def head(self) -> Answer:
        """The answer as soon as its head is here. Raises a Failure, or what `fail` was given."""
        answer = self.answer
        assert answer is not None
        while not answer.status:
            await self._more()
        return answer

    async def read(self) -> bytes:
        """The next piece of the answer's body; at the end, no bytes. Raises as `head` does."""
        answer = self.answer
        assert answer is not None
        while not answer.body.size and not answer.body.done:
            await self._more()
        data = answer.body.take()
        if not answer.body.done:
            self._transport.resume_reading()
        return data

    def fail(self, error: Exception) -> None:
        """End it at once; those who wait get the error."""
        self._error = self._error or error
        self._transport.abort()
        self._wake()

    def finish(self, whole: bool) -> bool:
        """The request is over; whether the connection can carry another one.

        `whole` says that all of the request was sent.
        """
        answer, self.answer = self.answer, None
        if self._timer:
            self._timer.cancel()
            self._timer = None
        sound = whole and not (self._error or self._full)
        if sound and answer and answer.done and answer.reusable and self.usable:
            self.idle_since = self._loop.time()
            return True
        self._transport.abort()
        return False

    def close(self) -> None:
        """End it; it carries no request."""
        self._transport.abort()

    # What the loop tells it.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        answer = self.answer
        if answer is None:  # nobody asked: whatever it is, the next request must not get it
            self._transport.abort()
            return
        self.heard = True
        self._moved = self._loop.time()
        try:
            answer.feed(data)
        except BadMessage as error:
            self.fail(BadAnswer(str(error)))
            return
        if answer.body.size > ENOUGH and not answer.body.done:
            self._transport.pause_reading()
        if self._news and answer.status:
            self._wake()

    def eof_received(self) -> bool:
        return False  # close our side too

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        answer = self.answer
        if answer and not answer.done and not self._error:
            try:
                answer.end(broken=error is not None)
            except BrokenOff as broken:
                self._error = broken
        self._wake()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._moved = self._loop.time()
        if self._room and not self._room.done():
            self._room.set_result(None)

    # Waiting.

    async def _more(self) -> None:
        """Wait until something comes, or the answer ends."""
        if self._error:
            raise self._error
        self._moved = self._loop.time()
        self._news = self._loop.create_future()
        try:
            await self._news
        finally:
            self._news = None
        if self._error:
            raise self._error

    def _wake(self) -> None:
        for waiting in (self._news, self._room):
            if waiting and not waiting.done():
                waiting.set_result(None)

    def _look_at_clock(self) -> None:
        """Time is up if nothing has moved, and it is not the client who takes its time to read."""
        passed = self._loop.time() - self._moved
        if passed < self._timeout:
            self._timer = self._loop.call_later(self._timeout - passed, self._look_at_clock)
        elif not (self._news or self._room):
            self._timer = self._loop.call_later(self._timeout, self._look_at_clock)
        elif self.awaits_client:
            self.fail(ClientSlow("The request's body stopped in the middle."))
        else:
            self.fail(TooSlow("The server said nothing for too long."))
