"""Write a request and its response the way HTTP/1.1 puts them on the wire (RFC 9112)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # in a page httpx takes a while, and a reader may not need it yet
    import httpx

_LONGEST_BODY = 1200  # characters of a body that are printed


def request_text(request: httpx.Request) -> str:
    """The request as HTTP/1.1 writes it: request line, header lines, an empty line, the body.

    RFC 9112, sections 3 and 5. The body is shown as text if it is text.
    """
    target = request.url.raw_path.decode("ascii")
    lines = [f"{request.method} {target} HTTP/1.1", *_header_lines(request.headers)]
    return "\n".join(lines) + "\n\n" + _body_text(request.headers, _content(request))


def response_text(response: httpx.Response) -> str:
    """The response as HTTP/1.1 writes it: status line, header lines, an empty line, the body.

    RFC 9112, sections 4 and 5.
    """
    status = f"HTTP/1.1 {response.status_code} {response.reason_phrase}"
    lines = [status, *_header_lines(response.headers)]
    return "\n".join(lines) + "\n\n" + _body_text(response.headers, _content(response))


def show_exchange(response: httpx.Response) -> None:
    """Print a response below the request that it answers."""
    for name, text in (
        ("request", request_text(response.request)),
        ("response", response_text(response)),
    ):
        print(f"----- {name} -----")
        print(text.rstrip("\n"))


def _header_lines(headers: httpx.Headers) -> list[str]:
    return [f"{name.decode('latin-1')}: {value.decode('latin-1')}" for name, value in headers.raw]


def _content(message: httpx.Request | httpx.Response) -> bytes | None:
    import httpx

    try:
        if isinstance(message, httpx.Request) and isinstance(message.stream, httpx.SyncByteStream):
            return message.read()  # a form with files is put together only when it is read
        return message.content
    except httpx.StreamError:  # a stream passes by only once
        return None


def _body_text(headers: httpx.Headers, body: bytes | None) -> str:
    if body is None:
        return "(a stream, which is not kept)"
    if not body:
        return ""
    kind = headers.get("content-type", "").lower()
    if not (kind.startswith("text/") or "json" in kind or _reads_as_text(body)):
        return f"({len(body):,} bytes of {kind or 'unknown type'}, starting with {body[:12]!r})"
    text = body.decode("utf-8", "replace")
    rest = len(text) - _LONGEST_BODY
    return text if rest <= 0 else f"{text[:_LONGEST_BODY]}… ({rest:,} more characters)"


def _reads_as_text(body: bytes) -> bool:
    """Forms, XML and the like are text too, whatever their content type says."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\t\r\n" for character in text)
