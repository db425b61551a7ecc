"""Range requests, held against the cases of RFC 9110, section 14."""

from __future__ import annotations

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from helpers.music._problems import Problem
from helpers.music._range import parse_range, ranged_response

from .support import always_the_same

BODY = bytes(range(100))
ETAG = '"version-1"'
WHOLE = None


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-9", (0, 10)),
        ("bytes=10-19", (10, 20)),
        ("bytes=0-99", (0, 100)),
        ("bytes=90-", (90, 100)),
        ("bytes=99-", (99, 100)),
        ("bytes=0-", (0, 100)),
        ("bytes=-1", (99, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-100", (0, 100)),
        # 14.1.2: a suffix longer than the representation is all of it
        ("bytes=-101", (0, 100)),
        # 14.1.2: a last position beyond the end is the end
        ("bytes=50-100", (50, 100)),
        ("bytes=50-" + "9" * 5000, (50, 100)),
        ("bytes=-" + "9" * 5000, (0, 100)),
        ("bytes=" + "0" * 30 + "5-" + "0" * 30 + "7", (5, 8)),
        # 14.1: the unit's name is case-insensitive; 5.6.1: blanks around the elements of a list
        ("BYTES=0-9", (0, 10)),
        ("bytes= 0-9 ", (0, 10)),
        ("bytes=\t0-9", (0, 10)),
        # 14.2: what is malformed, in another unit or in several parts may be ignored
        ("", WHOLE),
        ("bytes", WHOLE),
        ("bytes=", WHOLE),
        ("bytes=-", WHOLE),
        ("bytes=5", WHOLE),
        ("bytes=9-0", WHOLE),
        ("bytes=900-800", WHOLE),
        ("bytes=2" + "0" * 20 + "-1" + "0" * 20, WHOLE),
        ("bytes=a-b", WHOLE),
        ("bytes=0x0-0x9", WHOLE),
        ("bytes=--5", WHOLE),
        ("bytes=+5-9", WHOLE),
        ("bytes=1_0-2_0", WHOLE),
        ("bytes=٠-٩", WHOLE),
        ("bytes=0 - 9", WHOLE),
        ("bytes =0-9", WHOLE),
        ("bytes: 0-9", WHOLE),
        ("bytes=0-9\n", WHOLE),
        ("bytes=0-9,20-29", WHOLE),
        ("items=0-9", WHOLE),
        ("0-9", WHOLE),
    ],
)
def test_the_cases_of_rfc_9110(field, expected):
    assert parse_range(field, 100) == expected


@pytest.mark.parametrize(
    ("field", "length"),
    [
        ("bytes=100-", 100),
        ("bytes=100-200", 100),
        ("bytes=101-", 100),
        ("bytes=" + "9" * 5000 + "-", 100),
        ("bytes=1" + "0" * 20 + "-2" + "0" * 20, 100),
        ("bytes=-0", 100),
        ("bytes=0-", 0),
        ("bytes=0-0", 0),
        ("bytes=-1", 0),
    ],
)
def test_a_range_with_nothing_in_it_is_416_and_says_the_length(field, length):
    with pytest.raises(Problem) as caught:
        parse_range(field, length)
    assert caught.value.status_code == 416
    assert caught.value.headers == {"Content-Range": f"bytes */{length}"}  # 15.5.17
    assert caught.value.extra == {"length": length}


@always_the_same
@given(
    first=st.none() | st.integers(0, 30) | st.integers(0, 10**30),
    last=st.none() | st.integers(0, 30) | st.integers(0, 10**30),
    zeros=st.integers(0, 25),
    length=st.integers(0, 20),
)
def test_the_bytes_are_those_that_an_independent_model_selects(first, last, zeros, length):
    def written(number):
        return "" if number is None else "0" * zeros + str(number)

    backwards = None not in (first, last) and last < first
    if backwards or (first is None and last is None):
        expected = "all"
    elif first is None:  # numbered from the end: the last byte is 1
        expected = [n for n in range(length) if length - n <= last]
    else:
        expected = [n for n in range(length) if first <= n and (last is None or n <= last)]
    try:
        part = parse_range(f"bytes={written(first)}-{written(last)}", length)
    except Problem:
        assert expected == []
    else:
        assert (list(range(*part)) if part else "all") == expected


