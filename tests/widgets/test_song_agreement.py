"""The song widget's JavaScript and the Python it was written after give the same answers."""

from __future__ import annotations

import base64
import json
import socket
import unicodedata
from array import array
from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.music import SONGS, Note, Song, SongNotFound, audio_etag, find_song, render_wav
from helpers.music._search import fold, slips
from helpers.widgets.song_request import _compact

KINDS = ("song", "head", "first", "after", "facts")
NAMES = [name for song in SONGS for name in (song.title, *song.aliases)]
ODD_NAMES = [
    "",
    " ",
    "   ",
    "zzzzzzzzzzzz",
    "a",
    "nothing by this name",
    "a" * 100,
    "a" * 101,
    "ⓐ" * 101,
    "😀",
    "😀" * 100,
    "😀" * 101,
    "שלום",
    "الموسيقى",
    "<b>bold</b>",
    "<img src=x onerror=alert(1)>",
    "a+b",
    "a&b=c",
    "song=x",
    "100%",
    "%41",
    "%",
    "a%2Fb",
    "a/b/c",
    "/",
    "//",
    ".",
    "..",
    "../..",
    "\\",
    "#",
    "?",
    "a?b#c",
    "'",
    '"',
    "!'()*",
    "~-_.",
    "\x00",
    "\x7f",
    "\ufeff",
    "\u2028",
    "ﷺ" * 99,
    "㏂" * 100,
    "x" * 900,
    "\ud83d",
    "ﬁ",
    "İstanbul",
    "ẞ",
    "K",
    "don’t",
    "a\u0301" * 60,
]


def is_old(character: str) -> bool:
    """In Unicode since 3.2: newer letters are not the same in every Python and Node."""
    return unicodedata.ucd_3_2_0.category(character) not in ("Cn", "Cs", "Co")


texts = st.one_of(
    st.text(st.characters(exclude_categories=("Cs", "Cn", "Co")).filter(is_old), max_size=120),
    st.text("abcdeiorstzßæø éüñ'’-.😀", max_size=30),
)


@st.composite
def mistyped(draw: st.DrawFn) -> str:
    """The name of a song with up to four slips of the fingers, or some of its words."""
    letters = list(draw(st.sampled_from(NAMES)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(letters)))
        slip = draw(st.sampled_from(("insert", "delete", "replace", "swap", "shout")))
        letter = draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz 'éü"))
        if slip == "insert":
            letters.insert(at, letter)
        elif slip == "delete":
            del letters[at : at + 1]
        elif slip == "replace":
            letters[at : at + 1] = letter
        elif slip == "swap":
            letters[at : at + 2] = letters[at : at + 2][::-1]
        else:
            letters = list("".join(letters).upper())
    words = "".join(letters).split()
    if words and draw(st.booleans()):
        words = draw(st.lists(st.sampled_from(words), max_size=4))
    if draw(st.integers(0, 4)) == 0:
        words += draw(st.sampled_from(SONGS)).composer.split()[-1:]
    return " ".join(words)


def python_finds(name: str, songs: Iterable[Song] = SONGS) -> str | list[str]:
    """The id of the song that Python finds, or the titles it suggests."""
    try:
        return find_song(name, songs).id
    except SongNotFound as error:
        return list(error.suggestions)


many = settings(
    max_examples=300,
    suppress_health_check=(HealthCheck.function_scoped_fixture, HealthCheck.too_slow),
)


def test_the_module_has_the_names_that_others_import(node: Any) -> None:
    names, kind_of_render = node("exports")
    assert {"default", "exchange", "findSong", "fold", "renderWav", "slips"} <= set(names)
    assert kind_of_render == "function"


@many
@given(texts)
def test_fold_agrees(node: Any, text: str) -> None:
    assert node("fold", text) == fold(text)


def test_every_character_folds_alike(node: Any) -> None:
    names = [f"a{chr(number)}B" for number in range(0x20000) if is_old(chr(number))]
    assert node("foldAll", names) == [fold(name) for name in names]


@many
@given(st.text("abc é😀", max_size=12), st.text("abc é😀", max_size=12))
def test_slips_agree(node: Any, a: str, b: str) -> None:
    assert node("slips", a, b) == slips(a, b)


def test_every_name_finds_the_same_song(node: Any) -> None:
    names = [*NAMES, *(song.composer for song in SONGS), *ODD_NAMES]
    assert [node("find", name) for name in names] == [python_finds(name) for name in names]


@many
@given(st.one_of(mistyped(), texts))
def test_the_search_agrees(node: Any, name: str) -> None:
    assert node("find", name) == python_finds(name)


