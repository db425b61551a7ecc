"""What problems say, what they never say, and who may do what."""

from __future__ import annotations

import re

import pytest

from helpers.music import Note, create_app
from helpers.music._problems import EXPLANATIONS

from .support import (
    NEW_SONG,
    make_client,
    make_song,
)

JSON = {"Content-Type": "application/json"}
TOKENS = {"secret-of-a-listener": "listener", "secret-of-an-editor": "editor"}


# ---- what a problem says ---------------------------------------------------------------------


def test_every_kind_of_problem_is_explained_where_its_type_points(ask):
    problem = ask("GET", "/songs/nothing").json()
    assert ask("GET", problem["type"]).json() == {
        "type": problem["type"],
        "detail": problem["detail"],
    }
    for kind in EXPLANATIONS:
        assert ask("GET", f"/problems/{kind}").json()["detail"] == EXPLANATIONS[kind]


def test_a_mistake_of_the_service_is_a_problem_that_says_nothing_about_it():
    silent = make_song("silent", "Silent", melody=(Note(None, 1),))  # not possible through the API
    problem = make_client(songs=[silent])("GET", "/songs/silent/audio")
    assert problem.status_code == 500
    assert "hear" not in problem.text and "Error" not in problem.json()["detail"]


# ---- nothing comes back ----------------------------------------------------------------------


MARK = "zqxmarker"
PLACES = {
    "path": ("GET", f"/{MARK}", {}),
    "id": ("GET", f"/songs/{MARK}", {}),
    "bad id": ("GET", f"/songs/{MARK}%3Cb%3E", {}),
    "id, audio": ("GET", f"/songs/{MARK}/audio", {}),
    "id, delete": ("DELETE", f"/songs/{MARK}", {}),
    "id, plays": ("POST", f"/songs/{MARK}/plays", {}),
    "problem": ("GET", f"/problems/{MARK}", {}),
    "file": ("GET", f"/static-offline-docs/{MARK}", {}),
    "method": (MARK.upper(), "/songs", {}),
    "song": ("GET", f"/play?song={MARK}", {}),
    "query name": ("GET", f"/play?{MARK}=1", {}),
    "limit": ("GET", f"/songs?limit={MARK}", {}),
    "cursor": ("GET", f"/songs?cursor={MARK}", {}),
    "q": ("GET", f"/songs?q={MARK * 20}", {}),
    "fragment of 405": ("DELETE", f"/songs?{MARK}={MARK}", {}),
    "range": ("GET", "/play?song=elise", {"headers": {"Range": "bytes=99999999-", "X": MARK}}),
    "header": ("POST", "/songs/kalinka/plays", {"headers": {"Idempotency-Key": MARK * 50}}),
    "header name": ("GET", "/nowhere", {"headers": {MARK: MARK}}),
    "host": ("GET", "/nowhere", {"headers": {"Host": MARK}}),
    "content type": ("POST", "/songs", {"content": "{}", "headers": {"Content-Type": MARK}}),
    "not JSON": ("POST", "/songs", {"content": MARK, "headers": JSON}),
    "body key": ("POST", "/songs", {"json": {**NEW_SONG, MARK: 1}}),
    "body only key": ("POST", "/songs", {"json": {MARK: MARK}}),
    "text as body": ("POST", "/songs", {"json": MARK}),
    "title": ("POST", "/songs", {"json": {**NEW_SONG, "title": f"{MARK}\0"}}),
    "long title": ("POST", "/songs", {"json": {**NEW_SONG, "title": MARK * 30}}),
    "year": ("POST", "/songs", {"json": {**NEW_SONG, "year": MARK}}),
    "tempo": ("PUT", "/songs/x", {"json": {**NEW_SONG, "tempo": [MARK]}}),
    "key": ("PUT", "/songs/x", {"json": {**NEW_SONG, "key": MARK}}),
    "composer": ("PUT", "/songs/x", {"json": {**NEW_SONG, "composer": {MARK: MARK}}}),
    "melody": ("PUT", "/songs/x", {"json": {**NEW_SONG, "melody": MARK}}),
    "note": ("PUT", "/songs/x", {"json": {**NEW_SONG, "melody": [MARK]}}),
    "note key": ("PUT", "/songs/x", {"json": {**NEW_SONG, "melody": [{MARK: 1}]}}),
    "pitch": (
        "PUT",
        "/songs/x",
        {"json": {**NEW_SONG, "melody": [{"pitch": MARK, "beats": MARK}]}},
    ),
    "id of a put": ("PUT", f"/songs/{MARK}", {"json": {}}),
    "wrong token": ("DELETE", "/songs/x", {"headers": {"Authorization": f"Bearer {MARK}"}}),
    "wrong scheme": ("DELETE", "/songs/x", {"headers": {"Authorization": f"{MARK} {MARK}"}}),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("tokens", [None, TOKENS], ids=["open", "with tokens"])
def test_no_problem_repeats_what_was_sent(place, tokens):
    method, address, request = PLACES[place]
    response = make_client(tokens=tokens)(method, address, **request)
    assert 400 <= response.status_code < 500
    told = response.text + str(response.headers) + response.reason_phrase
    assert MARK not in told.lower()


# ---- tokens ----------------------------------------------------------------------------------


def as_role(role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {next(t for t, r in TOKENS.items() if r == role)}"}


EDITS = [
    ("POST", "/songs", {"json": NEW_SONG}, 201),
    ("PUT", "/songs/mine", {"json": NEW_SONG}, 201),
    ("DELETE", "/songs/kalinka", {}, 204),
]
PLAY = ("POST", "/songs/kalinka/plays", {}, 200)


def challenge(response):
    scheme, _, rest = response.headers["www-authenticate"].partition(" ")
    assert scheme == "Bearer"
    return dict(re.findall(r'(\w+)="([^"]*)"', rest))


@pytest.mark.parametrize(("method", "address", "request_", "status"), [*EDITS, PLAY])
def test_without_a_token_it_is_401_and_says_how(method, address, request_, status):
    ask = make_client(tokens=TOKENS)
    for sent in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}):
        response = ask(method, address, **request_, headers=sent)
        assert response.status_code == 401
        # RFC 6750, section 3.1: no error code where no token came
        assert challenge(response) == {"realm": "music"}
    for wrong in ("Bearer wrong", "Bearer SECRET-OF-AN-EDITOR", "Bearer \xff", "Bearer a b"):
        sent = {"Authorization": wrong.encode("latin-1")}
        response = ask(method, address, **request_, headers=sent)
        assert response.status_code == 401
        assert challenge(response) == {"realm": "music", "error": "invalid_token"}


