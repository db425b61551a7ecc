"""Every kind of web app is recognised; anything else gets one clear sentence."""

from __future__ import annotations

import functools
import wsgiref.simple_server
import wsgiref.validate
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from helpers import serve
from helpers.serving._interface import as_asgi
from tests.serving.apps import plain, wsgi


def fastapi_app() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def hello():
        return PlainTextResponse("hello")

    return app


def fastapi_app_with_def() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    def hello():
        return PlainTextResponse("hello")

    return app


def starlette_app() -> Starlette:
    return Starlette(routes=[Route("/", lambda request: PlainTextResponse("hello"))])


class ASGIInstance:
    async def __call__(self, scope, receive, send):
        await plain(scope, receive, send)

    async def method(self, scope, receive, send):
        await plain(scope, receive, send)


class StarArguments:
    async def __call__(self, *arguments):
        await plain(*arguments)


class WSGIInstance:
    def __call__(self, environ, start_response):
        return wsgi(environ, start_response)


async def with_a_setting(setting, scope, receive, send):
    assert setting == "set"
    await plain(scope, receive, send)


def returns_an_awaitable(scope, receive, send):
    return plain(scope, receive, send)


def wsgi_with_an_option(environ, start_response, option=None):
    return wsgi(environ, start_response)


def wsgi_generator(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"hel"
    yield b"lo"


ASGI = {
    "FastAPI": fastapi_app(),
    "FastAPI with def": fastapi_app_with_def(),
    "Starlette": starlette_app(),
    "function": plain,
    "instance": ASGIInstance(),
    "bound method": ASGIInstance().method,
    "star arguments": StarArguments(),
    "partial": functools.partial(with_a_setting, "set"),
    "def that returns an awaitable": returns_an_awaitable,
}
WSGI = {
    "function": wsgi,
    "instance": WSGIInstance(),
    "third argument with a default": wsgi_with_an_option,
    "generator": wsgi_generator,
    "partial": functools.partial(wsgi_with_an_option, option=1),
}


@pytest.mark.parametrize("app", ASGI.values(), ids=ASGI.keys())
def test_an_asgi_app_is_served_as_it_is(app):
    assert as_asgi(app) is app
    with serve(app) as api:
        assert httpx.get(api.url).text == "hello"


@pytest.mark.parametrize("app", WSGI.values(), ids=WSGI.keys())
def test_a_wsgi_app_is_served(app):
    with serve(app) as api:
        assert httpx.get(api.url).text == "hello"


def test_a_wsgi_app_sees_what_pep_3333_promises():
    """The standard library's own validator and its demo app, which prints the environment."""
    app = wsgiref.validate.validator(wsgiref.simple_server.demo_app)
    with serve(app) as api:
        answer = httpx.get(f"{api.url}/a%20song?q=f%C3%BCr", headers={"X-Music": "loud"})
    assert answer.status_code == 200
    for line in (
        "REQUEST_METHOD = 'GET'",
        "PATH_INFO = '/a song'",
        "QUERY_STRING = 'q=f%C3%BCr'",
        "HTTP_X_MUSIC = 'loud'",
        f"SERVER_PORT = '{api.port}'",
    ):
        assert line in answer.text.splitlines()


def test_a_wsgi_app_reads_the_body():
    def shout(environ, start_response):
        start_response("200 OK", [])
        return [environ["wsgi.input"].read().upper()]

    with serve(shout) as api:
        assert httpx.post(api.url, content=b"fur elise" * 100_000).content == b"FUR ELISE" * 100_000


@pytest.mark.parametrize(
    "garbage",
    [
        None,
        "main:app",
        42,
        {"app": plain},
        SimpleNamespace(app=plain),
        max,
        len,
        lambda: None,
        lambda request: None,
        lambda a, b, c, d: None,
        plain(None, None, None),
    ],
    ids=lambda garbage: getattr(garbage, "__name__", type(garbage).__name__),
)
def test_garbage_gets_one_clear_sentence(garbage):
    with pytest.raises(TypeError) as caught:
        serve(garbage)
    text = str(caught.value)
    assert text.startswith("serve takes ")
    assert text.endswith(".")
    assert "\n" not in text
    if hasattr(garbage, "close"):
        garbage.close()


def test_an_async_function_of_two_arguments_is_no_wsgi_app():
    async def handler(request, response): ...

    with pytest.raises(TypeError, match="handler can be called in neither way"):
        serve(handler)


def test_a_class_gets_told_what_to_write():
    with pytest.raises(TypeError, match=r"write serve\(FastAPI\(\)\)\.$"):
        serve(FastAPI)
