"""A gRPC service of raw bytes, without a .proto, and a reader of gRPC-Web written for the tests."""

from __future__ import annotations

import contextlib
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc

POOL = "raw-service"
SERVICE = "course.test.Raw"
SAD = "Für Elise ist 100% weg: ♪\r\nstatus: 7"
RICH = bytes(range(7))


class Raw:
    """The service.

    Attributes:
        go_on: Pieces sends its second message once it is set.
        waiting: Wait has begun.
        ended: a call of Wait or Endless was cancelled, or its deadline is over.
        cut: a call of Pieces is over.
        streams: how many calls of Pieces have begun.
    """

    def __init__(self) -> None:
        self.go_on, self.waiting = threading.Event(), threading.Event()
        self.ended, self.cut = threading.Event(), threading.Event()
        self.streams = 0
        self._lock = threading.Lock()

    def echo(self, request: bytes, context) -> bytes:
        mine = [one for one in context.invocation_metadata() if one.key.startswith("x-")]
        context.send_initial_metadata(mine)
        context.set_trailing_metadata([(f"after-{key}", value) for key, value in mine])
        return request

    def names(self, request: bytes, context) -> bytes:
        """The names of all metadata that came."""
        return " ".join(key for key, _ in context.invocation_metadata()).encode()

    def remaining(self, request: bytes, context) -> bytes:
        return str(context.time_remaining()).encode()

    def large(self, request: bytes, context) -> bytes:
        return bytes(int(request))

    def sad(self, request: bytes, context) -> bytes:
        context.set_trailing_metadata([("grpc-status-details-bin", RICH)])
        context.abort(grpc.StatusCode.NOT_FOUND, SAD)

    def pieces(self, request: bytes, context) -> Iterator[bytes]:
        context.add_callback(self.cut.set)
        with self._lock:
            self.streams += 1
        yield b"first"
        assert self.go_on.wait(60)
        yield b""
        yield b"last"

    def breaks(self, request: bytes, context) -> Iterator[bytes]:
        yield b"one"
        context.abort(grpc.StatusCode.DATA_LOSS, "The rest is lost.")

    def none(self, request: bytes, context) -> Iterator[bytes]:
        return iter(())

    def endless(self, request: bytes, context) -> Iterator[bytes]:
        self._watch(context)
        while True:
            yield bytes(1000)

    def wait(self, request: bytes, context) -> Iterator[bytes]:
        self._watch(context)
        if request == b"head":
            context.send_initial_metadata([])
        self.waiting.set()
        assert self.ended.wait(60)
        return iter(())

    def _watch(self, context) -> None:
        if not context.add_callback(self.ended.set):  # it has ended before it began
            self.ended.set()

    def handler(self) -> grpc.GenericRpcHandler:
        unary, stream = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
        methods = {
            one.__name__.capitalize(): unary(one)
            for one in (self.echo, self.names, self.remaining, self.large, self.sad)
        }
        for one in (self.pieces, self.breaks, self.none, self.endless, self.wait):
            methods[one.__name__.capitalize()] = stream(one)
        return grpc.method_handlers_generic_handler(SERVICE, methods)


@contextlib.contextmanager
def running(service: Raw, port: int = 0) -> Iterator[int]:
    """The service while the block runs; gives its port."""
    options = [("grpc.max_send_message_length", -1)]
    with ThreadPoolExecutor(20, thread_name_prefix=POOL) as pool:
        server = grpc.server(pool, [service.handler()], options=options)
        port = server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        try:
            yield port
        finally:
            service.go_on.set()
            server.stop(None).wait()


def framed(message: bytes, flag: int = 0) -> bytes:
    return struct.pack(">BI", flag, len(message)) + message


def unframed(body: bytes) -> tuple[list[bytes], dict[str, str]]:
    """The messages of an answer and its trailers, which have to come last."""
    messages: list[bytes] = []
    while body:
        flag, length = struct.unpack(">BI", body[:5])
        content, body = body[5 : 5 + length], body[5 + length :]
        assert len(content) == length
        if flag == 0:
            messages.append(content)
            continue
        assert flag == 0x80 and body == b"" and content.endswith(b"\r\n")
        lines = content.decode("ascii").removesuffix("\r\n").split("\r\n")
        pairs = [line.split(": ", 1) for line in lines]
        assert len(dict(pairs)) == len(pairs)
        return messages, dict(pairs)
    raise AssertionError("there are no trailers")