@pytest.mark.parametrize(("method", "address", "request_", "status"), EDITS)
def test_a_listener_may_not_edit(method, address, request_, status):
    response = make_client(tokens=TOKENS)(method, address, **request_, headers=as_role("listener"))
    assert response.status_code == 403
    assert challenge(response) == {"realm": "music", "error": "insufficient_scope"}


@pytest.mark.parametrize(
    ("role", "method", "address", "request_", "status"),
    [("editor", *edit) for edit in [*EDITS, PLAY]] + [("listener", *PLAY)],
)
def test_those_who_may_do(role, method, address, request_, status):
    response = make_client(tokens=TOKENS)(method, address, **request_, headers=as_role(role))
    assert response.status_code == status


def test_the_scheme_has_no_case():
    sent = {"Authorization": "bearer secret-of-a-listener"}  # RFC 9110, section 11.1
    assert make_client(tokens=TOKENS)("POST", PLAY[1], headers=sent).status_code == 200


def test_everybody_may_read():
    ask = make_client(tokens=TOKENS)
    for address in ("/songs", "/songs/fur-elise", "/songs/fur-elise/audio", "/play?song=elise"):
        assert ask("GET", address).status_code == 200


def test_no_token_is_told():
    ask = make_client(tokens=TOKENS)
    for address in ("/openapi.json", "/docs", "/", "/songs"):
        assert "secret-of" not in ask("GET", address).text


def test_a_token_for_an_unknown_role_is_refused():
    with pytest.raises(ValueError, match="'listener' or 'editor', not 'admin'"):
        create_app(tokens={"t": "admin"})