def test_slips_up_to_the_limit_agree(node: Any) -> None:
    random = Random(3)
    for name in NAMES:
        letters = list(fold(name))
        for _ in range(7):
            assert node("find", "".join(letters)) == python_finds("".join(letters))
            letters[random.randrange(len(letters))] = random.choice("qxzw")


# Titles that lie close together, so that the order of the ranks decides.
words = st.text("abcd", min_size=1, max_size=6) | st.sampled_from(["abcdabcd", "bacdabcd", "the"])
titles = st.lists(words, min_size=1, max_size=3).map(" ".join)


@pytest.mark.parametrize(
    ("query", "right", "wrong"),
    [
        ("river silenx", "rivyr silenxx", "silent river"),  # slips in the whole before its words
        ("of", "of aa bb ccc", "of abcdefghijklm"),  # two letters are too few to be some words
    ],
)
def test_the_kinds_of_fit_are_ranked_alike(node: Any, query: str, right: str, wrong: str) -> None:
    songs = [replace(SONGS[0], id=title, title=title, aliases=()) for title in (wrong, right)]
    assert find_song(query, songs).title == right
    assert node("find", query, [_compact(song) for song in songs]) == right


@many
@given(st.lists(st.tuples(titles, titles, titles), min_size=1, max_size=6), titles)
def test_the_choice_among_like_titles_agrees(node: Any, names: list[Any], query: str) -> None:
    songs = [
        replace(SONGS[0], id=f"song-{i}", title=title, aliases=(alias,), composer=composer)
        for i, (title, alias, composer) in enumerate(names)
    ]
    found = node("find", query, [_compact(song) for song in songs])
    assert found == python_finds(query, songs)


def samples(wav: bytes) -> array[int]:
    values = array("h", wav[44 : len(wav) - len(wav) % 2])
    if array("h", b"\x01\x00")[0] != 1:
        values.byteswap()
    return values


def assert_same_sound(ours: bytes, theirs: bytes) -> None:
    assert len(ours) == len(theirs)
    assert ours[:44] == theirs[:44]
    pairs = zip(samples(ours), samples(theirs), strict=True)
    assert max((abs(a - b) for a, b in pairs), default=0) <= 2


@pytest.mark.parametrize("song", Random(1).sample(SONGS, 8), ids=lambda song: song.id)
def test_the_sound_agrees(node: Any, song: Song) -> None:
    wav = base64.b64decode(node("wav", _compact(song)))
    assert_same_sound(wav, render_wav(song))
    assert max(samples(wav)) > 20_000 or min(samples(wav)) < -20_000


def test_the_sound_of_any_notes_agrees(node: Any) -> None:
    pitches = ["C0", "A4", None, "F##5", "Bbb2", "E7", "G#8", "B8", None]
    melody = tuple(Note(pitch, beats) for pitch in pitches for beats in (0.333333, 0.0625, 1.75))
    song = replace(SONGS[0], melody=melody, tempo=173)
    assert_same_sound(base64.b64decode(node("wav", _compact(song))), render_wav(song))


def test_titles_without_a_latin_letter_do_no_harm(node: Any) -> None:
    songs = [replace(SONGS[0], id="song-1", title="שלום", aliases=()), *SONGS[1:4]]
    for name in ("shalom", "שלום", SONGS[2].title, ""):
        assert node("find", name, [_compact(song) for song in songs]) == python_finds(name, songs)


def raw_exchange(port: int, request: dict[str, Any]) -> tuple[str, list[list[str]], bytes]:
    """Send a request over a socket; the status line, the headers and the body as they came."""
    head = [f"{request['method']} {request['target']} HTTP/1.1"]
    head += [f"{name}: {value}" for name, value in request["headers"]]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(("\r\n".join(head) + "\r\n\r\n").encode("ascii"))
        with connection.makefile("rb") as stream:
            start = stream.readline().decode("ascii").removesuffix("\r\n")
            headers = []
            while line := stream.readline().decode("ascii").removesuffix("\r\n"):
                headers.append(line.split(": ", 1))
            length = 0 if request["method"] == "HEAD" else int(dict(headers)["content-length"])
            body = stream.read(length)
            assert len(body) == length
            connection.shutdown(socket.SHUT_WR)
            assert stream.read() == b"", "the service sent more than Content-Length says"
    return start, headers, body


def undated(headers: list[list[str]]) -> list[list[str]]:
    return [[name, "" if name == "date" else value] for name, value in headers]


def assert_same_exchange(node: Any, api: Any, request: dict[str, Any]) -> str:
    """The page's response is the service's; gives the status line."""
    start, headers, body = raw_exchange(api.port, request)
    ours = node("exchange", request)
    assert ours["start"] == start
    assert ours["status"] == int(start.split()[1])
    assert undated(ours["headers"]) == undated(headers)
    our_body = base64.b64decode(ours["body"])
    if dict(headers).get("content-type") == "audio/wav":
        assert_same_sound(our_body, body)
    else:
        assert our_body == body
    return start


