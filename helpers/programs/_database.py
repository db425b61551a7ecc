"""What the database servers share: a data folder, a crash on purpose, and a start after it."""

from __future__ import annotations

from html import escape
from typing import ClassVar

from . import _processes
from ._errors import ProgramFailed
from ._find import find
from ._guarded import OUTPUT
from ._program import HOST, Unconfigured

DATABASE = "music"  # the one that every chapter uses


class Database(Unconfigured):
    """A database server with its data in its private folder, which is gone when it has stopped.

    Attributes:
        url: what its client connects to.
        port: where it listens.
        version: as the server says it.
        folder: its private folder.
    """

    _logs: ClassVar = {"log": OUTPUT}

    def __init__(self, *, port: int = 0) -> None:
        """Start the server and return once it answers.

        Args:
            port: where it listens; 0 picks a free one.

        Raises:
            ProgramMissing: the server is not on this machine.
            ProgramFailed: it ended while starting, or did not answer in time.
        """
        row = find(self._name)
        self.version, self._file = row.version or "?", row.path or self._name
        self._launch(port)

    def kill(self) -> None:
        """Kill it with all its processes, as a crash would (kill -9). Its data stay for now.

        What it had handed to the operating system is kept: this is the death of a process, not a
        power cut.

        Raises:
            ProgramFailed: it was stopped, so there is nothing to kill.
        """
        with self._lock:
            self._process.kill()
            self._clean_up_after_crash()

    def start_again(self) -> None:
        """Start it on the data that it has, on the same port, and return once it answers.

        Does nothing if it runs.

        Raises:
            ProgramFailed: it was stopped, so its data are gone; or it does not start.
        """
        with self._lock:
            if not self._process.is_open:
                raise ProgramFailed(
                    f"{self._name} was stopped, and its data are gone: make a new one."
                )
            if self.running:
                return
            self._run()
            if not self._got_its_port():
                raise ProgramFailed(f"Another program took port {self.port} in the meantime.")

    # What a subclass says about its server.

    def _first_time(self) -> None:
        """Make the data folder."""
        (self.folder / "data").mkdir(exist_ok=True)

    def _client_url(self) -> str:
        raise NotImplementedError

    def _clean_up_after_crash(self) -> None:
        """Remove what a killed server leaves outside its folder."""

    # How it starts.

    def _start(self, fixed_port: int) -> None:
        self._first_time()
        super()._start(fixed_port)
        self.url = self._client_url()
        self._settle()

    def _settle(self) -> None:
        """What is left to do once it answers."""

    def processes(self) -> list[tuple[int, str]]:
        """Its processes as (process id, what it is): "server" for the first."""
        if not self.running:
            return []
        titles = _processes.titles(sorted(_processes.workers(self.pid)))
        return [(self.pid, "server"), *((pid, self._what(title)) for pid, title in titles.items())]

    def __repr__(self) -> str:
        state = f"on {HOST}, port {self.port}" if self.running else "(not running)"
        return f"{self._name} {self.version} {state}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"
