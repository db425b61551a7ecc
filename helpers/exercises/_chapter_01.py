"""The exercises of chapter 1, What is an API?"""

import httpx

from helpers.music import SAMPLE_RATE, SONGS

from . import exercise, items, response, same_json


@exercise(
    "1.1",
    hints=(
        'A request for audio by name goes to "/play", with params={"song": ...}.',
        'Pattern: await client.get("/play", params={"song": "the name"}).',
    ),
    typical_mistake=(
        'answer = await client.get("/songs", params={"q": "yankee doodle"})\ncheck("1.1", answer)'
    ),
    why="Content-Location names the song that the service took it for: /songs/yankee-doodle/audio.",
)
def a_song_by_its_name(answer: httpx.Response):
    if answer.request.method != "GET":
        return f"The request was a {answer.request.method}; only a GET brings the sound."
    if answer.headers.get("content-type") != "audio/wav":
        return response(answer, status=200, headers={"content-type": "audio/wav"})
    if "doodel" not in str(answer.request.url).lower():
        return "The name was to have the slip in it: doodel."
    return response(answer, status=200, headers={"content-location": "/songs/yankee-doodle/audio"})


@exercise(
    "1.2",
    hints=(
        "First digit first: who made the mistake, if anybody did?",
        "c is about an address that exists and a method that it does not take. e asks for bytes "
        "after the end, as in the widget.",
    ),
    typical_mistake='check("1.2", {"a": 200, "b": 404, "c": 404, "d": 400, "e": 404})',
    why="405 is about the method, 422 about a value, 416 about a range: three ways to be wrong.",
)
def predicted_status_codes(answer: dict):
    return same_json(answer, {"a": 200, "b": 404, "c": 405, "d": 422, "e": 416})


@exercise(
    "1.3",
    hints=(
        "A second is 22,050 samples of two bytes each. Which range means 'the last so many'?",
        'Pattern: headers={"Range": "bytes=-500"} asks for the last 500 bytes.',
    ),
    typical_mistake=(
        'answer = await client.get("/songs/fur-elise/audio", headers={"Range": "bytes=0-44099"})\n'
        'check("1.3", answer)'
    ),
    why="A negative number counts from the end, so no request for the length was needed.",
)
def the_last_second(answer: httpx.Response):
    second = 2 * SAMPLE_RATE
    song = answer.headers.get("content-location", answer.request.url.path)
    if song != "/songs/fur-elise/audio":
        return "That is not the audio of Für Elise: it is at /songs/fur-elise/audio."
    if answer.status_code == 200:
        return "200: the whole song came, so the Range was not understood, or not sent."
    if wrong := response(answer, status=206):
        return wrong
    sent, total = answer.headers["content-range"].removeprefix("bytes ").split("/")
    if len(answer.content) != second:
        return f"{len(answer.content):,} bytes came, and one second has {second:,}."
    if not sent.endswith(f"-{int(total) - 1}"):
        return f"That is one second of sound, but not the last: it is bytes {sent} of {total}."
    if not answer.request.headers["range"].replace(" ", "").startswith("bytes=-"):
        return "That is the last second. Now get it without knowing the length."
    return None


@exercise(
    "1.4",
    hints=(
        "POST takes the song with json=. If the song is there already, choose another title.",
        'Pattern: await client.post("/songs", json=my_song).',
    ),
    typical_mistake='answer = await client.post("/songs", json=tune | {"title": ""})\ncheck("1.4", answer)',
    why="201 Created, and Location says where the new song is.",
)
def a_new_song(answer: httpx.Response):
    if answer.request.method != "POST" or answer.request.url.path != "/songs":
        asked = f"{answer.request.method} {answer.request.url.path}"
        return f"The request was {asked}, and POST /songs is wanted."
    if answer.status_code == 409:
        return (
            "409 Conflict: a song with this title is in the catalogue already. Did this cell add "
            "it before? Then it worked; with another title it works again."
        )
    if answer.status_code == 422:
        wrong = answer.json().get("errors", [{}])[0]
        where, what = wrong.get("pointer", "#"), wrong.get("detail", "")
        return f"422: the service did not take the song. {where}: {what}"
    if answer.headers.get("location") == "/songs/aardvark-blues":
        return "The song was taken, but it still has the title of the pattern."
    return response(answer, status=201, headers={"location": None})


@exercise(
    "1.5",
    hints=(
        "After a page, put its `next` into address. When it is None, you are done.",
        "Pattern: while address is not None: ask for the page, add its titles, take its next. "
        "`next` is complete: with params= you would overwrite its cursor.",
    ),
    typical_mistake=(
        'titles = (await client.get("/songs?limit=10")).json()["items"]\n'
        'check("1.5", [song["title"] for song in titles])'
    ),
    why="`next` carries the limit and the cursor, so the client needs to know neither.",
)
def every_title(answer: list):
    if any(not isinstance(title, str) for title in answer):
        return "The list was to hold titles, and at least one item is not text."
    missing = [song.title for song in SONGS if song.title not in answer]
    if missing:
        how_many = "1 title is" if len(missing) == 1 else f"{len(missing)} titles are"
        return f"{how_many} missing, the first is {missing[0]!r}."
    twice = [song.title for song in SONGS if answer.count(song.title) > 1]
    if twice:
        return f"{twice[0]!r} is there twice. Does every request use the newest `next`?"
    if answer != sorted(answer, key=str.casefold):
        return "All titles are there, but not in the order in which the service gives them."
    return None


@exercise(
    "1.6",
    hints=(
        "Which of these methods promise that doing it twice has the effect of doing it once?",
        "Look at the table of methods: the last column is the one that counts here.",
    ),
    typical_mistake='check("1.6", {"a", "e"})',
    why="GET, HEAD, PUT and DELETE are idempotent; POST is not (RFC 9110, section 9.2.2).",
)
def safe_to_repeat(answer: set | frozenset | list | tuple):
    if set(answer) == {"a", "e"}:
        return "Those are the safe methods. To be repeated, a method need only be idempotent."
    return items(answer, {"a", "c", "d", "e"})


@exercise(
    "1.7",
    hints=(
        "`sorted` and a set give each genre once, in order. Then serve the app, and ask it.",
        'Pattern: sorted({song.genre for song in SONGS}), in a function below @app.get("/genres").',
    ),
    typical_mistake=(
        "careless = FastAPI()\n"
        '@careless.get("/genres")\n'
        "async def genres():\n"
        "    return [song.genre for song in SONGS]\n"
        "with serve(careless) as running:\n"
        "    async with httpx.AsyncClient() as visitor:\n"
        '        answer = await visitor.get(f"{running.url}/genres")\n'
        'check("1.7", answer)'
    ),
    why="An API of yours, a client of yours, and JSON between them.",
)
def an_endpoint_of_your_own(answer: httpx.Response):
    if answer.request.url.path != "/genres":
        return "The request did not go to /genres."
    if wrong := response(answer, status=200):
        return wrong
    body, genres = answer.json(), sorted({song.genre for song in SONGS})
    if body is None:
        return "The answer is null, which is JSON for None. Does your function `return` the list?"
    if isinstance(body, list) and len(body) > len(genres):
        return "A genre is in the list more than once."
    return response(answer, json=genres)