@always_the_same
@given(st.text() | st.from_regex(r"bytes=[-0-9, ]*", fullmatch=True), st.integers(0, 50))
def test_any_text_is_a_range_the_whole_or_416(field, length):
    try:
        part = parse_range(field, length)
    except Problem as problem:
        assert problem.status_code == 416
    else:
        assert part is None or 0 <= part[0] < part[1] <= length


def answer(method="GET", *fields):
    """The response to a request with these header fields."""
    headers = [(name.lower().encode(), value.encode()) for name, value in fields]
    request = Request({"type": "http", "method": method, "headers": headers})
    return ranged_response(request, BODY, "audio/wav", ETAG, {"Content-Location": "/x"})


def test_without_a_range_the_whole_is_sent():
    response = answer()
    assert (response.status_code, response.body) == (200, BODY)
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["etag"] == ETAG
    assert response.headers["content-type"] == "audio/wav"
    assert response.headers["content-location"] == "/x"
    assert "content-range" not in response.headers


def test_a_part_says_where_it_is_from():
    response = answer("GET", ("Range", "bytes=10-19"))
    assert (response.status_code, response.body) == (206, BODY[10:20])
    assert response.headers["content-range"] == "bytes 10-19/100"
    assert response.headers["content-length"] == "10"
    assert response.headers["etag"] == ETAG


def test_head_knows_no_range():
    response = answer("HEAD", ("Range", "bytes=10-19"))
    assert (response.status_code, response.headers["content-length"]) == (200, "100")
    assert answer("HEAD", ("Range", "bytes=100-")).status_code == 200


@pytest.mark.parametrize(
    "field", [ETAG, f"W/{ETAG}", f'"other", {ETAG}', f'"other",W/{ETAG} , "third"', "*"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("ranged", [[], [("Range", "bytes=10-19")], [("Range", "bytes=100-")]])
def test_a_copy_that_is_still_good_is_not_sent_again(field, method, ranged):
    response = answer(method, ("If-None-Match", field), *ranged)
    assert (response.status_code, response.body) == (304, b"")
    # section 15.4.5: what a cache needs to find its copy
    assert response.headers["etag"] == ETAG
    assert response.headers["content-location"] == "/x"


@pytest.mark.parametrize("field", ["", '"other"', "version-1", '"VERSION-1"', 'W/"other", "x"'])
def test_a_copy_of_another_version_is_replaced(field):
    assert answer("GET", ("If-None-Match", field)).status_code == 200


def test_several_lines_of_if_none_match_are_one_list():
    assert answer("GET", ("If-None-Match", '"a"'), ("If-None-Match", ETAG)).status_code == 304


@pytest.mark.parametrize(
    ("field", "status"),
    [
        (ETAG, 206),
        ('"other"', 200),
        (f"W/{ETAG}", 200),  # 13.1.5: only a strong validator lets parts be put together
        ("Sat, 29 Oct 1994 19:43:31 GMT", 200),  # there is no Last-Modified to match
        ("", 200),
    ],
)
def test_if_range_sends_a_part_of_the_very_version_only(field, status):
    response = answer("GET", ("Range", "bytes=10-19"), ("If-Range", field))
    assert response.status_code == status
    # a range outside of another version is no reason for 416
    response = answer("GET", ("Range", "bytes=100-"), ("If-Range", '"other"'))
    assert response.status_code == 200


def test_if_range_without_a_range_changes_nothing():
    assert answer("GET", ("If-Range", '"other"')).status_code == 200
