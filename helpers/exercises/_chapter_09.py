"""The exercises of chapter 9, Backend frameworks."""

from __future__ import annotations

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
        "may stand for `True`. The pattern belongs to the texts *in* the list: "
        "`list[Annotated[str, Field(pattern=...)]]`.",
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
        return f"`{_GOOD}` fits, and was refused: {show(str(error).splitlines()[0])}."
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
        "def with_powered_by(app):\n"
        "    def wrapped(environ, start_response):\n"
        "        start_response('200 OK', [('X-Service', 'music')])\n"
        "        return app(environ, lambda *args: None)\n"
        "    return wrapped\n"
        'check("9.3", with_powered_by)'
    ),
    why="It knows nothing of Flask or Django, and works for both: the interface is what they share.",
)
def middleware(answer: Callable):
    def plain(environ, start_response):
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"no ", b"song"]

    def other(environ, start_response):
        start_response("200 OK", [("Content-Length", "5"), ("X-Song", environ["PATH_INFO"])])
        return iter([b"la la"])

    for app, path, status, headers, body in (
        (plain, "/x", "404 Not Found", [("Content-Type", "text/plain")], b"no song"),
        (other, "/y", "200 OK", [("Content-Length", "5"), ("X-Song", "/y")], b"la la"),
    ):
        told: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: Any, exc_info: Any = None, told=told) -> Any:
            told.append((status, list(headers)))
            return lambda data: None

        wrapped = answer(app)
        if not callable(wrapped):
            return f"It returned {show(wrapped)}; an application is a function of two arguments."
        got = b"".join(wrapped({"PATH_INFO": path, "REQUEST_METHOD": "GET"}, start_response))
        if len(told) != 1:
            return f"`start_response` was called {len(told)} times; once is right."
        if told[0][0] != status:
            return f"The status became {show(told[0][0])}; the application had said {show(status)}."
        if ("X-Service", "music") not in told[0][1]:
            return f"The header fields are {show(told[0][1])}, without X-Service."
        if missing := [field for field in headers if field not in told[0][1]]:
            return f"The application's own field {show(missing[0])} got lost."
        if got != body:
            return f"The body became {show(got)}; the application had sent {show(body)}."
    return None


@exercise(
    "9.4",
    hints=(
        "`add_middleware` puts the new one around all that are there already.",
        "The request goes through the layers from outside to inside, the answer the other way.",
    ),
    typical_mistake='check("9.4", ["log in", "login in", "endpoint", "login out", "log out"])',
    why="What was added last is the outermost layer: it sees the request first and the answer last.",
)
def order(answer: list | tuple):
    right = ["login in", "log in", "endpoint", "log out", "login out"]
    if list(answer) == ["log in", "login in", "endpoint", "login out", "log out"]:
        return "That would be the order in which they were written. FastAPI turns it round."
    if sorted(map(str, answer)) != sorted(right):
        return (
            "Each of the five lines is printed once: `log in`, `login in`, `endpoint`, and so on."
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
        return "Thirteen would be one for each composer; Django asks again for each *song*."
    if answer["loop"] == 20:
        return "Don't forget the query that brings the songs."
    for name, number in right.items():
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
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        model = apps.get_model("music", "Composer")
    except Exception:
        return "First run the cell with `models()`, above: it makes Django ready."
    with CaptureQueriesContext(
        connection,
    ) as captured:
        got = {one.name: sorted(song.title for song in one.song_set.all()) for one in answer(model)}
    with_loop = {
        one.name: sorted(song.title for song in one.song_set.all()) for one in model.objects.all()
    }
    if got != with_loop:
        return f"{len(got)} of {len(with_loop)} composers came back with all their songs."
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
        return "e is `async`, but it does not *await*: while it sleeps, nobody else gets a turn."
    for name, seconds in right.items():
        given = answer[name]
        if not isinstance(given, int | float) or abs(given - seconds) > 0.01:
            return f"{name} is not {show(given)}."
    return None
