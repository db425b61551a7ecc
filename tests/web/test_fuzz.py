"""A minute of nonsense: the server never crashes, never hangs, and leaks nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import random
import threading
import time

import pytest

from helpers.web import Files, Response, ThreadedServer, ask, start
from tests.waiting import eventually
from tests.web.rfc_cases import CASES, GOOD, HELLO

pytestmark = pytest.mark.alone  # what it waits for comes late beside another test

SECONDS = float(os.environ.get("COURSE_FUZZ_SECONDS", "60"))
CLIENTS = 24
NASTY = [b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b" ", b"\t", b":", b";", b",", b"%", b"/", b"..", b"0", b"F" * 20,
         b"\xff", b"chunked", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: b\r\n",
         b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"Range: bytes=0-0\r\n", GOOD, b"a" * 9000]  # fmt: skip
SEEDS = [case.raw for case in CASES if len(case.raw) < 20_000]


def nonsense(luck: random.Random) -> bytes:
    """Some requests, mutated."""
    data = bytearray(b"".join(luck.choice(SEEDS) for _ in range(luck.choice([1, 1, 2, 5]))))
    for _ in range(luck.choice([0, 1, 1, 2, 4, 30])):
        at = luck.randrange(len(data) + 1)
        what = luck.randrange(5)
        if what == 0:
            del data[at : at + luck.choice([1, 2, 10])]
        elif what == 1:
            data[at:at] = luck.choice(NASTY)
        elif what == 2 and data:
            data[at % len(data)] = luck.randrange(256)
        elif what == 3:
            data[at:at] = data[at : at + luck.randrange(50)]
        else:
            data[at : at + 1] = luck.choice(NASTY)
    return bytes(data)


async def client(port: int, luck: random.Random) -> None:
    """One connection: pieces at random, and an end at random."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        data = nonsense(luck)
        while data and not writer.is_closing():  # asyncio complains of those who talk to nobody
            size = luck.choice([1, 3, 20, 500, 100_000])
            writer.write(data[:size])
            data = data[size:]
            if luck.random() < 0.3:
                await asyncio.sleep(0)
            if luck.random() < 0.02:
                break
        end = luck.choice(["read", "read", "half", "abort", "leave"])
        if end == "half":
            writer.write_eof()
        if end in ("read", "half"):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(luck.choice([0.01, 0.1])):
                    while await reader.read(1 << 16):
                        pass
        elif end == "abort":
            writer.transport.abort()
    except OSError:
        pass
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def open_files() -> int:
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    return 0


@pytest.mark.slow
def test_nothing_harms_it(folder, caplog):
    caplog.set_level(logging.WARNING)
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    files = Files(folder)

    def handler(request):
        """Files, a large answer, and the body back."""
        if request.method == "POST":
            return Response(200, {}, request.body)
        return Response(200, {}, bytes(300_000)) if request.query else files(request)

    async def scenario(threaded: ThreadedServer) -> int:
        problems: list[dict] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: problems.append(context))
        limits = {"idle": 0.3, "head": 0.3, "body": 0.3, "write": 0.3, "close": 0.2}
        site = await start(handler, **limits)
        files_before, connected = open_files(), 0
        until = time.monotonic() + SECONDS

        async def keep_on(number: int) -> None:
            nonlocal connected
            luck = random.Random(seed + number)
            while time.monotonic() < until:
                await client(luck.choice([site.port, site.port, threaded.port]), luck)
                connected += 1

        async def keep_asking() -> None:
            """Beside all of it, whoever asks properly is answered."""
            while time.monotonic() < until:
                for where in (site, threaded):
                    assert (await ask(where, GOOD, timeout=30)).endswith(HELLO)
                await asyncio.sleep(0.1)

        await asyncio.gather(*map(keep_on, range(CLIENTS)), keep_asking())
        async with asyncio.timeout(30):
            while site.connections or threaded.connections:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.01)
            while open_files() > files_before:
                gc.collect()
                await asyncio.sleep(0.01)
        for where in (site, threaded):
            assert (await ask(where, GOOD, timeout=30)).endswith(HELLO)
        await site.stop()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert not problems, f"seed {seed}: {problems[:3]}"
        return connected

    threads_before = threading.active_count()
    with ThreadedServer(handler, idle=0.3) as threaded:
        connected = asyncio.run(scenario(threaded))
    eventually(lambda: threading.active_count() <= threads_before)
    assert connected > SECONDS * 5
    assert not caplog.records, f"seed {seed}: {caplog.text[:2000]}"
