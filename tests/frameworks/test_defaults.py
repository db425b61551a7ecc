"""What the chapter says that frameworks do by default, seen in applications without any settings."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from flask import Flask, request
from pydantic import BaseModel

from helpers import serve
from helpers.frameworks import FRAMEWORKS
from helpers.frameworks._app import WebProgram
from helpers.programs import ProgramMissing
from helpers.programs._building import build

JSON = {"Content-Type": "application/json"}
EXPRESS = """
import express from "express";
const app = express();
app.use(express.json());
app.get("/", (req, res) => res.json({}));
app.get("/songs", (req, res) => res.json([]));
app.post("/songs", (req, res) => res.json(req.body));
app.get("/songs/:id", (req, res) => res.json(req.params));
app.listen(process.env.PORT, "127.0.0.1");
"""


class Song(BaseModel):
    year: int


def fastapi() -> FastAPI:
    app = FastAPI()

    @app.get("/songs")
    async def list_songs() -> list:
        return []

    @app.post("/songs")
    async def add_song(song: Song) -> Song:
        return song

    return app


def flask() -> Flask:
    app = Flask("defaults")
    app.logger.disabled = True

    @app.get("/songs")
    def list_songs():
        return []

    @app.post("/songs")
    def add_song():
        return {"year": repr(request.get_json()["year"])}

    return app


class ExpressProgram(WebProgram):
    """A plain Express application beside the packages that the course's own has."""

    def _place_files(self) -> None:
        recipe = FRAMEWORKS["express"].recipe()
        build(recipe)
        (self.folder / "node_modules").symlink_to(recipe.folder / "node_modules")
        (self.folder / "package.json").write_text('{"type": "module"}', "utf-8")
        (self.folder / "app.js").write_text(EXPRESS, "utf-8")


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    with serve(fastapi()) as one, serve(flask()) as other:
        try:
            express = ExpressProgram("node app.js", {})
        except ProgramMissing as error:
            pytest.skip(str(error))
        with express:
            yield {"FastAPI": one.port, "Flask": other.port, "Express": express.port}


def answer(port: int, method: str, target: str, body: bytes | None = None) -> tuple[int, str]:
    """The status, and the type of the body or where the client is sent."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, target, body, JSON if body else {})
    got = connection.getresponse()
    got.read()
    connection.close()
    return got.status, (got.getheader("location") or got.getheader("content-type") or "")


def statuses(ports: dict[str, int], *request: object) -> dict[str, int]:
    return {name: answer(port, *request)[0] for name, port in ports.items()}


def test_a_slash_at_the_end(ports):
    assert statuses(ports, "GET", "/songs/") == {"FastAPI": 307, "Flask": 404, "Express": 200}


def test_two_slashes_at_the_beginning(ports):
    assert statuses(ports, "GET", "//songs")["Flask"] == 200
    assert statuses(ports, "GET", "//songs")["FastAPI"] == 404


def test_capitals(ports):
    assert statuses(ports, "GET", "/SONGS") == {"FastAPI": 404, "Flask": 404, "Express": 200}


def test_a_byte_that_is_no_utf_8(ports):
    status, kind = answer(ports["Express"], "GET", "/songs/%FF")
    assert (status, kind.partition(";")[0]) == (400, "text/html")


def test_head(ports):
    assert statuses(ports, "HEAD", "/songs") == {"FastAPI": 405, "Flask": 200, "Express": 200}


def test_options(ports):
    assert statuses(ports, "OPTIONS", "/songs") == {"FastAPI": 405, "Flask": 200, "Express": 200}


def test_not_a_number(ports):
    """Taken for JSON, and not refused as broken: Flask's function has it, FastAPI's does not fit."""
    found = statuses(ports, "POST", "/songs", b'{"year": NaN}')
    assert found == {"FastAPI": 500, "Flask": 200, "Express": 400}


def test_deep_json(ports):
    body = b"[" * 2000 + b"]" * 2000
    assert statuses(ports, "POST", "/songs", body)["Flask"] == 500
    assert statuses(ports, "POST", "/songs", body)["Express"] == 200


def test_errors_are_pages(ports):
    for name in ("Flask", "Express"):
        assert answer(ports[name], "GET", "/nowhere")[1].startswith("text/html")
    assert answer(ports["FastAPI"], "GET", "/nowhere")[1] == "application/json"


def test_a_large_body(ports):
    """FastAPI has no limit; Express has one of 100 kB."""
    body = b'{"year": 1, "more": "' + b"x" * 3_000_000 + b'"}'
    found = statuses(ports, "POST", "/songs", body)
    assert found == {"FastAPI": 200, "Flask": 200, "Express": 413}


def test_the_first_or_the_more_exact_route():
    first, second = FastAPI(), Flask("routes")
    first.get("/songs/{song_id}")(lambda song_id: "one")
    first.get("/songs/top")(lambda: "top")
    second.add_url_rule("/songs/<song_id>", "one", lambda song_id: "one")
    second.add_url_rule("/songs/top", "top", lambda: "top")
    assert second.test_client().get("/songs/top").text == "top"
    with serve(first) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/songs/top")
        assert connection.getresponse().read() == b'"one"'
        connection.close()


def test_gunicorn_is_not_for_windows(monkeypatch):
    from helpers.frameworks import _frameworks

    monkeypatch.setattr(_frameworks.os, "name", "nt")
    with pytest.raises(ProgramMissing, match=r"^gunicorn does not run on Windows: .*\.$"):
        _frameworks.command("gunicorn app:app", 1)


def test_the_procfile_is_what_starts_it():
    for framework in FRAMEWORKS.values():
        assert "$PORT" in framework.procfile["web"] or framework.name in ("express", "spring_boot")
        assert Path(framework.folder / "Procfile").read_text("utf-8").endswith("\n")
