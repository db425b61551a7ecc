"""The bridge between gRPC-Web and gRPC, with a real server behind it and httpx in front."""

from __future__ import annotations

import base64
import threading
from urllib.parse import unquote

import httpx
import pytest

from helpers import serve
from helpers.calling._web import GrpcWeb
from tests.calling.web_client import TEXT, call, each_type, from_base64, refused, send
from tests.calling.web_service import RICH, SAD, SERVICE, Raw, framed, running, unframed
from tests.waiting import eventually

# Calls.


@each_type
@pytest.mark.parametrize("message", [b"", b"a", b"ab", b"abc", bytes(range(256)) * 300])
def test_a_single_answer(web, kind, message):
    assert call(web, "Echo", message, kind) == ([message], {"grpc-status": "0"})


@each_type
def test_a_stream_of_answers_arrives_in_pieces(own, kind):
    service, web = own
    body = framed(b"")
    path = f"/{SERVICE}/Pieces"
    content = base64.b64encode(body) if kind in TEXT else body
    first = framed(b"first")
    first = base64.b64encode(first) if kind in TEXT else first
    with web.stream("POST", path, content=content, headers={"content-type": kind}) as answer:
        pieces, came = answer.iter_raw(), b""
        while len(came) < len(first):
            came += next(pieces)
        assert came == first  # while the service waits
        service.go_on.set()
        came += b"".join(pieces)
    came = from_base64(came) if kind in TEXT else came
    assert unframed(came) == ([b"first", b"", b"last"], {"grpc-status": "0"})


def test_a_stream_of_nothing(web):
    assert call(web, "None") == ([], {"grpc-status": "0"})


def test_many_streams_at_once(own):
    """More than asyncio.to_thread has threads, and beside them a call comes through."""
    service, web = own
    bodies = []
    with httpx.Client(base_url=web.base_url, timeout=30) as other:
        threads = [
            threading.Thread(target=lambda: bodies.append(call(other, "Pieces"))) for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        eventually(lambda: service.streams == 12)
        assert call(web, "Echo", b"beside")[0] == [b"beside"]
        service.go_on.set()
        for thread in threads:
            thread.join()
    assert bodies == [([b"first", b"", b"last"], {"grpc-status": "0"})] * 12


@pytest.mark.parametrize("sizes", [(1, 9), (5, 3), (2, 1), (1, 1)])
def test_base64_in_several_pieces(web, sizes):
    body, pieces, at = framed(b"Moonlight"), [], 0
    while at < len(body):
        size = sizes[len(pieces) % 2]
        pieces.append(base64.b64encode(body[at : at + size]))
        at += size
    answer = send(web, "Echo", b"".join(pieces), TEXT[0])
    assert unframed(from_base64(answer.content))[0] == [b"Moonlight"]


def test_content_type_with_a_parameter(web):
    answer = send(web, "Echo", framed(b"a"), "Application/gRPC-Web+proto; charset=utf-8")
    assert unframed(answer.content)[0] == [b"a"]


# How calls end.


@each_type
def test_an_error_and_what_it_says(web, kind):
    messages, trailers = call(web, "Sad", kind=kind)
    assert messages == [] and trailers["grpc-status"] == "5"
    assert trailers["grpc-message"].startswith("F%C3%BCr Elise ist 100%25 weg: %E2%99%AA%0D%0A")
    assert unquote(trailers["grpc-message"]) == SAD
    assert base64.b64decode(trailers["grpc-status-details-bin"] + "==") == RICH


def test_an_error_after_a_message(web):
    trailers = {"grpc-status": "15", "grpc-message": "The rest is lost."}
    assert call(web, "Breaks") == ([b"one"], trailers)


def test_what_the_server_does_not_know(web):
    for path in ("/course.test.Raw/Nothing", "/course.test.None/Echo", "/a/b/c"):
        assert call(web, path)[1]["grpc-status"] == "12"


@pytest.mark.parametrize("path", ["/", "/Echo", "//Echo", "/a/", "/a b/c", "/%C3%A4/b", "/a/b%0A"])
def test_a_path_that_is_no_method(web, path):
    assert refused(send(web, path, framed(b""))) == 12


def test_a_server_that_is_not_there_and_comes_back():
    with running(Raw()) as port:
        pass
    with serve(GrpcWeb(f"127.0.0.1:{port}")) as bridge, httpx.Client(base_url=bridge.url) as web:
        messages, trailers = call(web, "Echo", b"a")
        assert messages == [] and trailers["grpc-status"] == "14" and trailers["grpc-message"]
        with running(Raw(), port):
            eventually(lambda: call(web, "Echo", b"a") == ([b"a"], {"grpc-status": "0"}))


# Deadlines.


def test_a_deadline_that_passes(own):
    service, web = own
    messages, trailers = call(web, "Wait", headers=[("grpc-timeout", "50m")])
    assert messages == [] and trailers["grpc-status"] == "4"
    assert service.ended.wait(60)


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [("2H", 7200), ("100M", 6000), ("5000S", 5000), ("7000000m", 7000), ("99999999H", 9.72e7)],
)
def test_a_deadline_reaches_the_server(web, timeout, seconds):
    (remaining,), trailers = call(web, "Remaining", headers=[("grpc-timeout", timeout)])
    assert trailers == {"grpc-status": "0"}
    assert seconds * 0.9 < float(remaining) < seconds * 1.1  # it is rounded up on its way


