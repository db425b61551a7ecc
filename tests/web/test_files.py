"""Static files: the right bytes under the right type, and nothing from outside of the folder."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.web import Files, Problem, Request, Response, parse_head, read_request
from helpers.web._files import Part
from tests.web.talk import talk


@pytest.fixture
def site(tmp_path) -> Path:
    (tmp_path / "site").mkdir()
    (tmp_path / "secret.txt").write_text("SECRET")
    return tmp_path / "site"


def get(files: Files, target: str, **headers: str) -> Response:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    try:
        return files(
            parse_head(f"GET {target} HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode("latin-1"))
        )
    except Problem as problem:
        return problem


def body(response: Response) -> bytes:
    return response.body[:]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.html", "text/html; charset=utf-8"),
        ("a.TXT", "text/plain; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.wav", "audio/wav"),
        ("a.json", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.unheard", "application/octet-stream"),
        ("README", "application/octet-stream"),
        ("a.txt.gz", "application/gzip"),
    ],
)
def test_types_are_the_same_everywhere(site, name, kind):
    (site / name).write_bytes(b"x")
    assert get(Files(site), f"/{name}").headers["Content-Type"] == kind


def test_the_fields_of_an_answer(site):
    (site / "a.wav").write_bytes(b"0123456789")
    os.utime(site / "a.wav", (784111777, 784111777))
    answer = get(Files(site), "/a.wav")
    assert answer.headers["Last-Modified"] == "Sun, 06 Nov 1994 08:49:37 GMT"  # RFC 9110, 5.6.7
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert re.fullmatch(r'"[\w-]+"', answer.headers["ETag"])
    part = get(Files(site), "/a.wav", Range="bytes=2-4")
    assert (part.status, body(part), part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    beyond = get(Files(site), "/a.wav", Range="bytes=10-")
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, "bytes */10")
    unchanged = get(Files(site), "/a.wav", If_None_Match=answer.headers["ETag"])
    assert unchanged.status == 304 and unchanged.headers["ETag"] == answer.headers["ETag"]


def test_an_empty_file(site):
    (site / "empty").write_bytes(b"")
    assert body(get(Files(site), "/empty")) == b""
    assert get(Files(site), "/empty", Range="bytes=0-").status == 416
    assert get(Files(site), "/empty", Range="bytes=-5").status == 416


def test_another_content_is_another_version(site):
    """Also when it has the same length, and comes in the same second."""
    tags, files = set(), Files(site)
    for number in range(20):
        (site / "a").write_text(str(number % 10))
        os.utime(site / "a", ns=(number, 10**18 + number))
        answer = get(files, "/a")
        assert body(answer) == str(number % 10).encode()
        tags.add(answer.headers["ETag"])
    assert len(tags) == 20


def test_a_file_written_again_is_read_again(site):
    """What was served is kept in memory only while the file stays the same."""
    files = Files(site)
    for text in ("one", "two", "six"):
        (site / "a").write_text(text)
        assert body(get(files, "/a")) == text.encode() == body(get(files, "/a"))
        os.utime(site / "a", (1000, 1000 + len(text) * ord(text[0])))
        assert body(get(files, "/a")) == text.encode() == body(get(files, "/a"))


def test_a_date_is_no_version_while_it_may_still_change(site):
    """RFC 9110, section 8.8.2.2: within the same second another version may come."""
    (site / "a").write_bytes(b"0123456789")
    new = get(Files(site), "/a").headers["Last-Modified"]
    future = 4_000_000_000
    os.utime(site / "a", (future, future))
    later = get(Files(site), "/a").headers["Last-Modified"]
    assert new != later
    assert get(Files(site), "/a", Range="bytes=0-1", If_Range=later).status == 200


def test_folders(site):
    (site / "sub" / "deep").mkdir(parents=True)
    (site / "sub" / "index.html").write_text("sub")
    (site / "index.html").mkdir()
    assert body(get(Files(site), "/sub/")) == b"sub"
    moved = get(Files(site), "/sub?x=y")
    assert (moved.status, moved.headers["Location"]) == (301, "/sub/?x=y")
    assert get(Files(site), "/sub/deep/").status == 404
    assert get(Files(site), "/").status == 404
    assert get(Files(site), "/sub/index.html/").status == 404
    assert get(Files(site), "//sub").status == 404, "a browser would take //sub for another server"


def test_only_reading(site):
    with pytest.raises(Problem) as raised:
        Files(site)(read_request(b"DELETE /a HTTP/1.1\r\nHost: a\r\n\r\n"))
    assert raised.value.status == 405 and raised.value.headers["Allow"] == "GET, HEAD"


def test_no_such_folder(site):
    with pytest.raises(NotADirectoryError, match="There is no folder"):
        Files(site / "nothing")


# Nothing from outside


@pytest.mark.parametrize(
    "target",
    [
        "/..", "/../", "/../secret.txt", "/%2e%2e/secret.txt", "/%2E%2E%2Fsecret.txt", "/..%2f..%2fetc/passwd",
        "/sub/../../secret.txt", "/./secret.txt", "/..;/secret.txt", "/.../secret.txt", "/..%5csecret.txt",
        "/%5c..%5csecret.txt", "/sub%2f..%2f..%2fsecret.txt", "/%00", "/a%00.txt", "/..%00/secret.txt",
        "/%c0%ae%c0%ae/secret.txt", "/%ff", "/%e0%80%af", "/%252e%252e/secret.txt", "//etc/passwd", "/%2fetc/passwd",
        "/C:/secret.txt", "/c:secret.txt", "/file:///etc/passwd", "/%5c%5cserver%5cshare", "/CON", "/nul.txt", "/Aux",
        "/com1.log", "/lpt9", "/a.txt.", "/a.txt%20", "/a.txt::$DATA", "/~root", "/" + "a" * 300, "/" + "a/" * 3000,
        "/a.txt/..", "/a.txt/x", "/%0aa", "/%7f%1b",
    ],
)  # fmt: skip
def test_no_way_out(site, target):
    (site / "a.txt").write_text("inside")
    (site / "sub").mkdir()
    answer = get(Files(site), target)
    assert answer.status == 404
    assert b"SECRET" not in body(answer) and str(site).encode() not in body(answer)


def test_no_link_is_followed(site):
    (site / "sub").mkdir()
    (site / "sub" / "a.txt").write_text("inside")
    for link, target in (
        ("file", "../secret.txt"),
        ("up", ".."),
        ("etc", "/etc"),
        ("in", "sub"),
        ("self", "self"),
    ):
        try:
            (site / link).symlink_to(target)
        except OSError as error:
            pytest.skip(f"this system makes no links: {error}")
    for path in ("/file", "/up", "/up/", "/up/secret.txt", "/etc/passwd", "/in/a.txt", "/self"):
        assert get(Files(site), path).status == 404


def test_the_folder_itself_may_be_a_link(site, tmp_path):
    (site / "a.txt").write_text("inside")
    try:
        (tmp_path / "link").symlink_to(site)
    except OSError as error:
        pytest.skip(f"this system makes no links: {error}")
    assert body(get(Files(tmp_path / "link"), "/a.txt")) == b"inside"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_what_is_no_file_is_not_opened(site):
    """Reading a pipe that nobody writes to would stop the server for ever."""
    os.mkfifo(site / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(site)
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
        for path in ("/pipe", "/socket"):
            assert get(Files(site), path).status == 404


def test_a_file_that_is_gone_when_it_is_opened(site, serving, caplog):
    async def scenario(running):
        heard = await talk(running.port, [b"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n"], ["GET"])
        assert heard.statuses == [500] and str(site).encode() not in heard.answers[0].raw

    serving(lambda request: Response(200, {}, Part(f"{site}/a.txt", 0, range(9))), scenario)
    assert "FileNotFoundError" in caplog.text


SEGMENT = st.text(
    st.characters(codec="utf-8", exclude_characters="/\\:\0", exclude_categories=("Cc", "Cs")),
    min_size=1,
    max_size=8,
).filter(lambda name: name.strip(". ") and name[-1] not in ". ")


MOMENTS = itertools.count(1000)


@pytest.fixture(scope="module")
def folder_of_its_own(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("names")


@settings(max_examples=200)
@given(SEGMENT, st.binary(max_size=20))
def test_any_ordinary_name(folder_of_its_own, name, content):
    """A name with any letters is found by its percent-encoded path."""
    from urllib.parse import quote

    if re.match(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)", name):
        return
    file = folder_of_its_own / name
    file.write_bytes(content)
    moment = next(MOMENTS)  # as in life, two files of one name and size differ in when
    os.utime(file, (moment, moment))
    assert body(get(Files(folder_of_its_own), "/" + quote(name, safe=""))) == content
    file.unlink()


@settings(max_examples=500)
@given(st.text("/.%2eEfF5cC\\:~0aA", max_size=30))
def test_no_path_leads_out(folder_of_its_own, path):
    (folder_of_its_own.parent / "0").write_text("SECRET")
    try:
        found, _ = Files(folder_of_its_own).find("/" + path)
    except Problem as problem:
        assert problem.status == 404
    else:
        assert Path(found).resolve().is_relative_to(folder_of_its_own.resolve())


@settings(max_examples=300)
@given(
    st.integers(0, 12),
    st.one_of(st.none(), st.integers(0, 14)),
    st.one_of(st.none(), st.integers(0, 14)),
)
def test_parts_are_what_python_would_cut(folder_of_its_own, size, first, last):
    """RFC 9110, section 14.1.2, written as a list of positions."""
    content = bytes(range(size))
    file = folder_of_its_own / "part"
    file.write_bytes(content)
    field = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    answer = get(Files(folder_of_its_own), "/part", Range=field)
    if (first is None and last is None) or (None not in (first, last) and last < first):
        assert answer.status == 200 and body(answer) == content
        return
    if first is None:
        wanted = [at for at in range(size) if at >= size - last]
    else:
        wanted = [at for at in range(size) if at >= first and (last is None or at <= last)]
    if wanted:
        assert answer.status == 206 and body(answer) == bytes(content[at] for at in wanted)
        assert answer.headers["Content-Range"] == f"bytes {wanted[0]}-{wanted[-1]}/{size}"
    else:
        assert answer.status == 416


# Large files


def test_a_file_is_read_piece_by_piece(site, serving):
    """300 MB, none of which the disk holds; in memory there is never more than a little of it."""
    import tracemalloc

    with (site / "large").open("wb") as file:
        file.truncate(300_000_000)

    async def scenario(running):
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        tracemalloc.start()
        try:
            writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            size = 0
            while data := await reader.read(1 << 20):
                size += len(data)
            assert size > 300_000_000
            assert tracemalloc.get_traced_memory()[1] < 20_000_000
        finally:
            tracemalloc.stop()
            writer.close()

    serving(Files(site), scenario)


def test_a_part_of_a_large_file(site, serving):
    (site / "large").write_bytes(bytes(5_000_000) + b"needle" + bytes(5_000_000))

    async def scenario(running):
        raw = b"GET /large HTTP/1.1\r\nHost: a\r\nRange: bytes=5000000-5000005\r\n\r\n"
        heard = await talk(running.port, [raw + raw.replace(b"GET", b"HEAD")], ["GET", "HEAD"], 2)
        assert heard.statuses == [206, 200] and heard.answers[0].body == b"needle"

    serving(Files(site), scenario)


def test_a_file_that_becomes_shorter_while_it_is_sent(site):
    """The length was told already: the answer is cut off, so that nobody takes it for whole."""
    from helpers.web import start

    (site / "large").write_bytes(bytes(50_000_000))

    async def scenario():
        problems = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: problems.append(context)
        )
        running = await start(Files(site))
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=1 << 12)
        writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        os.truncate(site / "large", 1000)
        size = 0
        try:
            while data := await reader.read(1 << 16):
                size += len(data)
        except ConnectionError:
            pass
        assert size < 50_000_000
        writer.close()
        while running.connections:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.002)
        await running.stop()
        assert [type(one["exception"]) for one in problems] == [OSError]

    asyncio.run(asyncio.wait_for(scenario(), 60))


def test_a_request_is_a_plain_thing():
    """A handler can be asked without any server."""
    request = Request(
        "GET", "/a?b", "HTTP/1.1", parse_head(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").headers
    )
    assert (request.path, request.query) == ("/a", "b")
