"""Which answers may be kept, and for which requests they may be used: one row a rule of RFC 9111."""

from __future__ import annotations

import pytest

from helpers.proxying._cache_entry import Entry, Freshness, selecting_fields
from helpers.proxying._cache_fetch import _same_host
from helpers.proxying._cache_keeping import why_not_kept
from helpers.proxying._cache_request import UNKEYED, CacheRequest, Verdict, without_unkeyed
from helpers.proxying._forwarding import Forwarded

NOW = 1_800_000_000


def pairs(lines) -> list[tuple[bytes, bytes]]:
    split = [line.partition(":") for line in lines]
    return [(name.lower().encode(), value.strip().encode()) for name, _, value in split]


def request(*lines: str, method="GET", target="/x", host="a") -> CacheRequest:
    headers = [(b"host", host.encode()), *pairs(lines)]
    path, _, query = target.partition("?")
    scope = {
        "method": method,
        "headers": without_unkeyed(headers),
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "client": ("127.0.0.1", 1),
    }
    return CacheRequest(Forwarded(scope))


FRESH = "Cache-Control: max-age=9"
# RFC 9111, the request, the answer, and why it is not kept.
KEPT = [
    ("3", [], 200, [FRESH], ""),
    ("3", [], 200, ["Expires: 0"], ""),
    ("3", [], 200, [], ""),  # heuristically cacheable; that it is fresh is another question
    ("3", [], 404, [], ""),
    ("3", [], 302, [FRESH], ""),
    ("3", [], 302, [], "status"),
    ("3", [], 299, [], "status"),
    ("3", [], 299, [FRESH], ""),
    ("3", [], 500, [], "status"),
    ("3", [], 500, ["ETag: \"a\"", "Last-Modified: x"], "status"),
    ("3", [], 500, [FRESH], ""),
    ("3", [], 403, [FRESH], ""),
    ("3", [], 503, ["Cache-Control: public"], ""),
    ("3", [], 503, ["Expires: 0"], ""),
    ("3.3", [], 206, [FRESH], "partial"),
    ("3.2", [], 304, [FRESH], "partial"),
    # what is wrong with one request says nothing about the next
    *(("", [], status, [FRESH], "of one request") for status in (400, 401, 407, 408, 411, 412, 413)),
    *(("", [], status, [FRESH], "of one request") for status in (415, 416, 417, 421, 428, 429, 431)),
    *(("", [], status, [FRESH], "") for status in (404, 405, 410, 414, 451, 501)),
    # 5.2.2.5 and 5.2.1.5
    ("5.2.2.5", [], 200, ["Cache-Control: no-store, max-age=9"], "no-store"),
    ("5.2.2.5", [], 200, [FRESH, "Cache-Control: NO-STORE"], "no-store"),
    ("5.2.1.5", ["Cache-Control: no-store"], 200, [FRESH], "request no-store"),
    # 5.2.2.4: no-cache may be kept
    ("5.2.2.4", [], 200, ["Cache-Control: no-cache"], ""),
    # 5.2.2.7, also with the names of fields
    ("5.2.2.7", [], 200, ["Cache-Control: private, max-age=9"], "private"),
    ("5.2.2.7", [], 200, ['Cache-Control: private="x", max-age=9'], "private"),
    ("5.2.2.7", [], 200, ["Cache-Control: private, public"], "private"),
    # 5.2.2.3
    ("5.2.2.3", [], 200, ["Cache-Control: must-understand, no-store, max-age=9"], ""),
    ("5.2.2.3", [], 299, ["Cache-Control: must-understand, no-store, max-age=9"], "must-understand"),
    ("5.2.2.3", [], 299, ["Cache-Control: must-understand, max-age=9"], "must-understand"),
    ("5.2.2.3", [], 200, ["Cache-Control: must-understand, private"], "private"),
    # 3.5
    ("3.5", ["Authorization: x"], 200, [FRESH], "authorization"),
    ("3.5", ["Authorization:"], 200, [FRESH], "authorization"),
    ("3.5", ["Authorization: x"], 200, ["Cache-Control: public"], ""),
    ("3.5", ["Authorization: x"], 200, ["Cache-Control: s-maxage=9"], ""),
    ("3.5", ["Authorization: x"], 200, ["Cache-Control: must-revalidate, max-age=9"], ""),
    ("3.5", ["Authorization: x"], 200, ["Cache-Control: proxy-revalidate, max-age=9"], "authorization"),
    ("3.5", ["Authorization: x"], 200, ["Cache-Control: no-cache"], "authorization"),
    # 7.3, and stricter: whoever gets it would get the cookie
    ("7.3", [], 200, [FRESH, "Set-Cookie: a=b"], "set-cookie"),
    ("7.3", [], 200, ["Cache-Control: public, max-age=9", "Set-Cookie: a=b"], "set-cookie"),
    # stricter than 4.2.2: with a cookie there is no guessing
    ("4.2.2", ["Cookie: a=b"], 200, [], "cookie"),
    ("4.2.2", ["Cookie: a=b"], 200, ["ETag: \"a\""], "cookie"),
    ("4.2.2", ["Cookie: a=b"], 200, [FRESH], ""),
    ("4.2.2", ["Cookie: a=b"], 200, ["Expires: 0"], ""),
    ("4.2.2", ["Cookie: a=b"], 200, ["Cache-Control: public"], ""),
]  # fmt: skip