@pytest.mark.parametrize("timeout", ["1n", "999u"])
def test_units_below_a_millisecond(own, timeout):
    assert call(own[1], "Wait", headers=[("grpc-timeout", timeout)])[1]["grpc-status"] == "4"


@pytest.mark.parametrize(
    "timeout", ["", "1", "m", "-1S", "1.5S", "0S", "123456789m", "1s", "1 S", "1SS", "٣S", "1S\xa0"]
)
def test_a_malformed_deadline(web, timeout):
    headers = [(b"grpc-timeout", timeout.encode())]
    answer = web.post(
        f"/{SERVICE}/Echo",
        content=framed(b""),
        headers=[(b"content-type", b"application/grpc-web"), *headers],
    )
    assert refused(answer) == 3


# Metadata.


def test_metadata_both_ways(web):
    sent = [
        ("x-tune", "Für".encode().hex()),
        ("x-many", "one"),
        ("x-many", "two"),
        ("x-empty", ""),
        ("X-Upper", "a, b; c=d"),
        ("x-raw-bin", "AAEC/w"),  # without padding
        ("x-padded-bin", "AAEC/w=="),
        ("x-two-bin", "AA==, AQ"),
    ]
    answer = send(web, "Echo", framed(b"a"), headers=sent)
    back = {
        "x-tune": "46c3bc72",
        "x-empty": "",
        "x-upper": "a, b; c=d",
        "x-raw-bin": "AAEC/w",
        "x-padded-bin": "AAEC/w",
    }
    assert {name: answer.headers[name] for name in back} == back
    assert answer.headers.get_list("x-many") == ["one", "two"]
    assert answer.headers.get_list("x-two-bin") == ["AA", "AQ"]
    block = answer.content[answer.content.index(b"\x80") + 5 :].decode()
    trailers = [line.split(": ", 1) for line in block.removesuffix("\r\n").split("\r\n")]
    for name, value in back.items():
        assert [f"after-{name}", value] in trailers
    assert [value for name, value in trailers if name == "after-x-many"] == ["one", "two"]
    assert [value for name, value in trailers if name == "after-x-two-bin"] == ["AA", "AQ"]


def test_what_is_no_metadata(web):
    """What belongs to HTTP, to gRPC, or to the connection does not reach the service."""
    headers = [
        ("authorization", "Bearer tune"),
        ("x-fine", "1"),
        ("cookie", "session=secret"),
        ("origin", "http://127.0.0.1"),
        ("referer", "http://127.0.0.1/"),
        ("x-grpc-web", "1"),
        ("x-user-agent", "grpc-web-javascript/0.1"),
        ("grpc-encoding", "gzip"),
        ("grpc-internal", "1"),
        ("te", "trailers"),
        ("connection", "x-hop, keep-alive"),
        ("x-hop", "1"),
        ("keep-alive", "5"),
        ("x!odd", "1"),
        ("x-odd-value", "1\x80"),
    ]
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    raw.append((b"content-type", b"application/grpc-web"))
    answer = web.post(f"/{SERVICE}/Names", content=framed(b""), headers=raw)
    (names,), trailers = unframed(answer.content)
    assert trailers == {"grpc-status": "0"}
    assert set(names.decode().split()) - {"user-agent"} == {"authorization", "x-fine"}


def test_metadata_that_is_not_base64(web):
    for value in ("*", "A", "AA=A", "AAEC_w"):
        assert refused(send(web, "Echo", framed(b""), headers=[("x-raw-bin", value)])) == 3
