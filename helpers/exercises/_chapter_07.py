"""The exercises of chapter 7, Reverse proxies and caching."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

import httpx

from . import _cache_control_text as cache_control
from . import exercise, items, show, works_like
from ._nginx_text import directives


@exercise(
    "7.1",
    hints=(
        "ttl = lifetime - age. Of the age, one part is in `Age`, the other one is `here`.",
        "A shared cache takes `s-maxage` if it is there, even if it says 0.",
    ),
    typical_mistake=(
        "def ttl(headers, here):\n"
        '    return int(headers["Cache-Control"].partition("max-age=")[2]) - here\n'
        'check("7.1", ttl)'
    ),
    why="An age counts from the origin, whichever caches the answer has come through.",
)
def how_long_still(answer: Callable):
    return works_like(
        answer,
        [
            (({"Cache-Control": "max-age=60"}, 15), 45),
            (({"Cache-Control": "max-age=60"}, 0), 60),
            (({"Cache-Control": "max-age=60", "Age": "20"}, 15), 25),
            (({"Cache-Control": "max-age=60", "Age": "20"}, 50), -10),
            (({"Cache-Control": "max-age=10, s-maxage=60"}, 15), 45),
            (({"Cache-Control": "s-maxage=60, max-age=10", "Age": "1"}, 15), 44),
            (({"Cache-Control": "public, max-age=60, must-revalidate"}, 60), 0),
            (({"Cache-Control": "s-maxage=30"}, 10), 20),
            (({"Cache-Control": "max-age=60, s-maxage=0"}, 5), -5),
            (({"Cache-Control": "max-age=0", "Age": "3"}, 4), -7),
        ],
    )


@exercise(
    "7.2",
    hints=(
        "Two of them need only a lifetime. The other three need a word that says who may keep it, or whether at all, or that it has to be asked for.",
        "`private` is about who, `no-cache` about asking, `no-store` about keeping.",
    ),
    typical_mistake=(
        'check("7.2", {"a": "max-age=600", "b": "max-age=300", "c": "max-age=31536000", '
        '"d": "no-store", "e": "no-cache"})'
    ),
    why="Who may keep it, for how long, and whether to ask first: these are three questions.",
)
def what_the_origin_says(answer: dict):
    cases = {
        "a": cache_control.avatar,
        "b": cache_control.playlists,
        "c": cache_control.versioned,
        "d": cache_control.price,
        "e": cache_control.card,
    }
    for name, judge in cases.items():
        text = answer.get(name)
        if not isinstance(text, str):
            return f"{name} is not a text yet."
        said = cache_control.words(text)
        if problem := said if isinstance(said, str) else judge(said):
            return f"{name}: {problem}"
    if extra := sorted(map(str, answer.keys() - cases.keys())):
        return f"{show(extra[0])} is none of the five."
    return None


@exercise(
    "7.3",
    hints=(
        "Ask of each: is it for nobody else? Is it fresh for a *shared* cache? Must it ask first?",
        "Three of the seven. One has a password in its request, and one is an error.",
    ),
    typical_mistake='check("7.3", {"a", "c", "f"})',
    why="`private`, `no-cache` and a password each forbid it, unless the answer is meant for all.",
)
def may_it_be_kept(answer: set):
    reasons = {
        "b": "`private` is for the listener's own browser only.",
        "c": "The request had a password, and the answer does not say that it is for everybody.",
        "e": "`no-cache` may be kept, but not used without a question.",
        "g": "For a shared cache `s-maxage` counts, and it says 0.",
    }
    if "a" in answer and "d" not in answer and reasons.keys().isdisjoint(answer):
        return "One is missing: which word says that an answer is meant for shared caches?"
    return items(answer, {"a", "d", "f"}, ignore_case=True, instead=reasons)


_URL = "/welcome"
_DE, _EN = {"Accept-Language": "de"}, {"Accept-Language": "en"}
_SAME = [  # two calls that have to give the same key, and why
    ((_URL, _DE, "Accept-Language"), (_URL, dict(_DE), "Accept-Language"), "the same request"),
    ((_URL, _DE, ""), (_URL, _EN, ""), "an empty Vary, so the language does not matter"),
    (
        (_URL, {**_DE, "User-Agent": "x"}, "Accept-Language"),
        (_URL, {**_DE, "User-Agent": "y"}, "Accept-Language"),
        "a header that Vary does not name",
    ),
    (
        (_URL, {"accept-language": "de"}, "Accept-Language"),
        (_URL, _DE, "Accept-Language"),
        "a header's name in other letters",
    ),
    (
        (_URL, _DE, "ACCEPT-LANGUAGE"),
        (_URL, _DE, "Accept-Language"),
        "a name in Vary in other letters",
    ),
    (
        (_URL, {**_DE, "Accept-Encoding": "gzip"}, "Accept-Language, Accept-Encoding"),
        (_URL, {"Accept-Encoding": "gzip", **_DE}, "Accept-Encoding, Accept-Language"),
        "another order",
    ),
    ((_URL, {}, "Accept-Language"), (_URL, {"Accept": "*/*"}, "Accept-Language"), "no language"),
    (
        (_URL, _DE, "Accept-Language,Accept-Encoding"),
        (_URL, _DE, "Accept-Language, Accept-Encoding"),
        "no blank after the comma",
    ),
]
_DIFFERENT = [
    ((_URL, _DE, "Accept-Language"), (_URL, _EN, "Accept-Language"), "German and English"),
    ((_URL, _DE, ""), ("/welcome?page=2", _DE, ""), "two URLs"),
    (
        (_URL, {"accept-language": "de"}, "Accept-Language"),
        (_URL, {"accept-language": "en"}, "Accept-Language"),
        "German and English, in a header whose name is written small",
    ),
    ((_URL, {}, "Accept-Language"), (_URL, _DE, "Accept-Language"), "no language and German"),
    (
        (_URL, {"X-One": "a", "X-Two": "bc"}, "X-One, X-Two"),
        (_URL, {"X-One": "ab", "X-Two": "c"}, "X-One, X-Two"),
        "the values a, bc and ab, c",
    ),
    (
        (_URL, {"X-One": "de"}, "X-One, X-Two"),
        (_URL, {"X-Two": "de"}, "X-One, X-Two"),
        "the same value in two headers",
    ),
]


@exercise(
    "7.4",
    hints=(
        "Put into the key: the URL, and for each name in Vary what the request says under it.",
        "Lower-case the names on both sides, sort them, and make tuples: a list is no key.",
    ),
    typical_mistake=(
        "def cache_key(url, headers, vary):\n"
        '    return url, headers.get("Accept-Language")\n'
        'check("7.4", cache_key)'
    ),
    why="What changes the answer is in the key, and nothing else is.",
)
def a_key(answer: Callable):
    def key(arguments: tuple) -> object:
        url, headers, vary = arguments
        made = answer(url, dict(headers), vary)
        hash(made)
        return made

    for pairs, same in ((_DIFFERENT, False), (_SAME, True)):
        for one, other, what in pairs:
            call = f"`cache_key{one}`"
            try:
                keys = key(one), key(other)
            except TypeError as error:
                if "unhashable" in str(error):
                    return f"{call} gave something that can't be the key of a dictionary: {error}."
                return f"{call} raised TypeError: {error}."
            except Exception as error:
                return f"{call} raised {type(error).__name__}: {error}."
            if keys[0] is None:
                return f"{call} gave None; is there a `return`?"
            if (keys[0] == keys[1]) != same:
                wanted = "the same key" if same else "two different keys"
                return f"There should be {wanted} for: {what}. See `{one}` and `{other}`."
    return None


@exercise(
    "7.5",
    hints=(
        "Three things: `proxy_cache_path FOLDER keys_zone=NAME:1m;` outside of the server, "
        "`proxy_cache NAME;` in it, and what to do with stale answers.",
        "`proxy_cache_use_stale error;` and `add_header X-Cache $upstream_cache_status;`",
    ),
    typical_mistake=(
        'check("7.5", "proxy_cache_path cache keys_zone=mine:1m; '
        "server { listen 127.0.0.1:PORT; add_header X-Cache $upstream_cache_status; "
        'location / { proxy_pass http://127.0.0.1:ORIGIN; } }")'
    ),
    why="With that, nobody notices when the origin is gone, as long as something is kept.",
)
def a_cache_in_nginx(answer: str):
    from helpers.programs import ConfigError, Nginx, ProgramFailed, ProgramMissing

    for word in ("PORT", "ORIGIN"):
        if f"127.0.0.1:{word}" not in answer:
            return f"127.0.0.1:{word} is missing; the word {word} is filled in."
    text = (
        "server { listen 127.0.0.1:PORT; location / { "
        'add_header Cache-Control max-age=1; return 200 "$request_id"; } }'
    )
    with ExitStack() as stack:
        try:
            origin = stack.enter_context(Nginx(text, workers=1))
            door = stack.enter_context(Nginx(answer, workers=1, origin=origin.port))
            client = stack.enter_context(httpx.Client(base_url=door.url))
            return _ask_the_cache(client, origin)
        except ProgramMissing:
            return _read_the_cache(answer)
        except (ConfigError, ProgramFailed) as error:
            return " ".join(f"{error}".splitlines()[:2])
        except httpx.HTTPError as error:
            return f"A request to your nginx failed: {type(error).__name__}: {error}."


def _ask_the_cache(client: httpx.Client, origin) -> str | None:
    """What is wrong with what the reader's nginx says, before and after the origin is gone."""
    answers = [client.get("/one"), client.get("/one"), client.get("/two")]
    if bad := [answer.status_code for answer in answers if answer.status_code != 200]:
        return f"GET was answered with {bad[0]}, although the origin is well."
    first, again, other = answers
    if first.text != again.text:
        return "The second request for the same URL reached the origin: nothing was kept."
    if first.text == other.text:
        return "Two URLs got the same answer."
    words = [answer.headers.get("X-Cache") for answer in answers]
    if None in words:
        return "The answers have no header X-Cache."
    if words != ["MISS", "HIT", "MISS"]:
        return f"X-Cache said {', '.join(words)}; MISS, HIT, MISS are nginx's words for that."
    time.sleep(2.1)  # nginx counts in whole seconds, and takes the last one for fresh
    deadline = time.monotonic() + 1  # a renewal in the background takes a moment
    while (renewed := client.get("/one")).text == first.text:
        if time.monotonic() > deadline:
            return "After three seconds the old answer was used still; it is good for one only."
        time.sleep(0.05)
    origin.stop()
    time.sleep(2.1)
    late = client.get("/one")
    if late.status_code != 200:
        return f"When the origin was gone, GET was answered with {late.status_code}."
    return None if late.text == renewed.text else "When the origin was gone, another answer came."


