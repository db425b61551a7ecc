"""One request of a client, until it is answered: by the first server, or by another."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from ._body import ClientBody, Receive
from ._connection import Connection
from ._errors import (
    BrokenOff,
    ClientGone,
    ClientSlow,
    Failure,
    NotConnected,
    Refusal,
    TooSlow,
)
from ._forwarding import Forwarded, fields_for_client
from ._pool import Pool
from ._problem import send_problem
from ._request_view import RequestView
from ._servers import NoServer, Server, Servers

PATIENCE = 0.05  # seconds until somebody looks whether the client is still there


@dataclass(frozen=True)
class Limits:
    """What an exchange may take; see ReverseProxy."""

    retries: int
    timeout: float
    connect_timeout: float


class Exchange:
    """Args: the client's request, the ASGI app's two functions, and what all requests share."""

    def __init__(
        self,
        request: Forwarded,
        receive: Receive,
        send: Any,
        servers: Servers,
        pool: Pool,
        limits: Limits,
    ) -> None:
        self._request, self._send = request, send
        self._servers, self._pool, self._limits = servers, pool, limits
        self._loop = asyncio.get_running_loop()
        self._body = ClientBody(receive, request.length)
        self._view = RequestView(request)
        self._retries = limits.retries
        self._started = False  # the client has got the head of the answer
        self._watch: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Answer the client; afterwards nothing of it is left."""
        try:
            if not self._body.complete:
                await self._first_of_body()
            await self._find_server()
        except Refusal as refusal:
            await send_problem(self._send, refusal, close=not self._body.complete)
        except ClientGone:
            pass

    async def _first_of_body(self) -> None:
        """Wait until the client sends a body at all. (The server tells it to go on, if need be.)"""
        try:
            async with asyncio.timeout(self._limits.timeout):
                await self._body.next()
        except TimeoutError:
            raise Refusal(408, "The request's body did not come.") from None

    async def _find_server(self) -> None:
        """Try one server after the other."""
        tried: set[str] = set()
        failure: Failure | None = None
        while True:
            try:
                server = self._servers.choose(self._view, tried)
            except NoServer:
                raise _refusal(failure) from failure
            if failure:
                self._servers.retried(server)
            try:
                await self._try(server)
                return
            except Failure as error:
                self._servers.failed(server)
                if self._started:
                    return  # the answer stays without its end, and the client sees that
                failure = error
                if not self._may_try_another(error):
                    raise _refusal(error) from error
                tried.add(server.url)
            except ClientSlow as error:
                if not self._started:
                    raise Refusal(408, str(error)) from None
                return
            finally:
                self._servers.leave(server)

    def _may_try_another(self, failure: Failure) -> bool:
        """Whether the request may be sent once more, and can be."""
        if isinstance(failure, NotConnected):
            return True  # nobody has seen anything of it
        if not isinstance(failure, BrokenOff) or not self._retries or not self._repeatable:
            return False
        self._retries -= 1
        return True

    @property
    def _repeatable(self) -> bool:
        return self._request.repeatable and self._body.kept is not None

    async def _try(self, server: Server) -> None:
        """Have one server answer. Raises a Failure."""
        connection = self._pool.reuse(server.address)
        if connection:
            try:
                await self._ask(server, connection)
                return
            except BrokenOff:
                # A server may close an idle connection just when a request is on its way.
                if self._started or connection.heard or not self._repeatable:
                    raise
        connection = await self._pool.connect(server.address, self._limits.connect_timeout)
        await self._ask(server, connection)

    async def _ask(self, server: Server, connection: Connection) -> None:
        """Send the request on a connection, and its answer to the client."""
        request, body = self._request, self._body
        head = request.head(server.authority)
        if body.kept:
            head += b"".join(body.kept)
        began = self._loop.time()
        connection.begin(request.method, head, self._limits.timeout)
        timer = None
        if body.complete:
            timer = self._loop.call_later(PATIENCE, self._watch_client, connection)
        else:
            self._watch_client(connection)
        try:
            answer = await connection.head()
            self._servers.answered(server, self._loop.time() - began)
            fields, cookies = fields_for_client(answer), 0
            if cookie := self._servers.cookie_for(self._view, server):
                fields.append((b"set-cookie", cookie.encode("latin-1")))
                cookies = 1
            self._started = True
            # a cache has to know which fields, the last ones, are for this client only
            await self._tell(
                "http.response.start", status=answer.status, headers=fields, for_one_client=cookies
            )
            while not answer.body.done:
                piece = await connection.read()
                await self._tell("http.response.body", body=piece, more_body=True)
            await self._tell("http.response.body", body=answer.body.take(), more_body=False)
        finally:
            if timer:
                timer.cancel()
            if self._watch:
                await self._stop_watching()
            self._pool.put_back(server.address, connection, body.complete)

    def _watch_client(self, connection: Connection) -> None:
        self._watch = self._loop.create_task(self._body.pass_on(connection))

    async def _stop_watching(self) -> None:
        watch, self._watch = self._watch, None
        watch.cancel()
        await asyncio.wait({watch})

    async def _tell(self, kind: str, **what: Any) -> None:
        try:
            await self._send({"type": kind, **what})
        except OSError:  # how newer servers say so (ASGI specification 2.4)
            raise ClientGone("The client hung up before it had all of its answer.") from None


def _refusal(failure: Failure | None) -> Refusal:
    if failure is None:
        return Refusal(503, "No server is left that could answer. Try again later.")
    if isinstance(failure, TooSlow):
        return Refusal(504, "The server took too long to answer.")
    if isinstance(failure, NotConnected):
        return Refusal(502, "No server could be reached.")
    if isinstance(failure, BrokenOff):
        return Refusal(502, "The server ended the connection before it had answered.")
    return Refusal(502, f"The server's answer can't be read. {failure}")
