"""What the tests of the music service share: small songs, a client, and what a problem looks like.

The songs are made here, so that a test does not change with the catalogue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import httpx
from hypothesis import settings

from helpers.music import Note, Song, create_app

always_the_same = settings(derandomize=True)
"""For property tests: the same examples on every run, however slow the machine is."""

MELODY = (Note("C4", 1.0), Note(None, 0.5), Note("G4", 0.5))


def make_song(song_id: str = "a-song", title: str = "A Song", **fields: Any) -> Song:
    """A song in which only what the test cares about has to be said."""
    facts = {"composer": "Nobody", "year": 1800, "key": "C major", "tempo": 240, "genre": "study"}
    return Song(id=song_id, title=title, **{**facts, "melody": MELODY, **fields})


ELISE = make_song(
    "fur-elise", "Für Elise", composer="Ludwig van Beethoven", aliases=("Bagatelle No. 25",)
)
SMALL_CATALOGUE = (
    ELISE,
    make_song("greensleeves", "Greensleeves", composer="Traditional", genre="folk song"),
    make_song("kalinka", "Калинка", composer="Ivan Larionov", genre="folk song"),
    make_song("muss-i-denn", "Muss i denn", composer="Friedrich Silcher", genre="folk song"),
    make_song("silent-night", "Stille Nacht", composer="Franz Gruber", aliases=("Silent Night",)),
)

NEW_SONG = {
    "title": "My First Song",
    "composer": "A Reader",
    "year": 2026,
    "key": "C major",
    "tempo": 240,
    "genre": "study",
    "melody": [{"pitch": "C5", "beats": 1}, {"pitch": None, "beats": 0.5}],
}


def assert_problem(response: httpx.Response) -> dict[str, Any]:
    """The answer is problem details as RFC 9457 writes them; returns the JSON object."""
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert {"type", "title", "status", "detail"} <= problem.keys()
    assert problem["status"] == response.status_code  # section 3.1.2
    assert problem["type"] == "about:blank" or problem["type"].startswith("/problems/")
    assert all(isinstance(problem[name], str) and problem[name] for name in ("title", "detail"))
    for error in problem.get("errors", ()):
        assert set(error) - {"detail"} <= {"pointer", "query", "path", "header"}
        assert len(error) == 2 and error["detail"]
    return problem


def make_client(
    app: Callable[..., Any] | None = None, songs: Iterable[Song] = SMALL_CATALOGUE, **options: Any
) -> Callable[..., httpx.Response]:
    """A client that talks to an app in this process.

    It is called with a method, a URL and what ``httpx`` takes besides. Whatever the test is about,
    an error answer that is not a problem fails it.
    """
    app = app or create_app(songs, **options)

    async def send(method: str, url: str, **request: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://music.test") as http:
            return await http.request(method, url, **request)

    def ask(method: str, url: str, **request: Any) -> httpx.Response:
        response = asyncio.run(send(method, url, **request))
        if response.status_code >= 400 and method != "HEAD":
            assert_problem(response)
        return response

    return ask
