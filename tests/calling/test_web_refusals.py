"""What the bridge refuses, and that anything at all has an answer."""

from __future__ import annotations

import asyncio
import base64
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.calling._web import GrpcWeb
from helpers.calling._web_frames import LARGEST, LONGEST_BODY
from tests.calling.web_client import BINARY, TEXT, call, from_base64, refused, send
from tests.calling.web_service import SERVICE, framed, unframed

# What is refused.


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS", "DELETE"])
def test_only_post(web, method):
    answer = web.request(method, f"/{SERVICE}/Echo", headers={"content-type": BINARY[0]})
    assert answer.status_code == 405 and answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "kind", ["application/grpc", "application/json", "application/grpc-web+json", "text/plain", ""]
)
def test_only_its_content_types(web, kind):
    assert send(web, "Echo", framed(b""), kind).status_code == 415


def test_no_content_type(web):
    assert web.post(f"/{SERVICE}/Echo", content=framed(b"")).status_code == 415


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 3),
        (b"\0\0\0\0", 3),
        (framed(b"abc")[:-1], 3),
        (framed(b"abc") + b"d", 3),
        (framed(b"abc") * 2, 3),
        (framed(b"abc", 1), 12),
        (framed(b"abc", 2), 3),
        (framed(b"a: b\r\n", 0x80), 3),
        (framed(b"", 0x81), 3),
        (b"\0\xff\xff\xff\xff", 3),
    ],
)
def test_a_malformed_body(web, body, status):
    assert refused(send(web, "Echo", body)) == status
    assert refused(send(web, "Echo", base64.b64encode(body), TEXT[0])) == status


@pytest.mark.parametrize(
    "body", [b"A", b"=", b"====", b"AAA", b"AAAAAAA==", b"AAAA\nAAAA", b"AAAAAA-_"]
)
def test_a_body_that_is_not_base64(web, body):
    assert refused(send(web, "Echo", body, TEXT[0])) == 3


def test_the_largest_message(web):
    message = bytes(LARGEST)
    assert call(web, "Echo", message) == ([message], {"grpc-status": "0"})
    assert call(web, "Large", b"1", TEXT[0])[0] == [b"\0"]
    text = base64.b64encode(framed(message))
    assert len(send(web, "Echo", text, TEXT[0]).content) > LARGEST


@pytest.mark.parametrize("size", [LARGEST + 1, LONGEST_BODY, 3 * LONGEST_BODY])
def test_a_message_that_is_too_large(web, size):
    assert refused(send(web, "Echo", framed(bytes(size)))) == 3
    assert refused(send(web, "Echo", base64.b64encode(framed(bytes(size))), TEXT[0])) == 3


def test_an_answer_that_is_too_large(web):
    assert call(web, "Large", str(LARGEST + 1).encode())[1]["grpc-status"] == "8"


def test_what_is_not_http(target):
    sent = []

    async def keep(message):
        sent.append(message)

    app = GrpcWeb(target)
    asyncio.run(app({"type": "websocket"}, None, keep))
    assert sent == [{"type": "websocket.close"}]
    with pytest.raises(NotImplementedError):
        asyncio.run(app({"type": "tunnel"}, None, keep))
    app.close()


# Anything at all.

frames = st.builds(
    lambda flag, length, message: bytes([flag]) + length.to_bytes(4, "big") + message,
    st.sampled_from([0, 0, 0, 1, 2, 0x80, 0x81, 0xFF]),
    st.integers(0, 12) | st.integers(0, 2**32 - 1),
    st.binary(max_size=12),
)
bodies = st.one_of(
    st.binary(max_size=40),
    st.binary(max_size=40).map(framed),
    frames,
    st.lists(frames, max_size=3).map(b"".join),
    st.lists(st.binary(max_size=9).map(base64.b64encode), max_size=4).map(b"".join),
    st.binary(max_size=40).map(framed).map(base64.b64encode),
    st.text("ABCDwxyz0189+/=-_ \n", max_size=40).map(str.encode),
)


@given(bodies, st.sampled_from([*BINARY, *TEXT, "text/plain"]), st.booleans())
@settings(max_examples=300)
def test_any_body_has_an_answer(web, body, kind, chunked):
    answer = send(web, "Echo", iter([body[:3], body[3:]]) if chunked else body, kind)
    if kind == "text/plain":
        assert answer.status_code == 415
    elif answer.content:
        content = from_base64(answer.content) if kind in TEXT else answer.content
        (message,), trailers = unframed(content)
        assert trailers == {"grpc-status": "0"}
        asked = from_base64(body) if kind in TEXT else body
        assert asked == framed(message)
    else:
        assert refused(answer) in (3, 12)


visible = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)
names = st.from_regex(r"x-[a-z0-9_.!#$%&'*+^`|~-]{0,12}", fullmatch=True)


@given(st.lists(st.tuples(names, visible | st.text("\t é\x80ÿ", max_size=5)), max_size=6))
@settings(max_examples=200)
def test_any_header_is_metadata_or_stays_out(web, headers):
    raw = [(name.encode(), value.strip(" \t").encode("latin-1")) for name, value in headers]
    raw.append((b"content-type", b"application/grpc-web"))
    answer = web.post(f"/{SERVICE}/Echo", content=framed(b"a"), headers=raw)
    if any(name.endswith("-bin") for name, _ in headers) and not answer.content:
        assert refused(answer) == 3
        return
    assert b"grpc-status: 0\r\n" in answer.content
    for name, value in raw[:-1]:
        legal = re.fullmatch(rb"[a-z0-9_.-]+", name) and re.fullmatch(rb"[ -~]*", value)
        if not name.endswith(b"-bin") and name not in (b"x-grpc-web", b"x-user-agent"):
            assert (value in dict_of(answer).get(name, [])) == bool(legal), (name, value)


def dict_of(answer):
    """The answer's headers, with all values of each."""
    found = {}
    for name, value in answer.headers.raw:
        found.setdefault(name.lower(), []).append(value)
    return found
