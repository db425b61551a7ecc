"""What of a message's head a proxy passes on, drops and adds (RFC 9110, section 7.6).

Some fields are about one connection only. They end here, in both directions, together with those
that Connection names. What frames the body is written anew and never copied: where two programs in
a row disagree on where a body ends, a request can be smuggled inside another one.

The server behind learns whom the proxy speaks for from X-Forwarded-For and Forwarded (RFC 7239).
A client can send these fields too, and write in them what it likes. So the proxy *appends* the
address that it saw itself: only the last entry is true for sure. Values that would not parse are
dropped, and X-Forwarded-Proto and X-Forwarded-Host, which are no lists, are replaced.

Host is passed on as the client wrote it, as HAProxy does (nginx replaces it unless it is told
otherwise), so that links that the server builds lead to the proxy.
"""

from __future__ import annotations

import re
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

from ._answer import Answer
from ._errors import BadMessage, Refusal
from ._framing import (
    CHUNKED,
    LONGEST_HEAD,
    MOST_FIELDS,
    TOKEN,
    VALUE,
    Field,
    length_of,
)

NAME = b"course-proxy"  # in Via
MOST_HOPS = 10  # proxies of ours that a request may have come through

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
IDEMPOTENT = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}  # RFC 9110, section 9.2.2

OF_ONE_CONNECTION = frozenset(
    [
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    ]
)
# Fields of a request that the proxy writes itself.
OURS = frozenset(
    [
        b"content-length",
        b"expect",
        b"forwarded",
        b"host",
        b"max-forwards",
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
    ]
)
_DROPPED = OF_ONE_CONNECTION | OURS

_METHOD = re.compile(TOKEN.decode())
_TARGET = re.compile(rb'/[!"$-~]*')
_ABSOLUTE = re.compile(rb"https?://([^/?#]+)([/?].*)?", re.IGNORECASE | re.DOTALL)
_HOST = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::[0-9]{0,5})?"
)
_HOPS = re.compile(rb"[0-9]{1,9}")
_NAME = re.compile(TOKEN)
_VALUE = re.compile(VALUE)
_QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
_PAIR = TOKEN + rb"=(?:" + TOKEN + rb"|" + _QUOTED + rb")"
_ELEMENT = _PAIR + rb"(?:[\t ]*;[\t ]*" + _PAIR + rb")*"
_FORWARDED = re.compile(_ELEMENT + rb"(?:[\t ]*,[\t ]*" + _ELEMENT + rb")*")
_ADDRESSES = re.compile(rb"[0-9A-Za-z.:_\[\]-]+(?:[\t ]*,[\t ]*[0-9A-Za-z.:_\[\]-]+)*")


