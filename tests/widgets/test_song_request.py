"""The song widget's Python side: it sends requests for real and reports what travelled."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest

from helpers.music import SONGS, audio_etag, render_wav
from helpers.widgets import SongRequest
from helpers.widgets import song_request as module

SONG = SONGS[0]
PLAY = {
    "method": "GET",
    "target": f"/play?song={SONG.id}",
    "headers": [["Host", "elsewhere:1"], ["Accept", "audio/wav"], ["X-One", "1"]],
}


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run it on an event loop of its own, whatever loop other tests left in this thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result(60)


class Page:
    """The other end of the widget's comm: what the page receives and sends."""

    def __init__(self, widget: SongRequest) -> None:
        self.widget = widget
        self.received: asyncio.Queue[tuple[Any, list[bytes]]] = asyncio.Queue()
        widget.comm.send = self._take

    def _take(self, data: Any = None, buffers: Any = None, **_: Any) -> None:
        if data["method"] == "custom":
            self.received.put_nowait((data["content"], [bytes(b) for b in buffers or []]))

    def send(self, content: Any) -> None:
        data = {"method": "custom", "content": content}
        self.widget._handle_msg({"content": {"data": data}, "buffers": []})

    async def next(self) -> tuple[Any, list[bytes]]:
        return await asyncio.wait_for(self.received.get(), 20)

    async def ask(self, request: Any, number: str = "1") -> tuple[Any, list[bytes]]:
        """Send a request; the answer, which comes after the word that it was accepted."""
        self.send({"id": number, "request": request})
        assert await self.next() == ({"id": number, "accepted": True}, [])
        content, buffers = await self.next()
        assert content["id"] == number
        return content, buffers


