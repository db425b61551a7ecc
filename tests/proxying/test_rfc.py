"""Every raw request of tests/web/rfc_cases.py through the proxy: RFC 9110 and 9112 still hold.

Behind it stands the server of chapter 2, which gets all of them right itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.proxying import ReverseProxy
from helpers.web import Homemade
from tests.proxying.behind import DOORS, opened
from tests.web.conftest import folder  # noqa: F401 - a fixture
from tests.web.rfc_cases import CASES
from tests.web.talk import Heard, is_right, play

# What h11, which reads for uvicorn, does in its own way. None of it reaches a server.
OF_H11 = {
    "HEAD without a Host": "its 400 to a HEAD has a body",
    "HEAD with a bad header line": "its 400 to a HEAD has a body",
    "an empty line first": "it does not skip one, which is a SHOULD",
    "blanks before an extension": "it refuses them, as they are there only for bad old senders",
    "chunk size '5;\\x00'": "it looks at no extension; the proxy passes none on",
    "a chunk size of 2**64 + 5": "it counts that far, and waits for the bytes",
}


@pytest.fixture(scope="module")
def heard(folder: Path) -> Iterator[dict[tuple[str, int], dict[str, Heard]]]:  # noqa: F811
    """What came back: through both servers, the whole request at once or a few bytes at a time."""

    async def play_all(door: str, piece: int, url: str) -> dict[str, Heard]:
        async with opened(door, ReverseProxy([url])) as port:
            return await play(port, piece=piece, seconds=3 if door == "serve" else 30)

    ways = [(door, 1 << 20) for door in DOORS] + [("front", 7)]
    with Homemade(folder) as homemade:
        yield {way: asyncio.run(play_all(*way, homemade.url)) for way in ways}


@pytest.mark.parametrize(("door", "piece"), [("serve", 1 << 20), ("front", 1 << 20), ("front", 7)])
def test_every_case(door, piece, heard):
    wrong = {
        case.name: f"RFC {case.section}: {heard[door, piece][case.name]}"
        for case in CASES
        if not is_right(case, heard[door, piece][case.name])
    }
    for name in OF_H11 if door == "serve" else ():
        wrong.pop(name, None)  # whether the body comes before the end is a matter of luck
    assert not wrong


def test_answers_say_who_passed_them_on_and_when(heard):
    for found in heard.values():
        passed = [answer for one in found.values() for answer in one.answers]
        assert len(passed) > len(CASES) / 2
        for answer in passed:
            raw = answer.raw.lower()
            if b"\r\nvia: " not in raw and answer.status >= 400:
                continue  # the server's own: what it could not read never came to the proxy
            assert raw.count(b"\r\ndate: ") == 1, answer
            assert raw.count(b"\r\nserver: ") <= 1, answer
            assert answer.headers["via"] == "1.1 course-proxy"
