"""The music streaming API: pass the name of a song, hear the song."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from . import _problems
from ._access import requires
from ._catalogue import SONGS
from ._library import Library, place, read_cursor, song_id_for, write_cursor
from ._models import NewSong, Plays, SongModel, SongPage, SongSummary, problem_documentation
from ._problems import Problem
from ._range import ranged_response
from ._search import SongNotFound, find_song, search_songs
from ._song import Song
from ._synthesis import audio_etag, render_wav

try:  # the /docs page from files of its own; FastAPI's takes them from the internet
    from fastapi_offline import FastAPIOffline as DocumentedAPI
except ImportError:  # in a browser there is no /docs page; /openapi.json is there all the same
    DocumentedAPI = FastAPI

LARGEST_BODY = 64 * 1024
"""Bytes a request body may have: far more than the longest melody needs."""

SongId = Annotated[str, Path(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=200)]
_AUDIO: dict[int | str, dict[str, Any]] = {
    200: {"description": "The whole song", "content": {"audio/wav": {}}},
    206: {"description": "The bytes that Range asked for", "content": {"audio/wav": {}}},
    304: {"description": "The client's copy is still good"},
}


def create_app(
    songs: Iterable[Song] = SONGS, *, tokens: Mapping[str, str] | None = None
) -> FastAPI:
    """Make the music streaming API.

    Every call makes an app of its own: what its clients add or remove stays in its memory.

    Args:
        songs: the songs it starts with.
        tokens: each token that it knows and the token's role, ``"listener"`` or ``"editor"``.
            Then only editors may add, replace and remove songs, and only clients with a token may
            count a play. ``None``: everybody may do everything.

    Raises:
        ValueError: a token's role is neither of the two.
    """
    library = Library(songs)
    editors = requires("editor", tokens)
    listeners = requires("listener", tokens)
    protected = (401, 403) if tokens is not None else ()
    app = DocumentedAPI(
        title="Music streaming API",
        version="1.0.0",
        description="Pass the name of a song, hear the song.",
        redoc_url=None,
    )
    _problems.install(app)
    app.add_middleware(_BodyLimit)

    def song_or_404(song_id: str) -> Song:
        song = library.get(song_id)
        if song is None:
            raise Problem(404, "unknown-song")
        return song

    @app.get("/", tags=["about"], summary="Where everything is")
    async def index() -> dict[str, str]:
        return {"songs": "/songs", "play": "/play?song=fur+elise", "description": "/openapi.json"}

    @app.get("/health", tags=["about"], summary="Whether the service is well")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(
        "/songs",
        tags=["songs"],
        summary="Search, a page at a time",
        responses=problem_documentation(422),
    )
    async def list_songs(
        response: Response,
        q: Annotated[str, Query(max_length=100, description="words to look for")] = "",
        genre: Annotated[str, Query(max_length=40, description="only this genre")] = "",
        limit: Annotated[int, Query(ge=1, le=100, description="songs a page")] = 20,
        cursor: Annotated[str | None, Query(max_length=2000, description="from `next`")] = None,
    ) -> SongPage:
        found = search_songs(q, library.in_order())
        if genre:
            found = [song for song in found if song.genre == genre]
        if cursor is not None:
            after = _cursor_or_422(cursor)
            found = [song for song in found if place(song) > after]
        page, more = found[:limit], len(found) > limit
        link = None
        if more:
            wanted = {"q": q, "genre": genre, "limit": limit, "cursor": write_cursor(page[-1])}
            link = "/songs?" + urlencode({name: value for name, value in wanted.items() if value})
            response.headers["Link"] = f'<{link}>; rel="next"'  # RFC 8288
        return SongPage(
            items=[SongSummary.model_validate(song, from_attributes=True) for song in page],
            next=link,
        )

    @app.post(
        "/songs",
        tags=["songs"],
        summary="Add a song",
        status_code=201,
        dependencies=[*editors, Depends(_only_json)],
        responses=problem_documentation(*protected, 400, 409, 413, 415, 422),
    )
    async def add_song(new: NewSong, response: Response) -> SongModel:
        song = new.as_song(song_id_for(new.title))
        if song.id in library:
            raise Problem(409, "song-exists", existing=f"/songs/{song.id}")
        library.put(song)
        response.headers["Location"] = f"/songs/{song.id}"
        return _as_model(song)

    @app.get(
        "/songs/{song_id}",
        tags=["songs"],
        summary="One song",
        responses=problem_documentation(404, 422),
    )
    async def get_song(song_id: SongId) -> SongModel:
        return _as_model(song_or_404(song_id))

    @app.put(
        "/songs/{song_id}",
        tags=["songs"],
        summary="Add or replace a song",
        dependencies=[*editors, Depends(_only_json)],
        responses={
            201: {"description": "Added", "model": SongModel},
            **problem_documentation(*protected, 400, 413, 415, 422),
        },
    )
    async def put_song(song_id: SongId, new: NewSong, response: Response) -> SongModel:
        if song_id not in library:
            response.status_code = 201
        song = new.as_song(song_id)
        library.put(song)
        return _as_model(song)

    @app.delete(
        "/songs/{song_id}",
        tags=["songs"],
        summary="Remove a song",
        status_code=204,
        dependencies=editors,
        responses=problem_documentation(*protected, 404, 422),
    )
    async def delete_song(song_id: SongId) -> None:
        if not library.remove(song_id):
            raise Problem(404, "unknown-song")

    @app.post(
        "/songs/{song_id}/plays",
        tags=["songs"],
        summary="Count a play",
        dependencies=listeners,
        responses=problem_documentation(*protected, 404, 422),
    )
    async def count_play(
        song_id: SongId,
        idempotency_key: Annotated[
            str | None, Header(max_length=200, description="the same key counts once")
        ] = None,
    ) -> Plays:
        song_or_404(song_id)
        return Plays(plays=library.count_play(song_id, idempotency_key))

    @app.get(
        "/songs/{song_id}/plays",
        tags=["songs"],
        summary="How often a song was played",
        responses=problem_documentation(404, 422),
    )
    async def get_plays(song_id: SongId) -> Plays:
        song_or_404(song_id)
        return Plays(plays=library.plays(song_id))

    # Plain `def`: making the sound takes a while, and FastAPI runs such an endpoint in a thread,
    # so that the server can answer others meanwhile.
    @app.get(
        "/songs/{song_id}/audio",
        tags=["audio"],
        summary="Hear a song",
        response_class=Response,
        responses={**_AUDIO, **problem_documentation(404, 416, 422)},
    )
    def audio(song_id: SongId, request: Request) -> Response:
        return _audio_response(song_or_404(song_id), request)

    @app.get(
        "/play",
        tags=["audio"],
        summary="Pass the name of a song, hear the song",
        response_class=Response,
        responses={**_AUDIO, **problem_documentation(404, 416, 422)},
    )
    def play(
        song: Annotated[str, Query(min_length=1, max_length=100, description="the song's name")],
        request: Request,
    ) -> Response:
        try:
            found = find_song(song, library.in_order())
        except SongNotFound as error:
            raise Problem(404, "unknown-song", suggestions=list(error.suggestions)) from None
        return _audio_response(found, request, {"Content-Location": f"/songs/{found.id}/audio"})

    _answer_head_like_get(app)
    return app


def _as_model(song: Song) -> SongModel:
    return SongModel.model_validate(song.as_dict())


def _audio_response(
    song: Song, request: Request, headers: Mapping[str, str] | None = None
) -> Response:
    return ranged_response(
        request, render_wav(song), "audio/wav", audio_etag(song), dict(headers or {})
    )


def _cursor_or_422(cursor: str) -> tuple[str, str]:
    try:
        return read_cursor(cursor)
    except ValueError as error:
        found = {"type": "value_error", "loc": ("query", "cursor"), "msg": str(error)}
        raise RequestValidationError([found]) from None


async def _only_json(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(415, "not-json", {"Accept": "application/json"})


def _answer_head_like_get(app: FastAPI) -> None:
    """HEAD is GET without the body, and a general-purpose server has both (RFC 9110, 9.1)."""
    for route in list(app.routes):
        if isinstance(route, APIRoute) and "GET" in route.methods:
            app.add_api_route(
                route.path,
                route.endpoint,
                methods=["HEAD"],
                response_model=route.response_model,
                include_in_schema=False,
            )


class _BodyLimit:
    """Stop reading a request body that is larger than any song."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        read = 0

        async def receive_some() -> Any:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > LARGEST_BODY:
                raise Problem(413, "too-large", {"Connection": "close"}, limit=LARGEST_BODY)
            return message

        await self.app(scope, receive_some if scope["type"] == "http" else receive, send)
