"""One request that the proxy's own process reads, and its answer: the app's side of `Front`."""

from __future__ import annotations

import asyncio
import logging
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ._errors import BadMessage
from ._framing import TOKEN, Body, Field, length_of, options_of, parse_fields

if TYPE_CHECKING:
    from ._front import Client

WRITE = 60.0  # seconds until a client has taken some more of an answer
PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}
_REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") ([!-~]+) HTTP/1\.([0-9])")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_logger = logging.getLogger(__name__)


class Cycle:
    """One request and its answer."""

    def __init__(self, client: Client, head: bytes) -> None:
        first = head.partition(b"\r\n")[0]
        line = _REQUEST_LINE.fullmatch(first)
        if not line:
            raise BadMessage("The first line is not a method, a target and HTTP/1.1 or 1.0.")
        method, target, minor = line.groups()
        fields = parse_fields(head[len(first) :])
        lengths, codings, options, expects = [], [], [], False
        for name, value in fields:
            if name == b"content-length":
                lengths.append(value)
            elif name == b"transfer-encoding":
                codings.append(value)
            elif name == b"connection":
                options.append(value)
            elif name == b"expect":
                expects = value.lower() == b"100-continue"
        self.is_1_1 = minor != b"0"
        self.body = Body(length_of(lengths, codings, self.is_1_1) or 0)
        self.keep = self.is_1_1 and (not options or b"close" not in options_of(options))
        self.expects = expects and self.is_1_1 and not self.body.done
        self.client, self.is_head = client, method == b"HEAD"
        path, _, query = target.partition(b"?")
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1" if self.is_1_1 else "1.0",
            "method": method.decode(),
            "scheme": "http",
            "path": unquote(path.decode()),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": fields,
            "client": client.peer,
            "server": (client.front.host, client.front.port),
        }
        self.news: asyncio.Future[None] | None = None
        self.received = False  # the app was told all of the body
        self.head: list[bytes] | None = None  # of the answer, until its first bytes come
        self.chunked = self.bare = self.complete = self.started = False
        self.mistake = ""  # why the body can't be read

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the body; returns those that come after it.

        When they can't be read, the app hears that the client has left: the server behind must not
        take what came for the whole body.
        """
        try:
            return self.body.feed(data)
        except BadMessage as error:
            self.mistake = str(error)
            return b""

    async def run(self) -> None:
        """Let the app answer."""
        client = self.client
        try:
            await client.front.app(self.scope, self.receive, self.send)
        except Exception:
            _logger.exception("The app failed")
        if client.gone:
            return
        if not self.complete:
            if self.started:
                client.transport.abort()  # the client has to see that the end is missing
            elif self.mistake:
                client.refuse(400, self.mistake)
            else:
                client.refuse(500, "The proxy made a mistake.")
        elif self.keep and self.body.done:
            client.next_request()
        else:
            client.hang_up()

    def wake(self) -> None:
        if self.news and not self.news.done():
            self.news.set_result(None)

    @property
    def is_over(self) -> bool:
        """Whether no more of the body can come."""
        return self.client.gone or bool(self.mistake)

    async def receive(self) -> dict[str, Any]:
        """ASGI: the next piece of the body, or that the client has left."""
        client, body = self.client, self.body
        if self.expects:
            self.expects = False
            client.transport.write(_CONTINUE)
        while not (self.is_over or body.size or (body.done and not self.received)):
            client.transport.resume_reading()
            self.news = client.front.loop.create_future()
            await self.news
        if self.received or (self.is_over and not (body.size or body.done)):
            return {"type": "http.disconnect"}
        self.received = body.done
        return {"type": "http.request", "body": body.take(), "more_body": not body.done}

    async def send(self, message: dict[str, Any]) -> None:
        """ASGI: the answer's head or a piece of its body. Raises OSError: the client has left."""
        client = self.client
        if client.gone:
            raise OSError("The client has left.")
        if message["type"] == "http.response.start":
            self.head = self._head(message["status"], message["headers"])
            client.front.loop.call_soon(self._send_head)
            return
        data, more = message.get("body", b""), message.get("more_body", False)
        out = self.head or []
        self.head, self.started = None, True
        if data and not self.bare:
            if self.chunked:
                out += (b"%x\r\n" % len(data), data, b"\r\n")
            else:
                out.append(data)
        if not more:
            self.complete = True
            if self.chunked:
                out.append(b"0\r\n\r\n")
        if out:
            client.transport.write(out[0] if len(out) == 1 else b"".join(out))
        while client.full and not client.gone:
            client.deadline = client.front.loop.time() + WRITE
            client.room = client.front.loop.create_future()
            await client.room
            client.deadline = float("inf")

    def _send_head(self) -> None:
        """Send the head alone, if the app has no bytes to go with it yet."""
        if self.head and not self.client.gone:
            self.client.transport.write(b"".join(self.head))
            self.head, self.started = None, True

    def _head(self, status: int, fields: list[Field]) -> list[bytes]:
        lines = [b"HTTP/1.1 %d %b\r\n" % (status, PHRASES.get(status, b""))]
        has_length = has_date = closes = False
        for name, value in fields:
            lines += (name, b": ", value, b"\r\n")
            if name == b"content-length":
                has_length = True
            elif name == b"date":
                has_date = True
            elif name == b"connection":
                closes = b"close" in value.lower()
        if not has_date:
            lines.append(b"date: " + self.client.front.date() + b"\r\n")
        self.bare = self.is_head or status in (204, 304)
        if not has_length and not self.bare:
            if self.is_1_1:
                self.chunked = True
                lines.append(b"transfer-encoding: chunked\r\n")
            else:
                self.keep = False
        if closes:
            self.keep = False
        elif not (self.keep and self.body.done):
            self.keep = False
            lines.append(b"connection: close\r\n")
        lines.append(b"\r\n")
        return lines
