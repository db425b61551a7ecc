"""Start a web application in a process of its own, by a line such as a Procfile has."""

from __future__ import annotations

import http.client
import os
import secrets
import shutil
import signal
import time
from collections.abc import Mapping
from typing import ClassVar

from .._recipes import copy_files
from ..programs import ProgramFailed
from ..programs._building import build
from ..programs._guarded import OUTPUT
from ..programs._processes import workers
from ..programs._program import HOST, Unconfigured
from ._export import export
from ._frameworks import Framework, command

_PATIENCE = 10.0  # seconds that a program has to end by itself when it is asked to
_ONE_ANSWER = 1.0  # second


class WebProgram(Unconfigured):
    """A web application in a process of its own, with its files in a private folder.

    What it writes there is gone when it stops.

    Attributes:
        url: such as "http://127.0.0.1:54321", without a slash at the end.
        seconds_to_start: from the start of its process to its first answer.
    """

    _name = "The application"
    _example = "--host 127.0.0.1"
    _logs: ClassVar = {"log": OUTPUT}
    _timeout: ClassVar[float] = 120.0  # Spring Boot on a busy machine
    _asked = "/"

    def __init__(
        self, line: str, files: Mapping[str, str], *, port: int = 0, **variables: str
    ) -> None:
        """Start it and return once it answers.

        Args:
            line: what starts it; $PORT stands for its port. It has to listen on 127.0.0.1.
            files: the text of each of its files, by name.
            port: where it listens; 0 picks a free port.
            variables: what it finds in its environment.

        Raises:
            ProgramMissing: the program is not here; the message says how to get it.
            ProgramFailed: it ended while starting, or did not answer in time.
        """
        command(line, 1)  # is the program here at all?
        self.version, self.seconds_to_start = "", 0.0
        self._line, self._files, self._variables = line, dict(files), variables
        self._launch(port)

    def memory(self) -> int:
        """The bytes of memory that its processes hold now (proportional set size on Linux)."""
        import psutil

        total = 0
        for pid in {self.pid, *workers(self.pid)}:
            used = psutil.Process(pid).memory_full_info()
            total += getattr(used, "pss", 0) or used.rss
        return total

    def shut_down(self, seconds: float = _PATIENCE) -> int | None:
        """Ask it to end, as a deployment does (SIGTERM), and wait.

        Args:
            seconds: how long to wait at most.

        Returns:
            The code that it ended with; None if it still runs after that time.

        Raises:
            ProgramFailed: it was stopped before.
        """
        self._process.signal(signal.SIGTERM)
        return self._process.wait(seconds)

    # How it starts.

    def _place_files(self) -> None:
        for name, text in self._files.items():
            (self.folder / name).write_text(text, "utf-8")

    def _start(self, fixed_port: int) -> None:
        self._place_files()
        super()._start(fixed_port)

    def _run(self) -> None:
        self._begun = time.monotonic()
        super()._run()

    def _command(self, *, check: bool = False) -> list[str]:
        return command(self._line, self.port)

    def _environment(self) -> dict[str, str]:
        return {
            "PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "NODE_ENV": "production",
            **self._variables,
        }

    def _is_bound(self) -> bool:
        """Whether it answers."""
        token = secrets.token_hex(8)
        try:
            connection = http.client.HTTPConnection(HOST, self.port, timeout=_ONE_ANSWER)
            try:
                connection.request("GET", self._asked, headers={"X-Request-Id": token})
                answer = connection.getresponse()
                answer.read()
            finally:
                connection.close()
        except (OSError, http.client.HTTPException):
            return False
        if not self._is_mine(answer, token):
            return False
        self.seconds_to_start = time.monotonic() - self._begun
        return True

    def _is_mine(self, answer: http.client.HTTPResponse, token: str) -> bool:
        return True

    def __repr__(self) -> str:
        return f"{self._name} {f'at {self.url}' if self.running else '(stopped)'}"


class App(WebProgram):
    """One of the five applications, running as its Procfile says.

    Attributes:
        framework: what it is written in.
    """

    _asked = "/health"

    def __init__(self, framework: Framework, *, port: int = 0, **variables: str) -> None:
        """Build it if that was not done before, start it, and return once it answers.

        Args:
            framework: which application.
            port: where it listens; 0 picks a free port.
            variables: what it finds in its environment, such as MUSIC_LARGEST_BODY="1000".

        Raises:
            ProgramMissing: what it runs on is not here; the message says how to get it.
            ProgramFailed: it ended while starting, or did not answer in time.
        """
        self.framework = framework
        self._name = f"The {framework.title} application"
        recipe = framework.recipe()
        if recipe:
            build(recipe)
        self._built = recipe.folder if recipe else None
        variables = {"MUSIC_DATA": str(export()), **variables}
        super().__init__(framework.procfile["web"], {}, port=port, **variables)

    def _place_files(self) -> None:
        if self._built:
            shutil.copytree(self._built, self.folder, copy_function=_link, dirs_exist_ok=True)
        else:
            copy_files(self.framework.folder, self.folder)
        for line in filter(None, self.framework.procfile.get("release", "").split(" && ")):
            said, code = self._once(command(line, 0))
            if code:
                raise ProgramFailed(f"{self._name}: `{line}` failed. {self._last_words(said)}")

    def _is_mine(self, answer: http.client.HTTPResponse, token: str) -> bool:
        """It repeats the request's id: so no other program has its port."""
        return answer.status == 200 and answer.getheader("X-Request-Id") == token


def _link(source: str, target: str) -> None:
    """Another name for the same file, or a copy where the system does not let us."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
