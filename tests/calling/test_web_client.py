"""gRPC's own client for pages, from npm, in Chromium: it gets through the bridge what was meant."""

from __future__ import annotations

import base64
import contextlib
import mimetypes
from pathlib import Path

import pytest

from helpers import serve
from helpers.calling._web import GrpcWeb
from tests.calling.web_service import RICH, SAD, SERVICE, Raw, running
from tests.node_tools import installed_packages
from tests.waiting import eventually

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A client of gRPC-Web</title>
<link rel="icon" href="data:,"><script type="module">
import { GrpcWebClientBase, MethodDescriptor, MethodType } from "./index.esm.js";

const described = (name, type) => new MethodDescriptor(
  `/SERVICE/${name}`, type, Uint8Array, Uint8Array, (bytes) => bytes, (bytes) => bytes);
const path = (name) => `${location.origin}/SERVICE/${name}`;
const plain = (error) => error && { code: error.code, message: error.message, metadata: error.metadata };

// A call with a single answer: what the callback and each event were given.
window.single = (format, name, bytes, metadata) => new Promise((resolve) => {
  const told = { statuses: [], heads: [] };
  const call = new GrpcWebClientBase({ format }).rpcCall(
    path(name), Uint8Array.from(bytes), metadata, described(name, MethodType.UNARY),
    (error, answer) => {
      told.error = plain(error);
      told.answer = answer && [...answer];
      setTimeout(() => resolve(told));  // after the events of the same moment
    });
  call.on("status", (status) => told.statuses.push(status));
  call.on("metadata", (metadata) => told.heads.push(metadata));
});

// A stream; `told` grows while it runs.
window.stream = (format, name, metadata) => {
  const told = { messages: [], statuses: [], errors: [], ended: false };
  told.call = new GrpcWebClientBase({ format }).serverStreaming(
    path(name), new Uint8Array(), metadata, described(name, MethodType.SERVER_STREAMING));
  told.call.on("data", (bytes) => told.messages.push(new TextDecoder().decode(bytes)));
  told.call.on("status", (status) => told.statuses.push(status));
  told.call.on("error", (error) => told.errors.push(plain(error)));
  told.call.on("end", () => { told.ended = true; });
  window.told = told;
};
window.ready = true;
</script>""".replace("SERVICE", SERVICE)

each_format = pytest.mark.parametrize("format", ["binary", "text"])


class Site:
    """The bridge, and the page with its client: of one origin, so that no CORS is needed."""

    def __init__(self, bridge: GrpcWeb, script: Path) -> None:
        self._bridge = bridge
        self._files = {"/": PAGE.encode(), "/index.esm.js": script.read_bytes()}

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._bridge(scope, receive, send)
            return
        content = self._files.get(scope["path"])
        kind = mimetypes.types_map.get(Path(scope["path"]).suffix, "text/html")
        headers = [(b"content-type", kind.encode())]
        status = 404 if content is None else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content or b""})


@pytest.fixture(scope="module")
def script():
    return installed_packages() / "grpc-web" / "index.esm.js"


@pytest.fixture
def opened(page, script):
    """A service, and a page that calls it."""
    service = Raw()
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(running(service))
        site = stack.enter_context(serve(Site(GrpcWeb(f"127.0.0.1:{port}"), script)))
        page.goto(f"{site.url}/")
        page.wait_for_function("window.ready", polling=20)
        yield service, page
        service.go_on.set()
        assert page.outside == [] and page.errors == []


def single(page, format, name, message=b"", metadata=None):
    asked = [format, name, list(message), metadata or {}]
    return page.evaluate("(asked) => single(...asked)", asked)


def stream(page, format, name, metadata=None):
    page.evaluate("(asked) => stream(...asked)", [format, name, metadata or {}])


def told(page):
    """What the stream brought so far."""
    return page.evaluate("({...told, call: undefined})")


@each_format
@pytest.mark.parametrize("message", [b"\x0a\x04Elsa", bytes(range(256)) * 40, b""])
def test_a_single_answer(opened, format, message):
    _, page = opened
    metadata = {"x-tune": "1", "x-raw-bin": "AAEC/w"}
    got = single(page, format, "Echo", message, metadata)
    assert got["error"] is None
    assert bytes(got["answer"]) == message
    (head,) = got["heads"]
    assert head["x-tune"] == "1" and head["x-raw-bin"] == "AAEC/w"
    (status,) = got["statuses"]
    assert status["code"] == 0
    assert status["metadata"]["after-x-tune"] == "1"
    assert status["metadata"]["after-x-raw-bin"] == "AAEC/w"


@each_format
def test_a_stream_comes_while_it_runs(opened, format):
    """In binary the client reads a whole answer at once: pieces are what the text is for."""
    service, page = opened
    stream(page, format, "Pieces")
    if format == "text":
        assert eventually(lambda: told(page)["messages"]) == ["first"]
    service.go_on.set()
    eventually(lambda: told(page)["ended"])
    got = told(page)
    assert got["messages"] == ["first", "", "last"] and got["errors"] == []
    assert [status["code"] for status in got["statuses"]] == [0]


@each_format
def test_an_error(opened, format):
    error = single(opened[1], format, "Sad")["error"]
    assert error["code"] == 5 and error["message"] == SAD
    assert base64.b64decode(error["metadata"]["grpc-status-details-bin"] + "==") == RICH


@each_format
def test_an_error_after_a_message(opened, format):
    _, page = opened
    stream(page, format, "Breaks")
    eventually(lambda: told(page)["errors"])
    got = told(page)
    assert got["messages"] == ["one"]
    assert [(one["code"], one["message"]) for one in got["errors"]] == [(15, "The rest is lost.")]


@each_format
def test_what_the_bridge_refuses(opened, format):
    """An answer that is nothing but a head is understood as well."""
    _, page = opened
    error = single(page, format, "Echo", b"a", {"x-raw-bin": "*"})["error"]
    assert error["code"] == 3 and error["message"] == "The value of x-raw-bin is not base64."


@each_format
def test_a_method_that_is_not_there(opened, format):
    assert single(opened[1], format, "Nothing")["error"]["code"] == 12


@each_format
def test_a_deadline(opened, format):
    """The client writes it as grpc-timeout, and hears of its end from the server's side."""
    service, page = opened
    got = single(
        page, format, "Wait", metadata={"deadline": page.evaluate("String(Date.now() + 300)")}
    )
    assert got["error"]["code"] == 4
    assert service.ended.wait(60)


@each_format
def test_cancel(opened, format):
    service, page = opened
    stream(page, format, "Wait")
    # asked in the page: its requests go on only while Playwright is waited for
    eventually(lambda: page.evaluate("true") and service.waiting.is_set())
    page.evaluate("told.call.cancel()")
    eventually(lambda: page.evaluate("true") and service.ended.is_set())