@pytest.mark.parametrize(("section", "asked", "status", "said", "why_not"), KEPT)
def test_what_may_be_kept(section, asked, status, said, why_not):
    assert why_not_kept(request(*asked), status, pairs(said)) == why_not


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "get"])
def test_only_the_answer_to_get(method):
    assert why_not_kept(request(method=method), 200, pairs([FRESH])) == "method"


def kept(control: str, age: int) -> Entry:
    return Entry(
        200, pairs([f"Cache-Control: {control}"]), b"", (), NOW - age, NOW - age, Freshness()
    )


USE, AGAIN, STALE, ASKED = Verdict.USE, Verdict.USE_AND_REFRESH, Verdict.STALE, Verdict.ASKED
# The section, what the kept answer says, its age, what the client says, and what comes of it.
JUDGED = [
    ("4.2", "max-age=9", 8, "", USE),
    ("4.2", "max-age=9", 9, "", STALE),
    ("4.2", "max-age=0", 0, "", STALE),
    # 5.2.1.1: no older than so
    ("5.2.1.1", "max-age=9", 5, "max-age=5", USE),
    ("5.2.1.1", "max-age=9", 6, "max-age=5", ASKED),
    ("5.2.1.1", "max-age=9", 1, "max-age=0", ASKED),
    ("5.2.1.1", "max-age=9", 1, "max-age=x", ASKED),
    ("5.2.1.1", "max-age=9", 10, "max-age=5", STALE),
    ("5.2.1.1", "max-age=9", 8, "max-age=99", USE),
    ("5.2.1.1", "max-age=9", 10, "max-age=99", STALE),
    # 5.2.1.2: stale by so much
    ("5.2.1.2", "max-age=9", 12, "max-stale=3", USE),
    ("5.2.1.2", "max-age=9", 13, "max-stale=3", STALE),
    ("5.2.1.2", "max-age=9", 9999, "max-stale", USE),
    ("5.2.1.2", "max-age=9", 10, "max-stale=x", STALE),
    ("5.2.1.2", "max-age=9", 12, "max-stale=9, max-age=5", STALE),
    ("5.2.1.2", "max-age=9, must-revalidate", 10, "max-stale", STALE),
    ("5.2.1.2", "max-age=9, proxy-revalidate", 10, "max-stale", STALE),
    ("5.2.1.2", "s-maxage=9", 10, "max-stale", STALE),
    # 5.2.1.3: fresh for so much longer
    ("5.2.1.3", "max-age=9", 4, "min-fresh=5", USE),
    ("5.2.1.3", "max-age=9", 5, "min-fresh=5", ASKED),
    ("5.2.1.3", "max-age=9", 10, "min-fresh=0", STALE),
    # 5.2.1.4 and 5.2.2.4
    ("5.2.1.4", "max-age=9", 1, "no-cache", ASKED),
    ("5.2.1.4", "max-age=9", 10, "no-cache", STALE),
    ("5.2.1.4", "max-age=9", 10, "no-cache, max-stale", STALE),
    ("5.2.2.4", "no-cache, max-age=9", 1, "", STALE),
    ("5.2.2.4", "no-cache, max-age=9", 1, "max-stale", STALE),
    ("5.2.2.4", 'no-cache="x", max-age=9', 1, "", STALE),
    # 5.2.2.2: only once it is stale
    ("5.2.2.2", "max-age=9, must-revalidate", 8, "", USE),
    ("5.2.2.2", "max-age=9, must-revalidate", 9, "", STALE),
    ("", "max-age=9", 8, "no-store", USE),
    # RFC 5861, 3
    ("5861, 3", "max-age=9, stale-while-revalidate=5", 8, "", USE),
    ("5861, 3", "max-age=9, stale-while-revalidate=5", 9, "", AGAIN),
    ("5861, 3", "max-age=9, stale-while-revalidate=5", 13, "", AGAIN),
    ("5861, 3", "max-age=9, stale-while-revalidate=5", 14, "", STALE),
    ("5861, 3", "max-age=9, stale-while-revalidate=5", 12, "max-age=20", AGAIN),
    ("5861, 3", "max-age=9, stale-while-revalidate=5", 12, "max-age=5", STALE),
    ("5861, 3", "max-age=9, stale-while-revalidate=x", 9, "", STALE),
    ("4.2.4", "max-age=9, stale-while-revalidate=5, must-revalidate", 9, "", STALE),
    ("4.2.4", "s-maxage=9, stale-while-revalidate=5", 9, "", STALE),
    ("4.2.4", "no-cache, stale-while-revalidate=5", 9, "", STALE),
]  # fmt: skip


