"""Adding, replacing, removing and playing songs, and bodies that do not fit."""

from __future__ import annotations

import json

import pytest

from .support import (
    ELISE,
    NEW_SONG,
    SMALL_CATALOGUE,
    make_client,
)

LIMIT = 64 * 1024
JSON = {"Content-Type": "application/json"}


# ---- adding, replacing, removing -------------------------------------------------------------


def test_post_answers_201_with_the_address_of_the_new_song(ask):
    response = ask("POST", "/songs", json=NEW_SONG)
    assert response.status_code == 201
    assert response.headers["location"] == "/songs/my-first-song"
    assert response.json() == {**NEW_SONG, "id": "my-first-song"}
    assert ask("GET", response.headers["location"]).json() == response.json()
    assert ask("GET", "/play?song=my%20frist%20song").status_code == 200


@pytest.mark.parametrize(
    "title", ["Калинка", "🎵", "㎨" * 200, "ß" * 200, "x" * 200, "-", "%2F/.."]
)
def test_the_address_of_every_new_song_works(title):
    ask = make_client(songs=[])
    location = ask("POST", "/songs", json={**NEW_SONG, "title": title}).headers["location"]
    assert ask("GET", location).json()["title"] == title
    assert ask("GET", f"{location}/audio").status_code == 200
    assert ask("GET", "/play?song=anything%20else").status_code == 404
    assert ask("DELETE", location).status_code == 204


def test_a_whole_number_may_be_written_with_a_point(ask):
    response = ask("POST", "/songs", json={**NEW_SONG, "year": 2026.0, "tempo": 2.4e2})
    assert response.text.count("2026,") == 1
    assert response.json() == {**NEW_SONG, "id": "my-first-song"}


def test_a_second_post_of_a_title_is_409_and_says_where_the_first_is(ask):
    response = ask("POST", "/songs", json={**NEW_SONG, "title": "<FÜR> elise!"})
    assert response.status_code == 409
    assert response.json()["existing"] == "/songs/fur-elise"  # the id, not the title that was sent
    assert ask("GET", "/songs/fur-elise").json() == ELISE.as_dict()


def test_put_adds_with_201_and_replaces_with_200(ask):
    changed = {**NEW_SONG, "title": "Changed"}
    assert ask("PUT", "/songs/mine", json=NEW_SONG).status_code == 201
    for _ in range(2):  # idempotent
        response = ask("PUT", "/songs/mine", json=changed)
        assert (response.status_code, response.json()) == (200, {**changed, "id": "mine"})
    assert ask("GET", "/songs/mine").json()["title"] == "Changed"


def test_delete_answers_204_once(ask):
    response = ask("DELETE", "/songs/kalinka")
    assert (response.status_code, response.content) == (204, b"")
    assert ask("GET", "/songs/kalinka").status_code == 404
    assert ask("DELETE", "/songs/kalinka").status_code == 404


def test_plays_are_counted_once_for_each_key(ask):
    plays = "/songs/kalinka/plays"
    assert ask("GET", plays).json() == {"plays": 0}
    assert ask("POST", plays).json() == {"plays": 1}
    key = {"Idempotency-Key": "8e03978e"}
    assert [ask("POST", plays, headers=key).json()["plays"] for _ in range(3)] == [2, 2, 2]
    assert ask("POST", plays).json() == {"plays": 3}
    assert ask("GET", plays).json() == {"plays": 3}
    too_long = ask("POST", plays, headers={"Idempotency-Key": "k" * 201})
    assert too_long.json()["errors"][0]["header"] == "idempotency-key"
    assert too_long.status_code == 422


def test_two_apps_share_nothing():
    one, other = make_client(), make_client()
    one("POST", "/songs", json=NEW_SONG)
    one("DELETE", "/songs/kalinka")
    one("POST", "/songs/fur-elise/plays", headers={"Idempotency-Key": "k"})
    assert other("GET", "/songs/my-first-song").status_code == 404
    assert other("GET", "/songs/kalinka").status_code == 200
    assert other("GET", "/songs/fur-elise/plays").json() == {"plays": 0}


# ---- bodies that do not fit ------------------------------------------------------------------


DEEP = 20_000


