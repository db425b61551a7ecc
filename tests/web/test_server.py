"""The event loop server: conversations, time limits, backpressure, and how everything ends."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
import time
from types import SimpleNamespace

import pytest

from helpers.web import Problem, Response, ask, start
from tests.web.talk import talk

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"


def echo(request):
    """Says what it was asked."""
    return Response(200, {"X-Path": request.path}, request.method.encode() + b" " + request.body)


def post(body: bytes, *lines: bytes) -> bytes:
    head = [b"POST / HTTP/1.1", b"Host: a", b"Content-Length: %d" % len(body), *lines]
    return b"\r\n".join([*head, b"", body])


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.002)


def test_one_connection_carries_many_requests(serving):
    async def scenario(site):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        for number in range(3):
            writer.write(post(b"%d" % number))
            assert (await reader.readuntil(b"POST %d" % number)).startswith(b"HTTP/1.1 200 OK\r\n")
            assert site.connections == 1
        writer.close()
        await until(lambda: site.connections == 0)

    serving(echo, scenario)


def test_many_requests_at_once_come_back_in_order(serving):
    async def scenario(site):
        raw = [post(b"%d" % number) for number in range(200)]
        heard = await talk(site.port, [b"".join(raw)], ["POST"], 200, 30)
        assert [answer.body for answer in heard.answers] == [b"POST %d" % n for n in range(200)]

    serving(echo, scenario)


def test_many_clients_at_once(serving):
    async def scenario(site):
        answers = await asyncio.gather(
            *(ask(site, post(b"%d" % n), timeout=30) for n in range(200))
        )
        assert [answer.rpartition(b" ")[2] for answer in answers] == [b"%d" % n for n in range(200)]

    serving(echo, scenario)


def test_head_and_statuses_without_a_body(serving):
    async def scenario(site):
        head = await ask(site, HEAD)
        assert b"Content-Length: 5\r\n" in head and head.endswith(b"\r\n\r\n")
        bad = [await ask(site, raw.replace(b"Host", b"Toast")) for raw in (GET, HEAD)]
        assert bad[0].partition(b"\r\n\r\n")[2] and bad[1].endswith(b"\r\n\r\n")
        lengths = [re.search(rb"Content-Length: (\d+)", answer)[1] for answer in bad]
        assert lengths[0] == lengths[1], "RFC 9110, section 8.6"
        for status in (204, 304):
            answer = await ask(site, GET.replace(b"/ ", b"/%d " % status))
            assert answer.endswith(b"\r\n\r\n") and b"Content-Length" not in answer

    def handler(request):
        return Response(int(request.path[1:] or 200), {}, b"12345")

    serving(handler, scenario)


def test_a_mistake_of_the_handler_stays_inside(serving, caplog):
    async def scenario(site):
        heard = await talk(site.port, [GET + GET], ["GET"], 2)
        assert heard.statuses == [500, 500] and not heard.closed
        assert b"secret" not in heard.answers[0].raw and b"Traceback" not in heard.answers[0].raw
        assert heard.answers[0].headers["content-type"] == "application/problem+json"

    def handler(request):
        raise RuntimeError("the secret")

    serving(handler, scenario)
    assert "the secret" in caplog.text


@pytest.mark.parametrize(
    "response",
    [
        None,
        "hello",
        Response(200, {"X": "a\r\nSet-Cookie: b"}),
        Response(200, {"X": "a\nb"}),
        Response(200, {"X\r\nY": "a"}),
        Response(200, {"X": "a\0"}),
        Response(200, {"X": "ř"}),
        Response(999),
        Response(200, {}, None),
    ],
    ids=repr,
)
def test_no_answer_breaks_out_of_its_line(serving, caplog, response):
    """A value from outside that holds CR LF must not become a second answer."""

    async def scenario(site):
        heard = await talk(site.port, [GET], ["GET"])
        assert heard.statuses == [500] and not heard.rest
        assert "set-cookie" not in heard.answers[0].headers

    serving(lambda request: response, scenario)


def test_framing_is_the_servers_business(serving):
    async def scenario(site):
        heard = await talk(site.port, [GET + GET], ["GET"], 2)
        assert [answer.body for answer in heard.answers] == [b"hello"] * 2
        assert heard.answers[0].raw.lower().count(b"content-length") == 1

    headers = {
        "content-length": "99",
        "Transfer-Encoding": "chunked",
        "Connection": "close",
        "date": "x",
    }
    serving(lambda request: Response(200, headers, b"hello"), scenario)


def test_a_handler_may_refuse(serving):
    async def scenario(site):
        heard = await talk(site.port, [GET + GET], ["GET"], 2)
        assert heard.statuses == [403, 403] and b"Only on Sundays." in heard.answers[0].body

    def handler(request):
        raise Problem(403, "Only on Sundays.")

    serving(handler, scenario)


def test_options_for_the_whole_server(serving):
    async def scenario(site):
        answer = await ask(site, b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"Allow: GET, HEAD, POST" in answer and answer.startswith(b"HTTP/1.1 204")

    serving(echo, scenario)


def test_the_word_to_go_on(serving):
    async def scenario(site):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        raw = post(b"hello", b"Expect: 100-continue")
        writer.write(raw[:-5])
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(raw[-5:])
        assert await reader.readuntil(b"POST hello")
        writer.write(raw)  # all at once: no word is needed
        assert (await reader.readuntil(b"POST hello")).startswith(b"HTTP/1.1 200")
        writer.write(raw[:-5].replace(b"1.1", b"1.0"))  # HTTP/1.0 knows no such word
        writer.write(raw[-5:])
        assert (await reader.readuntil(b"POST hello")).startswith(b"HTTP/1.1 200")
        writer.close()

    serving(echo, scenario)


def test_too_large_a_body_is_refused_before_it_comes(serving):
    async def scenario(site):
        answer = await ask(site, post(b"", b"").replace(b"Length: 0", b"Length: 11"))
        assert answer.startswith(b"HTTP/1.1 413 Content Too Large\r\n")
        assert (await ask(site, post(b"0123456789"))).endswith(b"0123456789")

    serving(echo, scenario, longest_body=10)


# Time


def test_a_head_that_comes_too_slowly(serving):
    """The whole head has its time, however often a byte of it comes (slowloris)."""

    async def scenario(site):
        answer = await ask(site, GET, every=0.05)
        assert answer.startswith(b"HTTP/1.1 408 ") and b"Connection: close" in answer
        await until(lambda: site.connections == 0)

    serving(echo, scenario, head=0.1)


def test_a_body_that_comes_too_slowly(serving):
    async def scenario(site):
        answer = await ask(site, [post(b"x" * 100)[:-90], *[b"x"] * 90], every=0.05)
        assert answer.startswith(b"HTTP/1.1 408 ")

    serving(echo, scenario, body=0.1)


def test_a_large_body_has_more_time(serving):
    """1000 bytes a second are fast enough, however long it takes in all."""

    async def scenario(site):
        body = b"x" * 4000
        raw = post(body)
        pieces = [raw[at : at + 500] for at in range(0, len(raw), 500)]
        assert (await ask(site, pieces, every=0.05)).endswith(body)

    serving(echo, scenario, body=0.2)


def test_an_idle_client_is_let_go_without_a_word(serving):
    async def scenario(site):
        assert await ask(site, b"") == b""
        heard = await talk(site.port, [GET], ["GET"], 2, 20)
        assert heard.statuses == [200] and heard.closed

    serving(echo, scenario, idle=0.1)


def test_an_empty_line_is_no_request_yet(serving):
    async def scenario(site):
        assert await ask(site, [b"\r", b"\n"], every=0.02) == b""

    serving(echo, scenario, idle=0.1)


def stuck_client(port: int, raw: bytes) -> socket.socket:
    """A client that asks for much and reads nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.sendall(raw)
    return client


