"""serve in a page: the rules of the thread engine, on the page's own event loop."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI, Request

from helpers import Server, serve
from helpers.serving import _page_engine, _serve
from helpers.serving._notebook import Cell, current_cell
from tests.serving.apps import Busy, plain
from tests.serving.page_worlds import in_both, in_page, until


async def text(server, path="/"):
    async with httpx.AsyncClient() as client:
        return (await client.get(server.url + path)).text


def app_with(startup, shutdown=None):
    @asynccontextmanager
    async def lifespan(app):
        if startup is not None:
            await startup()
        yield {"song": "Für Elise"}
        if shutdown is not None:
            await shutdown()

    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    async def state(request: Request):
        return request.state.song

    return app


async def fails():
    raise ValueError("no database")


def test_it_answers_at_once_when_serve_returns():
    async def scenario():
        with serve(plain) as api:
            assert isinstance(api, Server)
            assert repr(api) == f"<Server http://127.0.0.1:{api.port} (running)>"
            assert await text(api) == "hello"
        assert repr(api) == f"<Server {api.url} (stopped)>"
        api.stop()

    in_page(scenario)


@pytest.mark.parametrize(
    ("app", "port"), [("main:app", 0), (FastAPI, 0), (plain, "80"), (plain, -1), (plain, 65536)]
)
def test_what_serve_does_not_take(app, port):
    async def scenario():
        with pytest.raises((TypeError, ValueError)) as caught:
            serve(app, port)
        return type(caught.value), str(caught.value)

    in_both(scenario)


def test_a_port_that_somebody_else_holds():
    async def scenario():
        async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as other:
            port = other.sockets[0].getsockname()[1]
            with pytest.raises(OSError, match="picks a free one") as caught:
                serve(plain, port)
        with serve(plain, port) as api:
            assert api.port == port
        return caught.value.errno, str(caught.value).replace(str(port), "PORT")

    in_both(scenario)


def test_the_same_port_again_replaces_the_server():
    async def scenario():
        first = serve(plain)
        with serve(FastAPI(), first.port) as second:
            assert (first.running, second.running) == (False, True)
            assert await text(second) == '{"detail":"Not Found"}'
            first.stop()
            assert second.running

    in_page(scenario)


def test_the_same_cell_again_replaces_its_servers(monkeypatch):
    async def scenario():
        def run(name, number):
            monkeypatch.setattr(_serve, "current_cell", lambda: Cell(name, number))
            return serve(plain)

        first, beside, other = run("a", "1"), run("a", "1"), run("b", "2")
        again = run("a", "3")
        states = [server.running for server in (first, beside, other, again)]
        for server in (other, again):
            server.stop()
        return states

    assert in_both(scenario) == [False, False, True, True]


class KernelWithoutMessages:
    """JupyterLite's kernel before the first cell."""

    def get_parent(self):
        return self._parent_header


class PageKernel:
    message = {"header": {"msg_id": "1"}, "metadata": {"cellId": "a"}}

    def get_parent(self):
        return self.message


class ForeignKernel:
    def get_parent(self):
        return object()


@pytest.mark.parametrize(
    ("kernel", "cell"),
    [
        (PageKernel(), Cell("a", "1")),
        (KernelWithoutMessages(), None),
        (ForeignKernel(), None),
        (object(), None),
        (None, None),
    ],
)
def test_the_cell_that_a_kernel_names(monkeypatch, kernel, cell):
    import IPython

    shell = SimpleNamespace(kernel=kernel)
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    assert current_cell() == cell


def test_the_lifespan_surrounds_the_requests():
    async def scenario():
        app = Busy()
        api = serve(app)
        assert app.log == ["startup"]
        assert await text(api) == "hello"
        api.stop()
        await until(lambda: len(app.log) == 2)
        return app.log

    assert in_both(scenario) == ["startup", "shutdown"]


def test_what_the_lifespan_gives_the_requests():
    async def scenario():
        with serve(app_with(None)) as api:
            return await text(api)

    assert in_both(scenario) == '"Für Elise"'


def says_no(message):
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", **message})
        await receive()  # and waits for ever

    return app


