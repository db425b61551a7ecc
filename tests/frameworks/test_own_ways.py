"""Each application by its framework's own means: its own tests, and the usual command for a start."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from helpers.frameworks import CASES, FRAMEWORKS, hold_to_contract
from helpers.frameworks._export import export
from helpers.frameworks._frameworks import _npm, find_node
from helpers.programs import ProgramMissing
from helpers.programs._building import build
from helpers.programs._ports import free_port
from tests.waiting import eventually

PYTHON = [sys.executable, "-m"]
TESTS = {
    "fastapi": [*PYTHON, "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir=."],
    "flask": [*PYTHON, "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir=."],
    "django": [sys.executable, "manage.py", "test"],
    "express": ["npm", "test"],
    "spring_boot": ["mvn", "-q", "-B", "test"],
}
USUAL = {
    "fastapi": [*PYTHON, "uvicorn", "app:app", "--port", "PORT"],
    "flask": [*PYTHON, "flask", "run", "--port", "PORT"],
    "django": [sys.executable, "manage.py", "runserver", "--noreload", "PORT"],
    "express": ["npm", "start"],
    "spring_boot": ["mvn", "-q", "-B", "spring-boot:run"],
}
BEFORE = {
    "django": [
        [sys.executable, "manage.py", "migrate", "-v", "0"],
        [sys.executable, "manage.py", "load_songs"],
    ]
}
_PATIENCE = 120  # seconds; decides only how long a failure takes


@pytest.fixture(params=FRAMEWORKS)
def name(request) -> str:
    return request.param


@pytest.fixture
def folder(name, tmp_path) -> Path:
    """A copy of the application, built, so that nothing is written among the chapters."""
    framework = FRAMEWORKS[name]
    try:
        recipe = framework.recipe()
    except ProgramMissing as error:
        pytest.skip(str(error))
    source = framework.folder
    if recipe:
        build(recipe)
        source = recipe.folder
    shutil.copytree(source, tmp_path / "app", symlinks=True)
    return tmp_path / "app"


@pytest.fixture
def surroundings(tmp_path) -> dict[str, str]:
    """The environment variables that its commands see."""
    path = os.pathsep.join([str(Path(find_node()).parent), os.environ["PATH"]])
    database = str(tmp_path / "db.sqlite3")
    settings = {"MUSIC_DATA": str(export()), "MUSIC_DATABASE": database, "PORT": str(free_port())}
    return {**os.environ, **settings, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def words(name: str, table: dict[str, list[str]]) -> list[str]:
    """A command of a table; for npm, the one that the application was built with."""
    first, *others = table[name]
    return [*(_npm() if first == "npm" else [first]), *others]


def own_tests(name: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess:
    """Run the application's own tests in a folder."""
    return subprocess.run(
        words(name, TESTS),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
    )


def test_its_own_tests_pass(name, folder, surroundings):
    done = own_tests(name, folder, surroundings)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_its_own_tests_can_fail(name, folder, surroundings):
    """When they ask for another status than the application's."""
    changed = 0
    for file in folder.rglob("*"):
        inner = file.relative_to(folder).parts
        if "node_modules" in inner or "target" in inner or not file.is_file():
            continue
        if "test" in file.name.lower() and file.suffix in (".py", ".js", ".java"):
            text = file.read_text("utf-8")
            changed += "404" in text
            file.write_text(text.replace("404", "405"), "utf-8")
    done = own_tests(name, folder, surroundings)
    assert changed
    assert done.returncode != 0, done.stdout[-3000:]


def test_the_usual_command_starts_it(name, folder, surroundings):
    """On this machine only, with the same answers; the development servers of two differ a little."""
    for command in BEFORE.get(name, ()):
        subprocess.run(command, cwd=folder, env=surroundings, check=True, timeout=_PATIENCE)
    port = surroundings["PORT"]
    command = [word.replace("PORT", port) for word in words(name, USUAL)]
    with (folder / "output.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=surroundings, stdout=log, stderr=log, start_new_session=True
        )
        try:
            url = f"http://127.0.0.1:{port}"
            eventually(lambda: process.poll() is not None or answers(f"{url}/health"), _PATIENCE)
            assert process.poll() is None, (folder / "output.log").read_text("utf-8")
            cases = [case for case in CASES if case.topic in ("read", "add", "range")]
            result = asyncio.run(hold_to_contract(url, cases))
            assert result.faults == {}
            assert listening_on(process.pid) == {"127.0.0.1"}
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def listening_on(pid: int) -> set[str]:
    """The addresses that a process and its children listen on, IPv4 written as such."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return {
        connection.laddr.ip.removeprefix("::ffff:")
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
