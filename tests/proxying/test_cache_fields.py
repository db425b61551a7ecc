"""The fields that a cache lives by, one row a case (RFC 9111, sections 4.2 and 5)."""

from __future__ import annotations

import calendar
import time
from email.utils import formatdate

import pytest

from helpers.proxying._cache_entry import Entry, Freshness
from helpers.proxying._cache_fields import (
    LONGEST,
    CacheControl,
    entity_tags,
    read_date,
    read_seconds,
)

# What the fields say, the directive, and its seconds; None: it is not there.
CONTROL = [
    # 5.2: names in any case, blanks around, empty elements, several lines
    (["max-age=5"], "max-age", 5),
    (["MAX-AGE=5"], "max-age", 5),
    (["public,max-age=5"], "max-age", 5),
    (["public ,\tmax-age=5 ,"], "max-age", 5),
    ([",,max-age=5,,"], "max-age", 5),
    (["public", "max-age=5"], "max-age", 5),
    ([""], "max-age", None),
    (["max-age-x=5"], "max-age", None),
    (["x-max-age=5"], "max-age", None),
    # 5.2: a token or a quoted string, whichever the server likes
    (['max-age="5"'], "max-age", 5),
    (['a="x, max-age=1", max-age=5'], "max-age", 5),
    (['a="\\", max-age=1", max-age=5'], "max-age", 5),
    (['a="b, max-age=1"'], "max-age", None),
    # a quotation that never ends hides nothing
    (['a="b, max-age=1'], "max-age", 1),
    (['max-age="5'], "max-age", 0),
    (['max-age=5"'], "max-age", 0),
    (['"max-age=5'], "max-age", None),
    (["max-age='5'"], "max-age", 0),
    # 4.2.1: of two, the first one
    (["max-age=1, max-age=5"], "max-age", 1),
    (["max-age=5", "max-age=1"], "max-age", 5),
    (["max-age=x, max-age=5"], "max-age", 0),
    # 4.2.1: what can't be read makes it stale
    (["max-age"], "max-age", 0),
    (["max-age="], "max-age", 0),
    (["max-age=-5"], "max-age", 0),
    (["max-age=+5"], "max-age", 0),
    (["max-age=5.5"], "max-age", 0),
    (["max-age= 5"], "max-age", 0),
    (["max-age =5"], "max-age", 0),
    (["max-age=5 5"], "max-age", 0),
    (["max-age=5;private"], "max-age", 0),
    (["max-age=0x5"], "max-age", 0),
    (["max-age=five"], "max-age", 0),
    # 1.2.2: 2147483648 or more counts as this
    (["max-age=2147483647"], "max-age", LONGEST - 1),
    (["max-age=2147483648"], "max-age", LONGEST),
    (["max-age=99999999999999999999999999"], "max-age", LONGEST),
    (["max-age=000000000000000000000000005"], "max-age", 5),
    (["max-age=" + "9" * 30_000], "max-age", LONGEST),
]


@pytest.mark.parametrize(("values", "name", "seconds"), CONTROL)
def test_directives(values, name, seconds):
    control = CacheControl([value.encode() for value in values])
    assert control.seconds(name) == seconds
    assert (name in control) == (seconds is not None)


# What is there, although it is written badly; what forbids has to be heard (section 5.2.2).
HEARD = [
    "no-store",
    "No-Store",
    " no-store ",
    "a, no-store",
    "no-store=1",
    "no-store =1",
    "a=\", no-store",
    "a=\"b\\\", no-store",
    "a=\"b\", no-store, c=\"",
]  # fmt: skip


@pytest.mark.parametrize("value", HEARD)
def test_what_forbids_is_heard(value):
    assert "no-store" in CacheControl([value.encode()])


@pytest.mark.parametrize("value", ["", "no-stor", "no-store2", 'a="no-store"', 'a=", no-store,"'])
def test_what_is_not_there(value):
    assert "no-store" not in CacheControl([value.encode()])


@pytest.mark.parametrize("value", ["", ",", " , ", "=5"])
def test_nothing_at_all(value):
    assert not CacheControl([value.encode()])


def test_the_most_that_a_client_takes():
    """max-stale without a number: any age (section 5.2.1.2)."""
    assert CacheControl([b"max-stale"]).most("max-stale") == LONGEST
    assert CacheControl([b"max-stale=7"]).most("max-stale") == 7
    assert CacheControl([b"max-stale=x"]).most("max-stale") == 0
    assert CacheControl([b"a"]).most("max-stale") == -1


