"""What a reader does with a real program: start it, read its log, reload it, stop it."""

from __future__ import annotations

import atexit
import os
import threading
import time
from html import escape
from pathlib import Path
from typing import Any, Self

from ..serving._notebook import Cell, current_cell, replaces
from ..serving._serve import _ask_no_proxy_for_loopback
from . import _config, _processes
from ._errors import ConfigError, ProgramFailed
from ._find import find
from ._guarded import PAUSE, Guarded
from ._starting import START_TIMEOUT, Startable, is_in_use

_SETTLING, _LONGEST_SETTLING = 0.02, 0.5  # seconds between two looks at a log, and of all looks
_OVERHEARD = 2.0  # seconds without any sign of a reload

HOST = "127.0.0.1"

_running: set[Living] = set()


class Living(Startable):
    """A program that runs in a process of its own, and what can be done with any of them.

    Attributes:
        url: such as ``"http://127.0.0.1:54321"``, without a slash at the end.
        port: the port that it listens on.
        version: as the program says it.
        folder: its private folder; gone when it has stopped.
    """

    _cell: Cell | None
    _process: Guarded

    def _launch(self, port: int) -> None:
        """Stop what the cell's earlier runs left, start, and return once it answers."""
        self._last_log = ""
        self._lock = threading.RLock()
        self._cell = current_cell()
        _ask_no_proxy_for_loopback()
        for other in [p for p in _running if replaces(self._cell, p._cell)]:
            other.stop()
        self.port, self.pid, self.url = port, 0, ""
        # Before there is a process: what can't be right is not worth starting.
        self._prepare(port or 1)
        guarded: Guarded | None = None
        try:
            guarded = self._process = Guarded()
            self.folder: Path = guarded.folder
            self._start(port)
            _running.add(self)
        except BaseException:  # an interrupt must not leave a program that nobody can stop
            if guarded:
                guarded.close()
            raise

    @property
    def running(self) -> bool:
        """Whether the program runs."""
        return self._process.is_open and self._process.exit_code() is None

    def log(self) -> str:
        """What it has logged so far: first the requests, then what went wrong.

        A program writes the line of a request right after the answer, so this waits until nothing
        new has come for a moment. After `stop`, it gives what was logged until then.
        """
        if self._process.is_open:
            self._let_logs_settle()
            parts = []
            for title, name in self._logs.items():
                parts.append(f"--- {title} ---\n{self._read(name) or '(empty)'}".rstrip("\n"))
            self._last_log = "\n".join(parts)
        return self._last_log

    def _let_logs_settle(self) -> None:
        deadline = time.monotonic() + _LONGEST_SETTLING
        size = -1
        while size != (size := sum(len(self._read(n)) for n in self._logs.values())):
            if time.monotonic() > deadline:
                return
            time.sleep(_SETTLING)

    def processes(self) -> list[tuple[int, str]]:
        """Its processes as (process id, what it is): "master" for the first, "worker", ..."""
        if not self.running:
            return []
        titles = _processes.titles(sorted(_processes.workers(self.pid)))
        others = [(pid, self._what(title)) for pid, title in titles.items()]
        return [(self.pid, "master"), *others]

    def stop(self) -> None:
        """Stop the program and remove its folder. Stopping twice is fine."""
        with self._lock:
            _running.discard(self)
            if not self._process.is_open:
                self._process.close()
                return
            try:
                self._say_farewell()
                self._process.end()
                self.log()
            finally:
                self._process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = f"at {self.url}" if self.running else "(stopped)"
        return f"{self._name} {self.version} {state}"

    def _repr_html_(self) -> str:
        if not self.running:
            return f"<p>{escape(repr(self))}</p>"
        url = escape(self.url)
        return f'<p>{escape(self._name)} {escape(self.version)} at <a href="{url}">{url}</a></p>'


