"""Range and If-Range, answered out of an answer that is kept whole (RFC 9110, section 14)."""

from __future__ import annotations

import pytest

from tests.proxying.behind import in_loop
from tests.proxying.cached import cached, status_of

TEN = b"0123456789"
LM = "Sun, 06 Nov 1994 08:49:37 GMT"
LINES = (
    "Cache-Control: max-age=10",
    'ETag: "1"',
    f"Last-Modified: {LM}",
    "Content-Type: x",
    "A: b",
)

# The client's lines, the status, Content-Range and the body.
PARTS = [
    (["Range: bytes=0-3"], 206, "bytes 0-3/10", b"0123"),
    (["Range: bytes=3-3"], 206, "bytes 3-3/10", b"3"),
    (["Range: bytes=7-"], 206, "bytes 7-9/10", b"789"),
    (["Range: bytes=-3"], 206, "bytes 7-9/10", b"789"),
    (["Range: bytes=-99"], 206, "bytes 0-9/10", TEN),
    (["Range: bytes=0-999999999999999999"], 206, "bytes 0-9/10", TEN),
    (["Range: BYTES=0-1"], 206, "bytes 0-1/10", b"01"),
    (["Range: bytes= 0-1 "], 206, "bytes 0-1/10", b"01"),
    # 15.5.17: none of it is there
    (["Range: bytes=10-"], 416, "bytes */10", b""),
    (["Range: bytes=99-100"], 416, "bytes */10", b""),
    (["Range: bytes=-0"], 416, "bytes */10", b""),
    # 14.2: a Range that is none, or that the cache does not do, is as if it was not there
    (["Range: bytes=3-2"], 200, "", TEN),
    (["Range: bytes=-"], 200, "", TEN),
    (["Range: bytes=0-1,3-4"], 200, "", TEN),
    (["Range: bytes=0-1, 99-"], 200, "", TEN),
    (["Range: letters=0-1"], 200, "", TEN),
    (["Range: bytes=a-b"], 200, "", TEN),
    (["Range: bytes=0 -1"], 200, "", TEN),
    (["Range: bytes 0-1"], 200, "", TEN),
    (["Range: bytes=00000000000000000000-1"], 200, "", TEN),
    # 13.1.5: only of the very version that the client has
    (["Range: bytes=0-3", 'If-Range: "1"'], 206, "bytes 0-3/10", b"0123"),
    (["Range: bytes=0-3", 'If-Range: "0"'], 200, "", TEN),
    (["Range: bytes=0-3", 'If-Range: W/"1"'], 200, "", TEN),
    (["Range: bytes=0-3", f"If-Range: {LM}"], 206, "bytes 0-3/10", b"0123"),
    (["Range: bytes=0-3", "If-Range: Mon, 07 Nov 1994 08:49:37 GMT"], 200, "", TEN),
    (["Range: bytes=99-", 'If-Range: "0"'], 200, "", TEN),
    (['If-Range: "0"'], 200, "", TEN),
]


@in_loop
async def test_parts():
    async with cached() as world:
        world.always(TEN, *LINES)
        await world.get()
        for lines, status, where, body in PARTS:
            answer = await world.get("/", *lines)
            assert (answer.status, answer.body) == (status, body), lines
            assert answer.headers.get("content-range", "") == where
            assert answer.headers["content-length"] == str(len(body))
            assert status_of(answer) == "hit; ttl=10" and answer.headers["age"] == "0"
            assert {"date", "via"} <= answer.headers.keys()
            assert ("a" in answer.headers) == ("content-type" in answer.headers) == (status != 416)
            assert ("cache-control" in answer.headers) == (status != 416)
            head = await world.get("/", *lines, method="HEAD")
            assert (head.status, head.headers["content-length"]) == (200, "10")  # 14.2: GET only
        assert world.asked == 1


@in_loop
async def test_a_version_whose_date_or_tag_is_weak():
    """A date of less than a minute ago may stand for two versions (section 8.8.2.2)."""
    async with cached() as world:
        date = world.clock.date(-59)
        world.always(TEN, "Cache-Control: max-age=10", f"Last-Modified: {date}", 'ETag: W/"1"')
        await world.get()
        for mark in (date, 'W/"1"', '"1"'):
            assert (await world.get("/", "Range: bytes=0-1", f"If-Range: {mark}")).status == 200
        date = world.clock.date(-60)
        world.always(TEN, "Cache-Control: max-age=10", f"Last-Modified: {date}")
        await world.get("/b")
        assert (await world.get("/b", "Range: bytes=0-1", f"If-Range: {date}")).status == 206


@in_loop
async def test_of_nothing():
    """An answer without a body has no parts."""
    async with cached() as world:
        world.always(b"", "Cache-Control: max-age=10")
        await world.get()
        for value in ("0-", "0-0", "-5", "-0"):
            answer = await world.get("/", f"Range: bytes={value}")
            assert (answer.status, answer.headers["content-range"]) == (416, "bytes */0")


@in_loop
async def test_a_part_from_the_server_is_not_kept():
    """206 and 416 pass, and the next client gets all of it."""
    async with cached() as world:

        def reply(seen):
            if seen.all("range") == ["bytes=0-1"]:
                return world.says(b"01", *LINES, "Content-Range: bytes 0-1/10", status=206)
            if seen.all("range"):
                return world.says(b"", *LINES, "Content-Range: bytes */10", status=416)
            return world.says(TEN, *LINES)

        world.reply = reply
        assert (await world.get("/", "Range: bytes=0-1")).body == b"01"
        assert (await world.get("/", "Range: bytes=99-")).status == 416
        assert world.cache.statistics().entries == 0
        assert (await world.get()).body == TEN
        assert (await world.get("/", "Range: bytes=0-1")).status == 206
        assert world.asked == 3


@pytest.mark.parametrize("same", [True, False])
@in_loop
async def test_of_a_stale_answer(same):
    """The server is asked whether all of it is good, and not for the part: that can be kept."""
    async with cached() as world:
        world.always(TEN, *LINES)
        await world.get()
        world.clock.now += 10
        if not same:
            world.always(b"abcdefghij", "Cache-Control: max-age=10", 'ETag: "2"')
        answer = await world.get("/", "Range: bytes=0-1", 'If-Range: "1"')
        sent = world.behind.requests[1]
        assert sent.all("range") == sent.all("if-range") == []
        assert sent.all("if-none-match") == ['"1"']
        assert (answer.status, answer.body) == ((206, b"01") if same else (200, b"abcdefghij"))
        again = await world.get("/", "Range: bytes=0-1")
        assert (again.body, world.asked) == (b"01" if same else b"ab", 2)
