"""The proxy as a process of its own: what it takes, how it ends, and that nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from helpers.balancing import LeastConnections, PowerOfTwoChoices
from helpers.programs import ProgramFailed
from helpers.proxying import Standalone
from helpers.proxying.__main__ import algorithms, parse
from tests.programs.conftest import nothing_left as no_program_left  # noqa: F401 - a fixture
from tests.programs.servers import family, is_over
from tests.proxying.behind import Behind, ask, get, in_loop, named, post, until
from tests.serving.apps import ROOT, is_free, listening, refuses, request_to
from tests.waiting import eventually
from tests.web.talk import talk

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
COMMAND = [sys.executable, "-m", "helpers.proxying"]
URL = "http://127.0.0.1:1"


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen, int]]:
    """The command, and the port that it says it listens on."""
    command = [*COMMAND, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        try:
            said = process.stdout.readline()
            assert said.startswith("Proxying at http://127.0.0.1:"), said
            assert said.endswith(" (stop with Ctrl+C)\n")
            yield process, int(said.split(":")[2].split()[0])
        finally:
            process.kill()


@in_loop
async def test_it_forwards_and_balances():
    """By weights, from one port, on this machine only; its own requests are problems, too."""
    async with Behind(named("a")) as a, Behind(named("b")) as b:
        weights = {a.url: 2, b.url: 1}
        with await asyncio.to_thread(Standalone, weights, "weighted-round-robin") as proxy:
            found = [(await ask(proxy.port, post())).body.decode() for _ in range(9)]
            assert Counter(found) == {"a": 6, "b": 3}
            assert listening(proxy.pid) == [("127.0.0.1", proxy.port)]
            assert (await ask(proxy.port, get(method=b"TRACE"))).status == 405
            heard = await talk(proxy.port, [get(b"X : y\r\n")], ["GET"], seconds=10)
            assert heard.statuses == [400]
            assert f"at http://127.0.0.1:{proxy.port}" in repr(proxy)
            processes = family(proxy)
        assert all(map(is_over, processes)) and refuses(proxy.port) and is_free(proxy.port)
        await until(lambda: a.open == b.open == 0)


@in_loop
async def test_its_options_reach_the_proxy():
    """A server that fails its checks gets nothing; without retries, a broken one is a 502."""

    async def breaks_off(line):
        await line.request()

    async with Behind(breaks_off) as bad, Behind(named("well")) as well:
        options = {"retries": 0, "max_fails": 0, "timeout": 5}
        with await asyncio.to_thread(Standalone, [bad.url, well.url], **options) as proxy:
            statuses = [(await ask(proxy.port)).status for _ in range(4)]
            assert statuses == [502, 200, 502, 200]
        options = {"check": "/health", "check_every": 0.01, "fall": 1}
        with await asyncio.to_thread(Standalone, [bad.url, well.url], **options) as proxy:
            await until(lambda: any(seen.target == "/health" for seen in bad.requests))
            await until(lambda: sum(seen.target == "/health" for seen in bad.requests) > 2)
            assert [(await ask(proxy.port)).status for _ in range(4)] == [200] * 4


@pytest.mark.parametrize(
    ("urls", "kind", "words"),
    [
        ("http://127.0.0.1:1", TypeError, "The servers are a list of URLs: write"),
        (["nonsense"], ValueError, "can't be a server's URL"),
        ([URL, URL], ValueError, "is in the list twice"),
        (5, TypeError, "this is int"),
    ],
)
def test_what_are_no_servers(urls, kind, words):
    with pytest.raises(kind, match=words):
        Standalone(urls)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"algorithm": "best"}, "invalid choice: 'best'"),
        ({"retries": -1}, "retries is a whole number from 0 on, and not -1"),
        ({"speed": 5}, "unrecognized arguments: --speed 5"),
    ],
)
def test_options_that_it_does_not_take(more, words):
    with pytest.raises(ProgramFailed, match=words):
        Standalone([URL], **more)


def test_a_port_that_somebody_has():
    with Standalone([URL]) as proxy:
        with pytest.raises(ProgramFailed, match=rf"can't use port {proxy.port}: another program"):
            Standalone([URL], port=proxy.port)
        assert not refuses(proxy.port)


BAD = [
    (["nonsense"], "'nonsense' can't be a server's URL: it begins with http://"),
    ([f"{URL}=x"], "'x' is no weight, as in URL=5"),
    ([f"{URL}=-1"], "weight of"),
    ([f"{URL}=nan"], "weight of"),
    ([URL, URL], "a server is there twice"),
    ([URL, "--algorithm", "best"], "invalid choice: 'best'"),
    ([URL, "--port", "99999"], "'99999' is no port"),
    ([URL, "--port=-1"], "'-1' is no port"),
    ([URL, "--retries", "-1"], "retries is a whole number from 0 on, and not -1."),
    ([URL, "--timeout", "0"], "timeout is a number of seconds above 0, and not 0.0."),
    ([URL, "--fall", "x"], "invalid int value: 'x'"),
    ([URL, "--check", "health"], "check is a path, such as '/health', and not 'health'."),
    ([URL, "--slow-start", "5"], "slow_start has no effect with RoundRobin"),
    ([URL, "--speed", "5"], "unrecognized arguments: --speed"),
    ([], "the following arguments are required: URL"),
]


@pytest.mark.parametrize("start", range(0, len(BAD), 5))
def test_bad_options_end_with_code_2_and_one_sentence(start):
    """Five at a time, as starting Python takes most of it."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    cases = BAD[start : start + 5]
    processes = [subprocess.Popen([*COMMAND, *arguments], **pipes) for arguments, _ in cases]
    for (arguments, words), process in zip(cases, processes, strict=True):
        out, said = process.communicate(timeout=60)
        assert (process.returncode, out) == (2, ""), (arguments, said)
        assert words in said.splitlines()[-1] and "Traceback" not in said