@pytest.mark.parametrize(
    "value",
    [b'"' + b'\\"' * 15_000, b'"a' * 15_001, b'a="' + b"\\" * 30_000, b'"",' * 10_000 + b'"'],
)
def test_no_value_keeps_the_proxy_busy(value):
    """Seen once: almost eight seconds for a field of 30,000 bytes, which any client could send."""
    before = time.process_time()
    CacheControl([value])
    assert time.process_time() - before < 1  # it takes a few milliseconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(b"0", 0), (b"5", 5), (b"", None), (b"-1", None), (b"5 ", None), (b"\xb2", None), (b"1e3", None)],
)  # fmt: skip
def test_seconds(value, seconds):
    assert read_seconds(value) == seconds


NOVEMBER = calendar.timegm((1994, 11, 6, 8, 49, 37))
DATES = [
    # RFC 9110, 5.6.7: three forms
    (b"Sun, 06 Nov 1994 08:49:37 GMT", NOVEMBER),
    (b"Sunday, 06-Nov-94 08:49:37 GMT", NOVEMBER),
    (b"Sun Nov  6 08:49:37 1994", NOVEMBER),
    (b"Thu, 01 Jan 1970 00:00:00 GMT", 0),
    (b"Thu, 29 Feb 2024 00:00:00 GMT", calendar.timegm((2024, 2, 29, 0, 0, 0))),
    (b"Sat, 31 Dec 2016 23:59:60 GMT", calendar.timegm((2016, 12, 31, 23, 59, 59))),
    (b"Fri, 31 Dec 9999 23:59:59 GMT", calendar.timegm((9999, 12, 31, 23, 59, 59))),
    # all else is none, and an Expires of that kind is in the past (RFC 9111, 5.3)
    (b"0", None),
    (b"", None),
    (b"-1", None),
    (b"Sun, 06 Nov 1994 08:49:37", None),
    (b"Sun, 06 Nov 1994 08:49:37 UTC", None),
    (b"Sun, 06 Nov 1994 08:49:37 +0000", None),
    (b"Sun, 06 Nov 1994 08:49:37 gmt", None),
    (b"Sun, 6 Nov 1994 08:49:37 GMT", None),
    (b"Sun,  06 Nov 1994 08:49:37 GMT", None),
    (b"Sun, 06 Nov 94 08:49:37 GMT", None),
    (b"06 Nov 1994 08:49:37 GMT", None),
    (b"Sun, 06 Foo 1994 08:49:37 GMT", None),
    (b"Sun, 31 Feb 2030 08:49:37 GMT", None),
    (b"Sun, 32 Jan 2030 08:49:37 GMT", None),
    (b"Sun, 06 Nov 2030 24:00:00 GMT", None),
    (b"Sun, 06 Nov 2030 08:60:00 GMT", None),
    (b"Sun, 06 Nov 2030 08:49:99 GMT", None),
    (b"Sun, 06 Nov 0030 08:49:37 GMT", None),
    (b"2030-11-06T08:49:37Z", None),
]


@pytest.mark.parametrize(("value", "seconds"), DATES)
def test_dates(value, seconds):
    assert read_date(value) == seconds


@pytest.mark.parametrize(
    ("values", "tags"),
    [
        ([b'"a"'], [b'"a"']),
        ([b'W/"a"'], [b'"a"']),
        ([b'"a", W/"b"', b'"c"'], [b'"a"', b'"b"', b'"c"']),
        ([b'"a,b" , "c"'], [b'"a,b"', b'"c"']),
        ([b"*"], [b"*"]),
        ([b'"*"'], [b'"*"']),
        ([b"a"], []),
        ([b'"a'], []),
        ([b""], []),
    ],
)
def test_entity_tags(values, tags):
    assert entity_tags(values) == tags


NOW = 1_800_000_000


def at(seconds: float) -> str:
    return formatdate(NOW + seconds, usegmt=True)


def entry(*lines: str, status=200, took: float = 0, **rules) -> Entry:
    """An answer that came at NOW; the request left `took` seconds before."""
    fields = []
    for line in lines:
        name, _, value = line.partition(": ")
        fields.append((name.lower().encode(), value.encode()))
    return Entry(status, fields, b"", (), NOW - took, NOW, Freshness(**rules))


