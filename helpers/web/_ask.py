"""Say something to a server byte for byte, and hear byte for byte what it says."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from ._message import Headers, Problem, Request
from ._parse import _take_chunks, read_requests

_ANY_LENGTH = 1 << 60  # bytes


async def ask(
    where: Any,
    raw: bytes | Sequence[bytes],
    *,
    every: float | None = None,
    timeout: float = 5.0,  # noqa: ASYNC109 - of silence, not of all
) -> bytes:
    """Connect, send bytes as they are, and return all that the server says.

    It returns when each request in ``raw`` has its whole answer, or the server closes.

    Args:
        where: a URL, a port on 127.0.0.1, or a server with a ``port``.
        raw: the bytes to send, or a list of them, sent one after the other.
        every: seconds between two pieces of ``raw``; if that is no list, byte by byte.
        timeout: seconds without a word from the server after which this gives up.

    Raises:
        TimeoutError: the server said nothing more for ``timeout`` seconds; the message says what
            it had said until then.
        ConnectionRefusedError: no server listens there.
    """
    host, port = _address(where)
    pieces = [raw] if isinstance(raw, bytes | bytearray) else list(raw)
    if every is not None and isinstance(raw, bytes | bytearray):
        pieces = [raw[i : i + 1] for i in range(len(raw))]
    methods = _methods(b"".join(pieces))
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except ConnectionRefusedError:
        raise ConnectionRefusedError(
            f"No server listens at {host}:{port}. Run the cell that starts it first."
        ) from None
    sending = asyncio.ensure_future(_send(writer, pieces, every))
    said = bytearray()
    try:
        while not _has_all_answers(bytes(said), methods):
            still_speaking = not sending.done()
            try:
                data = await asyncio.wait_for(reader.read(1 << 18), timeout)
            except TimeoutError:
                if still_speaking:  # silence counts from the moment when all was said
                    continue
                what = f"only {bytes(said[:200])!r}" if said else "nothing"
                raise TimeoutError(
                    f"The server at {host}:{port} keeps the connection open, and said {what} "
                    f"in {timeout:g} seconds. It may still wait for a part of the request."
                ) from None
            if not data:
                break
            said += data
    except (ConnectionError, Problem):
        pass  # it hung up without a farewell, or sends what is no answer: all it said counts
    finally:
        sending.cancel()
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await sending
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return bytes(said)


def read_request(data: bytes) -> Request:
    """The first request in these bytes, with its body. Raises Problem, also if it is not whole."""
    step = next(step for step in read_requests(bytearray(data)) if step != "continue")
    if not isinstance(step, Request):
        raise Problem(400, f"The request is not whole: there has to be more of its {step}.")
    return step


async def _send(writer: asyncio.StreamWriter, pieces: Sequence[bytes], every: float | None) -> None:
    for number, piece in enumerate(pieces):
        if number and every:
            await asyncio.sleep(every)
        writer.write(piece)
        with contextlib.suppress(ConnectionError):  # it answered before it had heard all
            await writer.drain()


def _address(where: Any) -> tuple[str, int]:
    if isinstance(where, str):
        parts = urlsplit(where)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"ask() takes a URL such as http://127.0.0.1:8000, not {where!r}.")
        return parts.hostname, parts.port or 80
    port = where if isinstance(where, int) else getattr(where, "port", None)
    if not isinstance(port, int):
        raise TypeError("ask() takes a URL, a port, or a server that is running.")
    return "127.0.0.1", port


def _methods(raw: bytes) -> list[str]:
    """The methods of the requests in ``raw``; the last may be broken, or not whole."""
    methods = []
    buffer = bytearray(raw)
    try:
        for step in read_requests(buffer):
            if isinstance(step, Request):
                methods.append(step.method)
            elif step != "continue":
                return methods + (["?"] if step != "idle" else [])
    except Problem:
        pass
    return [*methods, "?"]


def _has_all_answers(said: bytes, methods: list[str]) -> bool:
    """Whether each request has its whole answer (RFC 9112, section 6.3).

    Raises Problem for an answer in chunks that are none.
    """
    for method in methods:
        while True:  # answers 100 to 199 come before the answer proper
            head, end, said = said.partition(b"\r\n\r\n")
            if not end:
                return False
            status = int((re.match(rb"HTTP/1\.[01] ([0-9]{3})", head) or [b"", b"0"])[1])
            if not 100 <= status < 200:
                break
        fields = Headers(
            tuple(part.strip() for part in line.decode("latin-1").lower().partition(":")[::2])
            for line in head.split(b"\r\n")[1:]
        )
        if method == "HEAD" or status in (204, 304):
            continue
        if "chunked" in fields.get("transfer-encoding", "").lower():
            buffer = bytearray(said)
            if next(_take_chunks(buffer, _ANY_LENGTH), "whole") != "whole":
                return False
            said = bytes(buffer)
        elif (length := fields.get("content-length", "")).isdecimal():
            if len(said) < int(length):
                return False
            said = said[int(length) :]
        else:
            return False  # it goes on until the server closes
    return True
