"""WSGI apps and plain functions in a page, where there are no threads."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from wsgiref.validate import validator

import anyio.to_thread
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool

from helpers import serve
from tests.serving.page_worlds import in_both, in_page
from tests.serving.test_page_http import facts


def asking(app, **request):
    async def scenario():
        with serve(app) as api:
            async with httpx.AsyncClient(base_url=api.url) as client:
                return facts(await client.request(**{"method": "GET", "url": "/"} | request))

    return scenario


def test_what_a_wsgi_app_is_told():
    left_out = ("asgi.scope", "wsgi.input", "wsgi.errors", "wsgi.multithread", "wsgi.multiprocess")

    def app(environ, start_response):
        told = {key: value for key, value in environ.items() if key not in left_out}
        told["body"] = environ["wsgi.input"].read()
        del told["REMOTE_PORT"], told["SERVER_PORT"], told["HTTP_HOST"]
        start_response("200 OK", [("X-Mixed", " a ")])
        return [repr(sorted(told.items(), key=str)).encode()]

    answer = in_both(
        asking(app, method="POST", url="/caf%C3%A9?q=1", content=b"x" * 300_000,
               headers={"X-Twice": "1", "Content-Type": "text/plain"})
    )  # fmt: skip
    assert b"'REQUEST_METHOD', 'POST'" in answer[4]


def test_the_rules_of_the_pep_are_kept():
    """As the standard library's validator sees them."""

    @validator
    def app(environ, start_response):
        assert environ["wsgi.input"].read(5) == b"hello"
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"written, ")
        return [b"and ", b"returned"]

    answer = in_page(asking(app, method="POST", content=b"hello"))
    assert answer[4] == b"written, and returned"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_head_has_no_body(method):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "5")])
        return [b"hello"]

    answer = in_both(asking(app, method=method))
    assert answer[4] == (b"hello" if method == "GET" else b"")


def test_a_body_is_sent_piece_by_piece_and_closed():
    seen = []

    class Body:
        def __init__(self):
            self.left = 3

        def __iter__(self):
            return self

        def __next__(self):
            if not self.left:
                raise StopIteration
            self.left -= 1
            seen.append(("made", self.left))
            return f"{self.left}\n".encode()

        def close(self):
            seen.append("closed")

    def app(environ, start_response):
        start_response("200 OK", [])
        return Body()

    async def scenario():
        with serve(app) as api:
            async with httpx.AsyncClient() as client:
                async with client.stream("GET", api.url) as response:
                    async for line in response.aiter_lines():
                        seen.append(("read", int(line)))

    in_page(scenario)
    assert seen[-2:] == ["closed", ("read", 0)] or seen[-2:] == [("read", 0), "closed"]
    assert seen.index(("read", 2)) < seen.index(("made", 0)), "read before the last was made"


def broken(how):
    def app(environ, start_response):
        if how == "first":
            raise ZeroDivisionError("a mistake")
        if how == "silent":
            return [b"body without headers"]
        start_response("200 OK", [])
        if how == "twice":
            start_response("404 Not Found", [])
        if how == "corrected":
            start_response("503 Service Unavailable", [], (ValueError, ValueError("x"), None))
            return [b"sorry"]
        return pieces(start_response)

    def pieces(start_response):
        if how == "early":
            raise ZeroDivisionError("a mistake")
        yield b"some"
        if how == "late":
            raise ZeroDivisionError("a mistake")
        try:
            raise ValueError("too late")
        except ValueError as error:
            start_response("500 Oops", [], (ValueError, error, error.__traceback__))

    return app


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("first", 500),
        ("silent", 500),
        ("twice", 500),
        ("corrected", 503),
        ("early", 500),
        ("late", None),
        ("too late", None),
    ],
)
def test_a_wsgi_app_that_fails(how, status, caplog):
    """PEP 3333: headers wait for the first byte, so an error before it can still be told."""

    async def scenario():
        if status is None:
            with pytest.raises(httpx.RemoteProtocolError):
                await asking(broken(how))()
            return None
        return (await asking(broken(how))())[1]

    assert in_page(scenario) == status
    if how in ("first", "late"):
        assert "ZeroDivisionError: a mistake" in caplog.text


song = contextvars.ContextVar("song", default="none")


def test_a_function_runs_in_a_copy_of_the_context():
    def function(added):
        before = song.get()
        song.set("changed")
        return before + added, threading.current_thread() is threading.main_thread()

    async def scenario():
        song.set("fur-elise")
        return [
            (await run(function, "!"), song.get())
            for run in (anyio.to_thread.run_sync, run_in_threadpool, asyncio.to_thread)
        ]

    answers = in_page(scenario)
    assert [(text, after) for ((text, _), after) in answers] == [("fur-elise!", "fur-elise")] * 3
    assert [inline for ((_, inline), _) in answers][:2] == [True, True]


@pytest.mark.parametrize("error", [StopIteration, ValueError, SystemExit])
def test_what_a_function_raises_is_raised(error):
    def function():
        raise error("a mistake")

    async def scenario():
        try:
            await anyio.to_thread.run_sync(function)
        except BaseException as raised:
            return type(raised), str(raised), type(raised.__cause__)

    kind, text, _ = in_both(scenario)
    assert (kind, text) == (
        (RuntimeError, "coroutine raised StopIteration")
        if error is StopIteration
        else (error, "a mistake")
    )


def test_a_generator_leaves_turns_to_others():
    seen = []

    async def other():
        while "last" not in seen:
            seen.append("other")
            await asyncio.sleep(0)

    async def scenario():
        watching = asyncio.ensure_future(other())
        async for piece in iterate_in_threadpool(iter(["first", "second", "last"])):
            seen.append(piece)
        await watching

    in_page(scenario)
    assert "other" in seen[seen.index("first") : seen.index("second")]
    assert "other" in seen[seen.index("second") : seen.index("last")]


@settings(max_examples=25)
@given(
    status=st.sampled_from(["200 OK", "201 Created", "404 Not Found", "418 I'm a teapot"]),
    pieces=st.lists(st.binary(max_size=50_000), max_size=4),
    method=st.sampled_from(["GET", "HEAD", "POST"]),
    writes=st.booleans(),
)
def test_any_wsgi_answer_is_the_same_in_both_worlds(status, pieces, method, writes):
    def app(environ, start_response):
        write = start_response(status, [("X-Kind", "wsgi")])
        if writes and pieces:
            write(pieces[0])
            return pieces[1:]
        return pieces

    answer = in_both(asking(app, method=method))
    assert answer[4] == (b"" if method == "HEAD" else b"".join(pieces))
