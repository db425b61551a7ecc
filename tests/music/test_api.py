"""The HTTP API: what it answers when all is well, and where nothing is."""

from __future__ import annotations

import re

import pytest

from helpers.music import audio_etag, render_wav

from .support import (
    ELISE,
    NEW_SONG,
    make_client,
)

WAV = render_wav(ELISE)
ETAG = audio_etag(ELISE)


# ---- reading ---------------------------------------------------------------------------------


def test_a_song_is_its_dict(ask):
    response = ask("GET", "/songs/fur-elise")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == ELISE.as_dict()


def test_the_list_has_a_summary_of_each_song_in_order(ask):
    answer = ask("GET", "/songs").json()
    assert [item["id"] for item in answer["items"]] == [
        "fur-elise",
        "greensleeves",
        "muss-i-denn",
        "silent-night",
        "kalinka",
    ]
    assert answer["items"][0] == {
        "id": "fur-elise",
        "title": "Für Elise",
        "composer": "Ludwig van Beethoven",
        "year": 1800,
        "genre": "study",
    }
    assert answer["next"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "beet"}, ["fur-elise"]),
        ({"genre": "folk song"}, ["greensleeves", "muss-i-denn", "kalinka"]),
        ({"q": "silcher", "genre": "folk song"}, ["muss-i-denn"]),
        ({"genre": "folk"}, []),
        ({"q": "nobody knows"}, []),
    ],
)
def test_the_list_can_be_narrowed(ask, query, found):
    assert [item["id"] for item in ask("GET", "/songs", params=query).json()["items"]] == found


def test_the_index_and_health(ask):
    assert ask("GET", "/").json()["songs"] == "/songs"
    assert ask("GET", "/health").json() == {"status": "ok"}


@pytest.mark.parametrize("address", ["/songs/fur-elise/audio", "/play?song=fur%20elise"])
def test_audio_is_the_wav_file(ask, address):
    response = ask("GET", address)
    assert response.status_code == 200
    assert response.content == WAV
    assert response.headers["content-type"] == "audio/wav"
    assert response.headers["content-length"] == str(len(WAV))
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["etag"] == ETAG


def test_play_says_which_song_it_plays(ask):
    response = ask("GET", "/play", params={"song": "  FUR elise "})
    assert response.headers["content-location"] == "/songs/fur-elise/audio"
    assert "content-location" not in ask("GET", "/songs/fur-elise/audio").headers


@pytest.mark.parametrize("address", ["/songs/fur-elise/audio", "/play?song=elise"])
def test_a_part_of_the_audio(ask, address):
    response = ask("GET", address, headers={"Range": "bytes=0-43"})
    assert (response.status_code, response.content) == (206, WAV[:44])
    assert response.headers["content-range"] == f"bytes 0-43/{len(WAV)}"
    assert response.headers["content-length"] == "44"


def test_the_parts_together_are_the_whole(ask):
    parts = [
        ask("GET", "/songs/fur-elise/audio", headers={"Range": f"bytes={at}-{at + 9999}"})
        for at in range(0, len(WAV), 10_000)
    ]
    assert {part.status_code for part in parts} == {206}
    assert b"".join(part.content for part in parts) == WAV


def test_a_range_after_the_end_is_416(ask):
    response = ask("GET", "/songs/fur-elise/audio", headers={"Range": f"bytes={len(WAV)}-"})
    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{len(WAV)}"
    assert response.json()["length"] == len(WAV)


def test_an_unchanged_song_is_304(ask):
    response = ask("GET", "/play?song=elise", headers={"If-None-Match": ETAG})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == ETAG
    assert response.headers["content-location"] == "/songs/fur-elise/audio"


def test_if_range_guards_against_two_versions_in_one_file(ask):
    part = {"Range": "bytes=0-9", "If-Range": ETAG}
    assert ask("GET", "/songs/fur-elise/audio", headers=part).status_code == 206
    louder = {**NEW_SONG, "melody": [{"pitch": "A4", "beats": 4}]}
    ask("PUT", "/songs/fur-elise", json=louder)
    response = ask("GET", "/songs/fur-elise/audio", headers=part)
    assert response.status_code == 200
    assert response.headers["etag"] != ETAG


