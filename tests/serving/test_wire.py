"""What show_exchange prints is what really went over the wire."""

from __future__ import annotations

import json
import socket
import threading
from urllib.parse import quote

import h11
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import serve
from helpers.serving import request_text, response_text, show_exchange
from tests.serving.apps import plain

ANSWER = (
    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nX-Twice: a\r\nX-Twice: b\r\n"
    b'content-length: 11\r\nConnection: close\r\n\r\n{"a": "\xc3\xbc"}'
)


class Recorder:
    """A server made from a socket: it keeps a request's bytes and answers with given ones."""

    def __init__(self, answer=ANSWER):
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.received = b""
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def _run(self):
        connection, _ = self._listener.accept()
        parser = h11.Connection(h11.SERVER)
        with connection:
            event = None
            while type(event) is not h11.EndOfMessage:
                event = parser.next_event()
                if event is h11.NEED_DATA:
                    data = connection.recv(65536)
                    self.received += data
                    parser.receive_data(data)
            connection.sendall(self._answer)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._listener.close()
        self._thread.join(10)


def as_text(raw):
    return raw.replace(b"\r\n", b"\n").decode()


def same_message(printed, raw):
    """Equal start line and body, and the same header lines (httpcore writes Host first)."""
    (head, _, body), (raw_head, _, raw_body) = printed.partition("\n\n"), raw.partition("\n\n")
    first, *headers = head.split("\n")
    raw_first, *raw_headers = raw_head.split("\n")
    assert first == raw_first
    assert sorted(headers) == sorted(raw_headers)
    assert body == raw_body


def test_the_request_and_the_response_are_those_on_the_wire():
    with Recorder() as recorder:
        answer = httpx.post(
            f"http://127.0.0.1:{recorder.port}/songs/f%C3%BCr elise?q=a b&q=ü",
            headers={"X-Music": "loud", "accept": "text/plain"},
            content='{"title": "Für Elise"}',
        )
    same_message(request_text(answer.request), as_text(recorder.received))
    same_message(response_text(answer), as_text(ANSWER))


def test_a_request_without_a_body_ends_with_an_empty_line():
    text = request_text(httpx.Request("GET", "http://127.0.0.1:1/songs"))
    assert text.startswith("GET /songs HTTP/1.1\nHost: 127.0.0.1:1\n")
    assert text.endswith("\n\n")


def test_an_exchange_is_printed_in_order(capsys):
    with serve(plain) as api:
        show_exchange(httpx.get(api.url))
    printed = capsys.readouterr().out
    assert printed.startswith("----- request -----\nGET / HTTP/1.1\n")
    request, _, response = printed.partition("\n----- response -----\n")
    assert "user-agent" in request.lower()
    assert response.startswith("HTTP/1.1 200 OK\ndate: ")
    assert response.endswith("\n\nhello\n")


def test_sound_is_summed_up_and_not_printed():
    response = httpx.Response(
        200, headers={"content-type": "audio/wav"}, content=b"RIFF\0\0\0\1" * 500
    )
    body = response_text(response).partition("\n\n")[2]
    assert body == r"(4,000 bytes of audio/wav, starting with b'RIFF\x00\x00\x00\x01RIFF')"


def test_bytes_without_a_type_are_summed_up():
    assert "(2 bytes of unknown type" in response_text(httpx.Response(200, content=b"\xff\xfe"))


@pytest.mark.parametrize("kind", ["text/html", "Application/JSON", "application/problem+json", ""])
def test_text_is_shown_as_text(kind):
    response = httpx.Response(200, headers={"content-type": kind}, content="Für Elise".encode())
    assert response_text(response).endswith("\n\nFür Elise")


def test_a_form_is_text_too():
    request = httpx.Request("POST", "http://x/", data={"song": "für elise"})
    assert request_text(request).endswith("\n\nsong=f%C3%BCr+elise")


def test_a_form_with_a_file_is_shown():
    request = httpx.Request("POST", "http://x/", files={"notes": ("n.txt", b"E5 D#5")})
    assert "E5 D#5" in request_text(request)


def test_a_long_text_is_cut_with_the_rest_counted():
    body = response_text(httpx.Response(200, text="ü" * 3200)).partition("\n\n")[2]
    assert body == "ü" * 1200 + "… (2,000 more characters)"


def test_a_streamed_body_is_not_there_and_says_so():
    async def notes():
        yield b"E5"

    request = httpx.Request("POST", "http://x/", content=notes())
    assert request_text(request).endswith("\n\n(a stream, which is not kept)")
    assert response_text(httpx.Response(200, content=notes())).endswith(
        "(a stream, which is not kept)"
    )


@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=8,
    ),
    value=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20),
    path=st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20),
)
def test_a_parser_reads_the_printed_request_as_the_same_request(body, value, path):
    """h11, which nothing here uses to write a request, is the judge."""
    url = f"http://127.0.0.1/{quote(path, safe='')}"
    request = httpx.Request("POST", url, json={"value": body}, headers={"X-Value": value})
    head, _, text = request_text(request).partition("\n\n")
    parser = h11.Connection(h11.SERVER)
    parser.receive_data(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + text.encode())
    parsed = parser.next_event()
    assert (parsed.method, parsed.target) == (b"POST", request.url.raw_path)
    assert list(parsed.headers) == [(k.lower(), v) for k, v in request.headers.raw]
    assert len(text) > 1200 or json.loads(text) == {"value": body}
