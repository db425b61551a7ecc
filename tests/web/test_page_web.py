"""The server of chapter 2 in a page: in Pyodide, which here runs in Node instead of a browser."""

from __future__ import annotations

import asyncio

import pytest

from helpers.web import Files, Response, ask, start
from tests.serving.page_worlds import in_both
from tests.serving.test_page_pyodide import in_pyodide, runtime  # noqa: F401 - fixtures
from tests.web.rfc_cases import CASES
from tests.web.talk import is_right, play


@pytest.mark.slow
def test_start_and_ask_in_pyodide(in_pyodide):  # noqa: F811
    facts = in_pyodide("""
import pathlib
from helpers.web import Files, Response, ask, parse_head, read_requests, start

folder = pathlib.Path("/songs")
folder.mkdir()
(folder / "a.wav").write_bytes(bytes(range(100)) * 2000)
(folder / "hello.txt").write_text("hello")
site = await start(Files(folder), head=0.2)
get = b"GET /hello.txt HTTP/1.1\\r\\nHost: here\\r\\n\\r\\n"
facts["whole"] = (await ask(site, get)).decode().splitlines()[0::100]
facts["twice"] = (await ask(site.url, get * 2)).count(b"hello")
facts["part"] = list((await ask(site, get.replace(b"hello.txt", b"a.wav").replace(b"Host", b"Range: bytes=5-7\\r\\nHost")))[-3:])
facts["large"] = len(await ask(site, get.replace(b"hello.txt", b"a.wav"))) > 200_000
facts["slow"] = (await ask(site, get, every=0.05)).decode().splitlines()[0]
facts["smuggled"] = (await ask(site, get.replace(b"Host", b"Content-Length: 1\\r\\nContent-Length: 2\\r\\nHost"))).decode().splitlines()[0]
facts["out"] = (await ask(site, get.replace(b"hello.txt", b"../etc/passwd"))).decode().splitlines()[0]
await site.stop()
try:
    await ask(site, get)
except ConnectionRefusedError as error:
    facts["stopped"] = "Run the cell" in str(error)
facts["connections"] = site.connections
facts["step"] = next(read_requests(bytearray(b"GET /")))
""")
    assert facts == {
        "whole": ["HTTP/1.1 200 OK"],
        "twice": 2,
        "part": [5, 6, 7],
        "large": True,
        "slow": "HTTP/1.1 408 Request Timeout",
        "smuggled": "HTTP/1.1 400 Bad Request",
        "out": "HTTP/1.1 404 Not Found",
        "stopped": True,
        "connections": 0,
        "step": "head",
    }


def test_the_cases_on_the_pages_own_network(folder):
    """Each raw request gets the same answer there as over real sockets."""

    async def scenario():
        site = await start(Files(folder))
        heard = await play(site.port, seconds=30)
        await site.stop()
        return [(case.name, is_right(case, heard[case.name])) for case in CASES]

    assert all(right for _, right in in_both(scenario))


def test_a_large_answer_on_the_pages_own_network():
    async def scenario():
        site = await start(lambda request: Response(200, {}, bytes(30_000_000)))
        answers = await asyncio.gather(
            *(ask(site, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(3))
        )
        await site.stop()
        return [len(answer) > 30_000_000 for answer in answers], site.connections

    assert in_both(scenario) == ([True] * 3, 0)