@pytest.mark.parametrize(("section", "control", "age", "wishes", "verdict"), JUDGED)
def test_what_may_be_used(section, control, age, wishes, verdict):
    lines = [f"Cache-Control: {wishes}"] if wishes else []
    assert request(*lines).judge(kept(control, age), NOW) == verdict


# RFC 9111, 5.4: Pragma counts only where there is no Cache-Control
@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        (["Pragma: no-cache"], ASKED),
        (["Pragma: x, No-Cache"], ASKED),
        (["Pragma: no-cache", "Pragma: x"], ASKED),
        (["Pragma: x"], USE),
        (["Pragma: no-cache", "Cache-Control: x"], USE),
    ],
)
def test_pragma(lines, verdict):
    assert request(*lines).judge(kept("max-age=9", 1), NOW) == verdict


# Vary, the first request, the second, and whether the answer to the first is one (section 4.1)
VARIES = [
    ("", ["A: 1"], ["A: 2"], True),
    ("A", ["A: 1"], ["A: 1"], True),
    ("A", ["A: 1"], ["A: 2"], False),
    ("A", ["A: 1"], ["a: 1", "B: 2"], True),
    ("A", ["A: 1"], [], False),
    ("A", [], [], True),
    ("A", ["A:"], [], False),
    ("a, B", ["A: 1", "B: 2"], ["B: 2", "A: 1"], True),
    ("a, B", ["A: 1", "B: 2"], ["B: 1", "A: 2"], False),
    ("A,,A", ["A: 1"], ["A: 1"], True),
    ("A", ["A: 1", "A: 2"], ["A: 1, 2"], True),
    ("A", ["A: 1, 2"], ["A: 1,2"], False),
    ("Accept-Language", ["Accept-Language: de, en"], ["Accept-Language: de,en"], True),
    ("Accept-Language", ["Accept-Language: de, en"], ["Accept-Language: de", "Accept-Language: en"], True),
    ("Accept-Language", ["Accept-Language: de, en"], ["Accept-Language: en, de"], False),
    ("Accept-Language", ["Accept-Language:"], [], False),
    ("Cookie", ["Cookie: a=b"], ["Cookie: a=c"], False),
    ("*", [], [], False),
    ("A, *", [], [], False),
    # the proxy writes these itself: what a client says is not what the server saw
    ("X-Forwarded-For", [], [], False),
    ("Via", [], [], False),
    ("X-Forwarded-Host", [], [], False),
    ("Forwarded", [], [], False),
    ("Host", [], [], True),
]  # fmt: skip


