"""The music API in Flask. To run it: flask run"""

import json
import logging
import re
import sys
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from flask import Flask, Response, abort, g, has_request_context, render_template, request
from flask.json.provider import DefaultJSONProvider
from marshmallow import EXCLUDE, Schema, fields, validate
from werkzeug.exceptions import HTTPException, RequestedRangeNotSatisfiable

import problems
from audio import byte_range
from songs import Songs

HERE = Path(__file__).parent


def text(longest: int, *more: validate.Validator) -> fields.String:
    plain = validate.Regexp(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+\Z")
    return fields.String(required=True, validate=[validate.Length(max=longest), plain, *more])


class Digits(fields.Integer):
    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if not (isinstance(value, str) and re.fullmatch("[0-9]+", value)):
            raise self.make_error("invalid")  # int() takes " 5", "+5" and "1_0"
        return super()._deserialize(value, *args, **kwargs)


class NewSong(Schema):
    title = text(100, validate.Regexp(".*[A-Za-z0-9]"))
    composer = text(100)
    year = fields.Integer(required=True, strict=True, validate=validate.Range(1, 2100))
    genre = text(40)


class Search(Schema):
    class Meta:
        unknown = EXCLUDE

    q = fields.String(load_default="", validate=validate.Length(max=100))
    limit = Digits(load_default=20, validate=validate.Range(1, 100))
    cursor = fields.String(load_default="", validate=validate.Regexp(r"[a-z0-9-]{1,100}\Z"))


class StrictJson(DefaultJSONProvider):
    ensure_ascii = False
    sort_keys = False

    def loads(self, body: bytes, **kwargs: Any) -> Any:
        try:
            return json.loads(
                body.decode("utf-8-sig"),
                parse_int=number,
                parse_float=number,
                parse_constant=not_json,
            )
        except RecursionError:
            return None  # JSON, and too deep to be a song


def number(digits: str) -> int | float:
    """As in JavaScript: of any length, and 1810.0 is 1810."""
    value = float(digits)
    return int(value) if value.is_integer() else value


def not_json(word: str) -> None:
    raise ValueError(f"{word} is not JSON")  # Python would read NaN and Infinity


app = Flask(__name__, static_folder=None)
app.json = StrictJson(app)
app.url_map.merge_slashes = False
app.config.from_mapping(
    DATA=HERE.parent / "data", LARGEST_BODY=65_536, PROVIDE_AUTOMATIC_OPTIONS=False
)
app.config.from_prefixed_env("MUSIC")  # MUSIC_DATA, MUSIC_LARGEST_BODY
# one more: a body without Content-Length is cut off there, and no error says so
app.config["MAX_CONTENT_LENGTH"] = app.config["LARGEST_BODY"] + 1
problems.install(app)
songs = Songs(Path(app.config["DATA"]))


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "message": record.getMessage(),
        }
        if has_request_context():
            line["id"] = g.request_id
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def log_in_json() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    app.logger.handlers = [handler]
    app.logger.setLevel(logging.INFO)
    app.logger.propagate = False
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # no second line from flask run


@app.before_request
def begin() -> None:
    """Give every request an id, and look at the clock."""
    g.begun = time.perf_counter()
    g.request_id = request.headers.get("X-Request-Id", "")
    if not re.fullmatch("[A-Za-z0-9._-]{1,64}", g.request_id):
        g.request_id = uuid.uuid4().hex


@app.after_request
def observe(response: Response) -> Response:
    """Say how long it took, and write a line about it."""
    took = (time.perf_counter() - g.begun) * 1000  # milliseconds
    response.headers["X-Request-Id"] = g.request_id
    response.headers["Server-Timing"] = f"app;dur={took:.1f}"
    facts = {
        "method": request.method,
        "path": request.path,
        "status": response.status_code,
        "ms": round(took, 1),
    }
    app.logger.info("request", extra={"fields": facts})
    return response


@app.before_request
def take_the_path_as_it_is() -> None:
    if request.environ["PATH_INFO"].startswith("//"):
        abort(404)  # the router would take //songs for /songs


def parameters() -> dict[str, Any]:
    """Each by its name. One that is sent twice stays a list, which no field takes."""
    # not request.args, which takes %FF, a byte that is no UTF-8, for the text "%FF"
    query = parse_qs(request.query_string.decode(errors="replace"), keep_blank_values=True)
    return {name: sent[0] if len(sent) == 1 else sent for name, sent in query.items()}


def json_body() -> Any:
    """The body, if it is JSON in UTF-8 and not too large."""
    kind = request.content_type or ""
    if not re.fullmatch(
        r'application/json[ \t]*(;[ \t]*charset=(utf-8|"utf-8")[ \t]*)?', kind, re.IGNORECASE
    ):
        abort(problems.problem(415, {"Accept": "application/json"}))
    if request.headers.get("Content-Encoding", "identity") != "identity":
        abort(problems.problem(415, {"Accept-Encoding": "identity"}))
    if "Transfer-Encoding" in request.headers:
        request.environ["wsgi.input_terminated"] = True  # or Flask leaves such a body unread
    try:
        body = request.get_data()
    except HTTPException:
        raise
    except Exception:  # broken chunks: what is raised is the server's own
        abort(400)
    if len(body) > app.config["LARGEST_BODY"]:
        abort(413)
    return request.get_json()


@app.get("/")
def page() -> str:
    return render_template("songs.html", songs=songs.search())


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/songs")
def list_songs() -> dict[str, Any]:
    search = Search().load(parameters())
    limit = search["limit"]
    found = songs.search(search["q"], after=search["cursor"])
    return {"items": found[:limit], "next": found[limit - 1]["id"] if len(found) > limit else None}


@app.post("/songs")
def add_song() -> tuple[dict, int, dict]:
    song = songs.add(NewSong().load(json_body()))
    if song is None:
        abort(409)
    return song, 201, {"Location": f"/songs/{song['id']}"}


@app.get("/songs/<song_id>")
def get_song(song_id: str) -> dict:
    return songs.get(song_id) or abort(404)


@app.get("/songs/<song_id>/audio")
def hear_song(song_id: str) -> Response:
    sound = songs.audio(song_id)
    if sound is None:
        abort(404)
    headers = {"Accept-Ranges": "bytes"}
    part = byte_range(request.headers, len(sound)) if request.method == "GET" else None
    if part is None:
        return Response(sound, 200, headers, "audio/wav")
    start, end = part
    if start >= len(sound):
        raise RequestedRangeNotSatisfiable(len(sound))
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(sound)}"
    return Response(sound[start:end], 206, headers, "audio/wav")


log_in_json()
