"""All five answer every request of the contract, and all alike."""

from __future__ import annotations

import asyncio
import io
import json
import wave

import httpx
import jsonschema
import pytest
import yaml

from helpers.frameworks import (
    CASES,
    FRAMEWORKS,
    Answer,
    Case,
    contract_table,
    differences,
    hold_to_contract,
)
from helpers.frameworks._contract import Result, answer_of
from helpers.frameworks._frameworks import apps_folder
from helpers.music import SONGS, render_wav

RUN = "r0123abcd"
DESCRIPTION = yaml.safe_load((apps_folder() / "openapi.yaml").read_text("utf-8"))
ELISE = render_wav(next(song for song in SONGS if song.id == "fur-elise"))


@pytest.fixture(scope="module")
def results(running) -> dict[str, Result]:
    """Every application's answers, each from an application that was just started."""
    return {name: asyncio.run(hold_to_contract(running(name).url, run=RUN)) for name in FRAMEWORKS}


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_every_answer_keeps_the_contract(results, name):
    assert len(results[name].answers) == len(CASES) > 300
    assert results[name].faults == {}


def test_all_five_answer_alike(results):
    assert differences(results) == {}


def test_nobody_answers_with_a_mistake_of_its_own(results):
    statuses = {answer.status for result in results.values() for answer in result.answers.values()}
    assert statuses == {200, 201, 206, 400, 404, 405, 409, 413, 415, 416, 422}


# What all five could have wrong alike.


def answers(results, topic: str) -> dict[str, Answer]:
    found = results["fastapi"].answers
    return {case.name: answer for case, answer in found.items() if case.topic == topic}


def test_parts_are_the_parts_of_the_song_as_the_synthesiser_renders_it(results):
    found = answers(results, "range")
    end = len(ELISE)
    for text, first, last in (
        ("bytes=0-0", 0, 1), ("bytes=0-99", 0, 100), ("bytes=100-199", 100, 200),
        ("bytes=100-", 100, end), ("bytes=-1", end - 1, end), ("bytes=-100", end - 100, end),
        ("BYTES=0-9", 0, 10), ("bytes=0-99999999999", 0, end),
    ):  # fmt: skip
        answer = found[f"GET, Range: {text}"]
        assert answer.body == ELISE[first:last]
        assert answer.headers["content-range"] == f"bytes {first}-{last - 1}/{end}"
        assert answer.headers["content-length"] == str(last - first)
    assert found["GET, Range: bytes=-0"].headers["content-range"] == f"bytes */{end}"
    whole = answers(results, "read")["GET /songs/fur-elise/audio"]
    assert whole.body == ELISE
    assert whole.headers["accept-ranges"] == "bytes"
    with wave.open(io.BytesIO(whole.body)) as sound:
        assert sound.getnframes() > 0


def test_pages_hold_the_catalogue_in_the_order_of_the_ids(app):
    seen, cursor = [], {}
    while cursor is not None:
        page = httpx.get(f"{app.url}/songs", params={"limit": "7", **cursor}).json()
        seen += [song["id"] for song in page["items"]]
        cursor = {"cursor": page["next"]} if page["next"] else None
    assert seen == sorted(seen)
    assert {song.id for song in SONGS} <= set(seen)
    assert len(seen) == len(set(seen))


def test_search_finds_what_the_title_or_the_composer_have(app):
    def found(words: str) -> set[str]:
        page = httpx.get(f"{app.url}/songs", params={"q": words, "limit": 100}).json()
        return {song["id"] for song in page["items"]}

    assert found("FÜR Él") == {"fur-elise"}
    assert found("beethoven") == {s.id for s in SONGS if "Beethoven" in s.composer} != set()
    assert found("no such words") == set()


def test_the_page_for_people_shows_markup_as_text(results):
    page = answers(results, "add")["GET /"].body
    assert f"<script>alert('{RUN}')</script> & \"more\"" in page
    assert "<script>" not in page  # as a tag, which would be a part of its own


def test_a_song_that_was_added_is_what_was_sent(results):
    added = answers(results, "add")
    assert added["a song"].headers["location"] == f"/songs/{RUN}"
    song = {"id": RUN, "title": RUN, "composer": "A Reader", "year": 2026, "genre": "study"}
    assert added["a song"].body == added["GET /songs/RUN"].body == song
    assert added["1810.0 is 1810"].body["year"] == 1810
    assert type(added["1810.0 is 1810"].body["year"]) is int