@pytest.mark.parametrize("kind", KINDS)
def test_songs_are_answered_as_the_service_answers(node: Any, api: Any, kind: str) -> None:
    expected = {"first": 206, "after": 416}.get(kind, 200)
    for song in Random(2).sample(SONGS, 6):
        for name in (song.title, song.title.upper()[:-1]):
            request = node("request", kind, name, f"127.0.0.1:{api.port}")
            start = assert_same_exchange(node, api, request)
            if name == song.title:
                assert start.startswith(f"HTTP/1.1 {expected} ")


@pytest.mark.parametrize("kind", KINDS)
def test_odd_names_are_answered_as_the_service_answers(node: Any, api: Any, kind: str) -> None:
    starts = set()
    for name in ODD_NAMES:
        request = node("request", kind, name, f"127.0.0.1:{api.port}")
        starts.add(int(assert_same_exchange(node, api, request).split()[1]))
    assert {404, 422} <= starts <= {200, 206, 307, 404, 416, 422}


def test_the_facts_of_every_song_agree(node: Any, api: Any) -> None:
    for song in SONGS:
        request = node("request", "facts", song.title, f"127.0.0.1:{api.port}")
        assert_same_exchange(node, api, request)


@pytest.mark.parametrize(
    "field",
    [
        "bytes=0-0",
        "bytes=44-",
        "bytes=-10",
        "bytes=-0",
        "bytes=-99999999",
        "bytes=5-2",
        "bytes=-",
        "bytes=0-1,4-5",
        "bytes= 0-9 ",
        "BYTES=0-9",
        "lines=0-9",
        "bytes=0-99999999",
        "bytes=x-2",
        "",
        "bytes=9999999999999999999999-",
        "bytes=0-99999999999999999999999",
    ],
)
def test_ranges_are_read_as_the_service_reads_them(node: Any, api: Any, field: str) -> None:
    request = node("request", "song", SONGS[0].title, f"127.0.0.1:{api.port}")
    request["headers"].append(["Range", field])
    assert_same_exchange(node, api, request)
    request["method"] = "HEAD"
    assert_same_exchange(node, api, request)


def assert_encoded_as_httpx_does(node: Any, name: str) -> None:
    target = node("request", "song", name, "127.0.0.1:8000")["target"]
    whole = name.replace("\ud83d", "\ufffd")  # httpx refuses half an emoji; the page replaces it
    expected = httpx.Request("GET", "http://127.0.0.1:8000/play", params={"song": whole})
    assert target == expected.url.raw_path.decode("ascii")


def test_every_ascii_character_is_percent_encoded_as_httpx_does(node: Any) -> None:
    for name in [*map(chr, range(128)), *ODD_NAMES]:
        assert_encoded_as_httpx_does(node, name)


@many
@given(texts)
def test_any_name_is_percent_encoded_as_httpx_does(node: Any, name: str) -> None:
    assert_encoded_as_httpx_does(node, name)


@many
@given(st.one_of(texts, st.sampled_from(ODD_NAMES)))
def test_a_request_line_stays_one_line(node: Any, name: str) -> None:
    for kind in ("song", "facts"):
        target = node("request", kind, name, "127.0.0.1:8000")["target"]
        assert target.isascii()
        assert target.isprintable()
        assert not set(target) & set(' <>"#')
        assert "/" not in target.removeprefix("/songs/")[1:]


def test_a_request_says_what_it_is_for(node: Any) -> None:
    title = SONGS[0].title
    requests = {kind: node("request", kind, title, "127.0.0.1:8000") for kind in KINDS}
    assert [requests[kind]["method"] for kind in KINDS] == ["GET", "HEAD", "GET", "GET", "GET"]
    assert dict(requests["first"]["headers"])["Range"] == "bytes=0-99"
    assert requests["facts"]["target"] == f"/songs/{SONGS[0].id}"
    assert unquote(requests["song"]["target"].replace("+", " ")) == f"/play?song={title}"
    assert all(request["headers"][0] == ["Host", "127.0.0.1:8000"] for request in requests.values())


def test_the_page_gives_the_services_entity_tags(node: Any) -> None:
    for song in SONGS[:5]:
        request = node("request", "head", song.title, "127.0.0.1:8000")
        assert dict(node("exchange", request)["headers"])["etag"] == audio_etag(song)


def test_problems_suggest_titles(node: Any) -> None:
    request = node("request", "song", "zzzzzzzzzzzz", "127.0.0.1:8000")
    problem = json.loads(base64.b64decode(node("exchange", request)["body"]))
    assert problem["suggestions"] == python_finds("zzzzzzzzzzzz")
