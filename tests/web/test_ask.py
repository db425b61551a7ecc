"""``ask`` says exactly the bytes it is given, and knows when an answer is whole."""

from __future__ import annotations

import asyncio

import pytest

from helpers.web import Response, ask

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def against(answers, scenario):
    """Runs a scenario against a server that says the same whatever it hears."""

    async def run():
        heard = bytearray()

        async def serve(reader, writer):
            for piece in answers:
                if isinstance(piece, bytes):
                    writer.write(piece)
                    await writer.drain()
                elif piece == "close":
                    writer.close()
                    return
            while data := await reader.read(1000):
                heard.extend(data)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        try:
            result = await scenario(server.sockets[0].getsockname()[1])
            await asyncio.sleep(0.01)
            return result, bytes(heard)
        finally:
            server.close()

    return asyncio.run(asyncio.wait_for(run(), 60))


@pytest.mark.parametrize(
    ("raw", "answers"),
    [
        (GET, [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"hi"]),
        (GET, [b"HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\nh", b"i"]),
        (GET, [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", b"0\r\n\r\n"]),
        (GET, [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]),
        (GET, [b"HTTP/1.1 204 No Content\r\n\r\n"]),
        (GET, [b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"]),
        (GET.replace(b"GET", b"HEAD"), [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"]),
        (GET, [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]),
        (
            GET * 2,
            [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", b"HTTP/1.1 204 No Content\r\n\r\n"],
        ),
        (GET, [b"HTTP/1.0 200 OK\r\n\r\n", b"to the end", "close"]),
        (GET, [b"HTTP/1.0 200", "close"]),
        (b"nonsense\r\n\r\n", [b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"]),
        (b"", ["close"]),
    ],
)
def test_it_returns_when_the_answer_is_whole(raw, answers):
    whole = b"".join(piece for piece in answers if isinstance(piece, bytes))
    assert against(answers, lambda port: ask(port, raw, timeout=20))[0] == whole


def test_the_bytes_arrive_as_they_are():
    raw = bytes(range(256)) + GET
    answers = [b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"]

    async def scenario(port):
        await ask(port, raw)
        return await ask(port, [raw[:9], raw[9:]])

    assert against(answers, scenario)[1] == raw * 2


def test_where_it_may_be_asked(serving):
    async def scenario(site):
        for where in (
            site,
            site.port,
            site.url,
            f"{site.url}/songs?x",
            f"http://localhost:{site.port}",
        ):
            assert (await ask(where, GET)).endswith(b"hi")
        for wrong in ("ftp://127.0.0.1", "127.0.0.1:80", "http://"):
            with pytest.raises(ValueError, match="takes a URL"):
                await ask(wrong, GET)
        with pytest.raises(TypeError, match="server that is running"):
            await ask(None, GET)

    serving(lambda request: Response(200, {}, b"hi"), scenario)


def test_slowly_byte_by_byte(serving):
    async def scenario(site):
        assert (await ask(site, GET, every=0.001)).endswith(b"hi")
        # Silence counts from the moment when all is said.
        assert (await ask(site, [GET[:9], GET[9:]], every=2, timeout=1)).endswith(b"hi")

    serving(lambda request: Response(200, {}, b"hi"), scenario)


def test_a_silent_server_gets_a_sentence():
    with pytest.raises(TimeoutError, match=r"said nothing in 0\.1 seconds\. It may still wait"):
        against([], lambda port: ask(port, GET, timeout=0.1))
    with pytest.raises(TimeoutError, match=r"said only b'HTTP/1\.1 200 OK"):
        against([b"HTTP/1.1 200 OK\r\n\r\n"], lambda port: ask(port, GET, timeout=0.1))


def test_nobody_there():
    with pytest.raises(ConnectionRefusedError, match="Run the cell that starts it first"):
        asyncio.run(ask(9, GET))
