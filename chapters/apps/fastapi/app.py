"""The music API in FastAPI. To run it: uvicorn app:app"""

import json
import logging
import re
import sys
import time
import uuid
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from fastapi.templating import Jinja2Templates
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import BaseSettings

import problems
from audio import byte_range
from songs import Songs

HERE = Path(__file__).parent


class Settings(BaseSettings):
    """Each field from the environment variable of its name: MUSIC_DATA, MUSIC_LARGEST_BODY."""

    music_data: Path = HERE.parent / "data"
    music_largest_body: int = 65_536  # bytes


settings = Settings()
songs = Songs(settings.music_data)
templates = Jinja2Templates(HERE / "templates")


def get_songs() -> Songs:
    return songs


Library = Annotated[Songs, Depends(get_songs)]


def digits(text: Any) -> Any:
    if isinstance(text, str) and not re.fullmatch("[0-9]+", text):
        raise ValueError("not in plain digits")  # pydantic takes " 5", "+5" and "5.0"
    return text


def once(kind: Any) -> Any:
    """A query parameter; if it is there several times, FastAPI would take the last."""
    return Annotated[list[kind], Query(max_length=1), AfterValidator(lambda values: values[0])]


def whole(number: Any) -> Any:
    return int(number) if isinstance(number, float) and number.is_integer() else number


def with_a_name(title: str) -> str:
    if not re.search("[A-Za-z0-9]", title):
        raise ValueError("nothing to make an id of")
    return title


def text(longest: int) -> Any:
    return Field(max_length=longest, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")


class NewSong(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    title: Annotated[str, text(100), AfterValidator(with_a_name)]
    composer: Annotated[str, text(100)]
    year: Annotated[int, Field(ge=1, le=2100), BeforeValidator(whole)]
    genre: Annotated[str, text(40)]


class Song(BaseModel):
    id: str
    title: str
    composer: str
    year: int
    genre: str


class Page(BaseModel):
    items: list[Song]
    next: str | None


class MusicRequest(Request):
    """A request whose body is JSON in UTF-8, and not too large."""

    async def body(self) -> bytes:
        kind = self.headers.get("content-type", "")
        if not re.fullmatch(
            r'application/json[ \t]*(;[ \t]*charset=(utf-8|"utf-8")[ \t]*)?', kind, re.IGNORECASE
        ):
            raise HTTPException(415, headers={"Accept": "application/json"})
        if self.headers.get("content-encoding", "identity") != "identity":
            raise HTTPException(415, headers={"Accept-Encoding": "identity"})
        body = b""
        async for part in self.stream():
            body += part
            if len(body) > settings.music_largest_body:
                raise HTTPException(413)
        if not body:
            raise HTTPException(400)
        self._body = body  # where Starlette keeps it
        return body

    async def json(self) -> Any:
        try:
            # numbers as in JavaScript: of any length, and 1810.0 is 1810
            text = self._body.decode("utf-8-sig")
            return json.loads(text, parse_int=float, parse_constant=not_json)
        except RecursionError:
            return None  # JSON, and too deep to be a song
        except ValueError:
            raise HTTPException(400) from None


def not_json(word: str) -> None:
    raise ValueError(f"{word} is not JSON")  # Python would read NaN and Infinity


class MusicRoute(APIRoute):
    def get_route_handler(self):
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(MusicRequest(request.scope, request.receive))

        return handle


app = FastAPI(openapi_url=None, redirect_slashes=False)  # openapi.yaml describes it
app.router.route_class = MusicRoute
problems.install(app)

log = logging.getLogger("api")


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def log_in_json() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    log.handlers = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False


@app.middleware("http")
async def observe(request: Request, call_next: Any) -> Response:
    """Give every request an id, time it, and write a line about it."""
    begun = time.perf_counter()
    request_id = request.headers.get("x-request-id", "")
    if not re.fullmatch("[A-Za-z0-9._-]{1,64}", request_id):
        request_id = uuid.uuid4().hex
    try:
        response = await call_next(request)
    except Exception:
        log.exception("failed", extra={"fields": {"id": request_id}})
        response = problems.problem(500)
    took = (time.perf_counter() - begun) * 1000  # milliseconds
    response.headers["X-Request-Id"] = request_id
    response.headers["Server-Timing"] = f"app;dur={took:.1f}"
    fields = {
        "id": request_id,
        "method": request.method,
        "path": request.url.path,
        "status": response.status_code,
        "ms": round(took, 1),
    }
    log.info("request", extra={"fields": fields})
    return response


def get(path: str, **options: Any) -> Any:
    """GET and HEAD: FastAPI adds HEAD only when it is asked to."""
    return app.api_route(path, methods=["GET", "HEAD"], **options)


@get("/", response_class=HTMLResponse)
def page(request: Request, songs: Library) -> Response:
    return templates.TemplateResponse(request, "songs.html", {"songs": songs.search()})


@get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@get("/songs")
def list_songs(
    songs: Library,
    q: once(Annotated[str, Field(max_length=100)]) = "",
    limit: once(Annotated[int, BeforeValidator(digits), Field(ge=1, le=100)]) = 20,
    cursor: once(Annotated[str, Field(pattern="^[a-z0-9-]{1,100}$")]) = "",
) -> Page:
    found = songs.search(q, after=cursor)
    return Page(items=found[:limit], next=found[limit - 1]["id"] if len(found) > limit else None)


@app.post("/songs", status_code=201)
def add_song(new: NewSong, songs: Library, response: Response) -> Song:
    song = songs.add(new.model_dump())
    if song is None:
        raise HTTPException(409)
    response.headers["Location"] = f"/songs/{song['id']}"
    return song


@get("/songs/{song_id}")
def get_song(song_id: str, songs: Library) -> Song:
    song = songs.get(song_id)
    if song is None:
        raise HTTPException(404)
    return song


@get("/songs/{song_id}/audio", response_class=Response)
def hear_song(song_id: str, songs: Library, request: Request) -> Response:
    sound = songs.audio(song_id)
    if sound is None:
        raise HTTPException(404)
    headers = {"Accept-Ranges": "bytes"}
    part = byte_range(request.headers, len(sound)) if request.method == "GET" else None
    if part is None:
        return Response(sound, 200, headers, "audio/wav")
    start, end = part
    if start >= len(sound):
        raise HTTPException(416, headers={"Content-Range": f"bytes */{len(sound)}"})
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(sound)}"
    return Response(sound[start:end], 206, headers, "audio/wav")


log_in_json()
