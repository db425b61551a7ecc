"""From bytes to requests: strict, as two ways to read the same bytes are an attack (RFC 9112)."""

import re
from collections.abc import Iterator
from typing import Literal

from ._message import FIELD, TOKEN, Headers, Request, insist

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
LONGEST_LINE, LONGEST_HEAD, MOST_FIELDS, LONGEST_BODY = 8_000, 16_000, 100, 1_000_000
Step = Request | Literal["idle", "head", "body", "continue"]

_STRAY = re.compile(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?!\n|\Z)")  # in no head
_FIRST = re.compile(TOKEN + rb" [!-~]+ HTTP/[0-9]\.[0-9]")
_NAME = r"(?:\[[0-9a-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[0-9a-f]{2})*)(?::[0-9]{0,5})?"
_CHAR = r'[^"#%<>?\\]|%[0-9a-f]{2}'  # a little more than RFC 3986 has, as browsers send more
_URL = rf"(?:http://(?=[^/?:])({_NAME}))?((?:/(?:{_CHAR})*)?(?:\?(?:{_CHAR}|\?)*)?)"
_HOST, _TARGET = (re.compile(pattern, re.ASCII | re.IGNORECASE) for pattern in (_NAME, _URL))
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t -~\x80-\xff]*)?")


def parse_head(data: bytes) -> Request:
    """The request whose head these bytes begin with, still without its body. Raises Problem."""
    head, end, _ = data.partition(b"\r\n\r\n")
    insist(end, 400, "The head does not end: no empty line follows it.")
    first, *lines = head.split(b"\r\n")
    method, target, version = parse_request_line(first)
    headers = parse_fields(lines)
    host = headers.get("host", "" if version == "HTTP/1.0" else None)
    insist(host is not None, 400, "The Host field is missing.")
    insist(_HOST.fullmatch(host), 400, "Host is not one name, with or without a port.")
    if target[0] in "hH":  # it names the host itself, which is the one that counts (section 3.2.2)
        headers["host"], rest = _TARGET.fullmatch(target).groups()
        target = rest if rest.startswith("/") else f"/{rest}"
    return Request(method, target, version, headers)


def parse_request_line(line: bytes) -> tuple[str, str, str]:
    """Method, target and version (section 3). Raises Problem."""
    insist(len(line) <= LONGEST_LINE, 414, "The request line is too long.")
    insist(_FIRST.fullmatch(line), 400, "The request line is not a method, a target and a version.")
    method, target, version = line.decode().split(" ")
    insist(version[5] == "1", 505, "This server speaks HTTP/1.1 and HTTP/1.0.")
    insist(method in METHODS, 501, "This server does not know the method.")
    is_url = target[0] in "/hH" and _TARGET.fullmatch(target)
    fine = is_url or (method, target) == ("OPTIONS", "*")
    insist(fine, 400, "The target is not a path, percent-encoded, with or without a query.")
    return method, target, version


def parse_fields(lines: list[bytes]) -> Headers:
    """Header lines as fields; a name that comes twice has a list (section 5). Raises Problem."""
    headers = Headers()
    insist(len(lines) <= MOST_FIELDS, 431, "There are too many header lines.")
    for line in lines:
        match = FIELD.fullmatch(line)
        insist(match, 400, "A header line is not a name, a colon right after it, and a value.")
        name, value = match[1].decode().lower(), match[2].decode("latin-1").strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def body_length(request: Request) -> int | Literal["chunked"]:
    """How long its body is, in bytes (section 6.3). Raises Problem if that is not clear."""
    length, codings = map(request.headers.get, ("content-length", "transfer-encoding"))
    if codings is None:
        fine = length is None or re.fullmatch("[0-9]{1,18}", length)
        insist(fine, 400, "Content-Length comes twice, or is no whole number of at most 18 digits.")
        return int(length or 0)
    insist(length is None, 400, "Content-Length and Transfer-Encoding contradict each other.")
    insist(request.version != "HTTP/1.0", 400, "HTTP/1.0 has no Transfer-Encoding.")
    *others, last = re.split("[ \t]*,[ \t]*", codings.lower())
    insist(last == "chunked" not in others, 400, "Transfer-Encoding has to end in one chunked.")
    insist(not others, 501, "This server knows no transfer coding but chunked.")
    return "chunked"


def read_requests(buffer: bytearray, longest_body: int = LONGEST_BODY) -> Iterator[Step]:
    """Take one request after the other off the front of a buffer that somebody else fills.

    Each step is a whole Request, or says what more bytes are needed for: "idle" (nothing of a
    request is here yet), "head" or "body". "continue": the client waits for a word before it
    sends the body (RFC 9110, section 10.1.1). Raises Problem; then no more can be read.
    """
    while True:
        # From 2, as an empty line may come before a request (section 2.2).
        end = yield from _find(b"\r\n\r\n", buffer, 2, "idle", "head")
        request = parse_head(bytes(buffer[:end]).removeprefix(b"\r\n"))
        del buffer[:end]
        length = body_length(request)
        insist(length == "chunked" or length <= longest_body, 413, "The body is too long.")
        expects = request.headers.get("expect", "").lower() if request.version > "HTTP/1.0" else ""
        insist(expects in ("", "100-continue"), 417, "This server can't do what is expected.")
        if expects and length and not buffer:
            yield "continue"
        if length == "chunked":
            request.body = yield from _take_chunks(buffer, longest_body)
        elif length:
            request.body = yield from _take(length, buffer)
        yield request


def _take_chunks(buffer: bytearray, longest_body: int) -> Iterator[Step]:
    """The body that comes in chunks (section 7.1); fields that follow it are read and dropped."""
    body, trailer = bytearray(), []
    while True:
        chunk = _CHUNK.fullmatch((yield from _take_line(buffer)))
        insist(chunk, 400, "A chunk does not begin with its size in hexadecimal digits.")
        if not (size := int(chunk[1], 16)):
            break
        insist(len(body) + size <= longest_body, 413, "The body is too long.")
        body += yield from _take(size, buffer)
        insist((yield from _take(2, buffer)) == b"\r\n", 400, "A chunk is not as long as it says.")
    while line := (yield from _take_line(buffer)):
        trailer.append(line)
        parse_fields(trailer)
    return bytes(body)


def _find(end: bytes, buffer: bytearray, start: int, *steps: Step) -> Iterator[Step]:
    """How many bytes there are up to `end` and with it, searched from `start`."""
    while (at := buffer.find(end, start, LONGEST_HEAD)) < 0:
        status = 414 if buffer.find(b"\r\n", 0, LONGEST_HEAD) < 0 else 431
        insist(len(buffer) < LONGEST_HEAD, status, "The head, or a line in the body, is too long.")
        insist(not _STRAY.search(buffer), 400, "A control character, or CR and LF not together.")
        yield steps[-1] if buffer.strip(b"\r\n") else steps[0]
    return at + len(end)


def _take_line(buffer: bytearray) -> Iterator[Step]:
    end = yield from _find(b"\r\n", buffer, 0, "body")
    return (yield from _take(end, buffer))[:-2]


def _take(length: int, buffer: bytearray) -> Iterator[Step]:
    while len(buffer) < length:
        yield "body"
    data = bytes(buffer[:length])
    del buffer[:length]
    return data
