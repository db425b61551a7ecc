"""serve: a real server on the loopback address, ready when serve returns."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import h11
import httpx
import psutil
import pytest
from fastapi import FastAPI
from fastapi.concurrency import asynccontextmanager
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from helpers import Server, serve
from helpers.serving import _engine, _serve
from tests.serving.apps import Busy, is_free, listening, plain, refuses, serve_threads, wsgi
from tests.waiting import eventually


def failing_lifespan(error):
    @asynccontextmanager
    async def lifespan(app):
        if error is not None:
            raise error
        yield

    return FastAPI(lifespan=lifespan)


class Hanging:
    """An app whose lifespan never gets to its end."""

    def __init__(self):
        self.arrived = threading.Event()

    async def __call__(self, scope, receive, send):
        self.arrived.set()
        await asyncio.Event().wait()


def endless_starlette_app():
    async def forever():
        while True:
            yield b"x" * 65536

    async def stream(request):
        return StreamingResponse(forever())

    async def hello(request):
        return PlainTextResponse("hello")

    return Starlette(routes=[Route("/stream", stream), Route("/", hello)])


@pytest.fixture
def one_server_only():
    """The port that was left behind by a start that failed, if there was one."""
    before = set(listening())
    yield
    assert set(listening()) == before
    assert not serve_threads()


def test_it_answers_at_once_when_serve_returns():
    for _ in range(10):
        with serve(plain) as api:
            answer = httpx.get(api.url)
            assert (answer.status_code, answer.text) == (200, "hello")
            assert "date" in answer.headers


def test_url_port_and_repr_agree():
    with serve(plain) as api:
        assert isinstance(api, Server)
        assert api.url == f"http://127.0.0.1:{api.port}"
        assert repr(api) == f"<Server {api.url} (running)>"
        assert api.running
    assert repr(api) == f"<Server {api.url} (stopped)>"
    assert not api.running


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_understands_it():
    with serve(plain) as api:
        command = ["curl", "--silent", "--show-error", "--include", "--max-time", "30", api.url]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    head, _, body = answer.stdout.partition("\n\n")
    assert head.startswith("HTTP/1.1 200 OK")
    assert body == "hello"


def test_h11_understands_two_requests_on_one_connection():
    client = h11.Connection(h11.CLIENT)
    with serve(wsgi) as api, socket.create_connection(("127.0.0.1", api.port), 30) as connection:

        def next_event():
            while (event := client.next_event()) is h11.NEED_DATA:
                client.receive_data(connection.recv(4096))
            return event

        for _ in range(2):
            request = h11.Request(method="GET", target="/", headers=[("Host", "music")])
            connection.sendall(client.send(request) + client.send(h11.EndOfMessage()))
            response, data = next_event(), next_event()
            assert (response.status_code, bytes(data.data)) == (200, b"hello")
            assert isinstance(next_event(), h11.EndOfMessage)
            client.start_next_cycle()


def test_only_the_loopback_address_is_bound():
    with serve(plain) as api:
        bound = [address for address in listening() if address[1] == api.port]
        assert bound == [("127.0.0.1", api.port)]


def test_the_other_addresses_of_the_machine_refuse():
    addresses = [
        address.address
        for interface in psutil.net_if_addrs().values()
        for address in interface
        if address.family == socket.AF_INET and not address.address.startswith("127.")
    ]
    if not addresses:
        pytest.skip("this machine has no address but the loopback one")
    with serve(plain) as api:
        for address in addresses:
            assert refuses(api.port, address), address


def test_the_socket_is_bound_before_the_app_starts(monkeypatch):
    """So no other program can take the port in between."""
    seen = []

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            seen.append(is_free(port))
        await plain(scope, receive, send)

    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    with serve(app, port) as api:
        assert api.port == port
    assert seen == [False]


def test_a_port_that_another_program_holds():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=rf"Port {port} can't be used.*picks a free one\.") as e:
            serve(plain, port)
        assert e.value.errno
        assert other.fileno() != -1
    with serve(plain, port) as api:
        assert api.port == port


@pytest.mark.parametrize("port", [-1, 65536, 10**9])
def test_a_port_that_does_not_exist(port):
    with pytest.raises(ValueError, match=rf"Ports go from 1 to 65535.* {port} is neither\.$"):
        serve(plain, port)


@pytest.mark.parametrize("port", ["8000", 8000.0, None, True])
def test_a_port_that_is_no_number(port):
    with pytest.raises(TypeError, match=rf"whole number, and this is {type(port).__name__}\.$"):
        serve(plain, port)


def test_the_same_port_again_replaces_the_server():
    first = serve(plain)
    with serve(wsgi, first.port) as second:
        assert second.port == first.port
        assert not first.running
        assert httpx.get(second.url).headers["x-kind"] == "wsgi"
        first.stop()
        assert httpx.get(second.url).headers["x-kind"] == "wsgi"


def test_a_bad_app_leaves_the_server_on_its_port_alone():
    with serve(plain) as api:
        with pytest.raises(TypeError):
            serve("main:app", api.port)
        assert httpx.get(api.url).text == "hello"


@pytest.mark.usefixtures("one_server_only")
def test_an_app_that_fails_while_starting_says_why(caplog):
    error = ValueError("no database")
    with pytest.raises(RuntimeError, match=r"failed while starting: ValueError: no database$") as e:
        serve(failing_lifespan(error))
    assert e.value.__cause__ is error
    assert "no database" not in caplog.text, "the reader sees it once, as the cause"


@pytest.mark.usefixtures("one_server_only")
@pytest.mark.parametrize(
    ("message", "reason"), [({}, "it gave no reason."), ({"message": "no disk"}, "no disk")]
)
def test_an_app_that_says_that_it_cannot_start(message, reason):
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", **message})

    with pytest.raises(RuntimeError, match=rf"failed while starting: {reason}$"):
        serve(app)


def test_the_lifespan_surrounds_the_requests():
    app = Busy()
    with serve(app) as api:
        assert app.log == ["startup"]
        assert httpx.get(api.url).text == "hello"
    assert app.log == ["startup", "shutdown"]


@pytest.mark.usefixtures("one_server_only")
def test_a_lifespan_that_hangs(monkeypatch):
    monkeypatch.setattr(_engine, "START_TIMEOUT", 0.1)
    with pytest.raises(TimeoutError, match=r"within 0\.1 seconds\. Look at .* its lifespan\.$"):
        serve(Hanging())


@pytest.mark.usefixtures("one_server_only")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send Ctrl+C to one thread")
def test_an_interrupt_while_serve_waits_leaves_nothing():
    app = Hanging()

    def interrupt():
        app.arrived.wait()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        serve(app)
    thread.join()


@pytest.mark.usefixtures("one_server_only")
def test_an_interrupt_before_the_thread_runs_leaves_nothing(monkeypatch):
    def start(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(_engine.threading.Thread, "start", start)
    with pytest.raises(KeyboardInterrupt):
        serve(plain)


@pytest.mark.parametrize("started", [False, True], ids=["before the answer", "within the answer"])
def test_an_app_that_raises_breaks_one_answer_and_not_the_server(started, caplog):
    async def app(scope, receive, send):
        if scope["path"] == "/bad":
            if started:
                await send({"type": "http.response.start", "status": 200, "headers": []})
            raise ZeroDivisionError("a mistake")
        await plain(scope, receive, send)

    with serve(app) as api:
        for _ in range(3):
            if started:
                with pytest.raises(httpx.RemoteProtocolError):
                    httpx.get(f"{api.url}/bad")
            else:
                assert httpx.get(f"{api.url}/bad").status_code == 500
            assert httpx.get(api.url).text == "hello"
    assert "ZeroDivisionError: a mistake" in caplog.text


def test_a_wsgi_app_that_raises():
    def app(environ, start_response):
        raise ZeroDivisionError("a mistake")

    with serve(app) as api:
        assert [httpx.get(api.url).status_code for _ in range(3)] == [500] * 3


@pytest.mark.parametrize("how", [SystemExit, KeyboardInterrupt])
def test_an_app_that_calls_exit_does_not_end_the_server(how):
    async def app(scope, receive, send):
        if scope["path"] == "/exit":
            raise how()
        await plain(scope, receive, send)

    with serve(app) as api:
        assert httpx.get(f"{api.url}/exit").status_code == 500
        assert httpx.get(api.url).text == "hello"


def test_a_request_that_is_not_http_gets_400():
    with serve(plain) as api:
        with socket.create_connection(("127.0.0.1", api.port), 30) as connection:
            connection.sendall(b"fur elise\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")
        assert httpx.get(api.url).text == "hello"


@pytest.mark.parametrize("app", [Busy(), endless_starlette_app()], ids=["plain", "Starlette"])
def test_a_client_that_leaves_an_endless_stream_harms_nobody(app):
    """Not even if the app never pauses between two pieces."""
    with serve(app) as api:
        with socket.create_connection(("127.0.0.1", api.port), 30) as connection:
            connection.sendall(b"GET /stream HTTP/1.1\r\nHost: music\r\n\r\n")
            assert connection.recv(4096)
        for _ in range(3):
            assert httpx.get(api.url).text == "hello"


def test_twenty_servers_at_once():
    servers = [serve(plain) for _ in range(20)]
    assert len({server.port for server in servers}) == 20
    assert [httpx.get(server.url).text for server in servers] == ["hello"] * 20
    for server in servers:
        server.stop()
    assert all(refuses(server.port) for server in servers)


def test_serve_from_several_threads_at_once():
    start = threading.Barrier(8)

    def one_round(_):
        start.wait()
        with serve(plain) as api:
            return httpx.get(api.url).text, api.port

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one_round, range(8)))
    assert [text for text, _ in answers] == ["hello"] * 8
    assert all(refuses(port) for _, port in answers)


def test_two_threads_that_stop_the_same_server():
    app = Busy()
    api = serve(app)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: api.stop(), range(4)))
    assert app.log == ["startup", "shutdown"]


def test_it_runs_inside_a_running_event_loop():
    async def main():
        with serve(plain) as api:
            async with httpx.AsyncClient() as client:
                answers = await asyncio.gather(*(client.get(api.url) for _ in range(10)))
        return [answer.text for answer in answers]

    assert asyncio.run(main()) == ["hello"] * 10


PROXY_NAMES = ("no_proxy", "NO_PROXY")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has one variable for both names")
@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        (None, None, ("127.0.0.1", "127.0.0.1")),
        (None, "corp, other", ("corp,other,127.0.0.1", "corp,other,127.0.0.1")),
        ("corp", None, ("corp,127.0.0.1", "corp,127.0.0.1")),
        ("a", "b", ("a,127.0.0.1", "b,127.0.0.1")),
        ("*", "127.0.0.1,b", ("*", "127.0.0.1,b")),
    ],
)
def test_a_proxy_for_the_internet_is_not_asked(monkeypatch, lower, upper, expected):
    """And hosts that were already reached directly stay so, for clients that read either name."""
    for name, value in zip(PROXY_NAMES, (lower, upper), strict=True):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serve(plain) as api:
        assert httpx.get(api.url).text == "hello"
    assert tuple(os.environ[name] for name in PROXY_NAMES) == expected


def test_no_server_is_remembered_after_it_stopped():
    with serve(plain) as api:
        assert api in _serve._running
    assert api not in _serve._running
    assert eventually(lambda: refuses(api.port))


def test_small_pieces_are_sent_at_once():
    """Without TCP_NODELAY an answer's body waits for the word that its head has arrived."""

    async def nodelay():
        told = asyncio.get_running_loop().create_future()

        def look(reader, writer):
            sock = writer.get_extra_info("socket")
            told.set_result(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = _engine.listen("127.0.0.1", 0)
        async with await asyncio.start_server(look, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            try:
                return await told
            finally:
                writer.close()

    assert asyncio.run(nodelay()) == 1
