"""A client of gRPC-Web made of httpx, for the tests of the bridge."""

from __future__ import annotations

import base64

import pytest

from tests.calling.web_service import SERVICE, framed, unframed

BINARY = ["application/grpc-web", "application/grpc-web+proto"]
TEXT = ["application/grpc-web-text", "application/grpc-web-text+proto"]
each_type = pytest.mark.parametrize("kind", BINARY + TEXT)


def send(client, method, body, kind=BINARY[0], headers=()):
    """POST a body as it is. headers: pairs."""
    path = method if method.startswith("/") else f"/{SERVICE}/{method}"
    headers = [("content-type", kind), *headers]
    return client.post(path, content=body, headers=headers)


def call(client, method, message=b"", kind=BINARY[0], headers=()):
    """Call a method; gives messages and trailers."""
    body = framed(message)
    answer = send(client, method, base64.b64encode(body) if kind in TEXT else body, kind, headers)
    assert answer.status_code == 200 and answer.headers["content-type"] == kind
    return unframed(from_base64(answer.content) if kind in TEXT else answer.content)


def from_base64(body):
    """Of several pieces, each with padding of its own: four characters at a time."""
    return b"".join(
        base64.b64decode(body[i : i + 4], validate=True) for i in range(0, len(body), 4)
    )


def refused(answer):
    """The status of an answer that is nothing but a head, and its sentence."""
    assert answer.status_code == 200 and answer.content == b"", answer.content
    assert answer.headers["content-type"].startswith("application/grpc-web")
    message = answer.headers["grpc-message"]
    assert message.endswith(".") and "\n" not in message
    return int(answer.headers["grpc-status"])