def test_a_client_that_does_not_read_is_let_go(serving):
    async def scenario(site):
        with stuck_client(site.port, GET):
            await until(lambda: site.connections == 1)
            await until(lambda: site.connections == 0)

    serving(lambda request: Response(200, {}, bytes(50_000_000)), scenario, write=0.2)


def test_pipelining_without_reading_takes_no_memory(serving):
    """No request is answered while the last answer waits to be taken."""
    answered = []

    def handler(request):
        answered.append(request)
        return Response(200, {}, bytes(1_000_000))

    async def scenario(site):
        with stuck_client(site.port, GET * 1000):
            await until(lambda: site.connections == 0)
        assert len(answered) < 20

    serving(handler, scenario, write=0.2)


def test_a_slow_reader_gets_everything(serving):
    """Longer in all than `write` allows between two pieces."""

    async def scenario(site):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=1 << 16)
        writer.write(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        size = 0
        begun = time.monotonic()
        while data := await reader.read(1 << 18):
            size += len(data)
            await asyncio.sleep(0.01)
        assert size > 20_000_000 and time.monotonic() - begun > 0.3
        writer.close()

    serving(lambda request: Response(200, {}, bytes(20_000_000)), scenario, write=0.3)


def test_a_large_answer_lets_others_have_their_turn(serving):
    async def scenario(site):
        async def download():
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=1 << 24)
            writer.write(GET)
            await reader.readexactly(100_000_000)
            writer.close()

        large = asyncio.ensure_future(download())
        await until(lambda: site.connections == 1)
        for _ in range(5):
            assert (await ask(site, HEAD)).startswith(b"HTTP/1.1 200")
        assert not large.done()
        await large

    serving(lambda request: Response(200, {}, bytes(100_000_000)), scenario)


