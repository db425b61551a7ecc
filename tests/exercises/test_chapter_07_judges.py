"""Chapter 7: what its judges let through, and what they say of the rest.

What may be kept (7.3) is held against the course's cache, and what the reading of a configuration
says (7.5) against the real nginx.
"""

from __future__ import annotations

import asyncio
import math

import httpx
import pytest
from fastapi import FastAPI, Response

from helpers import serve
from helpers.exercises import _chapter_07 as chapter
from helpers.programs import Nginx, ProgramMissing
from helpers.proxying import Cache, ReverseProxy
from tests.exercises.judged import exercise, said

# 7.2

RIGHT = {
    "a": "max-age=600",
    "b": "private, max-age=300",
    "c": "max-age=31536000, immutable",
    "d": "no-cache",
    "e": "no-store",
}


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"a": "public, max-age=600"},
        {"a": "max-age=600, s-maxage=600, stale-if-error=60"},
        {"a": "Max-Age=600,public"},
        {"b": "max-age=300,private"},
        {"b": "private, max-age=300, must-revalidate"},
        {"c": "public, max-age=31536000"},
        {"d": "no-cache, must-revalidate"},
        {"d": "public, no-cache"},
        {"d": "max-age=0, must-revalidate"},
        {"d": "must-revalidate, max-age=0, s-maxage=0"},
        {"e": "no-store, no-cache, private, max-age=0"},
        {"e": " no-store "},
    ],
)
def test_what_the_origin_may_say(other):
    assert said("7.2", {**RIGHT, **other}) is None


@pytest.mark.parametrize(
    ("other", "blamed"),
    [
        ({"a": "s-maxage=600"}, "a: A browser"),
        ({"a": "max-age=10"}, "10 seconds are not 600"),
        ({"a": "max-age=600, s-maxage=60"}, "60 seconds are not 600"),
        ({"a": "private, max-age=600"}, "`private`"),
        ({"a": "max-age: 600"}, "parted by commas"),
        ({"a": "Cache-Control: max-age=600"}, "only the value"),
        ({"a": "max-age=ten"}, "number of seconds"),
        ({"a": "maxage=600"}, "no word of Cache-Control"),
        ({"a": ...}, "not a text"),
        ({"b": "max-age=300"}, "b: A shared cache may keep this"),
        ({"b": "private"}, "for how long"),
        ({"b": "private, s-maxage=300"}, "contradiction"),
        ({"b": "private, no-store"}, "forbids it to the browser"),
        ({"b": "private, no-cache, max-age=300"}, "ask each time"),
        ({"c": "immutable"}, "c: A browser"),
        ({"d": "no-store"}, "d: Everybody may keep it"),
        ({"d": "max-age=0"}, "use it stale"),
        ({"d": "must-revalidate"}, "without a question"),
        ({"d": "max-age=60, must-revalidate"}, "without a question"),
        ({"d": "no-cache, stale-if-error=60"}, "must never happen"),
        ({"e": "private"}, "e: Somebody may keep it"),
        ({"e": "no-cache"}, "e: Somebody may keep it"),
        ({"f": "no-store"}, "none of the five"),
    ],
)
def test_what_it_must_not_say(other, blamed):
    assert blamed in said("7.2", {**RIGHT, **other})


# 7.3

ANSWERS = {
    "a": (200, {"Cache-Control": "max-age=60"}, {}),
    "b": (200, {"Cache-Control": "private, max-age=60"}, {}),
    "c": (200, {"Cache-Control": "max-age=60"}, {"Authorization": "Basic QTpi"}),
    "d": (200, {"Cache-Control": "s-maxage=60"}, {"Authorization": "Basic QTpi"}),
    "e": (200, {"Cache-Control": "no-cache", "ETag": '"1"'}, {}),
    "f": (404, {"Cache-Control": "max-age=10"}, {}),
    "g": (200, {"Cache-Control": "max-age=60, s-maxage=0"}, {}),
}


def test_what_may_be_kept_is_what_our_cache_keeps():
    app, now = FastAPI(), [0]

    @app.get("/{letter}")
    async def answer(letter: str):
        status, fields, _ = ANSWERS[letter]
        return Response("la", status, fields)

    async def ask_twice() -> set[str]:
        hits = set()
        cache = Cache(clock=lambda: now[0])
        with serve(app) as origin, serve(ReverseProxy([origin.url], cache=cache)) as door:
            async with httpx.AsyncClient(base_url=door.url) as client:
                for letter, (_, _, fields) in ANSWERS.items():
                    await client.get(f"/{letter}", headers=fields)
                    now[0] += 1
                    if "; hit" in (await client.get(f"/{letter}")).headers["Cache-Status"]:
                        hits.add(letter)
        return hits

    kept = asyncio.run(ask_twice())
    assert said("7.3", kept) is None
    for letter in ANSWERS:
        assert said("7.3", kept ^ {letter})


# 7.4


def by_tuple(url, headers, vary):
    sent = {name.lower(): value for name, value in headers.items()}
    names = sorted(name.strip().lower() for name in vary.split(","))
    return url, tuple((name, sent.get(name)) for name in names)


