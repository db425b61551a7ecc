"""stop: whatever the server is doing, afterwards nothing of it is left."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest
from fastapi import FastAPI, Response

from helpers import serve
from helpers.serving import _engine
from tests.serving.apps import (
    Busy,
    block,
    is_free,
    plain,
    refuses,
    request_to,
    serve_threads,
    wsgi,
)
from tests.waiting import eventually

GET = b"GET %s HTTP/1.1\r\nHost: music\r\n\r\n"


def assert_gone(api):
    assert refuses(api.port)
    assert is_free(api.port)
    assert not api.running
    assert not [thread for thread in serve_threads() if thread.name == "serve"]


class Gate:
    """A FastAPI app with `def` endpoints, which run in worker threads, and a WSGI app.

    Both wait, without await, until the gate is opened.
    """

    def __init__(self):
        self.arrived, self.opened = threading.Event(), threading.Event()
        self.fastapi = FastAPI()
        self.fastapi.get("/wait")(self.wait)

    def wait(self):
        self.arrived.set()
        self.opened.wait()
        return "opened"

    def wsgi(self, environ, start_response):
        start_response("200 OK", [])
        yield self.wait().encode()


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.opened.set()


def test_stopping_twice_is_fine():
    api = serve(plain)
    api.stop()
    api.stop()
    assert_gone(api)


def test_with_stops_also_after_an_error():
    with pytest.raises(ZeroDivisionError), serve(plain) as api:
        raise ZeroDivisionError
    assert_gone(api)


@pytest.mark.parametrize("path", [b"/wait", b"/stream"])
@pytest.mark.parametrize("client_reads", [True, False])
def test_a_request_that_does_not_end_is_cut_off(path, client_reads, caplog, capfd):
    app = Busy()
    api = serve(app)
    with request_to(api.port, GET % path) as connection:
        app.arrived.wait()
        if client_reads:
            reader = threading.Thread(target=_read_to_the_end, args=[connection])
            reader.start()
        api.stop()
        assert_gone(api)
        if client_reads:
            reader.join()
    assert app.log[-1] == "shutdown"
    assert caplog.text + capfd.readouterr().err == "", (
        "the reader asked for the stop: it is no error"
    )


def _read_to_the_end(connection):
    with contextlib.suppress(ConnectionError):
        while connection.recv(65536):
            pass


def test_a_request_that_ends_in_time_gets_its_answer():
    """In its own shutdown uvicorn lets it finish; so do we, within the moment it is given."""
    api = None

    async def app(scope, receive, send):
        if scope["type"] == "http":
            api._engine.ask_to_stop()
        await plain(scope, receive, send)

    api = serve(app)
    answer = httpx.get(api.url)
    assert answer.text == "hello"
    api.stop()
    assert_gone(api)


@pytest.mark.parametrize("kind", ["fastapi", "wsgi"])
def test_a_worker_thread_that_is_busy_does_not_hold_the_server(gate, kind):
    api = serve(getattr(gate, kind))
    with request_to(api.port, GET % b"/wait"):
        gate.arrived.wait()
        api.stop()
        assert_gone(api)


def test_an_endless_wsgi_stream_ends():
    closed = threading.Event()

    def app(environ, start_response):
        start_response("200 OK", [])
        try:
            while True:
                yield b"x" * 65536
        finally:
            closed.set()

    api = serve(app)
    with request_to(api.port, GET % b"/") as connection:
        assert connection.recv(10)
        api.stop()
        assert_gone(api)
        assert closed.wait(10), "the app's generator is closed, as PEP 3333 has it"


def test_an_idle_connection_is_closed():
    api = serve(plain)
    with httpx.Client() as client:
        client.get(api.url)
        api.stop()
        assert_gone(api)


@pytest.mark.parametrize(
    "text", [b"", b"GET / HT", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"]
)
def test_half_a_request_is_dropped(text):
    arrived = threading.Event()

    async def app(scope, receive, send):
        if scope["type"] == "http":
            while (message := await receive())["type"] == "http.request":
                arrived.set()
                if not message["more_body"]:
                    break
        await plain(scope, receive, send)

    api = serve(app)
    with request_to(api.port, text) as connection:
        if b"half" in text:
            arrived.wait()
        api.stop()
        assert_gone(api)
        with contextlib.suppress(ConnectionError):
            assert connection.recv(10) == b""


def test_an_async_endpoint_may_stop_its_own_server():
    app = FastAPI()
    lived = Busy()

    @app.get("/stop")
    async def stop():
        api.stop()
        return Response("stopping")

    async def with_lifespan(scope, receive, send):
        await (lived if scope["type"] == "lifespan" else app)(scope, receive, send)

    api = serve(with_lifespan)
    assert httpx.get(f"{api.url}/stop").text == "stopping"
    eventually(lambda: not serve_threads())
    assert_gone(api)
    assert lived.log == ["startup", "shutdown"]


def test_a_def_endpoint_may_stop_its_own_server():
    app = FastAPI()

    @app.get("/stop")
    def stop():
        api.stop()

    api = serve(app)
    with contextlib.suppress(httpx.TransportError):
        httpx.get(f"{api.url}/stop")
    eventually(lambda: not serve_threads())
    assert_gone(api)


def test_a_server_whose_loop_died_is_not_running():
    async def app(scope, receive, send):
        if scope["type"] == "http":
            import asyncio

            asyncio.get_running_loop().call_soon(sys.exit)
        await plain(scope, receive, send)

    api = serve(app)
    with contextlib.suppress(httpx.TransportError):
        httpx.get(api.url)
    eventually(lambda: not api.running)
    api.stop()
    assert_gone(api)


def test_a_lifespan_that_does_not_end_is_given_up(monkeypatch):
    monkeypatch.setattr(_engine, "STOP_TIMEOUT", 0.05)

    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await receive()  # never comes

    api = serve(app)
    api.stop()
    assert_gone(api)


def test_an_app_that_refuses_to_be_cancelled(monkeypatch):
    import asyncio

    arrived, enough = threading.Event(), threading.Event()

    async def app(scope, receive, send):
        assert scope["type"] == "http"
        while not enough.is_set():
            arrived.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)

    monkeypatch.setattr(_engine, "_MARGIN", 0.1)
    api = serve(app)
    with request_to(api.port, GET % b"/"):
        arrived.wait()
        api.stop()
        enough.set()
        assert_gone(api)


def test_an_app_that_blocks_the_loop_gives_its_port_back_and_says_so(monkeypatch, gate):
    """time.sleep in an `async def`: a thread can't be ended from outside."""
    monkeypatch.setattr(_engine, "STOP_TIMEOUT", 0.05)
    monkeypatch.setattr(_engine, "_MARGIN", 0.05)

    async def app(scope, receive, send):
        if scope["type"] == "http":
            gate.wait()
        await plain(scope, receive, send)

    api = serve(app)
    with request_to(api.port, GET % b"/"):
        gate.arrived.wait()
        with pytest.warns(RuntimeWarning, match=r"its port is free, but its app is still busy"):
            api.stop()
        assert is_free(api.port)
        gate.opened.set()
        eventually(lambda: not serve_threads())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not number open files")