DATE = f"Date: {at(0)}"
# The fields, and for how long it is fresh (section 4.2.1: s-maxage, max-age, Expires, heuristics).
LIFETIMES = [
    ([DATE, "Cache-Control: max-age=5"], 5),
    ([DATE, "Cache-Control: max-age=5, s-maxage=7"], 7),
    ([DATE, "Cache-Control: s-maxage=0, max-age=5"], 0),
    ([DATE, "Cache-Control: s-maxage=x, max-age=5"], 0),
    ([DATE, f"Expires: {at(9)}"], 9),
    ([DATE, f"Expires: {at(9)}", "Cache-Control: max-age=5"], 5),
    ([DATE, f"Expires: {at(9)}", "Cache-Control: public"], 9),
    ([DATE, f"Expires: {at(-9)}"], 0),
    ([DATE, "Expires: 0", f"Last-Modified: {at(-1000)}"], 0),
    ([DATE, f"Expires: {at(9)}", f"Expires: {at(9)}"], 0),
    ([f"Date: {at(-5)}", f"Expires: {at(9)}"], 14),
    ([f"Expires: {at(9)}"], 9),
    (["Date: x", f"Expires: {at(9)}"], 9),
    ([DATE, DATE, f"Expires: {at(9)}"], 9),
    ([DATE, f"Last-Modified: {at(-1000)}"], 100),
    ([DATE, f"Last-Modified: {at(-1000)}", "Cache-Control: public"], 100),
    ([DATE, f"Last-Modified: {at(-1e8)}"], 86_400),
    ([DATE, f"Last-Modified: {at(1000)}"], 0),
    ([DATE, "Last-Modified: x"], 0),
    ([DATE], 0),
    ([DATE, "Cache-Control: public"], 0),
]


@pytest.mark.parametrize(("lines", "lifetime"), LIFETIMES)
def test_lifetimes(lines, lifetime):
    assert entry(*lines).lifetime == lifetime


@pytest.mark.parametrize("status", range(200, 600))
def test_heuristics_by_status(status):
    """Only what may be kept without having said for how long (RFC 9110, 15.1); errors: `negative`."""
    modified = f"Last-Modified: {at(-1000)}"
    heuristic = status in (200, 203, 204, 300, 301, 308)
    negative = status in (404, 405, 410, 414, 501)
    assert entry(DATE, modified, status=status).lifetime == (100 if heuristic else 0)
    assert entry(DATE, modified, status=status, heuristic=0).lifetime == 0
    assert entry(DATE, status=status, negative=8).lifetime == (8 if negative else 0)
    said = entry(DATE, modified, "Cache-Control: public", status=status).lifetime
    assert said == (0 if negative else 100)
    assert entry(DATE, "Cache-Control: max-age=3", status=status, negative=8).lifetime == 3


# The fields, the seconds that it took, and the age when it came (section 4.2.3).
AGES = [
    ([DATE], 0, 0),
    ([DATE, "Age: 7"], 0, 7),
    ([DATE, "Age: 7"], 3, 10),
    ([DATE], 3, 3),
    ([f"Date: {at(-20)}"], 0, 20),
    ([f"Date: {at(-20)}", "Age: 7"], 3, 20),
    ([f"Date: {at(-20)}", "Age: 30"], 3, 33),
    ([f"Date: {at(20)}"], 0, 0),
    (["Date: Thu, 01 Jan 1970 00:00:00 GMT"], 0, NOW),
    (["Age: 7"], 0, 7),
    # 5.1: the first member, and nothing that is no number
    ([DATE, "Age: 7, 9"], 0, 7),
    ([DATE, "Age: 7", "Age: 9"], 0, 7),
    ([DATE, "Age: x"], 0, 0),
    ([DATE, "Age: -7"], 0, 0),
    ([DATE, "Age: 7.5"], 0, 0),
    ([DATE, "Age: x, 9"], 0, 0),
    ([DATE, "Age:"], 0, 0),
    ([DATE, "Age: 99999999999999999999"], 0, LONGEST),
]


@pytest.mark.parametrize(("lines", "took", "age"), AGES)
def test_ages(lines, took, age):
    found = entry(*lines, took=took)
    assert found.age(NOW) == age
    assert found.age(NOW + 5) == min(age + 5, LONGEST)
    assert found.ttl(NOW + 5) == -min(age + 5, LONGEST)


def test_it_is_stale_at_the_very_second():
    """Fresh is what is younger than its lifetime (section 4.2)."""
    found = entry(DATE, "Cache-Control: max-age=5")
    assert [found.fresh(NOW + after) for after in (4, 4.99, 5, 6)] == [True, True, False, False]


def test_a_clock_that_jumps_back():
    """Its age is unknown then, and it is stale; less than a second is no jump."""
    found = entry(DATE, "Cache-Control: max-age=5000")
    assert found.age(NOW - 0.5) == 0
    assert found.age(NOW - 100) == LONGEST and not found.fresh(NOW - 100)
