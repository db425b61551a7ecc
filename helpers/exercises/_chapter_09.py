"""The exercises of chapter 9, Backend frameworks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from . import equals, exercise, show, works_like


@exercise(
    "9.1",
    hints=(
        "Split both at the slashes. When can they fit at all?",
        "A part in braces fits any part that is not empty; every other part fits only itself.",
    ),
    typical_mistake=(
        "def match(template, path):\n"
        "    found = {}\n"
        "    for wanted, given in zip(template.split('/'), path.split('/')):\n"
        "        if wanted.startswith('{'):\n"
        "            found[wanted[1:-1]] = given\n"
        "        elif wanted != given:\n"
        "            return None\n"
        "    return found\n"
        'check("9.1", match)'
    ),
    why="That is a router: the rest is a list of templates, and the function for each.",
)
def match(answer: Callable):
    one, sound = "/songs/{id}", "/songs/{id}/audio"
    return works_like(
        answer,
        [
            ((one, "/songs/fur-elise"), {"id": "fur-elise"}),
            (("/songs", "/songs"), {}),
            ((sound, "/songs/fur-elise/audio"), {"id": "fur-elise"}),
            (("/users/{user}/lists/{list}", "/users/7/lists/3"), {"user": "7", "list": "3"}),
            ((one, "/songs/fur-elise/audio"), None),
            ((sound, "/songs/fur-elise"), None),
            ((one, "/songs/"), None),
            ((sound, "/songs//audio"), None),
            ((one, "/Songs/fur-elise"), None),
            (("/songs.json", "/songsxjson"), None),
            ((one, "/artists/fur-elise"), None),
            ((one, "/songs"), None),
            (("/songs", "/songs/"), None),
        ],
    )


_GOOD = {"name": "Rainy days", "songs": ["fur-elise"]}


@exercise(
    "9.2",
    hints=(
        "`Field(min_length=1, max_length=60)` bounds a text and a list alike; `pattern=` goes with "
        "a text.",
        "`ConfigDict(extra=..., strict=...)` says what happens to unknown fields, and whether `1` "
        "may stand for `True`. The pattern belongs to the texts in the list: "
        "`list[Annotated[str, Field(pattern=...)]]`. `^` and `$` make it hold for all of a text.",
    ),
    typical_mistake=(
        "from pydantic import BaseModel\n"
        "class Playlist(BaseModel):\n"
        "    name: str\n"
        "    songs: list[str]\n"
        "    public: bool = False\n"
        'check("9.2", Playlist)'
    ),
    why="Each rule is written once, where the field is, and every function that takes a playlist has it.",
)
def playlist(answer: type):
    try:
        made = answer.model_validate(_GOOD)
    except Exception as error:
        said = ", ".join(line.strip() for line in str(error).splitlines()[1:3])
        return f"`{_GOOD}` fits, and was refused: {said or type(error).__name__}."
    if getattr(made, "public", None) is not False:
        return "A playlist that does not say `public` is not public."
    good = [
        {**_GOOD, "public": True},
        {**_GOOD, "name": "x" * 60},
        {**_GOOD, "songs": ["a-1"] * 100},
    ]
    bad = {
        "an empty name": {**_GOOD, "name": ""},
        "a name of 61 characters": {**_GOOD, "name": "x" * 61},
        "a number for a name": {**_GOOD, "name": 7},
        "no name": {"songs": ["fur-elise"]},
        "no songs": {"name": "x"},
        "an empty list of songs": {**_GOOD, "songs": []},
        "101 songs": {**_GOOD, "songs": ["a"] * 101},
        "an id in capitals": {**_GOOD, "songs": ["Fur-Elise"]},
        "an id with a line break behind it": {**_GOOD, "songs": ["fur-elise\n"]},
        "an empty id": {**_GOOD, "songs": [""]},
        "an id with a digit that is not 0 to 9": {**_GOOD, "songs": ["\u0665"]},
        "null for public": {**_GOOD, "public": None},
        "1 for public": {**_GOOD, "public": 1},
        '"yes" for public': {**_GOOD, "public": "yes"},
        "an unknown field": {**_GOOD, "owner": "me"},
    }
    for value in good:
        if not _fits(answer, value):
            return f"`{show(value)}` fits, and was refused."
    for what, value in bad.items():
        if _fits(answer, value):
            return f"A playlist with {what} was accepted."
    return None


def _fits(model: Any, value: dict[str, Any]) -> bool:
    from pydantic import ValidationError

    try:
        model.model_validate(value)
    except ValidationError:
        return False
    return True


@exercise(
    "9.3",
    hints=(
        "Give the inner application a `start_response` of your own, which calls the real one.",
        "`def wrapped(environ, start_response):` inside, and in it "
        "`def start(status, headers, exc_info=None):`. Whatever the application returns, return it.",
    ),
    typical_mistake=(
        "def with_service(app):\n"
        "    def wrapped(environ, start_response):\n"
        "        start_response('200 OK', [('X-Service', 'music')])\n"
        "        return app(environ, lambda *args: None)\n"
        "    return wrapped\n"
        'check("9.3", with_service)'
    ),
    why="It knows nothing of Flask or Django, and works for both: the interface is what they share.",
)
def middleware(answer: Callable):
    try:
        return _middleware(answer)
    except Exception as error:
        return f"With your function in between, the application raised {_told(error)}."


def _middleware(answer: Callable) -> str | None:
    def plain(environ, start_response):
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"no ", b"song"]

    def changes_its_mind(environ, start_response):
        start_response("200 OK", [("X-Song", environ["PATH_INFO"])])
        start_response("500 Oops", [("X-Song", environ["PATH_INFO"])], ("an", "error", None))
        return [b"no song"]

    def writes(environ, start_response):
        start_response("200 OK", [("Content-Length", "7")])(b"no song")
        return []

    for app, status in (
        (plain, "404 Not Found"),
        (changes_its_mind, "500 Oops"),
        (writes, "200 OK"),
    ):
        told: list[tuple[str, list[tuple[str, str]]]] = []
        written: list[bytes] = []

        def start_response(
            status: str, headers: Any, exc_info: Any = None, told=told, written=written
        ) -> Any:
            if told and not exc_info:
                raise AssertionError("start_response was called twice, without exc_info")
            told.append((status, list(headers)))
            return written.append

        wrapped = answer(app)
        if inspect.iscoroutinefunction(wrapped):
            return "WSGI is not async: the application that you return is a plain function."
        if not callable(wrapped):
            return f"It returned {show(wrapped)}; an application is a function of two arguments."
        pieces = wrapped({"PATH_INFO": "/x", "REQUEST_METHOD": "GET"}, start_response)
        if pieces is None:
            return "Your application returned nothing: what the inner one returns is the body."
        got = b"".join([*pieces])
        if not told:
            return "`start_response` was never called."
        said, headers = told[-1]
        if said != status:
            return f"The status became {show(said)}; the application had said {show(status)}."
        ours = [value for name, value in headers if name.lower() == "x-service"]
        if ours != ["music"]:
            return f"The header fields are {show(headers)}: X-Service has to be there once."
        if len(headers) != 2:
            return f"The header fields are {show(headers)}: one of the application's own got lost."
        if b"".join(written) + got != b"no song":
            return f"The body became {show(got)}; the application had sent b'no song'."
    return None


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no words'}"


@exercise(
    "9.4",
    hints=(
        "A new layer goes around all that are there already.",
        "The request goes through the layers from outside to inside, the answer the other way.",
    ),
    typical_mistake='check("9.4", ["timer in", "login in", "endpoint", "login out", "timer out"])',
    why="What was added last is the outermost layer: it sees the request first and the answer last.",
)
def order(answer: list | tuple):
    right = ["login in", "timer in", "endpoint", "timer out", "login out"]
    if list(answer) == ["timer in", "login in", "endpoint", "login out", "timer out"]:
        return "That would be the order in which they were written. FastAPI turns it round."
    if sorted(map(str, answer)) != sorted(right):
        return (
            "Each of the five lines is printed once: `timer in`, `login in`, `endpoint`, and so on."
        )
    return equals(list(answer), right)


@exercise(
    "9.5",
    hints=(
        "One query brings the 20 songs. Each time the loop asks for `song.composer`, one more goes "
        "out: Django does not remember the composer of another song.",
        "`select_related` joins the two tables; `prefetch_related` asks a second time, for all "
        "composers at once.",
    ),
    typical_mistake='check("9.5", {"loop": 13, "select_related": 1, "prefetch_related": 2})',
    why="One for the songs, and one for each of them: N + 1.",
)
def queries(answer: dict):
    right = {"loop": 21, "select_related": 1, "prefetch_related": 2}
    if set(answer) != set(right):
        return "Give three numbers: `loop`, `select_related` and `prefetch_related`."
    if answer["loop"] == 13:
        return "Thirteen would be one for each composer; Django asks again for each song."
    if answer["loop"] == 20:
        return "Don't forget the query that brings the songs."
    for name, number in right.items():
        if type(answer[name]) is not int:
            return f"{name}: a whole number is expected, and this is {show(answer[name])}."
        if answer[name] != number:
            return f"`{name}` is not {show(answer[name])}."
    return None


@exercise(
    "9.6",
    hints=(
        "`Composer.objects.all()` is one query. What makes more of them is the loop inside.",
        "From a composer to the songs is one to many: `prefetch_related`, with the name under which "
        "a composer has its songs, `song_set`.",
    ),
    typical_mistake='check("9.6", lambda Composer: Composer.objects.all())',
    why="Two queries, however many composers there are.",
)
def composers(answer: Callable):
    try:
        from django.apps import apps
        from django.core.exceptions import SynchronousOnlyOperation
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        model = apps.get_model("music", "Composer")
        model.objects.count()
    except (ImportError, LookupError, SynchronousOnlyOperation):
        return "Django is not ready: run `models()`, which stands in this cell."
    except Exception as error:
        if type(error).__name__ not in ("ImproperlyConfigured", "AppRegistryNotReady"):
            raise
        return "Django is not ready: run `models()`, which stands in this cell."

    def listed(found: Any) -> list[tuple[str, list[str]]]:
        return sorted(
            (one.name, sorted(song.title for song in one.song_set.all())) for one in found
        )

    try:
        with CaptureQueriesContext(connection) as captured:
            found = answer(model)
            if found is None:
                return "Your function returned None; is there a `return`?"
            got = listed(found)
    except Exception as error:
        return f"What your function returned can't be listed: {_told(error)}."
    right = listed(model.objects.all())
    if got != right:
        return f"{len(got)} composers came back; there are {len(right)}, each with all their songs."
    if len(captured) > 2:
        return f"It took {len(captured)} queries; two are enough."
    return None


@exercise(
    "9.7",
    hints=(
        "How many requests can wait at the same time? Eight requests then take 8 divided by that, "
        "rounded up, times 0.2 seconds.",
        "`time.sleep` in an `async def` holds up the only thread that there is; `await "
        "asyncio.sleep` lets others go on.",
    ),
    typical_mistake='check("9.7", {"a": 1.6, "b": 0.8, "c": 0.4, "d": 0.2, "e": 0.2})',
    why="What counts is how many requests can wait at once, and who waits in the right way.",
)
def workers(answer: dict):
    right = {"a": 1.6, "b": 0.8, "c": 0.4, "d": 0.2, "e": 1.6}
    if set(answer) != set(right):
        return "Give five numbers of seconds, for a to e."
    if answer["e"] == 0.2:
        return "e is `async`, but it does not await: while it sleeps, nobody else gets a turn."
    if all(answer[name] == round(seconds / 0.2) for name, seconds in right.items()):
        return "These are the rounds; how many seconds are they?"
    for name, seconds in right.items():
        given = answer[name]
        if not isinstance(given, int | float):
            return f"{name}: a number is expected, and this is {show(given)}."
        if abs(given - seconds) > 0.01:
            return f"{name} is not {show(given)}."
    return None
