"""How a real program starts: its files, its port, its first answer, and what it says if it fails.

A program starts on a port that was free a moment ago. If another program was faster, it says so,
and starts again on another one.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import ClassVar

from . import _config, _ports, _processes
from ._config import Address, Quoting
from ._errors import ConfigError, ProgramFailed
from ._guarded import OUTPUT, PAUSE, Guarded

START_TIMEOUT = 20.0  # seconds; decides only how long a failure takes
_CHECK_TIMEOUT = 20.0
_WORKERS_TIMEOUT = 2.0  # how long the last worker may take, once the program answers
_ATTEMPTS = 20
_IN_USE = ("address already in use", "address in use", "only one usage of each socket address")


class Startable:
    """A program with a config and a private folder. Subclasses say what is special about it."""

    _name: ClassVar[str]
    _example: ClassVar[str]
    _quoting: ClassVar[Quoting]
    _site: ClassVar[str] = "site.conf"
    _main: ClassVar[str] = "main.conf"
    _logs: ClassVar[dict[str, str]] = {"access log": "access.log", "error log": "error.log"}
    _drop_root: ClassVar[bool] = False
    _timeout: ClassVar[float] = START_TIMEOUT

    version: str
    port: int
    pid: int
    url: str
    folder: Path
    _file: str
    _host: str
    _source: str
    _text: str
    _words: dict[str, object]
    _process: Guarded

    # What a subclass says about its program.

    def _addresses(self, text: str) -> list[Address]:
        """Where the config lets the program listen."""
        raise NotImplementedError

    def _write(self, text: str) -> None:
        """Write the program's files into its folder."""
        raise NotImplementedError

    def _around(self, text: str) -> str:
        """The reader's text with what stands around it."""
        raise NotImplementedError

    def _command(self, *, check: bool = False) -> list[str]:
        """What starts the program, or lets it look at its config and end."""
        raise NotImplementedError

    def _complaint(self, said: str) -> tuple[str, int | None] | None:
        """The words and the line of a mistake in the config; None if it was something else."""
        raise NotImplementedError

    def _is_bound(self) -> bool:
        """Whether the program itself says that it got its port."""
        raise NotImplementedError

    def _apply(self) -> None:
        """Let the running program take up what was written."""
        raise NotImplementedError

    def _expected_workers(self) -> int:
        """How many processes the first one starts at least."""
        return 1

    def _environment(self) -> dict[str, str]:
        return {}

    def _say_farewell(self) -> None:
        """Ask it to end in its own way, before it is told to."""

    def _lacks_its_port(self, line: str) -> bool:
        """Whether a line that says "in use" means the port that it was given."""
        return re.search(rf":{self.port}\b", line) is not None

    def _what(self, title: str) -> str:
        """What a process that is not the first one does."""
        return "worker"

    # Starting.

    def _prepare(self, port: int) -> tuple[str, str]:
        """The config with its words filled in, and the host that PORT is on."""
        text = _config.fill(self._source, {"PORT": port, **self._words}, self._quoting)
        addresses = self._addresses(text)
        for found in addresses:
            if not found.is_loopback:
                raise ConfigError(
                    f"Line {found.line} would let other machines in, and the servers of this "
                    f"course stay on this one: write `{self._example}`.",
                    line=found.line,
                    text=self._source,
                )
        hosts = [found.host for found in addresses if found.port == port]
        if not hosts:
            raise ConfigError(f"The word PORT has to say where to listen: `{self._example}`.")
        host = "127.0.0.1" if "127.0.0.1" in hosts or "localhost" in hosts else hosts[0]
        return text, host

    def _start(self, fixed_port: int) -> None:
        for _ in range(1 if fixed_port else _ATTEMPTS):
            self.port = fixed_port or _ports.free_port()
            self._text, host = self._prepare(self.port)
            self._host = host
            self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
            self._write(self._text)
            self._run()
            if self._got_its_port():
                self._wait_for_workers()
                self._refuse_strangers()
                return
            self._process.end()
        raise ProgramFailed(
            f"{self._name} can't use port {self.port}: another program holds it. "
            "Leave `port` out, and a free one is picked."
        )

    def _run(self) -> None:
        """Start it with new logs; it is not ready yet."""
        for name in (OUTPUT, *self._logs.values()):
            (self.folder / name).unlink(missing_ok=True)
        self.pid = self._process.run(
            self._command(), self._environment(), drop_root=self._drop_root
        )

    def _got_its_port(self) -> bool:
        """Wait until it answers; False when another program has its port."""
        deadline = time.monotonic() + self._timeout
        while True:
            code = self._process.exit_code()  # before its words are read: it may end after them
            said = self._said()
            taken = [line for line in said.splitlines() if is_in_use(line)]
            if any(map(self._lacks_its_port, taken)):
                return False
            if code is not None or taken:
                raise self._failure(said, code)
            if self._is_bound() and _ports.accepts(self._host, self.port):
                return True
            if time.monotonic() > deadline:
                raise ProgramFailed(
                    f"{self._name} did not answer within {self._timeout:g} seconds. "
                    f"{self._last_words(said)}"
                )
            time.sleep(PAUSE)

    def _wait_for_workers(self) -> None:
        deadline = time.monotonic() + _WORKERS_TIMEOUT
        while time.monotonic() < deadline:
            if len(_processes.workers(self.pid)) >= self._expected_workers():
                return
            time.sleep(PAUSE)

    def _refuse_strangers(self) -> None:
        """What the config includes from elsewhere was not looked at before."""
        for host, port in _processes.open_to_others({self.pid, *_processes.workers(self.pid)}):
            raise ConfigError(
                f"{self._name} listened on {host} port {port}, which lets other machines in, "
                f"and was stopped: write `{self._example}`."
            )

    def _check(self) -> None:
        said, code = self._once(self._command(check=True))
        if code:
            raise self._failure(said, code)

    def _once(self, command: list[str]) -> tuple[str, int]:
        """What a command says that ends by itself, and its code."""
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, "LC_ALL": "C", **self._environment()},
                timeout=_CHECK_TIMEOUT,
            )
        except subprocess.TimeoutExpired:
            return f"{self._name} did not look at its config in time.", 1
        return done.stdout.decode("utf-8", "replace"), done.returncode

    def _failure(self, said: str, code: int | None) -> Exception:
        complaint = self._complaint(said)
        if complaint is None:
            how = "could not start" if code is None else f"ended while starting, with code {code}"
            return ProgramFailed(f"{self._name} {how}. {self._last_words(said)}")
        words, line = complaint
        words = words.replace(f"{self.folder}{os.sep}", "")
        where = f" at line {line}" if line else ""
        return ConfigError(
            f"{self._name} does not take this config{where}.",
            said=f"{self._name} says: {words}",
            line=line,
            text=self._shown_source(),
        )

    def _shown_source(self) -> str:
        """The reader's own text, if its lines are those that the program has seen."""
        filled = _config.fill(self._source, {"PORT": self.port, **self._words}, self._quoting)
        same = len(filled.splitlines()) == len(self._source.splitlines())
        return self._source if same else filled

    def _said(self) -> str:
        """All that the program has said so far on its output and in its error log."""
        return self._read(OUTPUT) + self._read("error.log")

    def _last_words(self, said: str) -> str:
        lines = [line for line in said.replace(f"{self.folder}{os.sep}", "").splitlines() if line]
        return "\n".join(["It says:", *lines[-3:]]) if lines else "It says nothing."

    def _read(self, name: str) -> str:
        try:
            return (self.folder / name).read_text("utf-8", "replace")
        except OSError:
            return ""


def is_in_use(line: str) -> bool:
    return any(words in line.lower() for words in _IN_USE)
