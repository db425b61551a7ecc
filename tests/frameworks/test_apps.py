"""What a deployment asks of the five: settings, logs, an end in good order, and no race lost."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from helpers.frameworks import FRAMEWORKS, start
from helpers.frameworks._export import export
from helpers.programs import ProgramFailed
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
SONG = {"title": "A new song", "composer": "A Reader", "year": 2026, "genre": "study"}


def lines(app) -> list[dict]:
    """What the application has logged; every line has to be JSON."""
    text = app.log().partition("\n")[2]
    return [json.loads(line) for line in text.splitlines() if line.strip() and line != "(empty)"]


def test_its_settings_come_from_the_environment(fresh, tmp_path):
    (tmp_path / "songs.json").write_text(json.dumps([{"id": "mine", **SONG}]), "utf-8")
    app = fresh(MUSIC_DATA=str(tmp_path), MUSIC_LARGEST_BODY="120")
    assert [song["id"] for song in httpx.get(f"{app.url}/songs").json()["items"]] == ["mine"]
    assert httpx.post(f"{app.url}/songs", json=SONG).status_code == 201
    longer = {**SONG, "composer": "x" * 80}
    assert httpx.post(f"{app.url}/songs", json=longer).status_code == 413
    assert httpx.get(f"{app.url}/songs/mine/audio").status_code == 404  # there is no sound


def test_a_mistake_of_its_own_tells_the_log_and_not_the_client(fresh, tmp_path):
    """The sound can't be read: where its file should be is a folder."""
    shutil.copy(export() / "songs.json", tmp_path)
    (tmp_path / "audio" / "fur-elise.wav").mkdir(parents=True)
    app = fresh(MUSIC_DATA=str(tmp_path))
    answer = httpx.get(f"{app.url}/songs/fur-elise/audio", headers={"X-Request-Id": "the-broken"})
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json() == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "The service made a mistake.",
    }
    assert answer.headers["x-request-id"] == "the-broken"
    assert answer.headers["server-timing"].startswith("app;dur=")
    told = [line for line in lines(app) if line.get("id") == "the-broken"]
    assert any("directory" in line.get("exception", "") for line in told), told
    assert any(line.get("status") == 500 for line in told)
    assert httpx.get(f"{app.url}/health").status_code == 200


def test_each_request_is_a_line_of_json(fresh):
    app = fresh()
    httpx.get(f"{app.url}/songs/fur-elise?x=1", headers={"X-Request-Id": "read"})
    httpx.get(f"{app.url}/nowhere", headers={"X-Request-Id": "lost"})
    httpx.put(f"{app.url}/songs", headers={"X-Request-Id": "put"})
    told = {
        line["id"]: (line["method"], line["path"], line["status"])
        for line in lines(app)
        if line.get("message") == "request"
    }
    assert told["read"] == ("GET", "/songs/fur-elise", 200)
    assert told["lost"] == ("GET", "/nowhere", 404)
    assert told["put"] == ("PUT", "/songs", 405)
    for line in lines(app):
        assert {"time", "level", "message"} <= line.keys()
        assert line.get("ms", 0) >= 0


def test_what_is_running_ends_before_it_does(fresh):
    """Half of a request is there when it is asked to end; the other half comes later."""
    app = fresh()
    body = json.dumps(SONG).encode()
    head = f"POST /songs HTTP/1.1\r\nHost: {app.url[7:]}\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", app.port), timeout=20) as client:
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:20])
        # an answer to another request: by then this one's head was read as well
        assert httpx.get(f"{app.url}/health").status_code == 200
        ended = []
        waiting = threading.Thread(target=lambda: ended.append(app.shut_down(20)))
        waiting.start()
        eventually(lambda: not answered(app.url))  # gunicorn leaves new connections waiting
        assert not ended
        client.sendall(body[20:])
        answer = client.recv(65536)
        assert answer.startswith(b"HTTP/1.1 201"), answer
        waiting.join(30)
    assert ended in ([0], [-signal.SIGTERM], [128 + signal.SIGTERM])


def answered(url: str) -> bool:
    """Whether a new client gets an answer."""
    try:
        return httpx.get(f"{url}/health", timeout=0.5).status_code == 200
    except httpx.TransportError:
        return False


def refused(port: int) -> bool:
    """Whether new connections are turned away."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return True
    return False


def test_of_many_who_add_the_same_song_one_does(app):
    """Eight clients at the same moment, twelve songs each: nobody gets an error of the service."""

    def add(number: int) -> list[int]:
        with httpx.Client(base_url=app.url, timeout=30) as client:
            songs = ({**SONG, "title": f"Raced for {one}"} for one in range(12))
            return [client.post("/songs", json=song).status_code for song in songs]

    with ThreadPoolExecutor(8) as pool:
        statuses = [status for answers in pool.map(add, range(8)) for status in answers]
    assert sorted(statuses) == [201] * 12 + [409] * 84


def test_a_body_in_chunks_is_a_body(app):
    def pieces():
        for piece in json.dumps({**SONG, "title": "Sent in chunks"}).split(" "):
            yield piece.encode() + b" "

    answer = httpx.post(
        f"{app.url}/songs", content=pieces(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (201, 409), answer.text
    too_large = httpx.post(
        f"{app.url}/songs",
        content=(b" " * 1000 for _ in range(100)),
        headers={"Content-Type": "application/json"},
    )
    assert too_large.status_code == 413


def test_broken_chunks_are_the_clients_mistake(app):
    head = f"POST /songs HTTP/1.1\r\nHost: {app.url[7:]}\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", app.port), timeout=20) as client:
        client.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n".encode())
        assert client.recv(65536).startswith(b"HTTP/1.1 400")
    assert httpx.get(f"{app.url}/health").status_code == 200


def test_fields_that_name_another_path_are_ignored(app):
    names = {"SCRIPT_NAME": "/songs", "PATH_INFO": "/songs", "X-Original-URL": "/songs"}
    answer = httpx.get(f"{app.url}/health", headers=names)
    assert answer.json() == {"status": "ok"}


def test_only_this_machine_reaches_it(app):
    processes = [psutil.Process(app.pid), *psutil.Process(app.pid).children(recursive=True)]
    hosts = {
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert hosts == {"127.0.0.1"} or hosts == {"::ffff:127.0.0.1"}


def test_nothing_is_left(fresh):
    app = fresh()
    folder, processes = app.folder, [pid for pid, _ in app.processes()]
    assert folder.exists()
    assert app.running
    app.stop()
    app.stop()
    assert not folder.exists()
    assert not app.running
    assert not any(psutil.pid_exists(pid) for pid in processes)
    assert refused(app.port)
    with pytest.raises(ProgramFailed):
        app.shut_down()


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_nothing_outlives_who_started_it(name, running):
    """Not even when that is killed."""
    running(name)  # skips if it can't run here
    code = (
        "import os, signal; from helpers.frameworks import start\n"
        f"app = start({name!r})\n"
        "print(app.folder, *[pid for pid, _ in app.processes()], flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    folder, *processes = done.stdout.split()
    eventually(lambda: not any(psutil.pid_exists(int(pid)) for pid in processes))
    eventually(lambda: not Path(folder).exists())


@pytest.mark.parametrize("name", ["", "Flask", "rails"])
def test_an_unknown_name_is_told_in_one_sentence(name):
    with pytest.raises(
        ValueError, match=r"^There is no application '.*': there are fastapi, .*\.$"
    ):
        start(name)


def test_the_names_are_those_of_the_folders():
    assert all((framework.folder / "Procfile").exists() for framework in FRAMEWORKS.values())
