"""The exercises of the template, chapters/00_template.ipynb: one of each common kind."""

import httpx

from helpers.music import SONGS, find_song

from . import equals, exercise, response, works_like


@exercise(
    "0.1",
    hints=("`len` counts what is in a list or a tuple.", "Pattern: len(SONGS)."),
    typical_mistake='check("0.1", len(SONGS) - 1)',
)
def how_many_songs(answer: int):
    return equals(answer, len(SONGS))


@exercise(
    "0.2",
    hints=(
        "`find_song` gives a song, and a song has a title.",
        "Pattern: find_song(the name).title.",
    ),
    typical_mistake='check("0.2", "fur elise")',
    why="The search forgives the missing dots; the title has them.",
)
def title_of_a_song(answer: str):
    return equals(answer, find_song("fur elise").title)


@exercise(
    "0.3",
    hints=(
        "Requests begin with `await client.get`, and the whole response is wanted.",
        'Pattern: await client.get("/health").',
    ),
    typical_mistake='check("0.3", (await client.get("/health")).json())',
)
def health_of_the_service(answer: httpx.Response):
    return response(answer, status=200, json={"status": "ok"})


@exercise(
    "0.4",
    hints=("It is the best known of all status codes.", "It begins with a 4."),
    typical_mistake='check("0.4", 500)',
    why="404 Not Found (RFC 9110, section 15.5.5).",
)
def status_of_a_missing_song(answer: int):
    return equals(answer, 404, instead={500: "500 would mean that the server made a mistake."})


@exercise(
    "0.5",
    hints=(
        "A list comprehension does it in one line.",
        "Pattern: [song.title for song in songs], in a function that returns it.",
    ),
    typical_mistake='check("0.5", lambda songs: [song.id for song in songs])',
)
def titles_of_songs(answer):
    songs = list(SONGS[:3])
    cases = (([],), []), ((songs,), [song.title for song in songs])
    return works_like(answer, cases)
