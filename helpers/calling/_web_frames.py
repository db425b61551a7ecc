"""How gRPC-Web writes things down: frames, base64, trailers, metadata, deadlines.

The rules are those of PROTOCOL-WEB.md and PROTOCOL-HTTP2.md in gRPC's repository.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable

from grpc import StatusCode

LARGEST = 4 * 1024 * 1024
"""Bytes that a message may have; a gRPC server takes no more either, unless it is told to."""

LONGEST_BODY = 2 * LARGEST
"""Bytes of a request that are kept. Base64 makes them a third more, and padding some more."""

TEXT = {  # the content types, and whether bodies of such a type are in base64
    "application/grpc-web": False,
    "application/grpc-web+proto": False,
    "application/grpc-web-text": True,
    "application/grpc-web-text+proto": True,
}

DATA, COMPRESSED, TRAILERS = 0x00, 0x01, 0x80
_HEAD = 5  # bytes before the message: a flag, and the length in four bytes

_METHOD = re.compile(r"/[!-~]+/[!-.0-~]+")
_SECONDS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_LONGEST_TIMEOUT = 27_000 * 3600.0  # grpcio takes times centuries ahead for times long past
_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_PIECE = re.compile(rb"[^=]+={0,2}|=+")  # base64 up to its padding
_NAME = re.compile(r"[0-9a-z_.-]+")
_VALUE = re.compile(r"[ -~]*")

_OF_ONE_HOP = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
    *("te", "trailer", "transfer-encoding", "upgrade"),
}
_OF_HTTP = {
    *("content-encoding", "content-length", "content-type", "cookie", "expect", "host", "origin"),
    *("referer", "user-agent", "x-grpc-web", "x-user-agent"),
}

Metadata = tuple[tuple[str, str | bytes], ...]
Headers = list[tuple[bytes, bytes]]


class Refused(Exception):
    """A request that reaches no server.

    Attributes:
        code: what gRPC calls it.
    """

    def __init__(self, code: StatusCode, why: str) -> None:
        super().__init__(why)
        self.code = code


def frame(flag: int, content: bytes, text: bool) -> bytes:
    """A frame as it is sent. text: in base64, each frame by itself, so that none waits for more."""
    whole = bytes([flag]) + len(content).to_bytes(4, "big") + content
    return base64.b64encode(whole) if text else whole


def message_in(body: bytes, text: bool) -> bytes:
    """The message of a request, whose body has to be one frame. Raises Refused: it is not."""
    if len(body) > LONGEST_BODY:
        raise _malformed(f"The body is longer than {LONGEST_BODY:,} bytes.")
    if text:
        body = _from_base64(body)
    if len(body) < _HEAD:
        raise _malformed(f"A frame begins with {_HEAD} bytes, and the body has {len(body)}.")
    flag, length = body[0], int.from_bytes(body[1:_HEAD], "big")
    if flag == COMPRESSED:
        raise Refused(StatusCode.UNIMPLEMENTED, "The message is compressed, which is not read.")
    if flag != DATA:
        raise _malformed(f"The frame has the flag 0x{flag:02x}, and a message has 0x00.")
    if length > LARGEST:
        raise _malformed(f"The message is longer than {LARGEST:,} bytes.")
    if len(body) - _HEAD != length:
        raise _malformed(f"The frame says {length:,} bytes, and has {len(body) - _HEAD:,}.")
    return body[_HEAD:]


def _malformed(why: str) -> Refused:
    return Refused(StatusCode.INVALID_ARGUMENT, why)


def _from_base64(body: bytes) -> bytes:
    """Padding may also come in the middle: a client may flush whenever it likes."""
    try:
        return b"".join(binascii.a2b_base64(one, strict_mode=True) for one in _PIECE.findall(body))
    except binascii.Error:
        raise _malformed("The body is not base64.") from None


def method_in(path: str) -> str:
    """The path, such as "/package.Service/Method". Raises Refused: it can't be a method's."""
    if not _METHOD.fullmatch(path):
        raise Refused(StatusCode.UNIMPLEMENTED, "The path is not /Service/Method.")
    return path


def timeout_in(headers: Iterable[tuple[bytes, bytes]]) -> float | None:
    """Seconds in a grpc-timeout such as "100m", if there is one. Raises Refused: it is malformed."""
    value = dict(headers).get(b"grpc-timeout")
    if value is None:
        return None
    found = _TIMEOUT.fullmatch(value.decode("latin-1"))
    if not found or int(found[1]) == 0:
        raise _malformed("The grpc-timeout is not a positive number of up to 8 digits and a unit.")
    return min(int(found[1]) * _SECONDS[found[2]], _LONGEST_TIMEOUT)


def metadata_in(headers: Iterable[tuple[bytes, bytes]]) -> Metadata:
    """The metadata in a request's headers. Raises Refused: a value is not the base64 it should be.

    What is legal in HTTP but not in gRPC stays out, as PROTOCOL-HTTP2.md allows.
    """
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    named = ",".join(value for name, value in pairs if name == "connection").lower().split(",")
    of_this_hop = {one.strip() for one in named}
    metadata: list[tuple[str, str | bytes]] = []
    for name, value in pairs:
        if name in of_this_hop or name.startswith("accept") or not _is_metadata(name, value):
            continue
        if name.endswith("-bin"):
            metadata += [(name, _from_unpadded(name, one)) for one in value.split(",")]
        else:
            metadata.append((name, value))
    return tuple(metadata)


def _is_metadata(name: str, value: str) -> bool:
    reserved = name.startswith("grpc-") or name in _OF_ONE_HOP or name in _OF_HTTP
    return not reserved and bool(_NAME.fullmatch(name) and _VALUE.fullmatch(value))


def _from_unpadded(name: str, value: str) -> bytes:
    value = value.strip(" ").rstrip("=")
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except binascii.Error:
        raise _malformed(f"The value of {name} is not base64.") from None


def headers_of(metadata: Iterable[tuple[str, str | bytes]]) -> Headers:
    """A server's initial metadata as headers of HTTP."""
    written = _written(metadata)
    return [(n.encode(), v.encode()) for n, v in written if _is_metadata(n, v)]


