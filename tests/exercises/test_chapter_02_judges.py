"""Chapter 2: what its judges let through, and what they say of the rest.

What the reading of a configuration says (exercise 2.7) is compared with the real nginx.
"""

import asyncio

import httpx
import pytest

from helpers.exercises import _chapter_02 as chapter
from helpers.music import SONGS
from helpers.programs import Nginx, ProgramMissing
from helpers.web import Response, start
from tests.exercises.judged import exercise, said


def request_line(line):
    method, target, version = line.split(" ")
    if not (method and target and version.startswith("HTTP/")):
        raise ValueError(line)
    return [method, target, version]


def test_a_strict_request_line_is_right():
    assert said("2.1", request_line) is None


@pytest.mark.parametrize(
    ("fits", "blamed"),
    [
        (lambda version: "HTTP/" in version, "xHTTP/1.1"),
        (lambda version: version.upper().startswith("HTTP/"), "http/1.1"),
        (lambda version: version.startswith("HTTP"), "GET /songs HTTP"),
        (lambda version: version.startswith("H"), "HTTP"),
    ],
)
def test_a_careless_look_at_the_version_is_found(fits, blamed):
    def careless(line):
        method, target, version = line.split(" ")
        if not (method and target and fits(version)):
            raise ValueError(line)
        return method, target, version

    assert blamed in said("2.1", careless)


@pytest.mark.parametrize(
    ("change", "blamed"),
    [
        (str.rstrip, "behind the version"),
        (str.lstrip, "in front of the method"),
        (lambda line: line.replace("GET  /", "GET /"), "two spaces"),
        (lambda line: line.replace("GET  H", "GET / H"), "nothing between"),
    ],
)
def test_a_space_too_many_is_found(change, blamed):
    assert blamed in said("2.1", lambda line: request_line(change(line)))


def count(request):
    if request.path != "/count":
        return Response(404)
    if request.method != "GET":
        return Response(405, {"Allow": "GET"})
    return Response(200, {}, str(len(SONGS)).encode())


def body_as_text(request):
    return Response(200, {}, str(len(SONGS)))


def allows_head(request):
    answer = count(request)
    return Response(405, {"Allow": "GET, HEAD"}) if answer.status == 405 else answer


async def three_answers(handler):
    site = await start(handler)
    try:
        async with httpx.AsyncClient(base_url=site.url) as client:
            return [
                await client.get("/count"),
                await client.get("/nothing"),
                await client.post("/count"),
            ]
    finally:
        await site.stop()


def test_a_handler_is_judged_by_its_answers(caplog):
    caplog.set_level("CRITICAL")
    assert said("2.5", asyncio.run(three_answers(count))) is None
    assert ".encode()" in said("2.5", asyncio.run(three_answers(body_as_text)))
    assert "not HEAD" in said("2.5", asyncio.run(three_answers(allows_head)))


def test_who_is_smuggling():
    assert said("2.6", {"B", "c", "f", "g"}) is None
    assert "1 of 4 is missing" in said("2.6", {"b", "c", "f"})
    assert "'d' does not belong" in said("2.6", ["b", "c", "d", "f", "g"])


@pytest.mark.parametrize(
    ("number", "solution"),
    [
        ("2.3", 'words = [word.strip() for word in value.lower().split(",")]'),
        ("2.7", "location = /ping"),
        ("2.7", "gzip_types text/plain"),
        ("2.7", "return 204"),
    ],
)
def test_no_hint_is_a_line_of_the_solution(number, solution):
    hints = " ".join(exercise(number).hints).replace("'", '"')
    assert solution not in hints


def test_who_is_right_in_a_page_learns_that_nothing_ran():
    assert "only read, not run" in exercise("2.7").why


