"""Where a message begins and ends on a connection (RFC 9112): strictly, and without a socket.

Where the RFC lets a recipient choose between guessing and refusing, this refuses. Two programs in a
row that guess differently let a request be smuggled past the first one, or an answer reach the
wrong client (sections 11.1 and 11.2).
"""

from __future__ import annotations

import re

from ._errors import BadMessage

LONGEST_HEAD = 32_768  # bytes of a first line and all fields; also of the fields after a body
LONGEST_SIZE = 4_096  # bytes of a chunk's size with what may follow it
MOST_FIELDS = 200

Field = tuple[bytes, bytes]  # the name in lower case, and the value

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110, section 5.6.2
VALUE = rb"[\t -~\x80-\xff]*"  # section 5.5, with the spaces around it
_FIELDS = re.compile(rb"(?:\r\n" + TOKEN + rb":" + VALUE + rb")*")
_FIELD = re.compile(rb"\r\n([^:]+):[\t ]*([^\r]*)")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[\t ]*;" + VALUE + rb")?")
_LENGTH = re.compile(rb"[0-9]{1,18}")

CHUNKED, TO_THE_END = -1, -2  # the length of a body that says it in another way


def find_head(data: bytes) -> int:
    """Where the empty line after a head begins; -1: more has to come. Raises BadMessage."""
    end = data.find(b"\r\n\r\n", 0, LONGEST_HEAD + 4)
    if end < 0 and len(data) > LONGEST_HEAD:
        raise BadMessage(f"The head is longer than {LONGEST_HEAD:,} bytes.")
    if end < 0 and data.count(b"\n") > data.count(b"\r\n"):
        raise BadMessage("A line of the head ends with LF alone.")
    return end


def parse_fields(lines: bytes) -> list[Field]:
    """Field lines, each with its CRLF in front (section 5). Raises BadMessage."""
    if not _FIELDS.fullmatch(lines):
        raise BadMessage("A header line is not a name, a colon right after it, and a value.")
    found = [(name.lower(), value.rstrip(b"\t ")) for name, value in _FIELD.findall(lines)]
    if len(found) > MOST_FIELDS:
        raise BadMessage(f"There are more than {MOST_FIELDS} header lines.")
    return found


def options_of(values: list[bytes]) -> set[bytes]:
    """The options that Connection fields list, in lower case."""
    return {one.strip(b"\t ") for value in values for one in value.lower().split(b",")}


def length_of(lengths: list[bytes], codings: list[bytes], is_1_1: bool) -> int | None:
    """How long a body is by its Content-Length and Transfer-Encoding fields (section 6.3).

    Returns bytes, or CHUNKED, or None if there are no such fields. Raises BadMessage.
    """
    if codings:
        if lengths:
            raise BadMessage("Content-Length and Transfer-Encoding contradict each other.")
        if not is_1_1 or len(codings) > 1 or codings[0].lower() != b"chunked":
            raise BadMessage("Transfer-Encoding is something else than chunked.")
        return CHUNKED
    if lengths:
        if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
            raise BadMessage("Content-Length comes twice, or is no whole number.")
        return int(lengths[0])
    return None


class Body:
    """Takes a body out of the bytes that come, without the frames of its chunks.

    Attributes:
        pieces: what came and was not taken yet.
        size: of these, in bytes.
        done: the body is complete.
    """

    __slots__ = ("_at_size", "_left", "_rest", "chunked", "done", "length", "pieces", "size")

    def __init__(self, length: int) -> None:
        self.length, self.chunked = length, length == CHUNKED
        self._left = max(length, 0)  # of the body or the chunk; -1: the last chunk was there
        self._at_size = True  # a chunk's size is next, and not the end of one
        self._rest = b""
        self.pieces: list[bytes] = []
        self.size = 0
        self.done = length == 0

    def feed(self, data: bytes) -> bytes:
        """Take bytes; returns those that come after the body. Raises BadMessage."""
        if self.done:
            return data
        if self.chunked:
            return self._feed_chunks(data)
        if self.length == TO_THE_END:
            self._add(data)
            return b""
        rest = data[self._left :]
        self._add(data[: self._left] if rest else data)
        self._left -= len(data) - len(rest)
        self.done = not self._left
        return rest

    def take(self) -> bytes:
        """What came since the last time."""
        data = self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)
        self.pieces, self.size = [], 0
        return data

    def _add(self, data: bytes) -> None:
        if data:
            self.pieces.append(data)
            self.size += len(data)

    def _feed_chunks(self, data: bytes) -> bytes:
        """A chunked body (section 7.1): each chunk is its size, CRLF, data, CRLF; the last has 0."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        at = 0
        while at < len(data):
            if self._left > 0:
                piece = data[at : at + self._left]
                self._add(piece)
                self._left -= len(piece)
                at += len(piece)
                continue
            if self._left < 0:
                return self._feed_trailer(data[at:])
            if not self._at_size:
                if not b"\r\n".startswith(data[at : at + 2]):
                    raise BadMessage("A chunk is not as long as it says.")
                if len(data) < at + 2:
                    break
                self._at_size = True
                at += 2
                continue
            end = data.find(b"\r\n", at, at + LONGEST_SIZE)
            if end < 0:
                if len(data) >= at + LONGEST_SIZE:
                    raise BadMessage(f"A chunk's size takes more than {LONGEST_SIZE:,} bytes.")
                break
            size = _SIZE.fullmatch(data, at, end)
            if not size:
                raise BadMessage("A chunk does not begin with its size in hexadecimal digits.")
            self._left = int(size[1], 16) or -1
            self._at_size = False
            at = end + 2 if self._left > 0 else end  # a trailer's CRLFs stand before its fields
        self._rest = data[at:]
        return b""

    def _feed_trailer(self, data: bytes) -> bytes:
        """Fields after the body: they have to be right, and are dropped (section 7.1.2)."""
        end = find_head(data)
        if end < 0:
            self._rest = data
            return b""
        parse_fields(data[:end])
        self.done = True
        return data[end + 4 :]