def _read_the_cache(config: str) -> str | None:
    """The same without nginx, as in a page: what the text says."""
    try:
        lines = directives(config)
    except ValueError as error:
        return f"{error}"
    found: dict[str, list[list[str]]] = {}
    for _, words, _ in lines:
        found.setdefault(words[0], []).append(words[1:])
    groups = [
        around[0].removeprefix("upstream")
        for around, words, _ in lines
        if words[:2] == ["server", "127.0.0.1:ORIGIN"] and around
    ]
    origins = {f"http://{place}" for place in ["127.0.0.1:ORIGIN", *groups]}
    if not any(words[0].rstrip("/") in origins for words in found.get("proxy_pass", []) if words):
        return "`proxy_pass http://127.0.0.1:ORIGIN;` has to lead to the origin."
    zones = [
        word.removeprefix("keys_zone=").partition(":")[0]
        for words in found.get("proxy_cache_path", [])
        for word in words
        if word.startswith("keys_zone=")
    ]
    if not zones:
        return "There is no place to keep answers: `proxy_cache_path FOLDER keys_zone=NAME:1m;`"
    if not any(words[:1] == [zone] for words in found.get("proxy_cache", []) for zone in zones):
        return "`proxy_cache NAME;` has to name your zone, or nothing is kept."
    headers = [words[:2] for words in found.get("add_header", [])]
    if not any(
        len(words) == 2
        and words[0].lower() == "x-cache"
        and words[1].strip("{}").replace("{", "") == "$upstream_cache_status"
        for words in headers
    ):
        return "The answers need a header X-Cache with `$upstream_cache_status`."
    stale = [word for words in found.get("proxy_cache_use_stale", []) for word in words]
    if "error" not in stale:
        return "When the origin can't be reached, nothing stale would be given out."
    return None