LISTEN, PING = "listen 127.0.0.1:PORT;", "location = /ping { return 204; }"
START = f"server {{ {LISTEN} root FILES;"
PACK = "gzip on; gzip_types text/plain;"
RIGHT, NOT_YET, UNKNOWN = "right", "not yet", "the reading does not know"
# (what the reading says, the configuration)
CONFIGS = [
    (RIGHT, f"{START} {PACK} {PING} }}"),
    (RIGHT, f"{START} {PACK} location =/ping {{ return 204; }} }}"),
    (RIGHT, f"{START} {PACK} location '=' \"/ping\" {{ return 204 'no {{}}'; }} }}"),
    (RIGHT, f'{START} gzip on; gzip_types "text/plain" text/css; {PING} }}'),
    (RIGHT, f"{START} gzip on; gzip_types Text/Plain; {PING} }}"),
    (RIGHT, f"server{{listen \"127.0.0.1:PORT\";root 'FILES';gzip on;gzip_types *;{PING}}}"),
    (RIGHT, f"{START} # a comment; with }} marks\n{PACK}\n{PING}# and one\n}}"),
    (RIGHT, f"root FILES; {PACK} server {{ {LISTEN} server_name a.example; {PING} }}"),
    (RIGHT, f"server {{ {LISTEN} location / {{ root FILES/; {PACK} }} {PING} }}"),
    (RIGHT, f"{START} {PACK} {PING} location / {{ try_files $uri $uri/ =404; }} }}"),
    (RIGHT, f"{START} {PACK} {PING} location /pingpong {{ return 404 gone; }} }}"),
    (RIGHT, f"{START} {PACK} limit_rate 300k; index a.html; autoindex off; {PING} }}"),
    (NOT_YET, f"{START} {PACK} location /ping {{ return 204; }} }}"),
    (NOT_YET, f"{START} {PACK} location = ping {{ return 204; }} }}"),
    (NOT_YET, f"{START} {PACK} location = /ping {{ return 200; }} }}"),
    (NOT_YET, f"{START} {PACK} }}"),
    (NOT_YET, f"{START} gzip on; {PING} }}"),
    (NOT_YET, f"{START} gzip_types text/plain; {PING} }}"),
    (NOT_YET, f"{START} gzip on; gzip_types plain; {PING} }}"),
    (NOT_YET, f"{START} {PACK} {PING} location / {{ gzip off; }} }}"),
    (NOT_YET, f"{START} {PACK} {PING} location / {{ gzip_types text/css; }} }}"),
    (NOT_YET, f"{START} {PACK} {PING} location / {{ root /nowhere; }} }}"),
    (NOT_YET, f"server {{ {LISTEN} {PACK} {PING} location /songs {{ root FILES; }} }}"),
    (NOT_YET, f"{START} {PACK} {PING} return 404; }}"),
    (NOT_YET, f"{START} {PACK} {PING}"),
    (NOT_YET, f"{START} {PACK} {PING} }} }}"),
    (NOT_YET, f"{START} {PACK} location = /ping {{ return 204 }} }}"),
    (NOT_YET, f"{START} {PACK} location = /ping {{ return 204;; }} }}"),
    (NOT_YET, f'{START} gzip on; gzip_types "text/plain; {PING} }}'),
    (NOT_YET, f'{START} gzip on; gzip_types "text/plain"text/css; {PING} }}'),
    (NOT_YET, f"{START} gzip on gzip_types text/plain; {PING} }}"),
    (NOT_YET, f"{START} gzip on; gzip_types text/plain {PING} }}"),
    (NOT_YET, f"server {{ listen 127.0.0.1:PORT root FILES; {PACK} {PING} }}"),
    (NOT_YET, f"server {{ # {LISTEN}\nroot FILES; {PACK} {PING} }}"),
    (UNKNOWN, f"{START} {PACK} {PING} rubbish yes; }}"),
    (UNKNOWN, f"{START} {PACK} {PING} root FILES; }}"),
    (UNKNOWN, f"{START} {PACK} location ~ ^/ping$ {{ return 204; }} }}"),
    (UNKNOWN, f"{START} {PACK} {PING} location / {{ deny all; }} }}"),
    (UNKNOWN, f"http {{ {START} {PACK} {PING} }} }}"),
    (UNKNOWN, f"{START} gzip yes; gzip_types text/plain; {PING} }}"),
    (UNKNOWN, f"server {{ listen 127.0.0.1:PORT; {LISTEN} root FILES; {PACK} {PING} }}"),
    (UNKNOWN, f"{START} {PACK} location /ping; }}"),
]


@pytest.fixture
def without_nginx(monkeypatch):
    def missing(*_, **__):
        raise ProgramMissing("no nginx here")

    monkeypatch.setattr("helpers.programs.Nginx", missing)


@pytest.mark.parametrize(("expected", "config"), CONFIGS)
def test_what_the_reading_of_a_configuration_says(without_nginx, expected, config):
    complaint = said("2.7", config)
    judged = RIGHT if complaint is None else NOT_YET
    assert (UNKNOWN if chapter._DO_WITHOUT in f"{complaint}" else judged) == expected, complaint


@pytest.mark.parametrize(("expected", "config"), [c for c in CONFIGS if c[0] != UNKNOWN])
def test_the_real_nginx_says_what_the_reading_says(expected, config):
    try:
        Nginx(f"server {{ {LISTEN} }}").stop()
    except ProgramMissing as error:
        pytest.skip(f"the outside truth is missing: {error}")
    complaint = said("2.7", config)
    assert (RIGHT if complaint is None else NOT_YET) == expected, complaint


@pytest.mark.parametrize(
    ("config", "blamed"),
    [
        (f"{START} gzip on gzip_types text/plain; {PING} }}", "in front of 'gzip_types'"),
        (f"{START} gzip on; gzip_types text/plain {PING} }}", "in front of 'location'"),
        (f"{START} {PACK} location = /ping {{ return 204 }} }}", "after 'return 204'"),
        (f"{START} {PACK} rubbish yes; {PING} }}", "'rubbish yes' here"),
        (f"{START} root FILES; {PACK} {PING} }}", "'root FILES' a second time"),
        (f"{START} gzip_types 'text/plain; {PING} }}", "quotes"),
    ],
)
def test_the_reading_names_the_place(without_nginx, config, blamed):
    assert blamed in said("2.7", config)