@pytest.mark.parametrize("app", [app_with(fails), app_with(fails)])
def test_an_app_that_fails_while_starting_says_why(app):
    async def scenario():
        with pytest.raises(RuntimeError) as caught:
            serve(app)
        return str(caught.value), repr(caught.value.__cause__)

    assert in_both(scenario) == (
        "The app failed while starting: ValueError: no database",
        "ValueError('no database')",
    )


def test_an_app_whose_startup_waits_is_reached_once_it_has_started():
    async def scenario():
        ready = asyncio.Event()
        with serve(app_with(ready.wait)) as api:
            asked = asyncio.ensure_future(text(api))
            for _ in range(50):
                await asyncio.sleep(0)
            assert api.running and not asked.done()
            ready.set()
            return await asked

    assert in_page(scenario) == '"Für Elise"'


@pytest.mark.parametrize(
    ("app", "reason"),
    [(app_with(fails), "ValueError: no database"), (says_no({"message": "no disk"}), "no disk")],
)
def test_an_app_that_fails_late_is_refused_with_a_warning(app, reason):
    async def scenario():
        connected = asyncio.Event()

        async def late(scope, receive, send):
            await connected.wait()
            await app(scope, receive, send)

        with pytest.warns(RuntimeWarning, match=rf"failed while starting: {reason}$"):
            api = serve(late)
            asked = asyncio.ensure_future(text(api))
            await until(lambda: api._engine.listener.waiting)
            connected.set()
            with pytest.raises(httpx.ReadError):
                await asked
            await until(lambda: not api.running)
        with pytest.raises(httpx.ConnectError):
            await text(api)
        api.stop()

    in_page(scenario)


def test_a_lifespan_that_hangs(monkeypatch):
    monkeypatch.setattr(_page_engine, "START_TIMEOUT", 0.01)

    async def scenario():
        with pytest.warns(RuntimeWarning, match=r"within 0\.01 seconds.*its lifespan\.$"):
            api = serve(app_with(asyncio.Event().wait))
            await until(lambda: not api.running)
        api.stop()

    in_page(scenario)


def test_a_shutdown_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(_page_engine, "STOP_TIMEOUT", 0.01)

    async def scenario():
        serve(app_with(None, asyncio.Event().wait)).stop()

    in_page(scenario)


def test_a_server_that_is_stopped_before_it_has_started():
    async def scenario():
        api = serve(app_with(asyncio.Event().wait))
        api.stop()
        assert not api.running

    in_page(scenario)


def test_an_interrupt_while_the_app_starts_leaves_nothing():
    async def interrupted():
        raise KeyboardInterrupt

    async def scenario():
        with pytest.raises(KeyboardInterrupt):
            serve(app_with(interrupted))
        assert not _serve._running

    in_page(scenario)


def test_an_app_that_stops_its_own_server():
    async def scenario():
        app = FastAPI()

        @app.get("/")
        async def stop():
            api.stop()
            return "stopped"

        api = serve(app)
        answer = await text(api)
        with pytest.raises(httpx.ConnectError):
            await text(api)
        return answer

    assert in_page(scenario) == '"stopped"'


def test_a_stream_without_end_lets_others_work_and_ends_with_the_server():
    async def scenario():
        app = Busy()
        api = serve(app)
        async with httpx.AsyncClient() as client:
            async with client.stream("GET", f"{api.url}/stream") as response:
                pieces = response.aiter_bytes()
                await anext(pieces)
                assert await text(api) == "hello"
                api.stop()
                with pytest.raises(httpx.HTTPError):
                    async for _ in pieces:
                        pass
        await until(lambda: len(app.log) == 3)
        return app.log

    assert in_page(scenario) == ["startup", "cut off", "shutdown"]


def test_a_uvicorn_of_the_readers_own():
    import uvicorn

    async def scenario():
        server = uvicorn.Server(uvicorn.Config(plain, port=0, log_config=None, lifespan="off"))
        task = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        host, port = server.servers[0].sockets[0].getsockname()
        async with httpx.AsyncClient() as client:
            answer = (await client.get(f"http://{host}:{port}")).text
        server.should_exit = True
        await task
        return answer

    assert in_both(scenario) == "hello"


def test_the_thread_engine_is_not_needed_in_a_page():
    """Nor anything large before the first server: what a page downloads first is small."""
    import subprocess

    code = (
        "import sys, helpers.serving\n"
        "print(*{'uvicorn', 'httpx', 'anyio', 'fastapi', 'h11'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
