"""Chapter 9: what its judges let through, and what they say of the rest."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from helpers.frameworks import models
from tests.exercises.judged import said


def test_a_router_may_be_a_pattern():
    def match(template, path):
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template))
        found = re.fullmatch(pattern, path)
        return found.groupdict() if found else None

    assert said("9.1", match) is None


def test_what_a_router_forgets_is_named():
    def prefix(template, path):
        wanted, given = template.split("/"), path.split("/")
        found = {}
        for name, part in zip(wanted, given, strict=False):
            if name.startswith("{"):
                found[name[1:-1]] = part
            elif name != part:
                return None
        return found

    assert "/songs/fur-elise/audio" in said("9.1", prefix)
    assert said("9.1", lambda template, path: {"id": "fur-elise"}) is not None


def test_a_playlist_may_be_written_otherwise():
    class Playlist(BaseModel):
        model_config = ConfigDict(extra="forbid")
        name: Annotated[StrictStr, Field(min_length=1, max_length=60)]
        songs: list[Annotated[StrictStr, Field(pattern=r"\A[-a-z0-9]+\z")]] = Field(
            min_length=1, max_length=100
        )
        public: StrictBool = False

    assert said("9.2", Playlist) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"extra": "ignore"}, "an unknown field"),
        ({"strict": False}, "1 for public"),
    ],
)
def test_what_a_playlist_takes_too_much_is_named(changes, words):
    class Playlist(BaseModel):
        model_config = ConfigDict(**{"extra": "forbid", "strict": True, **changes})
        name: Annotated[str, Field(min_length=1, max_length=60)]
        songs: Annotated[
            list[Annotated[str, Field(pattern="^[a-z0-9-]+$")]], Field(min_length=1, max_length=100)
        ]
        public: bool = False

    assert words in said("9.2", Playlist)


def test_a_playlist_that_is_too_strict():
    class Closed(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=True)
        name: str
        songs: list[str]
        public: bool

    class Short(BaseModel):
        name: Literal["Rainy days"]
        songs: list[str]
        public: bool = False

    assert "was refused" in said("9.2", Closed)
    assert "was refused" in said("9.2", Short)


def test_middleware_may_be_a_class():
    class WithService:
        def __init__(self, app):
            self.app = app

        def __call__(self, environ, start_response):
            def start(status, headers, exc_info=None):
                return start_response(status, [*headers, ("x-service", "music")], exc_info)

            return self.app(environ, start)

    assert said("9.3", WithService) is None


def test_what_middleware_breaks_is_named():
    def always_ok(app):
        def wrapped(environ, start_response):
            def start(status, headers, exc_info=None):
                return start_response("200 OK", [*headers, ("X-Service", "music")], exc_info)

            return app(environ, start)

        return wrapped

    def forgetful(app):
        def wrapped(environ, start_response):
            def start(status, headers, exc_info=None):
                return start_response(status, [("X-Service", "music")], exc_info)

            return app(environ, start)

        return wrapped

    assert "The status became" in said("9.3", always_ok)
    assert "got lost" in said("9.3", forgetful)
    assert "has to be there once" in said("9.3", lambda app: app)
    assert "is a function of two arguments" in said("9.3", lambda app: None)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (["timer in", "login in", "endpoint", "login out", "timer out"], "turns it round"),
        (["login in", "timer in", "endpoint", "login out", "timer out"], ""),
        (["login", "log"], "Each of the five lines"),
    ],
)
def test_a_wrong_order_is_told(answer, words):
    assert words in said("9.4", answer)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"loop": 13}, "for each song"),
        ({"loop": 20}, "the query that brings the songs"),
        ({"select_related": 2}, "`select_related` is not 2"),
        ({"prefetch_related": 1}, "`prefetch_related` is not 1"),
    ],
)
def test_wrong_numbers_of_queries_are_told_apart(changes, words):
    right = {"loop": 21, "select_related": 1, "prefetch_related": 2}
    assert said("9.5", right) is None
    assert words in said("9.5", {**right, **changes})
    assert "three numbers" in said("9.5", {"loop": 21})


def test_middleware_that_forgets_a_part_of_the_interface():
    def without_exc_info(app):
        def wrapped(environ, start_response):
            def start(status, headers):
                return start_response(status, [*headers, ("X-Service", "music")])

            return app(environ, start)

        return wrapped

    def without_write(app):
        def wrapped(environ, start_response):
            def start(status, headers, exc_info=None):
                start_response(status, [*headers, ("X-Service", "music")], exc_info)

            return app(environ, start)

        return wrapped

    def without_return(app):
        def wrapped(environ, start_response):
            app(environ, start_response)

        return wrapped

    def asynchronous(app):
        async def wrapped(scope, receive, send):
            await app(scope, receive, send)

        return wrapped

    assert "raised TypeError" in said("9.3", without_exc_info)
    assert "raised TypeError" in said("9.3", without_write)
    assert "returned nothing" in said("9.3", without_return)
    assert "WSGI is not async" in said("9.3", asynchronous)


def test_composers_are_asked_with_two_queries():
    models()
    assert said("9.6", lambda Composer: Composer.objects.prefetch_related("song_set")) is None
    assert said("9.6", lambda Composer: list(Composer.objects.prefetch_related("song_set"))) is None
    plain = said("9.6", lambda Composer: Composer.objects.all())
    assert "queries; two are enough" in plain
    some = said("9.6", lambda Composer: Composer.objects.prefetch_related("song_set")[:3])
    assert some.startswith("3 composers came back")
    joined = said("9.6", lambda Composer: Composer.objects.filter(song__isnull=False))
    assert "composers came back; there are" in joined
    assert "is there a `return`?" in said("9.6", lambda Composer: None)
    wrong = said("9.6", lambda Composer: Composer.objects.prefetch_related("song"))
    assert "AttributeError: Cannot find 'song'" in wrong


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"e": 0.2}, "does not await"),
        ({"a": 8, "b": 4, "c": 2, "d": 1, "e": 8}, "how many seconds"),
        ({"a": "1.6"}, "a number is expected"),
        ({"c": 0.8}, "c is not 0.8"),
        ({"a": "long"}, "a number is expected"),
    ],
)
def test_wrong_times_are_told_apart(changes, words):
    right = {"a": 1.6, "b": 0.8, "c": 0.4, "d": 0.2, "e": 1.6}
    assert said("9.7", right) is None
    assert words in said("9.7", {**right, **changes})
    assert "five numbers" in said("9.7", {})