@asynccontextmanager
async def listening(answer: Callable[[Any, Any], Any]) -> AsyncIterator[int]:
    """A bare socket server for one test; gives its port."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def play_from(answer: Any) -> tuple[Any, list[bytes]]:
    """What the widget says when it asks a server that answers like this to play."""
    async with listening(answer) as port:
        return await Page(SongRequest(f"http://127.0.0.1:{port}")).ask(PLAY)


def test_a_song_comes_back_with_its_heads_and_its_bytes(api: Any) -> None:
    async def exchange() -> tuple[Any, list[bytes]]:
        return await Page(SongRequest(api)).ask(PLAY)

    content, (body,) = run(exchange())
    assert content["request"] == {
        "start": f"GET /play?song={SONG.id} HTTP/1.1",
        "headers": [["Host", f"127.0.0.1:{api.port}"], ["Accept", "audio/wav"], ["X-One", "1"]],
    }
    response = content["response"]
    assert (response["start"], response["status"]) == ("HTTP/1.1 200 OK", 200)
    assert dict(response["headers"])["content-location"] == f"/songs/{SONG.id}/audio"
    assert body == render_wav(SONG)


def test_what_it_reports_is_what_went_over_the_wire() -> None:
    sent = asyncio.Queue()
    reply = b"HTTP/1.1 299 Fine So Far\r\nX-Odd: A\r\nx-odd: b\r\nContent-Length: 2\r\n\r\nhi"

    async def answer(reader: Any, writer: Any) -> None:
        sent.put_nowait(await reader.readuntil(b"\r\n\r\n"))
        writer.write(reply)
        await writer.drain()
        writer.close()

    async def exchange() -> tuple[Any, list[bytes], bytes]:
        async with listening(answer) as port:
            content, buffers = await Page(SongRequest(f"http://127.0.0.1:{port}")).ask(PLAY)
            return content, buffers, await sent.get()

    def as_bytes(head: dict[str, Any]) -> bytes:
        lines = [head["start"], *(f"{name}: {value}" for name, value in head["headers"])]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    content, buffers, wire = run(exchange())
    assert as_bytes(content["request"]) == wire
    assert as_bytes(content["response"]) + buffers[0] == reply


@pytest.mark.parametrize(
    "target",
    [
        "/play?song=F%C3%BCr+Elise",
        "/play?song=%27%22%3Cb%3E%21%2A%28%29",
        "/play?song=a%2Fb%3F%23%25",
        "/songs/%F0%9F%98%80%20x",
        "/songs/--",
        "/songs/",
        "/play?song=",
        "/songs/%D7%A9",
    ],
)
def test_the_target_goes_out_unchanged(api: Any, target: str) -> None:
    async def exchange() -> tuple[Any, list[bytes]]:
        return await Page(SongRequest(api.url)).ask({**PLAY, "target": target})

    content, _ = run(exchange())
    assert content["request"]["start"] == f"GET {target} HTTP/1.1"


def test_a_redirect_is_shown_and_not_followed(api: Any) -> None:
    async def exchange() -> tuple[Any, list[bytes]]:
        return await Page(SongRequest(api)).ask({**PLAY, "target": "/songs/"})

    content, _ = run(exchange())
    assert content["response"]["status"] == 307


def test_head_has_headers_and_no_bytes(api: Any) -> None:
    async def exchange() -> tuple[Any, list[bytes]]:
        return await Page(SongRequest(api)).ask({**PLAY, "method": "HEAD"})

    content, (body,) = run(exchange())
    assert dict(content["response"]["headers"])["content-length"] == str(len(render_wav(SONG)))
    assert body == b""


def assert_one_sentence(text: str) -> None:
    assert text[0].isupper() and text.endswith(".") and "\n" not in text
    assert "Traceback" not in text and len(text) < 200


def test_a_refused_connection_gives_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    async def exchange() -> tuple[Any, list[bytes]]:
        return await Page(SongRequest(f"http://127.0.0.1:{port}")).ask(PLAY)

    content, buffers = run(exchange())
    assert set(content) == {"id", "error"} and not buffers
    assert_one_sentence(content["error"])
    assert f"127.0.0.1:{port}" in content["error"]
    assert "Run the cell that starts it" in content["error"]


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (b"", "not a complete HTTP response"),
        (b"I am no HTTP server\r\n\r\n", "not a complete HTTP response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "not a complete HTTP response"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + bytes(9_000_000),
            "longer than 8 MiB",
        ),
    ],
)
def test_a_broken_answer_gives_a_sentence(reply: bytes, says: str) -> None:
    async def answer(reader: Any, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        writer.close()

    content, _ = run(play_from(answer))
    assert_one_sentence(content["error"])
    assert says in content["error"]


def test_a_silent_server_gives_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.2)

    async def answer(reader: Any, writer: Any) -> None:
        await reader.read()  # until the client gives up
        writer.close()

    content, _ = run(play_from(answer))
    assert_one_sentence(content["error"])
    assert "did not answer within" in content["error"]


@pytest.mark.parametrize(
    "request_",
    [
        None,
        7,
        "GET /",
        {},
        {**PLAY, "method": "DELETE"},
        {**PLAY, "target": "//elsewhere/"},
        {**PLAY, "target": "http://elsewhere/"},
        {**PLAY, "target": "/é"},
        {**PLAY, "target": 5},
        {**PLAY, "headers": [["only a name"]]},
        {**PLAY, "headers": 5},
        {**PLAY, "headers": [["X-Split", "a\r\nX-Other: b"]]},
        {**PLAY, "target": "/a b\r\nX: 1"},
    ],
)
def test_a_strange_request_reaches_no_other_server(api: Any, request_: Any) -> None:
    async def exchange() -> tuple[Any, list[bytes]]:
        return await Page(SongRequest(api)).ask(request_)

    content, _ = run(exchange())
    if "error" in content:
        assert_one_sentence(content["error"])
    else:
        assert dict(content["request"]["headers"])["Host"] == f"127.0.0.1:{api.port}"


def test_other_messages_are_left_alone(api: Any) -> None:
    async def exchange() -> bool:
        page = Page(SongRequest(api))
        for content in (None, "hello", {"id": "1"}, []):
            page.send(content)
        return page.received.empty()

    assert run(exchange())


def test_requests_go_out_one_at_a_time_and_in_order() -> None:
    open_now, most_open, order = 0, 0, []

    async def answer(reader: Any, writer: Any) -> None:
        nonlocal open_now, most_open
        open_now += 1
        most_open = max(most_open, open_now)
        order.append((await reader.readuntil(b"\r\n\r\n")).split()[1])
        await asyncio.sleep(0)
        open_now -= 1
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    async def exchange() -> list[Any]:
        async with listening(answer) as port:
            page = Page(SongRequest(f"http://127.0.0.1:{port}"))
            for number in range(module.MOST_WAITING + 1):
                page.send({"id": number, "request": {**PLAY, "target": f"/{number}"}})
            answers = [await page.next() for _ in range(2 * module.MOST_WAITING + 2)]
            return [content for content, _ in answers if "accepted" not in content]

    answers = run(exchange())
    too_many = [content for content in answers if "error" in content]
    assert most_open == 1
    assert order == [f"/{number}".encode() for number in range(module.MOST_WAITING)]
    assert [content["id"] for content in too_many] == [module.MOST_WAITING]
    assert_one_sentence(too_many[0]["error"])


def test_closing_the_widget_cancels_what_is_running() -> None:
    async def exchange() -> tuple[bool, bool, bytes]:
        asked, gone = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def answer(reader: Any, writer: Any) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.set()
            gone.set_result(await reader.read())  # b"" once the widget has hung up
            writer.close()

        async with listening(answer) as port:
            widget = SongRequest(f"http://127.0.0.1:{port}")
            page = Page(widget)
            page.send({"id": "1", "request": PLAY})
            await asyncio.wait_for(asked.wait(), 20)
            tasks = set(widget._tasks)
            widget.close()
            await asyncio.gather(*tasks, return_exceptions=True)
            hung_up = await asyncio.wait_for(gone, 20)
            return all(task.cancelled() for task in tasks), page.received.qsize() == 1, hung_up

    assert run(exchange()) == (True, True, b"")


def test_without_an_api_it_says_so_and_asks_nobody() -> None:
    async def exchange() -> tuple[Any, list[bytes]]:
        widget = SongRequest()
        assert (widget.live, widget.server) == (False, "127.0.0.1:8000")
        return await Page(widget).ask(PLAY)

    content, _ = run(exchange())
    assert_one_sentence(content["error"])


def test_the_page_knows_the_server(api: Any) -> None:
    widget = SongRequest(api, query="Scarborough Fair", kind="head")
    assert (widget.live, widget.server) == (True, f"127.0.0.1:{api.port}")
    assert (widget.query, widget.kind) == ("Scarborough Fair", "head")
    assert SongRequest(api.url).server == widget.server


@pytest.mark.parametrize("api", [5, object(), b"http://127.0.0.1:1"])
def test_what_is_no_server_is_refused(api: Any) -> None:
    with pytest.raises(TypeError, match="serve"):
        SongRequest(api)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8000",
        "https://127.0.0.1",
        "http://",
        "http://127.0.0.1:8000/songs",
        "http://127.0.0.1:99999999",
        "http://a b",
        "ftp://127.0.0.1",
        "http://127.0.0.1/?q=1",
    ],
)
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL of a server"):
        SongRequest(url)


def test_the_state_is_small_and_plain() -> None:
    widget = SongRequest()
    state = {name: value for name, value in widget.get_state().items() if name != "layout"}
    assert len(gzip.compress(json.dumps(state).encode())) <= 25 * 1024
    assert [song["id"] for song in widget.songs] == [song.id for song in SONGS]
    first = widget.songs[0]
    assert set(first) == {
        "id",
        "title",
        "aliases",
        "composer",
        "year",
        "key",
        "tempo",
        "genre",
        "melody",
        "etag",
    }
    assert first["etag"] == audio_etag(SONGS[0])
    notes = [word.split(":") for word in first["melody"].split()]
    assert [(None if pitch == "R" else pitch, float(beats)) for pitch, beats in notes] == [
        (note.pitch, note.beats) for note in SONGS[0].melody
    ]


def test_the_code_is_one_module_that_loads_nothing() -> None:
    code = SongRequest()._esm
    assert "import " not in code.replace("imports", "")
    assert code.count("export default") == 1
    assert "innerHTML" not in code and "insertAdjacentHTML" not in code
    assert "http://" not in code.replace("http://www.w3.org/2000/svg", "").replace("http://${", "")
    assert "https://" not in code