# ---- what is not there -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "address", "kind"),
    [
        ("GET", "/songs/nothing", "unknown-song"),
        ("GET", "/songs/nothing/audio", "unknown-song"),
        ("GET", "/songs/nothing/plays", "unknown-song"),
        ("POST", "/songs/nothing/plays", "unknown-song"),
        ("DELETE", "/songs/nothing", "unknown-song"),
        ("GET", "/play?song=yellow%20submarine", "unknown-song"),
        ("GET", "/play?song=%D0%9A%D0%B0", "unknown-song"),
        ("GET", "/nowhere", None),
        ("GET", "/songs/a/b/c", None),
        ("GET", "/problems/nothing", None),
        ("GET", "/static-offline-docs/nothing.js", None),
    ],
)
def test_404(ask, method, address, kind):
    response = ask(method, address)
    assert response.status_code == 404
    assert response.json()["type"] == (f"/problems/{kind}" if kind else "about:blank")


def test_play_suggests_what_is_near(ask):
    assert ask("GET", "/play?song=sleeves%20green%20x").json()["suggestions"][0] == "Greensleeves"
    assert make_client(songs=[])("GET", "/play?song=x").json()["suggestions"] == []


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("/", "GET, HEAD"),
        ("/health", "GET, HEAD"),
        ("/songs", "GET, HEAD, POST"),
        ("/songs/fur-elise", "DELETE, GET, HEAD, PUT"),
        ("/songs/fur-elise/audio", "GET, HEAD"),
        ("/songs/fur-elise/plays", "GET, HEAD, POST"),
        ("/play?song=elise", "GET, HEAD"),
        ("/problems/not-json", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
        ("/docs", "GET, HEAD"),
        ("/static-offline-docs/swagger-ui.css", "GET, HEAD"),
    ],
)
def test_405_lists_exactly_what_the_address_takes(ask, address, allowed):
    taken = set(allowed.split(", "))
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
        response = ask(method, address)
        assert (response.status_code == 405) == (method not in taken), method
        if response.status_code == 405:
            assert response.headers["allow"] == allowed


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/health",
        "/songs",
        "/songs?limit=2",
        "/songs?limit=0",
        "/songs/fur-elise",
        "/songs/nothing",
        "/songs/NO",
        "/songs/fur-elise/audio",
        "/songs/fur-elise/plays",
        "/play?song=elise",
        "/play?song=nothing",
        "/play",
        "/problems/too-large",
        "/problems/nothing",
        "/openapi.json",
        "/docs",
        "/docs/oauth2-redirect",
        "/static-offline-docs/swagger-ui.css",
        "/nowhere",
    ],
)
def test_head_is_get_without_the_body(ask, address):
    get, head = ask("GET", address), ask("HEAD", address)
    assert head.content == b""
    assert head.status_code == get.status_code
    assert dict(head.headers) == dict(get.headers)
    assert get.content


# ---- documentation ---------------------------------------------------------------------------


def test_the_description_lists_every_operation(ask):
    description = ask("GET", "/openapi.json").json()
    operations = {
        (method.upper(), path) for path, item in description["paths"].items() for method in item
    }
    assert operations >= {
        ("GET", "/songs"),
        ("POST", "/songs"),
        ("GET", "/songs/{song_id}"),
        ("PUT", "/songs/{song_id}"),
        ("DELETE", "/songs/{song_id}"),
        ("GET", "/songs/{song_id}/audio"),
        ("GET", "/songs/{song_id}/plays"),
        ("POST", "/songs/{song_id}/plays"),
        ("GET", "/play"),
    }
    errors = [
        answer
        for item in description["paths"].values()
        for operation in item.values()
        for status, answer in operation["responses"].items()
        if status >= "400"
    ]
    assert errors
    assert all(list(answer["content"]) == ["application/problem+json"] for answer in errors)


def test_the_docs_page_asks_no_other_host(ask):
    page = ask("GET", "/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert not re.search(r"""(?:https?:)?//[^\s"'<>]""", page.text)
    files = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text)
    assert len(files) >= 2
    for file in files:
        assert ask("GET", file).status_code == 200