@pytest.mark.parametrize(("vary", "first", "second", "matches"), VARIES)
def test_vary(vary, first, second, matches):
    fields = pairs([f"Vary: {vary}", FRESH] if vary else [FRESH])
    chosen = selecting_fields(fields, pairs(first))
    found = chosen is not None and Entry(200, fields, b"", chosen, NOW, NOW, Freshness()).answers(
        pairs(second)
    )
    assert found is matches


KEYS = [
    ("a", "/x", "a", "/x", True),
    ("A", "/x", "a:80", "/x", True),  # RFC 9110, 4.2.3
    ("a", "/x", "a:8080", "/x", False),
    ("a", "/x", "a:", "/x", False),
    ("a", "/x", "b", "/x", False),
    ("a", "/x", "a.", "/x", False),
    ("a", "/x", "a", "/X", False),
    ("a", "/x?a", "a", "/x?A", False),
    ("a", "/x?a&b", "a", "/x?b&a", False),
    ("a", "/%78", "a", "/x", False),
    ("a", "/x", "a", "/x/", False),
    ("a", "/x", "a", "//x", False),
    ("a", "/x", "a", "/y/../x", False),
    ("a", "/x", "a", "/x;a", False),
]


@pytest.mark.parametrize(("host", "target", "other", "wanted", "same"), KEYS)
def test_keys(host, target, other, wanted, same):
    """Byte by byte: whoever thinks that two URLs are one, has to think as the server does."""
    one, two = request(host=host, target=target), request(host=other, target=wanted)
    assert (one.key == two.key) is same


# What an answer to POST /d/x at host a names, and what it makes stale (section 4.4)
NAMED = [
    ("/y", b"/y"), ("y", b"/d/y"), ("../y?z", b"/y?z"), ("?q", b"/d/x?q"), ("", b"/d/x"), ("/y#z", b"/y"),
    ("http://a/y", b"/y"), ("http://A:80/y", b"/y"), ("//a/y", b"/y"), ("http://a", b"/"),
    ("http://b/y", None), ("//b/y", None), ("http://a:81/y", None), ("http://a@b/y", None),
    ("http://b@a/y", None), ("https://a/y", None), ("ftp://a/y", None), ("http://[/y", None),
]  # fmt: skip


@pytest.mark.parametrize(("named", "target"), NAMED)
def test_what_an_unsafe_request_names(named, target):
    key = _same_host((b"a", b"/d/x"), named.encode())
    assert key == (None if target is None else (b"a", target))


def test_what_no_server_hears():
    """Fields by which a client chooses the answer, also with "_", which WSGI takes for "-"."""
    lines = [f"{name.decode()}: x" for name in UNKEYED]
    twins = [line.replace("-", "_") for line in lines]
    mixed = [line.replace("-", "_", 1) for line in lines]
    forwarded = ["Forwarded: for=b;host=c", "forwarded: PROTO=https", 'Forwarded: "HOST"=c']
    kept = ["X-Forwarded-For: b", "X-Host-Not: x", "Forwarded: for=b"]
    assert without_unkeyed(pairs([*lines, *twins, *mixed, *forwarded, *kept])) == pairs(kept)