def test_every_wrong_field_is_named_once(results):
    body = answers(results, "values")["two unknown fields and two wrong ones"].body
    assert [error["pointer"] for error in body["errors"]] == ["#", "#/title", "#/year"]


# The table against the description.


def resolved(schema: dict) -> dict:
    return {**schema, "components": DESCRIPTION["components"]}


def test_the_table_and_the_description_agree_on_what_a_song_is():
    """jsonschema says of each body in the table whether it fits; so does the status asked for."""
    validator = jsonschema.Draft202012Validator(
        resolved(DESCRIPTION["components"]["schemas"]["NewSong"])
    )
    judged = 0
    for case in CASES:
        if case.topic in ("add", "values") and case.method == "POST" and case.body:
            _, body = case.as_sent(RUN)
            try:
                value = json.loads(body.decode("utf-8-sig"), parse_int=float)
            except RecursionError:
                continue
            unicode = "surrogate" not in case.name and "half" not in case.name
            assert (validator.is_valid(value) and unicode) == (case.status != 422), case.name
            judged += 1
    assert judged > 80


def operation(case: Case) -> dict | None:
    path = case.target.partition("?")[0]
    for template, item in DESCRIPTION["paths"].items():
        wanted, given = template.split("/"), path.split("/")
        if len(wanted) == len(given) and all(
            w == g or (w == "{id}" and g and "%" not in g)
            for w, g in zip(wanted, given, strict=True)
        ):
            return item.get(case.method.lower())
    return None


def test_every_status_in_the_table_is_in_the_description():
    for case in CASES:
        found = operation(case)
        if found and case.topic != "addresses":
            assert str(case.status) in found["responses"], case


def test_every_error_sentence_is_the_descriptions(results):
    """The rule that a song breaks is told in the words of the description."""
    described = {
        f"#/{name}": schema["description"]
        for name, schema in DESCRIPTION["components"]["schemas"]["NewSong"]["properties"].items()
    }
    told = {
        error["pointer"]: error["detail"]
        for answer in answers(results, "values").values()
        for error in answer.body["errors"]
    }
    assert {pointer: told[pointer] for pointer in described} == described


# The comparison itself: a difference is seen.


def response(status: int = 200, body: bytes = b"{}", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named.setdefault("content-type", "application/json")
    return answer_of(httpx.Response(status, headers=named, content=body))


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (response(201), "status 201, not 200"),
        (response(location="/x"), "location: '/x', not None"),
        (response(content_type="text/plain"), "content-type: 'text/plain', not 'application/json'"),
        (response(body=b'{"a": 1}'), "body {'a': 1}, not {}"),
        (response(body=b"no json"), "body b'no json', not {}"),
    ],
)
def test_a_difference_is_told(other, told):
    assert other.difference(response()) == told


@pytest.mark.parametrize(
    "other",
    [
        response(body=b" { } "),
        response(content_type="application/json; charset=utf-8"),
        response(content_type="application/json;charset=UTF-8"),
        response(server="other", date="now", content_length="2"),
    ],
)
def test_what_means_the_same_is_no_difference(other):
    assert other.difference(response()) == ""


def test_the_order_of_allowed_methods_means_nothing():
    assert response(allow="GET,POST").difference(response(allow="POST, GET")) == ""
    assert response(allow="GET").difference(response(allow="POST, GET"))


def test_an_answer_that_breaks_the_contract_is_a_fault():
    """Held to it: an application that answers everything with an empty object."""
    from helpers import serve

    async def careless(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})

    with serve(careless) as server:
        cases = [case for case in CASES if case.topic in ("read", "methods")]
        result = asyncio.run(hold_to_contract(server.url, cases))
    assert len(result.faults) == len(cases)
    assert "status 200, not 405" in repr(result)
    assert "X-Request-Id" in repr(result)


def test_what_was_recorded_is_what_is(results):
    """A machine that lacks one of the five shows what was recorded."""
    from helpers.frameworks._tables import RECORDED, kept

    assert json.loads(RECORDED.read_text("utf-8")) == {
        name: kept(result) for name, result in results.items()
    }


def test_the_table_fills_in_what_is_missing(results):
    heads, rows = contract_table({"fastapi": results["fastapi"]})
    assert heads[:4] == ["topic", "requests", "FastAPI", "Flask (recorded)"]
    assert rows[-1] == ["all", *[len(CASES)] * 6]
    assert contract_table(results)[0][-1] == "Spring Boot"
