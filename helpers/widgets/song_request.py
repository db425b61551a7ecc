"""The widget of chapter 1: type a song's name, see request and response, hear the song.

With a Python kernel and an API behind it, the widget asks this module to send each request for
real. In the published page there is neither, and ``song_service.js`` answers in the page with what
the service would send; ``tests/widgets`` holds the two together.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import anywidget
import httpx
import traitlets

from helpers.music import SONGS, Song, audio_etag

from ._module import module_text, read

if TYPE_CHECKING:
    from helpers.serving import Server

NO_SERVER = "127.0.0.1:8000"
"""What the Host line shows where no server is: the address that examples use."""

TIMEOUT = 5.0  # seconds for one whole exchange
LARGEST_RESPONSE = 8 * 1024 * 1024  # bytes; the longest song the API takes needs a third of that
MOST_WAITING = 8  # requests in line; whoever clicks faster than that is told to wait

_STATUSES = (200, 206, 307, 404, 416, 422)
_MODULES = ("song_service.js", "song_messages.js", "song_request.js")
_SERVER_URL = re.compile(r"http://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?/?")


class SongRequest(anywidget.AnyWidget):
    """Ask the music service for a song, and see what travels.

    Args:
        api: the service to ask: what ``serve`` returned, or its URL as text. ``None``: the page
            answers by itself, with what the service would send.

    Attributes:
        query: the song's name in the input.
        kind: what to ask for: ``"song"``, ``"head"``, ``"first"``, ``"after"`` or ``"facts"``.
        server: host and port, as in the Host line.

    Raises:
        TypeError: ``api`` is neither a server nor text.
        ValueError: the text is not the URL of a server.
    """

    _esm = module_text(*_MODULES)
    _css = read("song_request.css")

    songs = traitlets.List(traitlets.Dict()).tag(sync=True)
    phrases = traitlets.Dict().tag(sync=True)
    query = traitlets.Unicode("fur elise").tag(sync=True)
    kind = traitlets.Enum(("song", "head", "first", "after", "facts"), "song").tag(sync=True)
    server = traitlets.Unicode(NO_SERVER).tag(sync=True)
    live = traitlets.Bool(False, help="whether Python can send real requests").tag(sync=True)

    def __init__(self, api: Server | str | None = None, **traits: Any) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._base = None if api is None else _base_url(api)
        self._one_at_a_time = asyncio.Lock()
        if self._base is not None:
            traits = {"live": True, "server": self._base.netloc.decode("ascii"), **traits}
        super().__init__(
            songs=[_compact(song) for song in SONGS],
            # uvicorn's words after the status code come from Python, and Python 3.13 changed some.
            phrases={str(status): HTTPStatus(status).phrase for status in _STATUSES},
            **traits,
        )
        self.on_msg(self._receive)

    def close(self) -> None:
        """Remove the widget, and cancel the requests that are still running."""
        for task in tuple(self._tasks):
            with contextlib.suppress(RuntimeError):  # its event loop is closed: it has ended
                task.cancel()
        super().close()

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Take a message ``{id, request}`` from the page; the answer follows from a task.

        The answer is ``{id, request: {start, headers}, response: {start, headers}}`` with the body
        as binary buffer, or ``{id, error}`` with one sentence. Before it comes ``{id, accepted}``,
        so that the page knows that there is Python behind it.
        """
        if not isinstance(content, dict) or "request" not in content:
            return
        number = content.get("id")
        self.send({"id": number, "accepted": True})
        if len(self._tasks) >= MOST_WAITING:
            self.send({"id": number, "error": "Too many requests are waiting: try again shortly."})
            return
        task = _event_loop().create_task(self._answer(number, content["request"]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, number: Any, wanted: Any) -> None:
        async with self._one_at_a_time:
            try:
                request = self._as_request(wanted)
                response, body = await asyncio.wait_for(_exchange(request), TIMEOUT)
            except Exception as error:  # whatever it was, the reader gets a sentence
                self.send({"id": number, "error": _sentence(error, self.server)})
                return
        self.send(
            {"id": number, "request": _request_head(request), "response": _response_head(response)},
            buffers=[body],
        )

    def _as_request(self, wanted: Any) -> httpx.Request:
        """The request that the page describes, to this widget's own server and no other."""
        if self._base is None:
            raise _Unusable("This widget was made without an API to ask.")
        try:
            method, target = wanted["method"], wanted["target"]
            headers = [(str(name), str(value)) for name, value in wanted["headers"]]
            if method not in ("GET", "HEAD") or not target.startswith("/"):
                raise ValueError(method, target)
            url = self._base.copy_with(raw_path=target.encode("ascii"))
            # httpx writes the Host line itself, from the URL.
            sent = [(name, value) for name, value in headers if name.lower() != "host"]
            return httpx.Request(method, url, headers=sent)
        except (AttributeError, KeyError, TypeError, ValueError, httpx.InvalidURL):
            raise _Unusable("The page sent a request that this widget cannot make.") from None


class _Unusable(Exception):
    """Its text is the sentence for the reader."""


async def _exchange(request: httpx.Request) -> tuple[httpx.Response, bytes]:
    """Send the request as it stands: no header added, no proxy, no redirect followed."""
    async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
        response = await client.send(request, stream=True)
        try:
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > LARGEST_RESPONSE:
                    raise _Unusable(
                        f"The answer is longer than {LARGEST_RESPONSE // 1024**2} MiB, "
                        "more than this widget shows."
                    )
        finally:
            await response.aclose()
    return response, bytes(body)


def _request_head(request: httpx.Request) -> dict[str, Any]:
    target = request.url.raw_path.decode("ascii")
    return {"start": f"{request.method} {target} HTTP/1.1", "headers": _lines(request.headers)}


def _response_head(response: httpx.Response) -> dict[str, Any]:
    start = f"{response.http_version} {response.status_code} {response.reason_phrase}"
    return {"start": start, "status": response.status_code, "headers": _lines(response.headers)}


def _lines(headers: httpx.Headers) -> list[list[str]]:
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers.raw]