def test_a_port_that_is_taken_ends_with_code_1():
    with running(URL, "--port", "0") as (_, port):
        done = subprocess.run(
            [*COMMAND, URL, "--port", str(port)], capture_output=True, text=True, cwd=ROOT
        )
        assert done.returncode == 1
        assert done.stderr.startswith(f"It can't use http://127.0.0.1:{port}: ")
        assert len(done.stderr.splitlines()) == 1


def test_the_options():
    options = ["--check=/x", "--fail-timeout=3", "--algorithm=ip-hash"]
    found = vars(parse([URL, "http://b=2.5", *options]))
    assert found["servers"] == [(URL, 1), ("http://b", 2.5)]
    assert (found["algorithm"], found["port"]) == ("ip-hash", 8000)
    assert (found["check"], found["fail_timeout"]) == ("/x", 3.0)
    assert "retries" not in found  # what is not given is left to ReverseProxy
    assert algorithms()["least-connections"] is LeastConnections
    assert algorithms()["power-of-two-choices"] is PowerOfTwoChoices
    assert sorted(algorithms()) == [
        "consistent-hash", "ip-hash", "least-connections", "modulo-hash", "power-of-two-choices",
        "random", "round-robin", "weighted-round-robin",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_it_in_order(name):
    """With a client that is idle, one in the middle of a head, and nothing said about either."""
    with running(URL, "--port", "0") as (process, port):
        with request_to(port, get()) as idle, request_to(port, b"GET /") as begun:
            idle.recv(1)
            process.send_signal(getattr(signal, name))
            assert process.wait(20) == 0
            assert process.stdout.read() == ""
            with contextlib.suppress(ConnectionResetError):  # if it was not read at all
                assert begun.recv(1) == b""
        eventually(lambda: refuses(port))


@in_loop
async def test_a_request_that_is_under_way_is_answered_before_it_ends():
    async def script(line):
        await line.request()
        arrived.set()
        await go_on.wait()
        line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    arrived, go_on = asyncio.Event(), asyncio.Event()
    async with Behind(script) as behind:
        with running(behind.url, "--port", "0") as (process, port):
            waiting = asyncio.create_task(ask(port))
            await arrived.wait()
            process.send_signal(signal.SIGTERM)
            await until(lambda: refuses(port))
            go_on.set()
            answer = await waiting
            assert (answer.status, answer.body) == (200, b"ok")
            assert answer.headers.get("connection") in (None, "close")
            await until(lambda: process.poll() is not None)
            assert process.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_it_ends_with_its_parent():
    script = """if True:
        from helpers.proxying import Standalone
        proxy = Standalone(["http://127.0.0.1:1"])
        print(proxy.port, proxy.pid, flush=True)
        input()
    """
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        port, pid = (int(number) for number in parent.stdout.readline().split())
        proxy = psutil.Process(pid)
        assert not refuses(port)
        parent.kill()
        eventually(lambda: is_over(proxy))
        eventually(lambda: refuses(port))
