"""The server: one event loop for all clients, and for each a conversation that can wait."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator

from ._again import remember, stop_former
from ._message import PIECE, Headers, Problem, Request, Response, insist
from ._parse import LONGEST_BODY, METHODS, read_requests

LIMITS = {
    "idle": 15,  # seconds that may pass between two requests,
    "head": 10,  # until all of a request's head is here,
    "body": 10,  # until its body is, and one more for each 1000 bytes of it,
    "write": 20,  # until a client has taken some more of an answer,
    "close": 2,  # until it hangs up after the last one
    "longest_body": LONGEST_BODY,  # bytes
    "most": 10_000,  # clients at once
}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
Handler = Callable[[Request], Response]


def answer(handler: Handler, request: Request, keep: bool) -> tuple[Response, Iterator[bytes]]:
    """A handler's answer, and its bytes. A mistake of the handler's is logged and becomes a 500."""
    try:
        on_all = request.target == "*"  # about the server as a whole (RFC 9110, section 9.3.7)
        response = Response(204, {"Allow": ", ".join(METHODS)}) if on_all else handler(request)
        return response, response.encode(request, keep)
    except Problem as problem:
        response = problem
    except Exception:
        logging.getLogger(__name__).exception("The handler failed at %s", request.target)
        response = Problem(500, "The server made a mistake; the request may be fine.")
    return response, response.encode(request, keep)


def refusal(problem: Problem, unread: bytearray) -> Iterator[bytes]:
    """The answer to what can't be read as a request; one that begins as HEAD awaits no body."""
    method = "HEAD" if unread.lstrip(b"\r\n").startswith(b"HEAD ") else "GET"
    return problem.encode(Request(method, "", "HTTP/1.1", Headers()), keep_alive=False)


class Site:
    """A running server, made by ``start``. `url` has no slash at its end; `port` is a number."""

    connections = property(lambda self: len(self.open))  # how many are open now

    async def stop(self) -> None:
        """Give the port back and end all connections; what is half sent gets a short while."""
        self.server.close()
        for step in ("close", "abort"):
            for connection in list(self.open):
                getattr(connection.transport, step)()
            await asyncio.sleep(0.05 if self.open else 0)

    def look_at_clock(self) -> None:
        """Ten times a second: end what takes too long."""
        if self.open or self.server.is_serving():
            self.loop.call_later(0.1, self.look_at_clock)
        for connection in [one for one in self.open if one.deadline < self.loop.time()]:
            connection.expire()


async def start(
    handler: Handler, port: int = 0, *, log: Callable[[str], None] | None = None, **limits: float
) -> Site:
    """Serve a handler on 127.0.0.1, on the running event loop.

    Port 0 takes a free one. `log` gets a line for each answer. The limits are those of LIMITS.
    Running a notebook cell again replaces its server.

    Raises OSError: the port is taken. TypeError: there is no such limit.
    """
    if unknown := limits.keys() - LIMITS:
        raise TypeError(f"There are no such limits: {unknown}. There are {list(LIMITS)}.")
    await stop_former()
    site = Site()
    site.handler, site.log, site.limits, site.open = handler, log, LIMITS | limits, set()
    site.loop = asyncio.get_running_loop()
    site.server = await site.loop.create_server(lambda: Connection(site), "127.0.0.1", port)
    site.port = site.server.sockets[0].getsockname()[1]
    site.url = f"http://127.0.0.1:{site.port}"
    site.look_at_clock()
    remember(site)
    return site


class Connection(asyncio.Protocol):
    """One client. `phase` is what the conversation waits for, at most until `deadline`."""

    def __init__(self, site: Site) -> None:
        self.site, self.buffer, self.phase = site, bytearray(), ""
        self.ended = self.late = False  # the client says no more; its time is up
        self.conversation = self.converse()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        transport.set_write_buffer_limits(0)  # resume_writing: all that we wrote was taken
        self.site.open.add(self)
        self.go_on()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.phase == "body":
            self.deadline += len(data) / 1000
        self.go_on()

    def eof_received(self) -> bool:
        self.ended = True
        self.go_on()
        return True  # it may still read

    def resume_writing(self) -> None:
        self.go_on()

    def connection_lost(self, error: Exception | None) -> None:
        self.site.open.discard(self)
        self.conversation.close()

    def expire(self) -> None:
        if self.phase in ("write", "close"):
            self.transport.abort()
        else:
            self.late = True
            self.go_on()

    def go_on(self) -> None:
        """Let the conversation go on to where it has to wait again."""
        try:
            phase = next(self.conversation, None)
        except Exception:  # as when a file became shorter: the answer can't be mended
            self.transport.abort()
            raise
        if phase is None:
            self.transport.close()
        elif phase != self.phase or phase == "write":
            self.phase, self.deadline = phase, self.site.loop.time() + self.site.limits[phase]
        if phase == "write":
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def converse(self) -> Iterator[str]:
        """All that happens on the connection. Yields what has to happen before it goes on."""
        try:
            crowded = len(self.site.open) > self.site.limits["most"]
            insist(not crowded, 503, "There are too many clients. Try again later.")
            for step in read_requests(self.buffer, self.site.limits["longest_body"]):
                if isinstance(step, Request):
                    keep = step.keeps_alive()
                    yield from self.send(step, *answer(self.site.handler, step, keep))
                    if not keep:
                        break
                elif step == "continue":
                    self.transport.write(CONTINUE)
                elif self.ended or (self.late and step == "idle"):
                    return
                else:
                    insist(not self.late, 408, "The request took too long to arrive.")
                    yield step
        except Problem as problem:  # where the next request would begin is unclear: end it
            yield from self.send(None, problem, refusal(problem, self.buffer))
        # To close both ways at once could destroy what the client has yet to read (9112, 9.6).
        with contextlib.suppress(OSError):  # as when the client has left
            self.transport.write_eof()
        while not self.ended:
            self.buffer.clear()
            yield "close"

    def send(
        self, request: Request | None, response: Response, pieces: Iterator[bytes]
    ) -> Iterator[str]:
        """Send an answer. It waits for a client that takes no more, and for the others' turn."""
        if self.site.log:
            line = f"{request.method} {request.target} {request.version}" if request else "-"
            peer = self.transport.get_extra_info("peername") or "?"
            self.site.log(f'{peer[0]} "{line}" {response.status} {len(response.body)}')
        self.phase = "write"
        for piece in pieces:
            self.transport.write(piece)
            if self.transport.get_write_buffer_size():
                yield "write"  # resume_writing goes on
            elif self.buffer or len(piece) >= PIECE:
                self.site.loop.call_soon(self.go_on)
                yield "write"
