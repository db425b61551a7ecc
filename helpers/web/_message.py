"""What is said: a request, its answer, and the problem that a request can be (RFC 9110)."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache, partial
from http import HTTPStatus
from itertools import chain

PIECE = 64 * 1024  # bytes of a body that are sent at once
TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
FIELD = re.compile(b"(" + TOKEN + rb"):([\t -~\x80-\xff]*)")  # RFC 9112, section 5
_LINES = re.compile(b"(?:" + FIELD.pattern + b"\r\n)*")
PHRASES = {status.value: status.phrase for status in HTTPStatus}  # older names in Python 3.11:
PHRASES |= {413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable"}
http_date = lru_cache(256)(partial(formatdate, usegmt=True))  # of whole seconds since 1970
_OURS = ("connection", "content-length", "date", "transfer-encoding")  # no handler sets them


class Headers(dict[str, str]):
    """Fields by name, in upper or lower case (RFC 9110, section 5.1)."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: str) -> bool:
        return super().__contains__(name.lower())

    def get(self, name: str, default: str | None = None) -> str | None:
        return super().get(name.lower(), default)


@dataclass
class Request:
    """What a client asks: the target still percent-encoded, the body whole and not in chunks."""

    method: str
    target: str
    version: str
    headers: Headers
    body: bytes = b""
    path = property(lambda self: self.target.partition("?")[0])
    query = property(lambda self: self.target.partition("?")[2])

    def keeps_alive(self) -> bool:
        """Whether the client wants to go on with this connection (RFC 9112, section 9.3)."""
        options = self.headers.get("connection", "").lower().replace(",", " ").split()
        return "close" not in options and (self.version != "HTTP/1.0" or "keep-alive" in options)


@dataclass
class Response:
    """What a handler answers. `body` is bytes, or what has a len() and can be sliced to bytes."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def encode(self, request: Request | None = None, keep_alive: bool = True) -> Iterator[bytes]:
        """The bytes to send, in pieces; the head is in the first.

        Raises ValueError for a field that would break out of its line: that is how a value from
        outside becomes a second answer. KeyError: there is no such status.
        """
        fields = {name: text for name, text in self.headers.items() if name.lower() not in _OURS}
        fields["Date"] = http_date(int(time.time()))
        if has_body := self.status not in (204, 304):  # RFC 9110, section 6.4.1
            fields["Content-Length"] = str(len(self.body))
        if not keep_alive or (request and request.version == "HTTP/1.0"):
            fields["Connection"] = "keep-alive" if keep_alive else "close"
        lines = "".join(f"{name}: {text}\r\n" for name, text in fields.items()).encode("latin-1")
        if not _LINES.fullmatch(lines) or lines.count(b"\n") != len(fields):
            raise ValueError(f"One of these is no header line: {lines}")
        status = f"HTTP/1.1 {self.status} {PHRASES[self.status]}\r\n".encode()
        body = self.body if has_body and not (request and request.method == "HEAD") else b""
        rest = (body[at : at + PIECE] for at in range(PIECE, len(body), PIECE))
        return chain([b"".join((status, lines, b"\r\n", body[:PIECE]))], rest)


class Problem(Response, Exception):
    """An answer that is raised: a status for what the client did wrong, and why in a sentence.

    Its body is problem details (RFC 9457); `headers` are further fields that the status asks for.
    """

    def __init__(self, status: int, why: str, headers: dict[str, str] | None = None) -> None:
        details = {"title": PHRASES[status], "status": status, "detail": why}
        fields = {"Content-Type": "application/problem+json"} | (headers or {})
        super().__init__(status, fields, json.dumps(details).encode())
        self.why, self.args = why, (f"{status} {PHRASES[status]}: {why}",)

    __hash__, __repr__ = Exception.__hash__, Exception.__repr__


def insist(fine: object, status: int, why: str, headers: dict[str, str] | None = None) -> None:
    """Raise Problem unless all is fine."""
    if not fine:
        raise Problem(status, why, headers)
