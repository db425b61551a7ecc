"""The proxy's own answers: problem details (RFC 9457)."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from ._errors import Refusal
from ._forwarding import NAME, now

_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}  # before Python 3.13: older ones


async def send_problem(send: Any, refusal: Refusal, *, close: bool) -> None:
    """Send one, with nothing in it that the client has sent.

    Args:
        send: of the ASGI app.
        refusal: what the problem is.
        close: end the client's connection after it, as where its next request begins is unclear,
            or as it is still sending this one.
    """
    title = _TITLES.get(refusal.status) or HTTPStatus(refusal.status).phrase
    problem = {
        "type": "about:blank",
        "title": title,
        "status": refusal.status,
        "detail": refusal.detail,
    }
    body = json.dumps(problem).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"date", now()),
        (b"via", b"1.1 " + NAME),
        *refusal.headers,
    ]
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
