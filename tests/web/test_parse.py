"""The parser: its steps one by one, against h11, and that no cut of the bytes changes anything."""

from __future__ import annotations

import ast
import itertools
from pathlib import Path

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import helpers.web
from helpers.web import (
    Problem,
    Request,
    body_length,
    parse_fields,
    parse_head,
    parse_request_line,
    read_request,
    read_requests,
)
from tests.web.rfc_cases import CASES, GOOD


def test_a_head():
    request = parse_head(
        b"GET /songs?q=a%20b HTTP/1.1\r\nHost: here\r\nX-One: 1\r\nx-one:2 \r\n\r\n"
    )
    assert (request.method, request.target, request.version) == (
        "GET",
        "/songs?q=a%20b",
        "HTTP/1.1",
    )
    assert (request.path, request.query, request.body) == ("/songs", "q=a%20b", b"")
    assert request.headers == {"host": "here", "x-one": "1, 2"}
    assert request.headers["X-ONE"] == request.headers.get("x-One") == "1, 2"
    assert "HOST" in request.headers and request.headers.get("nothing", "else") == "else"
    with pytest.raises(KeyError):
        request.headers["nothing"]


def test_the_steps_one_by_one():
    assert parse_request_line(b"HEAD / HTTP/1.0") == ("HEAD", "/", "HTTP/1.0")
    assert parse_fields([b"A: 1", b"a: 2"]) == {"a": "1, 2"}
    request = parse_head(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
    assert body_length(request) == 5 and request.keeps_alive()
    assert (
        read_request(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello").body
        == b"hello"
    )
    steps = read_requests(buffer := bytearray())
    assert next(steps) == "idle"
    buffer += b"POST / HTTP/1.1\r\nHost: a\r\n"
    assert next(steps) == "head"
    buffer += b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel"
    assert next(steps) == "body"
    buffer += b"lo\r\n0\r\n\r\n"
    assert next(steps).body == b"hello"
    assert next(steps) == "idle"


def test_a_request_that_names_the_server_itself():
    request = parse_head(b"GET http://there:8080?x HTTP/1.1\r\nHost: here\r\n\r\n")
    assert (request.target, request.path, request.query) == ("/?x", "/", "x")
    assert request.headers["host"] == "there:8080"


def test_the_client_that_waits_for_a_word():
    steps = read_requests(buffer := bytearray(
        b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"))  # fmt: skip
    assert [next(steps), next(steps)] == ["continue", "body"]
    buffer += b"x"
    assert next(steps).body == b"x"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000001\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFF\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 101 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 16_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"y" * 8_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET /" + b"y" * 20_000, 414),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;" + b"x" * 20_000,
            414,
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
            + b"X: y\r\n" * 101,
            431,
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX : y\r\n\r\n",
            400,
        ),
    ],
)
def test_what_is_wrong_has_its_status(data, status):
    with pytest.raises(Problem) as raised:
        read_request(data)
    assert raised.value.status == status
    assert raised.value.why.endswith(".") and str(raised.value).startswith(f"{status} ")


@pytest.mark.parametrize(
    "data", [b"GET /\n", b"GET / HTTP/1.1\r\nA: b\n", b"\x16\x03\x01\x02\x00", b"A\rB"]
)
def test_what_can_only_be_wrong_is_refused_before_its_end(data):
    """Nobody has to wait for the timeout to hear that a bare LF is no end of a line."""
    with pytest.raises(Problem):
        next(read_requests(bytearray(data)))


def outcome(data: bytes, cuts: list[int]) -> tuple[list[Request], bool]:
    """The requests in some bytes that arrive in pieces, and whether the rest was refused."""
    found: list[Request] = []
    steps = read_requests(buffer := bytearray())
    edges = [0, *sorted(cuts), len(data)]
    try:
        for start, end in itertools.pairwise(edges):
            buffer += data[start:end]
            while (step := next(steps)) in ("continue",) or isinstance(step, Request):
                if isinstance(step, Request):
                    found.append(step)
    except Problem:
        return found, True
    return found, False


NASTY = [b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b":", b";", b",", b"_", b"-", b"+", b"0", b"\xff", b"chunked", b"\x0b",
         b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: b\r\n", b"0\r\n\r\n"]  # fmt: skip
METHODS = [b"GET", b"POST", b"HEAD", b"get", b"G@T"]
TARGETS = [b"/", b"/a?b=c", b"/%41", b"http://h/x", b"*", b"//x"]
VERSIONS = [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/11"]
LINES = [b"Host: a", b"X: y", b"X:", b"x:  two words \t", b"Y : z", b" folded", b"Content-Length: 5",
         b"Content-Length: 0", b"Content-Length: 5, 5", b"Content-Length: +5", b"Transfer-Encoding: chunked",
         b"Transfer-Encoding: gzip", b"Connection: close", b"Z: \xe9", b"Expect: 100-continue"]  # fmt: skip
BODIES = [b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"5;x=y\r\nhello\r\n0\r\nT: u\r\n\r\n", b"05\r\nhello\r\n00\r\n\r\n",
          b"5\r\nhello", b"hello5\r\n", b"A\r\n0123456789\r\n0\r\n\r\n"]  # fmt: skip


@st.composite
def requests(draw) -> bytes:
    """Requests as clients send them, or nearly so."""
    likely = st.sampled_from(LINES[:1] * 3 + LINES)
    lines = draw(st.lists(likely, max_size=4))
    if draw(st.booleans()):
        lines.insert(0, b"Host: a")
    first = b" ".join(
        draw(st.sampled_from(one[:1] * 6 + one)) for one in (METHODS, TARGETS, VERSIONS)
    )
    data = b"\r\n".join([first, *lines, b"", draw(st.sampled_from(BODIES))])
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2, 3]))):
        at = draw(st.integers(0, len(data)))
        gone = draw(st.integers(0, 2))
        data = data[:at] + draw(st.sampled_from([b"", *NASTY])) + data[at + gone :]
    return data


