"""Read a server's answer from bytes as they come."""

from __future__ import annotations

import re

from ._errors import BadMessage, BrokenOff
from ._framing import (
    TO_THE_END,
    VALUE,
    Body,
    Field,
    find_head,
    length_of,
    options_of,
    parse_fields,
)

_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: (" + VALUE + rb"))?")
_BEGIN = b"HTTP/1."
MOST_INTERIM = 16  # answers below 200 before the final one


class Answer:
    """One answer. Feed it bytes; it fills itself.

    Attributes:
        status: of the final answer; 0 until its head is here. Those below 200 are skipped.
        version: b"1.1" or b"1.0".
        fields: of the head.
        body: what came of it.
        reusable: whether the connection can carry another request after this answer.
    """

    __slots__ = ("_data", "_interim", "_method", "body", "fields", "reusable", "status", "version")

    def __init__(self, method: str) -> None:
        self._method = method
        self._data = b""
        self._interim = 0
        self.status, self.version = 0, b"1.1"
        self.fields: list[Field] = []
        self.body = _NO_BODY_YET
        self.reusable = False

    @property
    def done(self) -> bool:
        """Whether it is complete."""
        return self.body.done

    def feed(self, data: bytes) -> None:
        """Take bytes from the connection. Raises BadMessage."""
        while not self.status:
            if self._data:
                data, self._data = self._data + data, b""
            if not data.startswith(_BEGIN[: len(data)]):
                raise BadMessage("It does not begin with HTTP/1.")
            end = find_head(data)
            if end < 0:
                self._data = data
                return
            self._read_head(data[:end])
            data = data[end + 4 :]
        if data and self.body.feed(data):
            self.reusable = False  # nobody has asked for more

    def end(self, broken: bool = False) -> None:
        """The connection has ended, or broken. Raises BrokenOff if the answer is not complete."""
        if self.status and self.body.length == TO_THE_END and not broken:
            self.body.done = True
        elif not self.done:
            raise BrokenOff("The connection ended before the answer did.")

    def _read_head(self, head: bytes) -> None:
        first = head.partition(b"\r\n")[0]
        match = _STATUS.fullmatch(first)
        if not match:
            raise BadMessage("The first line is not HTTP/1.1 or 1.0, a status and a reason.")
        version, status = match[1], int(match[2])
        fields = parse_fields(head[len(first) :])
        if status >= 200:
            self.status, self.fields, self.version = status, fields, b"1." + version
            self._read_length(version == b"1")
        elif status == 101:
            raise BadMessage("It changes the protocol (101), and nobody had asked for that.")
        elif (interim := self._interim + 1) > MOST_INTERIM:
            raise BadMessage("Too many answers below 200 come before the final one.")
        else:
            self._interim = interim

    def _read_length(self, is_1_1: bool) -> None:
        """How long the body is (section 6.3), and whether the connection stays (section 9.3)."""
        lengths, codings, options = [], [], []
        for name, value in self.fields:
            if name == b"content-length":
                lengths.append(value)
            elif name == b"transfer-encoding":
                codings.append(value)
            elif name == b"connection":
                options.append(value)
        length = length_of(lengths, codings, is_1_1)
        if self._method == "HEAD" or self.status in (204, 304):
            length = 0
        elif length is None:
            length = TO_THE_END
        self.body = Body(length)
        self.reusable = is_1_1 and length != TO_THE_END and b"close" not in options_of(options)


_NO_BODY_YET = Body(TO_THE_END)