def trailers_of(
    code: StatusCode, details: str, metadata: Iterable[tuple[str, str | bytes]]
) -> Headers:
    """How a call ended: its status, what the server says about it, and its trailing metadata."""
    status = [("grpc-status", str(code.value[0]))]
    if details:
        status.append(("grpc-message", _percent_encoded(details)))
    more = [  # of the names that gRPC keeps for itself, servers send details of an error
        (name, value)
        for name, value in _written(metadata)
        if name == "grpc-status-details-bin" or _is_metadata(name, value)
    ]
    return [(name.encode(), value.encode()) for name, value in status + more]


def block_of(trailers: Headers) -> bytes:
    """The content of the last frame."""
    return b"".join(b"%b: %b\r\n" % pair for pair in trailers)


def _written(metadata: Iterable[tuple[str, str | bytes]]) -> Iterable[tuple[str, str]]:
    """Each value as text: one whose name ends with -bin in base64, without padding."""
    for name, value in metadata:
        if name.endswith("-bin"):
            raw = value.encode() if isinstance(value, str) else value
            yield name, base64.b64encode(raw).rstrip(b"=").decode()
        else:
            yield name, value if isinstance(value, str) else value.decode("latin-1")


def _percent_encoded(text: str) -> str:
    """UTF-8 in which all but printable ASCII, and the percent sign, is written as %XX."""
    plain = (
        chr(byte) if 0x20 <= byte <= 0x7E and byte != ord("%") else f"%{byte:02X}"
        for byte in text.encode("utf-8", "replace")
    )
    return "".join(plain)
