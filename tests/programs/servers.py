"""What the tests of helpers.programs share: a small config for each program, and what is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import psutil

from helpers.programs import Apache, Caddy, Haproxy, Nginx
from helpers.programs._program import RealProgram
from tests.serving.apps import refuses

# One client for all, because making one takes longer than most programs take to start; and a new
# connection for each request, so that nothing of an earlier program answers.
ask = httpx.Client(headers={"Connection": "close"}, verify=False, trust_env=False, timeout=30).get
PROGRAMS = (Nginx, Haproxy, Apache, Caddy)

# Each serves FILES/song.wav as audio/wav, and says WORD in a header of each answer.
FILES_AND_WORD = {
    Nginx: """
server {
    listen 127.0.0.1:PORT;
    root FILES;
    add_header X-Word WORD always;
}
""",
    Haproxy: """
frontend everyone
    bind 127.0.0.1:PORT
    http-after-response set-header X-Word WORD
    http-request return status 200 content-type audio/wav file FILES/song.wav
""",
    Apache: """
Listen 127.0.0.1:PORT
DocumentRoot FILES
Header always set X-Word WORD
""",
    Caddy: """
http://127.0.0.1:PORT {
    root * FILES
    header X-Word WORD
    file_server
}
""",
}


def start(kind: type[RealProgram], files: Path, word: str = "first", **more: Any) -> RealProgram:
    """Start a program that serves a folder with `song.wav` in it."""
    return kind(FILES_AND_WORD[kind], files=files, word=word, **more)


def family(program: RealProgram) -> list[psutil.Process]:
    """All processes of a program, and the one that looks after them."""
    guard = psutil.Process(program._process._guard.pid)
    return [guard, *guard.children(recursive=True)]


def folders(temp: Path) -> list[Path]:
    """The private folders of programs."""
    return list(temp.glob("backend-course-*"))


def is_over(process: psutil.Process) -> bool:
    """Whether a process has ended."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def all_over(ports: list[int], processes: list[psutil.Process]) -> bool:
    """Whether all processes have ended, and nothing answers at the ports."""
    return all(map(is_over, processes)) and all(map(refuses, ports))
