"""A bridge for pages in a browser: gRPC-Web on one side, gRPC on the other.

A page can't speak gRPC: it reaches neither the frames of HTTP/2 nor the trailers, in which gRPC
says how a call ended. gRPC-Web puts the trailers at the end of the body, so that any HTTP will do.
The bridge passes each message on as the bytes that it is. So it needs no .proto, and serves
every service.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

import grpc

from ._web_frames import (
    DATA,
    LONGEST_BODY,
    TEXT,
    TRAILERS,
    Refused,
    block_of,
    frame,
    headers_of,
    message_in,
    metadata_in,
    method_in,
    timeout_in,
    trailers_of,
)

_OPTIONS = (
    ("grpc.enable_http_proxy", 0),  # a proxy for the internet has no way to this machine
    # A server that was not there yet is asked for again soon: by default that may take minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)


class GrpcWeb:
    """Lets pages call a gRPC server::

        bridge = serve(GrpcWeb("127.0.0.1:50051"))

    An ASGI app. A page sends POST to the method's path, such as "/music.Songs/Find", with one
    message in the body, and gets one answer or a stream of them: gRPC-Web has no streams from the
    client. The next message is asked for when the client has taken the last one. When it leaves,
    the call is cancelled. A call that can't be passed on has an answer of gRPC too: HTTP's status
    200, and the real one in grpc-status.

    The rules are in "gRPC Web" (PROTOCOL-WEB.md) and "gRPC over HTTP2" (PROTOCOL-HTTP2.md):
    https://github.com/grpc/grpc/tree/master/doc

    Args:
        target: where the server listens, such as "127.0.0.1:50051". The connection is not
            encrypted, so it should be this machine.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._channel: grpc.Channel | None = None
        self._open()

    def _open(self) -> None:
        if self._channel is None:
            self._channel = grpc.insecure_channel(self._target, options=_OPTIONS)

    def close(self) -> None:
        """Close the connection; calls that still run are cancelled. Closing twice is fine."""
        channel, self._channel = self._channel, None
        if channel:
            channel.close()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request (ASGI specification 3.0)."""
        kind = scope["type"]
        if kind == "http":
            await self._answer(scope, receive, send)
        elif kind == "lifespan":
            await self._live(receive, send)
        elif kind == "websocket":
            await send({"type": "websocket.close"})  # which servers turn into 403
        else:
            raise NotImplementedError(f"A bridge for gRPC-Web has no answer to {kind}.")

    async def _live(self, receive: Any, send: Any) -> None:
        """Open with the server, and close with it; it may be started again."""
        await receive()
        self._open()
        await send({"type": "lifespan.startup.complete"})
        try:
            await receive()
        finally:
            self.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        kind = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        if scope["method"] != "POST":
            await _refuse(send, 405, "gRPC-Web is spoken with POST.", (b"allow", b"POST"))
            return
        if kind not in TEXT:
            await _refuse(send, 415, f"The content type is none of {', '.join(TEXT)}.")
            return
        body = await _read(receive)
        if body is None:
            return
        try:
            call = self._call(scope, body, TEXT[kind])
        except Refused as refused:
            # "Trailers-Only": how it ended stands in the head, and the body is empty
            trailers = trailers_of(refused.code, str(refused), ())
            await _start(send, 200, kind, [(b"content-length", b"0"), *trailers])
            await send({"type": "http.response.body"})
            return
        gone = asyncio.create_task(_cancel_when_gone(receive, call))
        try:
            await _pass_on(call, send, kind, gone)
        finally:
            gone.cancel()
            call.cancel()  # without effect on a call that is over

    def _call(self, scope: Any, body: bytes, text: bool) -> Any:
        """Begin the call. Raises Refused: nothing to call with, or nowhere."""
        method = method_in(scope["path"].removeprefix(scope.get("root_path", "")))
        seconds, metadata = timeout_in(scope["headers"]), metadata_in(scope["headers"])
        message = message_in(body, text)
        channel = self._channel
        if channel is None:
            raise Refused(grpc.StatusCode.UNAVAILABLE, "The bridge is closed.")
        # A method with a single answer is a stream of one: on the wire they are the same.
        start = channel.unary_stream(method, request_serializer=None, response_deserializer=None)
        return start(message, timeout=seconds, metadata=metadata)


async def _pass_on(call: Any, send: Any, kind: str, gone: asyncio.Task[None]) -> None:
    """All that comes back from the server. gone: done when the client has left."""
    text = TEXT[kind]
    await _start(send, 200, kind, headers_of(await _in_thread(call.initial_metadata)))
    with contextlib.suppress(grpc.RpcError):  # its status is read below
        while (message := await _in_thread(next, call, None)) is not None:
            await _send_more(send, frame(DATA, message, text))
    if gone.done():
        return
    trailers = trailers_of(call.code(), call.details(), call.trailing_metadata() or ())
    await _send_more(send, frame(TRAILERS, block_of(trailers), text))
    await send({"type": "http.response.body"})


async def _read(receive: Any) -> bytes | None:
    """A request's body, and of one that is too long its beginning. None: the client left.

    Also that is read to the end, or the client would still be writing and miss the answer.
    """
    body, more = bytearray(), True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        if len(body) <= LONGEST_BODY:
            body += event.get("body", b"")
        more = event.get("more_body", False)
    return bytes(body)


async def _cancel_when_gone(receive: Any, call: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    call.cancel()


async def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    """Wait for what blocks, in a thread that does not.

    Not asyncio.to_thread: it has few threads, which open streams would use up, and Python waits
    for them before it ends. Cancelling the call ends the thread.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[Any] = loop.create_future()

    def tell(value: Any, error: Exception | None) -> None:
        if not result.done():  # it is, if the request was cut off
            result.set_exception(error) if error else result.set_result(value)

    def work() -> None:
        value, error = None, None
        try:
            value = function(*arguments)
        except Exception as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, value, error)

    threading.Thread(target=work, name="grpc-web", daemon=True).start()
    return await result


async def _start(send: Any, status: int, kind: str, headers: list[tuple[bytes, bytes]]) -> None:
    head = [(b"content-type", kind.encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})


async def _send_more(send: Any, content: bytes) -> None:
    await send({"type": "http.response.body", "body": content, "more_body": True})


async def _refuse(send: Any, status: int, why: str, *headers: tuple[bytes, bytes]) -> None:
    """An answer of HTTP, to what is no gRPC-Web."""
    body = why.encode() + b"\n"
    length = (b"content-length", str(len(body)).encode())
    await _start(send, status, "text/plain; charset=utf-8", [length, *headers])
    await send({"type": "http.response.body", "body": body})
