"""HTTP on the page's own network: the same app gives the same answers as over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse, StreamingResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers import serve
from helpers.music import create_app
from tests.serving.apps import plain
from tests.serving.page_worlds import in_both, in_page, until


def facts(response):
    """All that a client learns from an answer, but for the date and the port."""
    port = str(response.url.port).encode()
    headers = [
        (name, value.replace(port, b"PORT"))
        for name, value in response.headers.raw
        if name.lower() != b"date"
    ]
    start = (response.http_version, response.status_code, response.reason_phrase)
    return *start, headers, response.content.replace(port, b"PORT")


def asking(make_app, *requests, **settings):
    """Ask an app, a new one in each world, one thing after another; the facts of the answers."""

    async def scenario():
        with serve(make_app()) as api:
            async with httpx.AsyncClient(base_url=api.url, **settings) as client:
                answers = []
                for request in requests:
                    method, path, *rest = request
                    response = await client.request(method, path, **(rest[0] if rest else {}))
                    answers.append(facts(response))
        return answers

    return in_both(scenario)


def gate_app():
    """An app that answers in pieces, each when the test lets it."""
    app = FastAPI()
    gates = {"open": 0}

    @app.get("/pieces")
    async def pieces():
        async def produce():
            for number in range(3):
                await until(lambda: gates["open"] >= number)  # noqa: B023 - awaited at once
                yield f"piece {number}\n"

        return StreamingResponse(produce(), media_type="text/event-stream")

    return app, gates


def test_the_music_api():
    tune = {
        "title": "Aardvark Blues", "composer": "A Reader", "year": 2026, "key": "C major",
        "tempo": 120, "genre": "blues", "melody": [{"pitch": "C5", "beats": 1}],
    }  # fmt: skip
    answers = asking(
        create_app,
        ("GET", "/songs/fur-elise"),
        ("HEAD", "/songs/fur-elise/audio"),
        ("GET", "/songs/fur-elise/audio", {"headers": {"Range": "bytes=0-15"}}),
        ("GET", "/songs/fur-elise/audio", {"headers": {"Range": "bytes=99999999-"}}),
        ("GET", "/songs?limit=zero"),
        ("PATCH", "/songs"),
        ("PUT", "/songs/aardvark-blues", {"json": tune}),
        ("PUT", "/songs/aardvark-blues", {"json": tune}),
        ("DELETE", "/songs/aardvark-blues"),
        ("POST", "/songs/fur-elise/plays"),
        ("POST", "/songs", {"content": b"{", "headers": {"content-type": "application/json"}}),
        ("GET", "/play", {"params": {"song": "für elise"}}),
        ("GET", "/nothing"),
        ("OPTIONS", "/songs"),
        ("GET", "/openapi.json"),
    )
    statuses = [answer[1] for answer in answers]
    assert statuses == [200, 200, 206, 416, 422, 405, 201, 200, 204, 200, 422, 200, 404, 405, 200]
    assert answers[1][4] == b"", "HEAD sends no body"
    assert answers[2][4][:4] == b"RIFF" and len(answers[2][4]) == 16


def test_redirects_cookies_and_names_of_headers():
    app = FastAPI()

    @app.get("/")
    async def start(response: Response):
        response.set_cookie("song", "fur-elise")
        return {}

    @app.get("/again")
    async def again(request: Request):
        mixed = {"X-Mixed-Case": "1", "x-twice": "a"}
        return Response(json.dumps(request.cookies), headers=mixed)

    @app.get("/moved")
    async def moved():
        return RedirectResponse("/again", 308)

    answers = asking(lambda: app, ("GET", "/"), ("GET", "/moved"), follow_redirects=True)
    assert json.loads(answers[1][4]) == {"song": "fur-elise"}


def test_what_the_app_is_told():
    async def app(scope, receive, send):
        if scope["type"] != "http":
            raise TypeError("no lifespan")
        told = {
            key: value for key, value in scope.items() if key not in ("headers", "client", "server")
        }
        told["hosts"] = [scope["client"][0], scope["server"][0]]
        text = repr(sorted(told.items(), key=str)).encode()
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": text})

    (answer,) = asking(lambda: app, ("GET", "/a%2Fb/%C3%BC?q=1&q=2"))
    assert b"a/b/" in answer[4]


def test_a_stream_arrives_piece_by_piece():
    async def scenario():
        app, gates = gate_app()
        seen = []
        with serve(app) as api:
            async with httpx.AsyncClient(base_url=api.url) as client:
                async with client.stream("GET", "/pieces") as response:
                    async for line in response.aiter_lines():
                        seen.append((line, gates["open"]))
                        gates["open"] += 1
        return seen

    assert in_both(scenario) == [("piece 0", 0), ("piece 1", 1), ("piece 2", 2)]


def test_an_answer_that_is_late():
    async def scenario():
        app, gates = gate_app()
        with serve(app) as api:
            patience = httpx.Timeout(10, read=0.05)
            async with httpx.AsyncClient(base_url=api.url, timeout=patience) as client:
                with pytest.raises(httpx.ReadTimeout) as caught:
                    await client.get("/pieces")
                gates["open"] = 9
                return str(caught.value), (await client.get("/pieces")).text.count("piece")

    assert in_both(scenario) == ("", 3)


def test_a_server_that_was_stopped_refuses():
    async def scenario():
        api = serve(plain)
        async with httpx.AsyncClient(base_url=api.url) as client:
            first = (await client.get("/")).text
            api.stop()
            with pytest.raises(httpx.ConnectError) as caught:
                await client.get("/")
        return first, str(caught.value), repr(api).replace(str(api.port), "PORT")

    assert in_both(scenario) == (
        "hello",
        "All connection attempts failed",
        "<Server http://127.0.0.1:PORT (stopped)>",
    )


@pytest.mark.parametrize("started", [False, True], ids=["before the answer", "within it"])
def test_a_stop_cuts_what_still_runs(started):
    async def scenario():
        arrived = asyncio.get_running_loop().create_future()
        arrive = arrived.get_loop().call_soon_threadsafe

        async def app(scope, receive, send):
            if scope["type"] != "http":
                raise TypeError("no lifespan")
            if started:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"some", "more_body": True})
            arrive(arrived.set_result, None)
            await asyncio.Event().wait()

        api = serve(app)
        async with httpx.AsyncClient() as client:
            asked = asyncio.ensure_future(client.get(api.url))
            await arrived
            api.stop()
            with pytest.raises(httpx.RemoteProtocolError) as caught:
                await asked
        return str(caught.value)

    assert in_both(scenario).startswith("peer closed" if started else "Server disconnected")


def test_a_request_that_is_almost_done_may_finish():
    async def scenario():
        entered = asyncio.get_running_loop().create_future()
        enter = entered.get_loop().call_soon_threadsafe

        async def app(scope, receive, send):
            if scope["type"] == "http":
                enter(entered.set_result, None)
                await asyncio.sleep(0.002)
            await plain(scope, receive, send)

        api = serve(app)
        async with httpx.AsyncClient() as client:
            asked = asyncio.ensure_future(client.get(api.url))
            await entered
            api.stop()
            return facts(await asked)

    assert in_page(scenario)[4] == b"hello"


def test_several_servers_at_once():
    async def scenario():
        with contextlib.ExitStack() as servers:
            urls = []
            for number in range(5):
                app = FastAPI()
                app.get("/")(lambda number=number: number)
                urls.append(servers.enter_context(serve(app)).url)
            async with httpx.AsyncClient() as client:
                answers = await asyncio.gather(*map(client.get, urls))
        return [answer.json() for answer in answers]

    assert in_both(scenario) == [0, 1, 2, 3, 4]


def connections_app():
    """An app that answers from which port it was asked."""

    async def app(scope, receive, send):
        if scope["type"] != "http":
            raise TypeError("no lifespan")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(scope["client"][1]).encode()})

    return app


@pytest.mark.parametrize("headers", [{}, {"connection": "close"}], ids=["kept", "closed"])
def test_a_connection_is_used_again(headers):
    async def scenario():
        with serve(connections_app()) as api:
            async with httpx.AsyncClient(headers=headers) as client:
                return len({(await client.get(api.url)).text for _ in range(10)})

    assert in_both(scenario) == (10 if headers else 1)


def test_a_connection_that_the_server_has_closed_is_not_used_again():
    async def scenario():
        async def once(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            writer.close()
            closed.set_result(None)

        closed = asyncio.get_running_loop().create_future()
        async with await asyncio.start_server(once, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            answers = []
            async with httpx.AsyncClient() as client:
                for _ in range(3):
                    answers.append((await client.get(url)).text)
                    await closed
                    await asyncio.sleep(0.01)  # over real sockets the end takes its time
                    closed = asyncio.get_running_loop().create_future()
        return answers

    assert in_both(scenario) == ["hi"] * 3


def test_a_hundred_requests_at_once():
    async def scenario():
        with serve(connections_app()) as api:
            limits = httpx.Limits(max_connections=100)
            async with httpx.AsyncClient(limits=limits) as client:
                answers = await asyncio.gather(*(client.get(api.url) for _ in range(100)))
                return len({answer.text for answer in answers}), {a.status_code for a in answers}

    assert in_both(scenario) == (100, {200})


def test_large_bodies_both_ways():
    async def echo(scope, receive, send):
        if scope["type"] != "http":
            raise TypeError("no lifespan")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            message = await receive()
            more = message.get("more_body", False)
            piece = {"type": "http.response.body", "body": message["body"], "more_body": more}
            await send(piece)

    body = bytes(range(256)) * 20_000
    (echoed,) = asking(lambda: echo, ("POST", "/", {"content": body}))
    assert len(echoed[4]) == len(body)
    assert echoed[4] == body


def test_an_app_that_never_reads_the_body():
    answers = asking(lambda: plain, *[("POST", "/", {"content": b"x" * 2_000_000})] * 3)
    assert [answer[4] for answer in answers] == [b"hello"] * 3


@pytest.mark.parametrize("when", ["before", "within", "nothing", "unfinished", "too short"])
def test_an_app_that_fails(when, caplog):
    async def app(scope, receive, send):
        if scope["type"] != "http":
            raise TypeError("no lifespan")
        if when == "before":
            raise ZeroDivisionError("a mistake")
        if when == "nothing":
            return
        length = [(b"content-length", b"99")] if when == "too short" else []
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": b"some", "more_body": True})
        if when == "within":
            raise ZeroDivisionError("a mistake")
        if when == "too short":
            await send({"type": "http.response.body", "body": b""})

    async def scenario():
        with serve(app) as api:
            async with httpx.AsyncClient() as client:
                try:
                    return facts(await client.get(api.url))
                except httpx.HTTPError as error:
                    return type(error), str(error)

    answer = in_both(scenario)
    early = when in ("before", "nothing")
    assert answer[1] == 500 if early else answer[0] is httpx.RemoteProtocolError


@pytest.mark.parametrize(
    "text",
    [
        b"fur elise\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nshort",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n"
        b"Connection: close\r\n\r\nx",
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade, close\r\n\r\n",
        b"\x00" * 100_000,
        b"",
    ],
)
def test_bytes_by_hand(text):
    """What uvicorn makes of requests that httpx would not write."""

    async def app(scope, receive, send):
        if scope["type"] != "http":
            raise TypeError("no lifespan")
        while (await receive()).get("more_body"):
            pass
        await plain(scope, receive, send)

    async def scenario():
        with serve(app) as api:
            reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
            writer.write(text)
            writer.write_eof()
            answer = bytearray()
            with contextlib.suppress(ConnectionError):
                while data := await reader.read(65536):
                    answer += data
            writer.close()
        return [line for line in bytes(answer).split(b"\r\n") if not line.startswith(b"date:")]

    in_both(scenario)


def test_a_plain_function_as_an_endpoint():
    app = FastAPI()

    @app.get("/")
    def hello():
        return PlainTextResponse("hello")

    @app.get("/pieces")
    def pieces():
        return StreamingResponse(f"piece {number}\n" for number in range(3))

    @app.get("/bad")
    def bad():
        raise StopIteration

    paths = [("GET", "/"), ("GET", "/pieces"), ("GET", "/bad")]
    assert [answer[4] for answer in asking(lambda: app, *paths)] == [
        b"hello",
        b"piece 0\npiece 1\npiece 2\n",
        b"Internal Server Error",
    ]


token = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=8)
value = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
forbidden = {"content-length", "transfer-encoding", "connection", "date", "te", "upgrade"}
headers = st.lists(
    st.tuples(token.filter(lambda name: name not in forbidden), value).map(
        lambda pair: (pair[0].encode(), pair[1].encode())
    ),
    max_size=5,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    status=st.sampled_from([200, 201, 204, 206, 304, 404, 418, 500, 599]),
    headers=headers,
    pieces=st.lists(st.binary(max_size=70_000), min_size=1, max_size=4),
    method=st.sampled_from(["GET", "HEAD", "POST", "DELETE"]),
)
def test_any_answer_is_the_same_in_both_worlds(status, headers, pieces, method):
    pieces = [b""] if status in (204, 304) else pieces

    async def app(scope, receive, send):
        if scope["type"] != "http":
            raise TypeError("no lifespan")
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for number, piece in enumerate(pieces, 1):
            more = number < len(pieces)
            await send({"type": "http.response.body", "body": piece, "more_body": more})

    (answer,) = asking(lambda: app, (method, "/"))
    assert answer[1] == status
    assert answer[4] == (b"" if method == "HEAD" else b"".join(pieces))