@pytest.mark.parametrize("use", ["idle", "keep-alive", "endless", "half", "wsgi"])
def test_fifty_rounds_leave_no_open_file(use):
    process = psutil.Process()

    def one_round():
        app = wsgi if use == "wsgi" else Busy()
        api = serve(app)
        path = b"/stream" if use == "endless" else b"/"
        if use == "idle":
            api.stop()
            return
        with request_to(api.port, b"GET / HT" if use == "half" else GET % path) as connection:
            if use != "half":
                assert connection.recv(1)
            api.stop()

    gc.collect()
    one_round()
    gc.disable()  # what is closed only by luck counts as left open
    try:
        before = process.num_fds()
        for _ in range(50):
            one_round()
        assert process.num_fds() == before
    finally:
        gc.enable()
    assert not serve_threads()


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system can't fork"
)
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_does_not_hold_the_port():
    api = serve(plain)
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=block, args=[600])
    child.start()
    try:
        assert httpx.get(api.url).text == "hello"
        api.stop()
        assert child.is_alive()
        eventually(lambda: refuses(api.port))
        assert_gone(api)
    finally:
        child.kill()
        child.join()


def test_many_clients_while_it_stops():
    """Each gets a whole answer or a broken connection, and the server goes all the same."""
    app = Busy()
    api = serve(app)
    first = threading.Event()

    def ask(_):
        texts = []
        with contextlib.suppress(httpx.TransportError):
            while True:
                texts.append(httpx.get(api.url).text)
                first.set()
        return texts

    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(ask, range(8))
        first.wait()
        api.stop()
        assert {text for texts in answers for text in texts} == {"hello"}
    assert_gone(api)