class Forwarded:
    """A client's request, checked, and as it goes on to a server.

    Attributes:
        method: such as "GET".
        target: path and query, as bytes.
        length: of its body: bytes, or None if it comes in chunks.
        expects: it waits for the word (100) before it sends its body.
        client: the address that it came from.
        fields: those of the client that pass on.

    Raises:
        Refusal: the request is not passed on.
    """

    __slots__ = ("_host", "_ours", "client", "expects", "fields", "length", "method", "target")

    def __init__(self, scope: dict[str, Any]) -> None:
        self.method: str = scope["method"]
        if self.method not in METHODS:
            self._check_method()
        self.client: str = scope["client"][0] if scope.get("client") else ""
        mine: dict[bytes, list[bytes]] = {}
        named: set[bytes] = set()
        self.fields = fields = []
        size = 0
        for field in scope["headers"]:
            name, value = field
            size += len(name) + len(value)
            if name in _DROPPED:
                if name == b"connection":
                    named.update(one.strip(b"\t ") for one in value.lower().split(b","))
                mine.setdefault(name, []).append(value)
            elif b"_" in name and name.replace(b"_", b"-") in _DROPPED:
                pass  # WSGI and CGI can't tell the two names apart
            else:
                if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
                    raise Refusal(400, "A header line is not a name and a value.")
                fields.append(field)
        if len(scope["headers"]) > MOST_FIELDS or size > LONGEST_HEAD:
            raise Refusal(431, "There are too many header lines, or they are too long.")
        if named - OF_ONE_CONNECTION - {b"close"}:
            self.fields = [field for field in fields if field[0] not in named]
        version = scope.get("http_version", "1.1")
        if version[:2] not in ("1.", "2", "3"):
            raise Refusal(505, "This version of HTTP is not written in this way.")
        self._read_target(scope, mine, version)
        self._read_length(mine, version)
        self._read_expectation(mine, version)
        self._ours = self._own_fields(scope, mine, version)

    def _check_method(self) -> None:
        if self.method == "CONNECT":
            raise Refusal(501, "This proxy opens no tunnels (CONNECT).")
        if self.method == "TRACE":
            allow = ", ".join(sorted(METHODS)).encode()
            raise Refusal(
                405, "TRACE would show what the proxy adds, and is refused.", [(b"allow", allow)]
            )
        if not _METHOD.fullmatch(self.method):
            raise Refusal(400, "The method is no word.")

    def _read_target(
        self, scope: dict[str, Any], mine: dict[bytes, list[bytes]], version: str
    ) -> None:
        """Target and host (RFC 9112, section 3.2)."""
        target = scope.get("raw_path") or quote(scope["path"]).encode()
        if query := scope["query_string"]:
            target += b"?" + query
        hosts = mine.get(b"host", [])
        if len(hosts) > 1 or (not hosts and version == "1.1"):
            raise Refusal(400, "A request has one Host field.")
        host = hosts[0] if hosts else b""
        if target[:1] != b"/" and (absolute := _ABSOLUTE.fullmatch(target)):
            host, rest = absolute.groups()  # the one that counts (section 3.2.2)
            target = rest if rest and rest[:1] == b"/" else b"/" + (rest or b"")
        if not _HOST.fullmatch(host):
            raise Refusal(400, "Host is not one name, with or without a port.")
        if not (_TARGET.fullmatch(target) or (target == b"*" and self.method == "OPTIONS")):
            raise Refusal(400, "The target is not a path, with or without a query.")
        self.target, self._host = target, host

    def _read_length(self, mine: dict[bytes, list[bytes]], version: str) -> None:
        """How long the body is (RFC 9112, section 6.3); what is not clear is refused."""
        lengths, codings = mine.get(b"content-length", []), mine.get(b"transfer-encoding", [])
        try:
            length = length_of(lengths, codings, version != "1.0")
        except BadMessage as error:
            unknown = codings and not lengths and version != "1.0"
            raise Refusal(501 if unknown else 400, str(error)) from None
        self.length = None if length == CHUNKED else length or 0

    def _read_expectation(self, mine: dict[bytes, list[bytes]], version: str) -> None:
        """Expect (RFC 9110, section 10.1.1) and Upgrade (section 7.8)."""
        self.expects = False
        if b"expect" in mine and version != "1.0":
            if [value.lower() for value in mine[b"expect"]] != [b"100-continue"]:
                raise Refusal(417, "The only expectation that the proxy knows is 100-continue.")
            self.expects = True
        if b"upgrade" in mine and any(
            value.lower().startswith(b"websocket") for value in mine[b"upgrade"]
        ):
            raise Refusal(501, "This proxy passes no WebSockets on (Upgrade).")

    def _own_fields(
        self, scope: dict[str, Any], mine: dict[bytes, list[bytes]], version: str
    ) -> bytes:
        """The lines that the proxy adds."""
        via = mine.get(b"via", [])
        if via and b", ".join(via).count(NAME) >= MOST_HOPS:
            raise Refusal(508, "The request goes in circles: the proxy is its own server.")
        client = self.client.encode("ascii", "replace")
        said = b", ".join(mine.get(b"x-forwarded-for", ()))
        addresses = said + b", " + client if _ADDRESSES.fullmatch(said) else client
        scheme = str(scope.get("scheme", "http")).encode()
        node = b'"[' + client + b']"' if b":" in client else client
        element = b"for=" + (node or b"unknown") + b";proto=" + scheme
        lines = b""
        if self._host:
            lines += b"X-Forwarded-Host: " + self._host + b"\r\n"
            element += b';host="' + self._host + b'"'
        said = b", ".join(mine.get(b"forwarded", ()))
        if said and _FORWARDED.fullmatch(said):
            element = said + b", " + element
        if said := b", ".join(via):
            said = said + b", " if _VALUE.fullmatch(said) else b""
        if b"max-forwards" in mine and self.method == "OPTIONS":
            lines += self._one_hop_less(mine[b"max-forwards"])
        return b"".join(
            [
                lines,
                b"X-Forwarded-For: " + (addresses or b"unknown") + b"\r\n",
                b"X-Forwarded-Proto: " + scheme + b"\r\n",
                b"Forwarded: " + element + b"\r\n",
                b"Via: " + said + version.encode() + b" " + NAME + b"\r\n",
            ]
        )

    def _one_hop_less(self, values: list[bytes]) -> bytes:
        """Max-Forwards (RFC 9110, section 7.6.2): at 0 the proxy has to answer itself."""
        if len(values) != 1 or not _HOPS.fullmatch(values[0]):
            return b""
        if not int(values[0]):
            allow = ", ".join(sorted(METHODS)).encode()
            raise Refusal(200, "This is the proxy; it may forward no further.", [(b"allow", allow)])
        return b"Max-Forwards: %d\r\n" % (int(values[0]) - 1)

    @property
    def repeatable(self) -> bool:
        """Whether it does no harm to send it twice (RFC 9110, section 9.2.2)."""
        return self.method in IDEMPOTENT

    @property
    def path(self) -> str:
        """Path and query as text."""
        return self.target.decode("ascii", "replace")

    @property
    def host(self) -> str:
        """As the client wrote it; empty if it did not."""
        return self._host.decode("ascii", "replace")

    @property
    def host_bytes(self) -> bytes:
        """As `host`, in bytes."""
        return self._host

    def head(self, authority: bytes) -> bytes:
        """The bytes for a server; `authority` stands in for a Host that the client left out."""
        lines = [
            self.method.encode() + b" " + self.target + b" HTTP/1.1\r\nHost: ",
            self._host or authority,
            b"\r\n",
        ]
        for name, value in self.fields:
            lines += (name, b": ", value, b"\r\n")
        if self.length is None:
            lines.append(b"Transfer-Encoding: chunked\r\n")
        elif self.length or self.method in ("POST", "PUT", "PATCH"):
            lines.append(b"Content-Length: %d\r\n" % self.length)
        lines += (self._ours, b"\r\n")
        return b"".join(lines)


def now() -> bytes:
    """The value of Date."""
    return formatdate(usegmt=True).encode()


def fields_for_client(answer: Answer) -> list[Field]:
    """The fields of an answer that go back to the client, and those that the proxy adds."""
    named: set[bytes] = set()
    kept, via, dated = [], b"", False
    for field in answer.fields:
        name, value = field
        if name in OF_ONE_CONNECTION:
            if name == b"connection":
                named.update(one.strip(b"\t ") for one in value.lower().split(b","))
        elif name == b"via":
            via += value + b", "
        else:
            dated = dated or name == b"date"
            kept.append(field)
    if named := named - OF_ONE_CONNECTION - {b"close", b"content-length", b"date"}:
        kept = [field for field in kept if field[0] not in named]
    if answer.status == 204:
        kept = [field for field in kept if field[0] != b"content-length"]
    if not dated:
        kept.append((b"date", now()))  # RFC 9110, section 6.6.1
    kept.append((b"via", via + answer.version + b" " + NAME))
    return kept
