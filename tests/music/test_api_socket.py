"""The HTTP API over a real socket, where a server stands between it and its clients."""

from __future__ import annotations

import asyncio
import http.client
import json

import httpx
import pytest

from helpers import serve
from helpers.music import audio_etag, create_app, render_wav

from .support import (
    ELISE,
    SMALL_CATALOGUE,
    assert_problem,
)

WAV = render_wav(ELISE)
ETAG = audio_etag(ELISE)


LIMIT = 64 * 1024
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server():
    with serve(create_app(SMALL_CATALOGUE)) as running:
        yield running


def test_a_part_over_a_socket(server):
    response = httpx.get(f"{server.url}/play?song=elise", headers={"Range": "bytes=-100"})
    assert (response.status_code, response.content) == (206, WAV[-100:])
    assert response.headers["content-range"] == f"bytes {len(WAV) - 100}-{len(WAV) - 1}/{len(WAV)}"


def test_head_and_304_over_a_socket_leave_the_connection_usable(server):
    with httpx.Client(base_url=server.url) as client:
        head = client.head("/songs/fur-elise/audio")
        assert head.headers["content-length"] == str(len(WAV)) and head.content == b""
        unchanged = client.get("/songs/fur-elise/audio", headers={"If-None-Match": ETAG})
        assert unchanged.status_code == 304
        assert client.get("/songs/fur-elise/audio").content == WAV


def test_problems_over_a_socket(server):
    for method, address, status in [
        ("GET", "/songs/nothing", 404),
        ("PATCH", "/songs", 405),
        ("POST", "/songs", 415),
    ]:
        response = httpx.request(method, server.url + address)
        assert response.status_code == status
        assert_problem(response)


@pytest.mark.parametrize("length", [{"Content-Length": "300000"}, {"Transfer-Encoding": "chunked"}])
def test_a_body_that_gets_too_large_is_answered_before_its_end(server, length):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.putrequest("POST", "/songs")
    for name, value in (JSON | length).items():
        connection.putheader(name, value)
    connection.endheaders()
    size = LIMIT + 1
    head = b"" if "Content-Length" in length else f"{size:x}\r\n".encode()
    connection.send(head + b" " * size)  # and no more, so only an early answer is an answer
    response = connection.getresponse()
    assert response.status == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert json.loads(response.read())["limit"] == LIMIT
    connection.close()


def test_many_listeners_at_once(server):
    async def listen():
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            names = ["elise", "sleeves green", "muss i denn", "stille nacht", "greensleeves"] * 4
            return await asyncio.gather(
                *(client.get("/play", params={"song": name}) for name in names)
            )

    answers = asyncio.run(listen())
    assert [a.status_code for a in answers] == [200, 404, 200, 200, 200] * 4
