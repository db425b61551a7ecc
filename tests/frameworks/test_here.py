"""The Python applications inside this process, and applications that a chapter writes itself."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from helpers.frameworks import FRAMEWORKS, count_lines, load_app, models, run
from helpers.frameworks._export import FIELDS, export, write
from helpers.music import SONGS, render_wav
from helpers.programs import ProgramFailed

ROOT = Path(__file__).resolve().parents[2]


def test_two_applications_with_modules_of_the_same_names_live_side_by_side():
    before = set(sys.modules)
    one, other = load_app("fastapi"), load_app("flask")
    assert one.__file__ != other.__file__
    assert one.problems.__file__.startswith(str(FRAMEWORKS["fastapi"].folder))
    assert other.problems.__file__.startswith(str(FRAMEWORKS["flask"].folder))
    assert not {"app", "songs", "problems", "audio"} & (set(sys.modules) - before)
    assert load_app("fastapi") is not one


async def _ask(app) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.get("/songs/fur-elise")


def test_it_answers_and_writes_nothing_into_the_notebook(capsys):
    import asyncio

    for _ in range(2):
        answer = asyncio.run(_ask(load_app("fastapi").app))
        assert answer.json()["title"] == "Für Elise"
    assert load_app("flask").app.test_client().get("/songs/fur-elise").status_code == 200
    assert capsys.readouterr() == ("", "")
    assert len(logging.getLogger("api").handlers) == 1


@pytest.mark.parametrize("name", ["django", "express", "rails"])
def test_others_can_not_be_loaded(name):
    with pytest.raises(ValueError, match=name):
        load_app(name)


def test_djangos_models_have_the_catalogue_in_any_thread():
    from concurrent.futures import ThreadPoolExecutor

    song = models().Song
    assert song.objects.count() == len(SONGS)
    assert models().Song is song
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(song.objects.count).result() == len(SONGS)


def test_the_environment_is_as_it_was():
    before = {name: value for name, value in os.environ.items() if name.startswith("MUSIC")}
    load_app("fastapi")
    models()
    after = {name: value for name, value in os.environ.items() if name.startswith("MUSIC")}
    assert after == before


def test_the_export_is_the_catalogue(tmp_path):
    write(tmp_path, ["fur-elise"])
    songs = json.loads((tmp_path / "songs.json").read_text("utf-8"))
    assert [song["id"] for song in songs] == sorted(song.id for song in SONGS)
    assert all(tuple(song) == FIELDS for song in songs)
    elise = next(song for song in SONGS if song.id == "fur-elise")
    assert [file.name for file in (tmp_path / "audio").iterdir()] == ["fur-elise.wav"]
    assert (tmp_path / "audio" / "fur-elise.wav").read_bytes() == render_wav(elise)


def test_two_who_export_at_once_get_the_same(tmp_path, monkeypatch):
    """In processes of their own, into one folder; nothing else is left in it."""
    code = f"from helpers.frameworks._export import export; from pathlib import Path; export(Path({str(tmp_path / 'data')!r}))"
    both = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for _ in range(2)]
    assert [one.wait(120) for one in both] == [0, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert len(list((tmp_path / "data" / "audio").iterdir())) == len(SONGS)
    begun = (tmp_path / "data" / "songs.json").stat().st_mtime_ns
    export(tmp_path / "data")
    assert (tmp_path / "data" / "songs.json").stat().st_mtime_ns == begun


def test_lines_are_those_that_people_wrote():
    rows = {title: (files, lines) for title, files, lines in count_lines()}
    assert list(rows) == [framework.title for framework in FRAMEWORKS.values()]
    flask = FRAMEWORKS["flask"].folder
    names = (
        "app.py",
        "audio.py",
        "gunicorn.conf.py",
        "problems.py",
        "songs.py",
        "templates/songs.html",
    )
    lines = [
        line.strip() for name in names for line in (flask / name).read_text("utf-8").splitlines()
    ]
    assert rows["Flask"] == (len(names), sum(bool(one) and one[0] != "#" for one in lines))
    assert all(100 < lines < 1000 for _, lines in rows.values())


HELLO = """
from flask import Flask
app = Flask(__name__)

@app.get("/")
def hello():
    import os
    return os.environ.get("WORD", "no word")
"""
GUNICORN = "gunicorn app:app --bind 127.0.0.1:$PORT --log-level warning"


@pytest.mark.skipif(os.name == "nt", reason="gunicorn does not run on Windows")
def test_an_application_that_was_written_down_runs():
    with run(GUNICORN, HELLO, WORD="la la") as app:
        assert httpx.get(app.url).text == "la la"
        assert app.seconds_to_start > 0
        assert app.memory() > 5_000_000
    assert not app.running


@pytest.mark.parametrize(
    ("line", "text", "told"),
    [
        ("python app.py", "print('la la'); raise SystemExit(3)", r"with code 3\..*\nla la$"),
        ("python app.py", "1 / 0", r"ended while starting.*ZeroDivisionError"),
        ("nosuchserver app", "", r"No module named nosuchserver"),
    ],
)
def test_one_that_does_not_start_is_told_with_its_own_words(line, text, told):
    with pytest.raises(ProgramFailed, match=f"(?s){told}"):
        run(line, text)


def test_one_that_lets_other_machines_in_is_stopped():
    from helpers.programs import ConfigError

    everywhere = ".".join("0000")
    line = f"uvicorn app:app --host {everywhere} --port $PORT"
    with pytest.raises(ConfigError, match="lets other machines in, and was stopped"):
        run(line, "from fastapi import FastAPI\napp = FastAPI()")
