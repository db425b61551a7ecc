"""The requests that every application has to answer alike, good ones and bad ones.

What OpenAPI can say is in chapters/apps/openapi.yaml; these are the corners that a description of
types does not reach: two spellings of a number, half a surrogate pair, a range that ends before it
begins. In a body and a target, RUN stands for a word that no run had before, so that a song can be
added in each run; it has nine characters.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

JSON = {"Content-Type": "application/json"}
SONG = "fur-elise"
_AUDIO = f"/songs/{SONG}/audio"
LARGEST_BODY = 65_536  # bytes; what MUSIC_LARGEST_BODY is unless it is set


@dataclass(frozen=True)
class Case:
    """One request, and the status that answers it.

    topic: what it is about. name: what is special about it. target: the request target as it is
    sent (RFC 9112, section 3.2). headers: beside Host. body: the bytes; None sends none. status:
    the status code that the contract asks for.
    """

    topic: str
    name: str
    method: str
    target: str
    status: int
    headers: dict[str, str] = field(default_factory=dict, hash=False)
    body: bytes | None = None

    def as_sent(self, run: str) -> tuple[str, bytes | None]:
        """The target and the body of this run.

        Args:
            run: the word that RUN stands for.
        """
        body = None if self.body is None else self.body.replace(b"RUN", run.encode())
        return self.target.replace("RUN", run), body


def _song(**changes: Any) -> bytes:
    """A song as JSON, one that fits but for the changes; a field that is `...` is left out."""
    song = {"title": "RUN", "composer": "A Reader", "year": 2026, "genre": "study", **changes}
    return json.dumps({name: value for name, value in song.items() if value is not ...}).encode()


def _with_year(text: str) -> bytes:
    return _song(year=0).replace(b": 0,", f": {text},".encode())


def _fields(headers: dict[str, str]) -> dict[str, str]:
    """Header fields by their names, from arguments such as If_Range."""
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _get(topic: str, status: int, *targets: str) -> list[Case]:
    return [Case(topic, f"GET {target}", "GET", target, status) for target in targets]


def _post(topic: str, status: int, bodies: dict[str, bytes], **headers: str) -> list[Case]:
    sent = {**JSON, **_fields(headers)}
    return [
        Case(topic, name, "POST", "/songs", status, sent, body) for name, body in bodies.items()
    ]


def _range(status: int, *texts: str, method: str = "GET", **headers: str) -> list[Case]:
    named = _fields(headers)
    extra = "".join(f", {name}: {value}" for name, value in named.items())
    return [
        Case("range", f"{method}, Range: {text}{extra}", method, _AUDIO, status,
             {"Range": text, **named})
        for text in texts
    ]  # fmt: skip


_DEEP = 2_000  # brackets within brackets; Python in a page would die of many more
_GETS = ("/", "/health", "/songs", f"/songs/{SONG}", _AUDIO)

CASES: tuple[Case, ...] = (
    *_get("read", 200, *_GETS),
    *(Case("read", f"HEAD {target}", "HEAD", target, 200) for target in _GETS),
    *_get("read", 200, "/songs/fur%2Delise", "/songs/%66ur-elise", "/songs?unknown=1"),
    *(Case("read", f"Accept: {kind}", "GET", "/songs?limit=1", 200, {"Accept": kind})
      for kind in ("text/html", "application/xml", "*/*;q=0", "nonsense")),
    Case("read", "Accept-Encoding: gzip", "GET", "/songs", 200, {"Accept-Encoding": "gzip, br"}),
    # search
    *_get("search", 200, "/songs?q=elise", "/songs?q=ELISE", "/songs?q=f%C3%BCr+elise",
          "/songs?q=fur%20el", "/songs?q=beethoven", "/songs?q=nothing+like+this", "/songs?q=",
          "/songs?q=!", "/songs?q=%E6%97%A5%E6%9C%AC", "/songs?q=%FF", "/songs?q=%00",
          "/songs?q=%27%20OR%201=1%20--", f"/songs?q={'x' * 100}", "/songs?q=a&limit=3",
          "/songs?q=fu%CC%88r", "/songs?Q=elise", "/songs?q=a%26b"),
    *_get("search", 422, f"/songs?q={'x' * 101}", "/songs?q=a&q=b"),
    # pages
    *_get("pages", 200, "/songs?limit=1", "/songs?limit=2", "/songs?limit=100", "/songs?limit=86",
          "/songs?limit=85", f"/songs?limit=2&cursor={SONG}", "/songs?cursor=zzz",
          "/songs?cursor=0", "/songs?q=the&limit=2&cursor=the-devils-dream"),
    *_get("pages", 422, "/songs?limit=0", "/songs?limit=101", "/songs?limit=-1", "/songs?limit=two",
          "/songs?limit=", "/songs?limit=1.0", "/songs?limit=+5", "/songs?limit=%2B5",
          "/songs?limit=%205", "/songs?limit=1e1", "/songs?limit=0x10", "/songs?limit=1_0",
          "/songs?limit=%D9%A5", f"/songs?limit={'9' * 400}", "/songs?limit=5&limit=6",
          "/songs?limit[]=5&limit=x", "/songs?cursor=", "/songs?cursor=Fur-Elise",
          "/songs?cursor=%00", "/songs?cursor=a&cursor=b", "/songs?limit=x&cursor=X&q=a&q=b"),
    # addresses
    *_get("addresses", 404, "/nowhere", "/songs/", "//songs", "/Songs", "/songs/no-such-song",
          f"/songs/{SONG}/", f"/songs/{SONG}/audio/", f"/songs/{SONG}/lyrics", "/songs/Fur-Elise",
          "/songs/fur%2Felise", "/songs/%00", "/songs/%FF", "/songs/f%C3%BCr-elise",
          "/songs/..%2Fhealth", "/songs/../health", "/./health", "/songs/no-such-song/audio",
          "/songs/..%2F..%2Fsongs.json", "/songs/..%2F..%2Fsongs.json/audio", "/songs;x=1",
          f"/songs/{SONG};x=1", "/songs%3Flimit=1", f"/songs/{'x' * 2000}", "/songs/%20",
          "/songs/%252e%252e", "/songs/a%5Cb", "/favicon.ico",
          "/songs/%F3%BF%B1%A5%C3%A9/audio", "/songs/%00/audio", "/health/x", "/songs%2F", "/%2e"),
    Case("addresses", "HEAD /nowhere", "HEAD", "/nowhere", 404),
    Case("addresses", "POST /nowhere", "POST", "/nowhere", 404, JSON, _song()),
    # methods
    *(Case("methods", f"{method} {target}", method, target, 405)
      for target in _GETS for method in ("DELETE", "PUT", "PATCH", "OPTIONS")),
    *(Case("methods", f"POST {target}", "POST", target, 405, JSON, _song())
      for target in _GETS if target != "/songs"),
    Case("methods", "TRACE /songs", "TRACE", "/songs", 405),
    Case("methods", "DELETE /nowhere", "DELETE", "/nowhere", 404),
    # a song is added
    *_post("add", 201, {"a song": _song()}),
    *_post("add", 409, {"the same again": _song()}),
    *_get("add", 200, "/songs/RUN", "/songs?q=RUN"),
    *_get("add", 404, "/songs/RUN/audio"),
    *_post("add", 409, {"a song of the catalogue": _song(title="Für Elise"),
                        "another spelling of it": _song(title="FUR  elise!")}),
    *_post("add", 201, {
        "accents in the title": _song(title="Ça ira, RUN"),
        "a title of markup": _song(title="<script>alert('RUN')</script> & \"more\""),
        "beyond the basic plane": _song(title="RUN m \U0001f3b5", composer="\U0001f3b5" * 100),
        "a title of 100": _song(title="RUN".ljust(94, "x")),
        "a title whose letters become five each": _song(title="RUN" + "\u33af" * 90),
        "1810.0 is 1810": _song(title="RUN a", year=1810.0),
        "18.1e2 is 1810": _with_year("18.1e2").replace(b"RUN", b"RUN b"),
        "the last of two equal names counts": _song(title="RUN c").replace(
            b'"year"', b'"year": "x", "year"'),
        "spaces around": b" \r\n\t" + _song(title="RUN d") + b"\n\n",
        "a byte order mark": b"\xef\xbb\xbf" + _song(title="RUN e"),
        "escapes": _song(title="RUN f").replace(b"A Reader", b"\\u0041 \\uD83C\\uDFB5"),
        "the first year": _song(title="RUN g", year=1),
        "the last year": _song(title="RUN h", year=2100),
        "a body just small enough": _song(title="RUN i").ljust(LARGEST_BODY - 20),
    }),
    *_get("add", 200, "/songs/ca-ira-RUN", "/", f"/songs/RUN{'rads2' * 18}r"),
    *_get("add", 404, f"/songs/RUN{'rads2' * 18}r/audio"),
    *_post("add", 201, {"charset=utf-8": _song(title="RUN j")},
           Content_Type="Application/JSON; charset=UTF-8"),
    *_post("add", 201, {'charset="utf-8"': _song(title="RUN l")},
           Content_Type='application/json;charset="utf-8"'),
    *_post("add", 201, {"a query is ignored": _song(title="RUN k")}, Accept="text/html"),
    # values that do not fit
    *_post("values", 422, {
        **{f"{name} is {value!r}": _song(**{name: value})
           for name in ("title", "composer", "genre")
           for value in ("", None, 1, True, [], {}, ["a"], "a\n", "a\x00", "a\x7f", "\x85a", "x" * 101)},
        **{f"year is {value!r}": _song(year=value)
           for value in (0, 2101, -1, "1810", "", None, True, [], {}, 1810.5, 2**31, 2**63, 2**64)},
        **{f"{name} is missing": _song(**{name: ...})
           for name in ("title", "composer", "year", "genre")},
        "title without a letter": _song(title="!?"),
        "title in Japanese": _song(title="日本"),
        "genre of 41": _song(genre="x" * 41),
        "half a surrogate pair": _song(composer="\ud83c"),
        "the wrong half of a pair first": _song(composer="\udfb5\ud83c"),
        "an unknown field": _song(tempo=120),
        "an unknown field of markup": _song(**{"<b>": 1}),
        "two unknown fields and two wrong ones": _song(a=1, b=2, year="x", title=None),
        "a field called __proto__": _song(__proto__={"title": "x"}),
        "a field called constructor": _song(constructor=1),
        "an id of one's own": _song(id="mine"),
        "an unknown field of 60,000 characters": _song(**{"x" * 60_000: 1}),
        "Title for title": _song(title=..., Title="x"),
        "nothing but braces": b"{}",
        "year 1e400": _with_year("1e400"),
        "year of 5,000 digits": _with_year("9" * 5000),
        "year 1e-400": _with_year("1e-400"),
        "an array": b"[]",
        "an array with a song": b"[" + _song() + b"]",
        "a string": b'"song"',
        "a number": b"1",
        "null": b"null",
        "true": b"true",
        f"{_DEEP:,} arrays in one another": b"[" * _DEEP + b"]" * _DEEP,
        "100 objects in one another": b'{"a":' * 100 + b"1" + b"}" * 100,
    }),
    # bodies that are no JSON
    *_post("bodies", 400, {
        "an empty body": b"",
        "only spaces": b"  ",
        "a cut body": _song()[:-1],
        "words": b"title=x",
        "single quotes": b"{'title': 'x'}",
        "a comma too many": b'{"title": "x",}',
        "a comment": b"/* song */ " + _song(),
        "something after it": _song() + b" x",
        "two songs": _song() + _song(),
        "NaN": _with_year("NaN"),
        "-Infinity": _with_year("-Infinity"),
        "01810": _with_year("01810"),
        "0x10": _with_year("0x10"),
        ".5": _with_year(".5"),
        "+5": _with_year("+5"),
        "a raw line break in a string": _song().replace(b"A Reader", b"A\nReader"),
        "a raw NUL": _song().replace(b"A Reader", b"A\x00Reader"),
        "an escape that is none": _song().replace(b"A Reader", b"\\x41"),
        "a cut escape": _song().replace(b"A Reader", b"\\u004"),
        "Latin-1": '{"title": "Für Elise"}'.encode("latin-1"),
        "UTF-16": _song().decode().encode("utf-16"),
        "UTF-16 without a mark": _song().decode().encode("utf-16-le"),
        "UTF-32": _song().decode().encode("utf-32"),
        "overlong UTF-8": _song().replace(b"A Reader", b"\xc0\xaf"),
        "a surrogate in UTF-8": _song().replace(b"A Reader", b"\xed\xa0\xbc"),
        "a cut character": _song().replace(b"A Reader", b"A Reader\xc3"),
        "gzip that does not say so": b"\x1f\x8b\x08\x00" + bytes(20),
    }),
    *_post("bodies", 413, {
        "one byte too many": _song().ljust(LARGEST_BODY + 1),
        "three times too many": b"x" * 3 * LARGEST_BODY,
    }),
    *(Case("bodies", f"Content-Type: {kind}", "POST", "/songs", 415, {"Content-Type": kind}, _song())
      for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                   "application/xml", "application/problem+json", "application/merge-patch+json",
                   "application/jsonp", "text/json", "nonsense", "*/*", "application/*",
                   "application/json; charset=latin-1", "application/json; charset=utf-16",
                   "application/json; profile=x", 'application/json; charset="utf-8', "")),
    Case("bodies", "no Content-Type", "POST", "/songs", 415, {}, _song()),
    Case("bodies", "no Content-Type, too large", "POST", "/songs", 415, {}, b"x" * (LARGEST_BODY + 1)),
    *(Case("bodies", f"Content-Encoding: {coding}", "POST", "/songs", 415,
           {**JSON, "Content-Encoding": coding}, _song()) for coding in ("gzip", "br", "x")),
    # ranges
    *_range(206, "bytes=0-0", "bytes=0-99", "bytes=100-199", "bytes=100-", "bytes=-1", "bytes=-100",
            "bytes=0-", "bytes=0-99999999999", f"bytes=0-{'9' * 30}", f"bytes=-{'9' * 5000}",
            "BYTES=0-9", "bytes=007-009"),
    *_range(416, "bytes=99999999999-", f"bytes={'9' * 5000}-", "bytes=99999999999-99999999999999",
            "bytes=-0"),
    *_range(200, "bytes=9-5", "bytes=", "bytes=-", "bytes", "0-9", "bytes=a-b", "bytes=0-b",
            "bytes=0-9,20-29", "bytes=0-9,", "bytes=--9", "bytes=-1-2", "bytes = 0-9", "bytes= 0-9",
            "bytes=0 -9", "lines=0-9", "bytes=0x0-0x9", "bytes=+0-9", "bytes=0.0-9", "x" * 4000),
    *_range(200, "bytes=0-9", "bytes=99999999999-", If_Range='"x"'),
    *_range(200, "bytes=0-9", If_Range="Sun, 06 Nov 1994 08:49:37 GMT"),
    *_range(200, "bytes=0-9", "bytes=99999999999-", method="HEAD"),
    Case("range", "a range of what is no audio", "GET", "/songs", 200, {"Range": "bytes=0-9"}),
    # what the middleware adds
    *(Case("request id", f"X-Request-Id: {sent!r}"[:60], "GET", "/health", 200, {"X-Request-Id": sent})
      for sent in ("mine", "a.b-c_D9", "x" * 64, "x" * 65, "", "a b", "<b>", "a,b", "é")),
    *(Case("request id", f"{status}", "GET", target, status, {"X-Request-Id": "mine"})
      for target, status in (("/nowhere", 404), ("/songs?limit=0", 422), ("/songs/%FF", 404))),
    Case("request id", "405", "PUT", "/songs", 405, {"X-Request-Id": "mine"}),
    Case("request id", "400", "POST", "/songs", 400, {**JSON, "X-Request-Id": "mine"}, b"{"),
    Case("request id", "413", "POST", "/songs", 413, {**JSON, "X-Request-Id": "mine"},
         b"x" * (LARGEST_BODY + 1)),
)  # fmt: skip
