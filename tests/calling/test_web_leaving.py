"""The bridge when somebody leaves: the client, the server, the process."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from helpers import serve
from helpers.calling._web import GrpcWeb
from tests.calling.web_client import BINARY, call, refused, send
from tests.calling.web_service import POOL, SERVICE, Raw, framed, running, unframed
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]


# Who leaves.


@pytest.mark.parametrize("message", [b"head", b"no head"])
def test_a_client_that_leaves_cancels_the_call(own, message):
    service, web = own
    address = urlsplit(str(web.base_url))
    with socket.create_connection((address.hostname, address.port)) as client:
        body = framed(message)
        head = f"POST /{SERVICE}/Wait HTTP/1.1\r\nHost: a\r\nContent-Type: {BINARY[0]}\r\n"
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert service.waiting.wait(60)
        if message == b"head":
            assert client.recv(12) == b"HTTP/1.1 200"
        assert not service.ended.is_set()
    assert eventually(service.ended.is_set)
    eventually(lambda: not bridge_threads())


def test_a_client_that_leaves_an_endless_stream(own):
    service, web = own
    headers = {"content-type": BINARY[0]}
    path = f"/{SERVICE}/Endless"
    with web.stream("POST", path, content=framed(b""), headers=headers) as answer:
        assert next(answer.iter_raw())
    assert eventually(service.ended.is_set)


def bridge_threads():
    return [thread for thread in threading.enumerate() if thread.name == "grpc-web"]


def test_no_thread_is_left():
    service = Raw()
    with running(service) as port:
        before = set(threading.enumerate())
        bridge = serve(GrpcWeb(f"127.0.0.1:{port}"))
        with httpx.Client(base_url=bridge.url, timeout=30) as web:
            call(web, "Echo", b"a")
            path, headers = f"/{SERVICE}/Wait", {"content-type": BINARY[0]}
            with web.stream("POST", path, content=framed(b"head"), headers=headers):
                assert eventually(bridge_threads)  # there is none between two messages
                bridge.stop()

        def left():
            return {t for t in threading.enumerate() if not t.name.startswith(POOL)} - before

        eventually(lambda: not left())
        assert eventually(service.ended.is_set)


def test_an_open_stream_does_not_hold_up_the_end_of_the_process(own):
    service, web = own
    code = f"""
import httpx
from helpers import serve
from helpers.calling._web import GrpcWeb

bridge = serve(GrpcWeb({web.headers["target"]!r}))
headers = {{"content-type": "application/grpc-web"}}
url = bridge.url + "/{SERVICE}/Wait"
answer = httpx.stream("POST", url, content={framed(b"head")!r}, headers=headers)
print(answer.__enter__().status_code)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "200\n", "")
    assert eventually(service.ended.is_set)


def test_close(target):
    app = GrpcWeb(target)
    with serve(app) as bridge, httpx.Client(base_url=bridge.url) as web:
        call(web, "Echo")
        app.close()
        app.close()
        assert refused(send(web, "Echo", framed(b""))) == 14
    with (
        serve(app) as bridge,
        httpx.Client(base_url=bridge.url) as web,
    ):  # as a cell that runs again
        assert call(web, "Echo", b"a")[0] == [b"a"]


def test_close_ends_what_runs():
    service = Raw()
    with running(service) as port:
        app = GrpcWeb(f"127.0.0.1:{port}")
        with serve(app) as bridge, httpx.Client(base_url=bridge.url, timeout=30) as web:
            path, headers = f"/{SERVICE}/Wait", {"content-type": BINARY[0]}
            with web.stream("POST", path, content=framed(b"head"), headers=headers) as answer:
                app.close()
                messages, trailers = unframed(answer.read())
    assert messages == [] and trailers["grpc-status"] == "1"


def request_by_hand(app, method, message, receive, send):
    """One request without a server between, so that a test says what happens to it."""
    headers = [(b"content-type", b"application/grpc-web")]
    scope = {"type": "http", "method": "POST", "path": f"/{SERVICE}/{method}", "headers": headers}
    events = [{"type": "http.request", "body": message, "more_body": False}]

    async def read():
        return events.pop() if events else await receive()

    asyncio.run(app(scope, read, send))


def test_a_client_that_leaves_within_its_body(target):
    """Nothing is called, and nothing is answered."""

    async def leave():
        return {"type": "http.disconnect"}

    async def keep(message):
        raise AssertionError(message)

    app = GrpcWeb(target)
    headers = [(b"content-type", b"application/grpc-web")]
    asyncio.run(app({"type": "http", "method": "POST", "headers": headers}, leave, keep))
    app.close()


def test_nothing_is_said_to_a_client_that_left(own):
    service, web = own
    app, sent, begun = GrpcWeb(web.headers["target"]), [], asyncio.Event()

    async def leave():
        await begun.wait()
        return {"type": "http.disconnect"}

    async def keep(message):
        sent.append(message)
        begun.set()

    request_by_hand(app, "Wait", framed(b"head"), leave, keep)
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert service.ended.wait(60)
    app.close()


def test_a_server_that_cuts_an_answer_off(own):
    """By an error from `send`, as ASGI has it since 2.4."""
    service, web = own
    app = GrpcWeb(web.headers["target"])

    async def stay():
        await asyncio.Event().wait()

    async def fail(message):
        if message["type"] == "http.response.body":
            raise OSError("the client left")

    with pytest.raises(OSError, match="the client left"):
        request_by_hand(app, "Pieces", framed(b""), stay, fail)
    assert eventually(service.cut.is_set)
    app.close()


def test_below_a_path_of_another_app(target):
    from starlette.applications import Starlette
    from starlette.routing import Mount

    app = GrpcWeb(target)
    with serve(Starlette(routes=[Mount("/rpc", app)])) as bridge:
        with httpx.Client(base_url=bridge.url) as web:
            assert call(web, f"/rpc/{SERVICE}/Echo", b"a")[0] == [b"a"]
    app.close()