# The end of a connection


def test_a_client_may_end_its_half_first(serving):
    async def scenario(site):
        for raw, expected in ((GET * 3, 3), (GET[:-2], 0), (b"", 0), (GET + GET[:9], 1)):
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(raw)
            writer.write_eof()
            assert (await reader.read()).count(b"HTTP/1.1 200 OK") == expected
            writer.close()

    serving(echo, scenario)


def test_a_refusal_arrives_although_more_was_on_its_way(serving):
    """Closing at once would answer the unread bytes with a reset, which destroys the answer."""

    async def scenario(site):
        for _ in range(10):
            raw = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n" + bytes(500_000)
            answer = await ask(site, [raw, bytes(500_000)])
            assert answer.startswith(b"HTTP/1.1 413 ") and answer.endswith(b"}")

    serving(echo, scenario)


def test_a_client_that_never_hangs_up_is_let_go(serving):
    async def scenario(site):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"nonsense\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                writer.write(b"more")
                await asyncio.sleep(0.01)
                if site.connections == 0:
                    break
        assert site.connections == 0
        writer.close()

    site_limits = {"close": 0.2}
    serving(echo, scenario, **site_limits)


def test_clients_that_reset_do_no_harm(serving):
    async def scenario(site):
        for raw in (b"", GET[:5], GET, GET * 50, b"nonsense\r\n\r\n"):
            client = socket.create_connection(("127.0.0.1", site.port))
            client.sendall(raw)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        assert (await ask(site, GET)).startswith(b"HTTP/1.1 200")
        await until(lambda: site.connections == 0)

    serving(echo, scenario)


def test_more_clients_than_allowed(serving):
    async def scenario(site):
        first = await asyncio.open_connection("127.0.0.1", site.port)
        await until(lambda: site.connections == 1)
        assert (await ask(site, GET)).startswith(b"HTTP/1.1 503 ")
        first[1].close()
        await until(lambda: site.connections == 0)
        assert (await ask(site, GET)).startswith(b"HTTP/1.1 200 ")

    serving(echo, scenario, most=1)


def test_stop_ends_everything_at_once(serving):
    async def scenario(site):
        idle = await asyncio.open_connection("127.0.0.1", site.port)
        half = await asyncio.open_connection("127.0.0.1", site.port)
        half[1].write(GET[:9])
        with stuck_client(site.port, GET):
            await until(lambda: site.connections == 3)
            async with asyncio.timeout(5):
                await site.stop()
                await site.stop()
            assert site.connections == 0
        assert await idle[0].read() == await half[0].read() == b""
        for _, writer in (idle, half):
            writer.close()
        with pytest.raises(ConnectionRefusedError):
            await ask(site, GET)
        again = await start(echo, site.port)
        assert (await ask(again, GET)).startswith(b"HTTP/1.1 200")
        await again.stop()

    serving(lambda request: Response(200, {}, bytes(50_000_000)), scenario)


# Around it


def test_the_log(serving):
    lines = []

    async def scenario(site):
        await ask(site, b"GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n")
        await ask(site, b"nonsense\r\n\r\n")

    serving(echo, scenario, log=lines.append)
    assert lines[0] == '127.0.0.1 "GET /a?b HTTP/1.1" 200 4'
    assert re.fullmatch(r'127\.0\.0\.1 "-" 400 \d+', lines[1])


def test_a_port_that_is_taken(serving):
    async def scenario(site):
        with pytest.raises(OSError):
            await start(echo, site.port)
        assert site.url == f"http://127.0.0.1:{site.port}"

    serving(echo, scenario)


def test_a_limit_that_there_is_not(serving):
    async def scenario(site):
        with pytest.raises(TypeError, match="heda"):
            await start(echo, heda=3)

    serving(echo, scenario)


def test_running_a_cell_again_replaces_its_server(monkeypatch):
    """As the kernel tells which cell runs."""
    header = {"msg_id": "1"}
    message = {"header": header, "metadata": {"cellId": "cell"}, "content": {"code": ""}}
    kernel = SimpleNamespace(get_parent=lambda: message)
    shell = SimpleNamespace(kernel=kernel)
    monkeypatch.setitem(
        __import__("sys").modules, "IPython", SimpleNamespace(get_ipython=lambda: shell)
    )

    async def scenario():
        one, two = await start(echo), await start(echo)
        for site in (one, two):
            assert await ask(site, GET)
        header["msg_id"] = "2"
        three = await start(echo)
        assert await ask(three, GET)
        for site in (one, two):
            with pytest.raises(ConnectionRefusedError):
                await ask(site, GET)
        message["metadata"]["cellId"] = "another"
        four = await start(echo)
        assert await ask(three, GET) and await ask(four, GET)
        await three.stop()
        await four.stop()

    asyncio.run(scenario())