def by_h11(data: bytes) -> tuple[h11.Request, bytes] | str | None:
    """What h11 makes of the first request: it and its body, "refused", or None: more has to come."""
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    server.receive_data(data)
    request, body = None, b""
    try:
        while True:
            event = server.next_event()
            if isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return request, body
            else:
                return None
    except h11.RemoteProtocolError:
        return "refused"


@settings(max_examples=3000)
@given(requests())
def test_no_laxer_than_h11_and_of_one_mind_with_it(data):
    (found, refused), theirs = outcome(data, []), by_h11(data)
    if data.startswith(b"\r\n"):
        return  # RFC 9112, section 2.2, lets a server skip an empty line, and h11 does not
    if theirs == "refused":
        assert not found
        assert refused or b"\r\n\r\n" not in data[2:]  # h11 may know before the head is whole
    elif theirs is None:
        assert not found
    elif found:
        request, body = theirs
        ours = found[0]
        assert (ours.method, ours.body) == (request.method.decode(), body)
        if request.target.startswith(b"/"):
            assert ours.target == request.target.decode()
            headers: dict[str, str] = {}
            for name, value in request.headers:
                name, value = name.decode(), value.decode("latin-1")
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
            assert ours.headers == headers


@settings(max_examples=1500)
@given(st.lists(requests(), min_size=1, max_size=3).map(b"".join), st.data())
def test_no_cut_changes_what_is_read(data, more):
    cuts = more.draw(st.lists(st.integers(0, len(data)), max_size=8))
    assert outcome(data, cuts) == outcome(data, [])


def test_no_cut_changes_the_cases():
    for case in CASES:
        if len(case.raw) < 1000:
            assert outcome(case.raw, list(range(len(case.raw)))) == outcome(case.raw, []), case.name


@settings(max_examples=500)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    outcome(data, list(range(0, len(data), 7)))


@settings(max_examples=300)
@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8))
def test_chunks_become_the_body_that_they_were(pieces):
    coded = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    (first, second), refused = outcome(head + coded + GOOD, [])
    assert first.body == b"".join(pieces) and second.method == "GET" and not refused


def test_many_small_chunks_are_read_in_one_pass():
    """Each byte is looked at once, so 200 000 chunks in 2000 arrivals are no trouble."""
    steps = read_requests(
        buffer := bytearray(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    )
    for _ in range(2000):
        buffer += b"1\r\nx\r\n" * 100
        assert next(steps) == "body"
        assert len(buffer) < 10
    buffer += b"0\r\n\r\n"
    assert next(steps).body == b"x" * 200_000


@pytest.mark.parametrize(
    ("names", "most"), [(["_message", "_parse", "_server"], 320), (["_files"], 115)]
)
def test_the_final_stage_stays_short(names, most):
    """The server, and the files it serves: lines of code, without blanks, comments, docstrings."""
    folder = Path(helpers.web.__file__).parent
    lines = [code_lines((folder / f"{name}.py").read_text("utf-8")) for name in names]
    assert sum(map(len, lines)) <= most


def code_lines(text: str) -> set[int]:
    """The numbers of the lines that hold code."""
    tree = ast.parse(text)
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt | ast.expr | ast.excepthandler | ast.arg):
            lines |= {node.lineno, node.end_lineno}
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines -= set(range(node.lineno, node.end_lineno + 1))
    return lines