def _sentence(error: Exception, server: str) -> str:
    match error:
        case _Unusable():
            return str(error)
        case TimeoutError() | httpx.TimeoutException():
            return f"The service at {server} did not answer within {TIMEOUT:.0f} seconds."
        case httpx.ConnectError():
            return (
                f"Nothing answers at {server}: the server has stopped. "
                "Run the cell that starts it and then this cell again."
            )
        case httpx.RemoteProtocolError():
            return f"What came back from {server} is not a complete HTTP response."
    return f"The exchange with {server} failed ({type(error).__name__}): try again."


def _event_loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:  # in a browser the page's loop runs without saying so
        return asyncio.get_event_loop()


def _base_url(api: Server | str) -> httpx.URL:
    url = getattr(api, "url", api)
    if not isinstance(url, str):
        raise TypeError(
            "SongRequest takes what serve(app) returned, or a URL such as "
            f'"http://127.0.0.1:8000", and this is {type(api).__name__}.'
        )
    if not _SERVER_URL.fullmatch(url):
        raise ValueError(
            f"{url[:60]!r} is not the URL of a server. "
            'SongRequest takes one such as "http://127.0.0.1:8000", with no path.'
        )
    return httpx.URL(url)


def _compact(song: Song) -> dict[str, Any]:
    """What the page has to know about a song, in few bytes: the melody as "E5:0.25 R:1"."""
    facts = song.as_dict()
    melody = (f"{note.pitch or 'R'}:{_shortest(note.beats)}" for note in song.melody)
    return {
        **facts,
        "aliases": list(song.aliases),
        "melody": " ".join(melody),
        "etag": audio_etag(song),
    }


def _shortest(beats: float) -> str:
    return repr(float(beats)).removesuffix(".0")
