"""Real clients against our server: curl, httpx and Python's own."""

from __future__ import annotations

import asyncio
import http.client
import shutil
import subprocess

import httpx
import pytest

from helpers.web import Response
from tests.browser_support import skip_or_fail


def curl(*arguments: str) -> subprocess.CompletedProcess:
    program = shutil.which("curl")
    if program is None:
        skip_or_fail("curl is not installed")
    command = [
        program,
        "--silent",
        "--show-error",
        "--max-time",
        "60",
        "--noproxy",
        "*",
        *arguments,
    ]
    return subprocess.run(command, capture_output=True, timeout=90)


def test_curl_downloads_and_resumes(homemade, music, tmp_path):
    target = tmp_path / "out.wav"
    whole = (music / "elise.wav").read_bytes()
    target.write_bytes(whole[:1000])
    done = curl("--continue-at", "-", "--output", str(target), f"{homemade.url}/elise.wav")
    assert done.returncode == 0, done.stderr
    assert target.read_bytes() == whole


def test_curl_keeps_the_connection(homemade):
    url = f"{homemade.url}/f%C3%BCr%20elise.txt"
    done = curl("--write-out", "%{num_connects} ", url, url, "--head", url, "--output", "/dev/null")
    assert done.returncode == 0
    connects = [int(word) for word in done.stdout.split() if word in (b"0", b"1")]
    assert sum(connects) == 1


def test_curl_asks_whether_it_changed(homemade, tmp_path):
    etag, target = tmp_path / "etag", tmp_path / "out"
    for expected in (b"200", b"304"):
        done = curl("--etag-save", str(etag), "--etag-compare", str(etag), "--output", str(target),
                    "--write-out", "%{http_code}", f"{homemade.url}/elise.wav")  # fmt: skip
        assert done.stdout == expected, done.stderr


@pytest.mark.parametrize("option", [["--http1.0"], ["--http1.1"], ["--request", "DELETE"]])
def test_curl_in_other_ways(homemade, option):
    done = curl(
        *option,
        "--write-out",
        "%{http_code}",
        f"{homemade.url}/index.html",
        "--output",
        "/dev/null",
    )
    assert done.stdout == (b"405" if "DELETE" in option else b"200"), done.stderr


def test_curl_sends_bodies(serving, tmp_path):
    """By length, in chunks, and with Expect: 100-continue, which curl adds to large ones."""
    large = tmp_path / "large"
    large.write_bytes(bytes(range(256)) * 3000)

    async def scenario(site):
        for extra in ([], ["--header", "Transfer-Encoding: chunked"], ["--header", "Expect: 100-continue"],
                      ["--http1.0"]):  # fmt: skip
            done = await asyncio.to_thread(curl, "--data-binary", f"@{large}", *extra, site.url)
            assert done.stdout == large.read_bytes(), (extra, done.stderr)

    serving(lambda request: Response(200, {}, request.body), scenario)


def test_httpx(serving):
    async def scenario(site):
        async with httpx.AsyncClient(base_url=site.url, trust_env=False) as client:
            for number in range(20):
                answer = await client.post("/a%20b?c=d", content=b"x" * number)
                assert answer.text == f"POST /a%20b c=d {number}"
                assert answer.headers["content-type"] == "text/plain"

            async def pieces():
                for _ in range(10):
                    yield b"0123456789"

            assert (await client.put("/", content=pieces())).text == "PUT /  100"
            answers = await asyncio.gather(*(client.get(f"/{number}") for number in range(50)))
            assert [answer.status_code for answer in answers] == [200] * 50
            head = await client.head("/")
            assert head.headers["content-length"] == str(len("HEAD /  0")) and head.content == b""
            missing = await client.get("/", headers={"Range": "bytes=0-"})
            assert missing.status_code == 200

    def describe(request):
        text = f"{request.method} {request.path} {request.query} {len(request.body)}"
        return Response(200, {"Content-Type": "text/plain"}, text.encode())

    serving(describe, scenario)


def test_pythons_own_client(homemade, music):
    connection = http.client.HTTPConnection("127.0.0.1", homemade.port, timeout=60)
    for _ in range(3):
        connection.request("GET", "/elise.wav", headers={"Range": "bytes=0-43"})
        answer = connection.getresponse()
        assert answer.status == 206 and answer.read() == (music / "elise.wav").read_bytes()[:44]
    connection.close()