def by_set(url, headers, vary):
    names = {name.strip().casefold() for name in vary.split(",") if name.strip()}
    return frozenset([url, *((n.lower(), v) for n, v in headers.items() if n.lower() in names)])


def by_text(url, headers, vary):
    sent = httpx.Headers(headers)
    names = sorted(vary.lower().replace(" ", "").split(","))
    return "\n".join([url, *(f"{name}: {sent.get(name, '')}" for name in names)])


@pytest.mark.parametrize("key", [by_tuple, by_set, by_text])
def test_keys_of_every_kind_are_right(key):
    assert said("7.4", key) is None


@pytest.mark.parametrize(
    ("key", "blamed"),
    [
        (lambda url, headers, vary: None, "`return`"),
        (lambda url, headers, vary: url, "German and English"),
        (lambda url, headers, vary: [url], "can't be the key"),
        (lambda url, headers, vary: (url, *sorted(headers.items())), "the same key"),
        (lambda url, headers, vary: (url, headers[vary]), "KeyError"),
        (
            lambda url, headers, vary: (
                url + "".join(httpx.Headers(headers).get(n.strip(), "") for n in vary.split(","))
            ),
            "a, bc",
        ),
        (
            lambda url, headers, vary: (
                url, *(headers.get(name.strip()) for name in vary.split(","))
            ),
            "written small",
        ),
    ],
)  # fmt: skip
def test_keys_that_mix_something_are_found(key, blamed):
    assert blamed in said("7.4", key)


# 7.5

GOOD = """
proxy_cache_path cache keys_zone=mine:1m;
server {
    listen 127.0.0.1:PORT;
    proxy_cache mine;
    proxy_cache_use_stale error timeout;
    add_header X-Cache $upstream_cache_status;
    location / { proxy_pass http://127.0.0.1:ORIGIN; }
}
"""
GROUP = "upstream studio { server 127.0.0.1:ORIGIN; }\n" + GOOD.replace(
    "http://127.0.0.1:ORIGIN", "http://studio"
)
BACKGROUND = GOOD.replace(
    "error timeout;", "error updating; proxy_cache_background_update on;"
).replace("$upstream_cache_status;", '"$upstream_cache_status" always;')
CONFIGS = [
    (GOOD, ""),
    (GROUP, ""),
    (BACKGROUND, ""),
    (GOOD.replace("    proxy_cache mine;\n", ""), "kept"),
    (GOOD.replace("    proxy_cache_use_stale error timeout;\n", ""), "origin"),
    (GOOD.replace("use_stale error timeout", "use_stale http_503"), "origin"),
    (GOOD.replace("X-Cache", "X-Cash"), "X-Cache"),
    (GOOD.replace("$upstream_cache_status", "HIT"), "X-Cache"),
    (GOOD.replace("timeout;", "timeout"), ""),
]


@pytest.mark.parametrize(("config", "blamed"), CONFIGS)
def test_the_reading_of_a_config_agrees_with_the_real_nginx(config, blamed, monkeypatch):
    try:
        Nginx("server { listen 127.0.0.1:PORT; }").stop()
    except ProgramMissing as missing:
        pytest.skip(str(missing))
    for real in (True, False):
        if not real:
            monkeypatch.setattr("helpers.programs.Nginx", _missing)
        complaint = said("7.5", config)
        if config in (GOOD, GROUP, BACKGROUND):
            assert complaint is None
        else:
            assert complaint and blamed in complaint


def _missing(*_: object, **__: object) -> None:
    raise ProgramMissing("nginx is not here")


def test_a_config_that_leads_elsewhere_is_found():
    assert "ORIGIN is missing" in said("7.5", GOOD.replace("ORIGIN", "1"))


# 7.1, 7.6 and 7.7: other right ways to write them


def ttl(headers, here):
    words = headers["Cache-Control"].replace(" ", "").split(",")
    seconds = {name: int(value) for name, _, value in (w.partition("=") for w in words) if value}
    lifetime = seconds.get("s-maxage", seconds.get("max-age"))
    return lifetime - int(headers.get("Age", "0")) - here


def retry_after(tokens, rate):
    return 0 if tokens >= 1 else -int((tokens - 1) // rate)


def client_address(header, proxies):
    entries = header.split(",")
    return None if len(entries) < proxies else entries[len(entries) - proxies].strip()


@pytest.mark.parametrize(
    ("number", "answer"), [("7.1", ttl), ("7.6", retry_after), ("7.7", client_address)]
)
def test_other_right_ways(number, answer):
    assert said(number, answer) is None


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("7.6", lambda tokens, rate: (1 - tokens) / rate),
        ("7.6", lambda tokens, rate: math.ceil((1 - tokens) / rate)),
        ("7.6", lambda tokens, rate: max(0, math.floor((1 - tokens) / rate))),
        ("7.7", lambda header, proxies: header.split(",")[-proxies]),
        ("7.7", lambda header, proxies: header.split(", ")[-1]),
    ],
)
def test_usual_mistakes_are_found(number, answer):
    assert said(number, answer)


def test_the_chapter_is_the_one_that_is_registered():
    assert exercise("7.5").judge is chapter.a_cache_in_nginx