class Unconfigured(Living):
    """A program without a config of the reader's: its command and its environment say it all."""

    def _prepare(self, port: int) -> tuple[str, str]:
        return "", HOST

    def _write(self, text: str) -> None:
        """Settings go into the command unless a subclass has files."""

    def _lacks_its_port(self, line: str) -> bool:
        return True  # each line that says "in use" is about the one port

    def _complaint(self, said: str) -> tuple[str, int | None] | None:
        return None

    def _expected_workers(self) -> int:
        return 0


class RealProgram(Living):
    """A server that does what its config says. Its subclasses are what a chapter starts."""

    def __init__(self, config: str, *, port: int = 0, **words: object) -> None:
        """Start the program and return once it answers.

        Args:
            config: what the reader writes; see the class.
            port: what PORT stands for; 0 picks a free port.
            words: `files=folder` puts the folder in for the word FILES, and so on.

        Raises:
            ConfigError: the config can't be used.
            ProgramMissing: the program is not on this machine.
            ProgramFailed: it ended while starting, or did not answer in time.
        """
        row = find(self._name)
        self.version: str = row.version or "?"
        self._file: str = row.path or self._name
        self._source, self._words = config, _config.words_of(words)
        _config.check_words(config, self._words, self._example)
        _config.check_forgotten(config, self._words)
        self._launch(port)

    @property
    def config(self) -> str:
        """The whole config that it runs with: the reader's, and around it the helper's part."""
        return self._around(self._text)

    def reload(self, config: str | None = None, **words: object) -> None:
        """Let the program take up a new config without a pause, and return once it answers by it.

        Args:
            config: the new config; None means the one it has.
            words: what words stand for from now on; those of the call before stay.

        Raises:
            ConfigError: the new config can't be used; the program goes on with the one it has.
            ProgramFailed: it was stopped, or did not take up the config in time.
        """
        with self._lock:
            if not self.running:
                raise ProgramFailed(f"{self._name} does not run any more: start it again.")
            before = (self._source, self._words, self._text)
            given = _config.words_of(words)
            try:
                self._source = self._source if config is None else config
                self._words = {**self._words, **given}
                _config.check_words(self._source, given, self._example)
                _config.check_forgotten(self._source, self._words)
                self._text, _ = self._prepare(self.port)
                self._write(self._text)
                self._check()
                self._apply()
            except BaseException:
                self._source, self._words, self._text = before
                self._write(self._text)
                raise
            try:
                self._refuse_strangers()
            except ConfigError:
                self.stop()
                raise

    def _signal_and_wait(self, number: int) -> None:
        """Ask for a reload, and wait until new workers answer and no old one takes connections.

        Asks again if nothing happens: a program that is not quite done with the last reload may
        overhear it.
        """
        old, before = _processes.workers(self.pid), self._times_in_use()
        start = asked = time.monotonic()
        self._ask_to_reload(number)
        while time.monotonic() < start + START_TIMEOUT:
            now = _processes.workers(self.pid)
            if now - old and not any(_processes.listening(old & now).values()):
                return
            if self._process.exit_code() is not None or self._times_in_use() > before:
                raise ProgramFailed(
                    f"{self._name} could not take up the new config. "
                    f"{self._last_words(self._said())}"
                )
            if not now - old and time.monotonic() > asked + _OVERHEARD:
                asked = time.monotonic()
                self._ask_to_reload(number)
            time.sleep(PAUSE)
        raise ProgramFailed(
            f"{self._name} did not take up the new config within {START_TIMEOUT:g} seconds. "
            f"{self._last_words(self._said())}"
        )

    def _times_in_use(self) -> int:
        return sum(map(is_in_use, self._said().splitlines()))

    def _ask_to_reload(self, number: int) -> None:
        self._process.signal(number)


@atexit.register
def _stop_all() -> None:
    """All at once, so that several programs take no longer than one."""
    programs = list(_running)
    for program in programs:
        program._process.begin_to_close()
    for program in programs:
        program._process.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_running.clear)