@exercise(
    "7.6",
    hints=(
        "How much of one token is missing, and how long does that much take to drip in?",
        "`math.ceil` rounds up, and `max(0, ...)` catches a bucket that is not empty.",
    ),
    typical_mistake=(
        "def retry_after(tokens, rate):\n"
        "    return round((1 - tokens) / rate)\n"
        'check("7.6", retry_after)'
    ),
    why="Retry-After counts whole seconds (RFC 9110, section 10.2.3).",
)
def come_back_later(answer: Callable):
    return works_like(
        answer,
        [
            ((0, 2), 1),
            ((0, 1), 1),
            ((0, 0.25), 4),
            ((0.5, 0.25), 2),
            ((0.75, 0.5), 1),
            ((0.25, 0.5), 2),
            ((1, 2), 0),
            ((5, 2), 0),
            ((0.5, 0.125), 4),
            ((0, 0.375), 3),
        ],
    )


@exercise(
    "7.7",
    hints=(
        "Each of your proxies has written one entry, on the right. Which of them wrote the client's?",
        "Split at the commas, strip the blanks, and take the entry at `-proxies`.",
    ),
    typical_mistake=(
        "def client_address(header, proxies):\n"
        '    return header.split(",")[0].strip()\n'
        'check("7.7", client_address)'
    ),
    why="Counted from the right, there is nothing a client could have written.",
)
def who_is_it(answer: Callable):
    return works_like(
        answer,
        [
            (("198.51.100.7", 1), "198.51.100.7"),
            (("203.0.113.9, 198.51.100.7", 1), "198.51.100.7"),
            (("198.51.100.7, 10.0.0.2", 2), "198.51.100.7"),
            (("203.0.113.9,198.51.100.7,  10.0.0.2", 2), "198.51.100.7"),
            (("a, b, 198.51.100.7, 10.0.0.2, 10.0.0.3", 3), "198.51.100.7"),
            (("2001:db8::7, 10.0.0.2", 2), "2001:db8::7"),
            (("198.51.100.7", 2), None),
            (("198.51.100.7, 10.0.0.2", 3), None),
        ],
    )