def text(**changes):
    """NEW_SONG as JSON text, in which some values are replaced by raw text."""
    fields = {name: json.dumps(value) for name, value in NEW_SONG.items()} | changes
    return "{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}"


WRONG_BODIES = {
    "empty": (b"", 422),
    "not JSON": (b"title=x", 422),
    "half a JSON": (b'{"title":', 422),
    "null": (b"null", 422),
    "a list": (b"[]", 422),
    "a text": (b'"title"', 422),
    "a number": (b"5", 422),
    "empty object": (b"{}", 422),
    "NaN alone": (b"NaN", 422),
    "NaN year": (text(year="NaN"), 422),
    "Infinity": (text(tempo="Infinity"), 422),
    "-Infinity": (text(tempo="-Infinity"), 422),
    "NaN beats": (text(melody='[{"pitch":"C4","beats":NaN}]'), 422),
    "infinite beats": (text(melody='[{"pitch":"C4","beats":1e999}]'), 422),
    "NaN title": (text(title="NaN"), 422),
    "half a pair": (text(title='"\\ud800"'), 422),
    "half a pair, second": (text(title='"\\udc00x"'), 422),
    "half a pair in a key": (text(**{"\\ud800": "1"}), 422),
    "half a pair in a note's key": (text(melody='[{"pitch":"C4","beats":1,"\\udfff":1}]'), 422),
    "an unknown field": (text(colour='"red"'), 422),
    "an id": (text(id='"x"'), 422),
    "5,000 digits": (text(year="9" * 5000), 400),
    "300 digits": (text(year="9" * 300), 422),
    "5,000 decimals": (text(melody=f'[{{"pitch":"C4","beats":0.{"0" * 5000}}}]'), 422),
    "deep lists": (b"[" * DEEP + b"]" * DEEP, 400),
    "deep objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400),
    "deep in a field": (text(title="[" * DEEP + "]" * DEEP), 400),
    "invalid UTF-8": (text(title='"~"').encode().replace(b"~", b"\xff\xfe"), 400),
    "Latin-1": (text(title='"é"').encode("latin-1"), 400),
    "a BOM": (b"\xef\xbb\xbf" + text().encode(), None),
    "UTF-16": (text().encode("utf-16"), None),
    "duplicate keys": (text().replace("{", '{"title":"first",', 1), 201),
    "NUL in a title": (text(title='"a\\u0000b"'), 422),
    "line break in a title": (text(title='"a\\nb"'), 422),
    "blank title": (text(title='"   "'), 422),
    "invisible title": (text(title='"\\u200b\\u202e"'), 422),
    "empty title": (text(title='""'), 422),
    "long title": (text(title=f'"{"x" * 201}"'), 422),
    "title null": (text(title="null"), 422),
    "title number": (text(title="5"), 422),
    "year text": (text(year='"1800"'), 422),
    "year fraction": (text(year="1800.5"), 422),
    "year true": (text(year="true"), 422),
    "year 0": (text(year="0"), 422),
    "key unknown": (text(key='"H major"'), 422),
    "key with a line": (text(key='"C major\\n"'), 422),
    "tempo 19": (text(tempo="19"), 422),
    "tempo 401": (text(tempo="401"), 422),
    "melody null": (text(melody="null"), 422),
    "melody text": (text(melody='"C4:1"'), 422),
    "no notes": (text(melody="[]"), 422),
    "257 notes": (text(melody=json.dumps([{"pitch": "C4", "beats": 0.1}] * 257)), 422),
    "rests only": (text(melody='[{"pitch":null,"beats":1}]'), 422),
    "over a minute": (text(melody=json.dumps([{"pitch": "C4", "beats": 16}] * 16)), 422),
    "a note is null": (text(melody="[null]"), 422),
    "no pitch": (text(melody='[{"beats":1}]'), 422),
    "pitch H4": (text(melody='[{"pitch":"H4","beats":1}]'), 422),
    "pitch number": (text(melody='[{"pitch":60,"beats":1}]'), 422),
    "pitch too high": (text(melody='[{"pitch":"C9","beats":1}]'), 422),
    "pitch too low": (text(melody='[{"pitch":"C-1","beats":1}]'), 422),
    "beats 0": (text(melody='[{"pitch":"C4","beats":0}]'), 422),
    "beats -1": (text(melody='[{"pitch":"C4","beats":-1}]'), 422),
    "beats 17": (text(melody='[{"pitch":"C4","beats":17}]'), 422),
    "beats text": (text(melody='[{"pitch":"C4","beats":"1"}]'), 422),
    "beats true": (text(melody='[{"pitch":"C4","beats":true}]'), 422),
    "one byte too many": (b" " * (LIMIT + 1), 413),
    "a song and blanks, too many": (text().encode().ljust(LIMIT + 1), 413),
    "a song and blanks, just right": (text().encode().ljust(LIMIT), 201),
}


