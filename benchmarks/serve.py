"""How long ``serve`` takes to start and to stop, against uvicorn as a program of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from starlette.responses import StreamingResponse

from benchmarks import bare, machine, median_and_worst, milliseconds, table
from helpers import serve
from helpers.music import SONGS, Note, create_app, render_wav

ROUNDS = 20
REPORT = Path(__file__).with_suffix(".md")
ROOT = Path(__file__).parents[1]
WINDOWS = sys.platform == "win32"

# In a new process, as in a new notebook: the app is made, nothing has been served yet.
FIRST = """
import sys, time
from benchmarks.serve import APPS, answer
from helpers import serve
app = APPS[sys.argv[1]][0]()
start = time.perf_counter()
api = serve(app)
answer(api.port)
print(time.perf_counter() - start)
"""


def music() -> Any:
    """The music API, with one stream that never ends."""

    async def forever():
        while True:
            yield b"x" * 1024

    app = create_app()
    app.add_api_route("/endless", lambda: StreamingResponse(forever()))
    return app


APPS: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "bare ASGI app": (lambda: bare, ["benchmarks:bare"]),
    "music API": (music, ["helpers.music:create_app", "--factory"]),
}


def answer(port: int) -> None:
    """One request and its whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/")
    assert connection.getresponse().read()
    connection.close()


class Clock:
    """Collects times, in seconds, by the name of what was measured."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.times[name].append(time.perf_counter() - start)

    def median(self, name: str) -> float:
        return statistics.median(self.times[name])


@contextlib.contextmanager
def connection_to(port: int, path: str) -> Iterator[None]:
    """A connection whose answer has begun and that stays open."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert connection.recv(4096)
        yield


def measure_serve(clock: Clock, make_app: Callable[[], Any]) -> None:
    with clock("make"):
        app = make_app()
    with clock("start"):
        api = serve(app)
        answer(api.port)
    with clock("stop idle"):
        api.stop()
    for name, path in (("stop keep-alive", "/"), ("stop endless", "/endless")):
        api = serve(app)
        with connection_to(api.port, path), clock(name):
            api.stop()


def measure_first(clock: Clock, app: str) -> None:
    command = [sys.executable, "-c", FIRST, app]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    clock.times["first"].append(float(done.stdout))


def measure_program(clock: Clock, app: list[str]) -> None:
    """uvicorn as a process: from starting Python until the first answer, and to its end."""
    for held in (False, True):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "uvicorn", *app, "--port", str(port)]
        with clock("program start"):
            program = subprocess.Popen(
                [*command, "--log-level", "critical", "--no-access-log"], cwd=ROOT
            )
            _wait_for_answer(program, port)
        with connection_to(port, "/") if held else contextlib.nullcontext():
            with clock("program stop keep-alive" if held else "program stop idle"):
                program.terminate() if WINDOWS else os.kill(program.pid, signal.SIGTERM)
                program.wait(60)


def _wait_for_answer(program: subprocess.Popen[bytes], port: int) -> None:
    while program.poll() is None:
        try:
            return answer(port)
        except ConnectionError:
            time.sleep(0.001)
    raise RuntimeError("uvicorn did not start")


def measure_sound(clock: Clock) -> float:
    """Eight seconds of a song, rendered anew; returns how long the music is, in seconds."""
    song = SONGS[0]
    notes = [*song.melody] * 100
    while sum(note.beats for note in notes) * 60 / song.tempo > 8:
        notes.pop()
    rest = 8 - sum(note.beats for note in notes) * 60 / song.tempo
    notes.append(Note("A4", rest * song.tempo / 60))
    eight = dataclasses.replace(song, melody=tuple(notes))
    with clock("sound"):
        render_wav.__wrapped__(eight)
    return eight.seconds


def report(where: str, clocks: dict[str, Clock], sound: Clock, seconds: float) -> str:
    starts, stops, verdicts = [], [], []
    for app, clock in clocks.items():
        own, program = clock.median("start"), clock.median("program start")
        rows = {
            "`serve(app)`": "start",
            "`serve(app)`, the first in its process": "first",
            "`python -m uvicorn`": "program start",
        }
        for label, name in rows.items():
            ratio = f"{clock.median(name) / own:.1f}"
            starts.append([app, label, *median_and_worst(clock.times[name]), ratio])
        starts.append([app, "making the app", *median_and_worst(clock.times["make"]), ""])
        for label, name in (
            ("nothing to do", "idle"),
            ("an idle connection, kept alive", "keep-alive"),
            ("a stream without end", "endless"),
        ):
            theirs = clock.times.get(f"program stop {name}")
            own_stop = clock.times[f"stop {name}"]
            other = median_and_worst(theirs) if theirs else ["waits for its end", ""]
            ratio = (
                f"{statistics.median(theirs) / statistics.median(own_stop):.1f}" if theirs else ""
            )
            stops.append([app, label, *median_and_worst(own_stop), *other, ratio])
        for what, name, target in (
            ("ready", "start", 0.05),
            ("ready, the first in its process", "first", 0.05),
            ("stopped, idle", "stop idle", 0.2),
        ):
            verdicts.append(_verdict(f"{app}: {what}", clock.times[name], target))
        assert program > own, "starting a process is not faster than starting a thread"
    verdicts.append(_verdict(f"{seconds:g} s of music rendered", sound.times["sound"], 0.5))
    return "\n".join(
        [
            "# serve: how fast it starts and stops\n",
            f"{where} {ROUNDS} rounds, everything in turns. Written by `python -m benchmarks`.\n",
            "## From the call to the first answer\n",
            "The ratio is to `serve(app)` in a process that has served before, as when a cell runs",
            "again. The first in its process also imports uvicorn. `python -m uvicorn` starts",
            "Python and imports the app, too.\n",
            table(["app", "how", "median", "worst", "ratio"], starts),
            "## Stopping\n",
            "`stop()` against SIGTERM to `python -m uvicorn`, until the process has ended.\n",
            table(
                ["app", "with", "`stop()` median", "worst", "uvicorn median", "worst", "ratio"],
                stops,
            ),
            "## Targets\n",
            table(["what", "target", "median", "worst", "rounds that kept it"], verdicts),
        ]
    )


def _verdict(what: str, times: list[float], target: float) -> list[str]:
    kept = sum(seconds < target for seconds in times)
    cells = median_and_worst(times)
    return [what, f"under {milliseconds(target)}", *cells, f"{kept} of {len(times)}"]


def main() -> None:
    """Measure, write serve.md, print it."""
    where = machine()
    clocks = {app: Clock() for app in APPS}
    sound = Clock()
    for _ in range(ROUNDS):
        for app, (make_app, arguments) in APPS.items():
            measure_serve(clocks[app], make_app)
            measure_first(clocks[app], app)
            measure_program(clocks[app], arguments)
        seconds = measure_sound(sound)
    text = report(where, clocks, sound, seconds)
    REPORT.write_text(text, encoding="utf-8")
    print(text)