@pytest.mark.parametrize(("method", "address"), [("POST", "/songs"), ("PUT", "/songs/new")])
@pytest.mark.parametrize("name", WRONG_BODIES)
def test_bodies_that_do_not_fit(ask, method, address, name):
    body, status = WRONG_BODIES[name]
    response = ask(method, address, content=body, headers=JSON)
    # None: how JSON is encoded besides UTF-8 is the server's affair (RFC 8259, section 8.1)
    assert response.status_code in ({status} if status else {201, 400, 422})
    if response.status_code == 422:
        assert response.json()["errors"]
    if response.status_code >= 400:
        assert len(ask("GET", "/songs").json()["items"]) == len(SMALL_CATALOGUE)


def test_of_duplicate_keys_the_last_counts(ask):
    body = WRONG_BODIES["duplicate keys"][0]
    assert ask("POST", "/songs", content=body, headers=JSON).json()["title"] == NEW_SONG["title"]


def test_a_body_without_a_length_is_measured_as_it_comes(ask):
    async def in_parts(size):
        for at in range(0, size, 1000):
            yield b" " * min(1000, size - at)

    response = ask("POST", "/songs", content=in_parts(LIMIT + 1), headers=JSON)
    assert "content-length" not in response.request.headers
    assert response.status_code == 413
    assert response.json()["limit"] == LIMIT
    assert response.headers["connection"] == "close"


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/xml", "json", "text/json"])
@pytest.mark.parametrize(("method", "address"), [("POST", "/songs"), ("PUT", "/songs/new")])
def test_415_for_anything_but_json(ask, kind, method, address):
    headers = {} if kind is None else {"Content-Type": kind}
    response = ask(method, address, content=text(), headers=headers)
    assert response.status_code == 415
    assert response.headers["accept"] == "application/json"


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_named_in_other_ways(ask, kind):
    assert ask("POST", "/songs", content=text(), headers={"Content-Type": kind}).status_code == 201


def test_errors_point_at_what_is_wrong(ask):
    wrong = {**NEW_SONG, "tempo": 5, "melody": [{"pitch": "C4", "beats": 1}, {"pitch": "H4"}]}
    errors = ask("POST", "/songs", json=wrong).json()["errors"]
    assert [e["pointer"] for e in errors] == ["#/tempo", "#/melody/1/pitch", "#/melody/1/beats"]
    errors = ask("GET", "/songs?limit=0").json()["errors"]
    assert errors[0]["query"] == "limit"
    errors = ask("GET", "/songs/NO").json()["errors"]
    assert errors[0]["path"] == "song_id"


def test_a_body_full_of_errors_gets_a_short_answer(ask):
    response = ask(
        "POST", "/songs", json={**NEW_SONG, "melody": [{"pitch": "x", "beats": 0}] * 256}
    )
    assert len(response.json()["errors"]) == 20


@pytest.mark.parametrize(
    "address",
    [
        "/songs?limit=0",
        "/songs?limit=101",
        "/songs?limit=x",
        "/songs?limit=NaN",
        "/songs?limit=1.5",
        "/songs?limit=" + "9" * 5000,
        "/songs?q=" + "x" * 101,
        "/songs?genre=" + "x" * 41,
        "/play",
        "/play?song=",
        "/play?song=" + "x" * 101,
        "/songs/F%C3%BCr",
        "/songs/%FF",
        "/songs/a%00b",
        "/songs/a--b",
        "/songs/-a",
        "/songs/fur-elise%0A",
        "/songs/" + "x" * 201,
        "/songs/NO/audio",
        "/songs/NO/plays",
    ],
)
def test_422_for_addresses_with_values_that_do_not_fit(ask, address):
    assert ask("GET", address).status_code == 422
