"""The notebook's side of `_guard.py`: one real program, and the private folder it lives in."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ._errors import ProgramFailed

OUTPUT = "output.log"
PAUSE = 0.003  # seconds between two looks at a program that is starting or ending
_EXIT_TIMEOUT = 5.0  # seconds; more than the guard gives a program to end by itself

_all: weakref.WeakSet[Guarded] = weakref.WeakSet()


class Guarded:
    """A program in a private folder; both are gone as soon as this process is, however it ends.

    Attributes:
        folder: the private folder; only its owner may look into it.
    """

    def __init__(self) -> None:
        """Start the guard, which makes the folder.

        Raises:
            ProgramFailed: it could not make a folder.
        """
        self._lock = threading.RLock()
        self._buffer = b""
        self._number = 0
        self._is_ours = True
        temp = Path(tempfile.gettempdir()).absolute()
        own = (
            {"start_new_session": True}
            if os.name == "posix"
            else {"creationflags": subprocess.CREATE_NO_WINDOW}
        )
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("_guard.py")), str(temp)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={**os.environ, "LC_ALL": "C"},
            **own,
        )
        try:
            _all.add(self)
            self.folder = temp / json.loads(self._line())
        except BaseException:
            self.close()
            raise

    def run(
        self, command: Sequence[str], environment: Mapping[str, str], *, drop_root: bool = False
    ) -> int:
        """Start a program in the folder and return its process id; one that still runs ends first.

        Args:
            command: the program's file and its arguments.
            environment: what is added to this process's environment.
            drop_root: run it as the user nobody if this process is root's.
        """
        arguments = [_as_text(argument) for argument in command]
        added = {_as_text(name): _as_text(value) for name, value in environment.items()}
        return self._ask("run", arguments, added, OUTPUT, drop_root)

    def exit_code(self) -> int | None:
        """The code that the program ended with; None while it runs."""
        return self._ask("exit_code")

    def wait(self, seconds: float) -> int | None:
        """Wait for the program to end by itself; its code, or None if it still runs after that."""
        deadline = time.monotonic() + seconds
        while (code := self.exit_code()) is None and time.monotonic() < deadline:
            time.sleep(PAUSE)
        return code

    def signal(self, number: int) -> None:
        """Send the program's first process a signal, if it still runs."""
        self._ask("signal", int(number))

    def kill(self) -> None:
        """Kill the program and all its processes, as a crash would; the folder stays."""
        self._ask("kill")

    def end(self) -> None:
        """End the program and all its processes; the folder stays until `close`."""
        self._ask("end")

    def begin_to_close(self) -> None:
        """Let the guard end everything, and return at once."""
        if self._guard.stdin:
            self._guard.stdin.close()

    def close(self, seconds: float = _EXIT_TIMEOUT) -> None:
        """End everything and wait for it. Twice is fine; in a forked process it does nothing."""
        if not self._is_ours:
            return
        self.begin_to_close()
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._guard.wait(seconds)
        finally:
            if self._guard.poll() is not None:
                with self._lock:
                    self._guard.stdout.close()
                if hasattr(self, "folder"):  # the guard itself may have been killed
                    shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def is_open(self) -> bool:
        """Whether the guard takes orders from this process."""
        return self._is_ours and not self._guard.stdin.closed and self._guard.poll() is None

    def _ask(self, *order: Any) -> Any:
        with self._lock:
            if not self._is_ours or self._guard.stdin.closed:
                raise ProgramFailed("This program was stopped.")
            self._number += 1
            number = self._number
            try:
                self._guard.stdin.write(json.dumps([number, *order]).encode() + b"\n")
                answer = [0]
                while answer[0] != number:  # an interrupt may have left the last answer unread
                    answer = json.loads(self._line())
            except (OSError, ValueError) as error:
                raise ProgramFailed("The process that looks after this program ended.") from error
        if answer[1] == "error":
            raise ProgramFailed(answer[2])
        return answer[2]

    def _line(self) -> bytes:
        while b"\n" not in self._buffer:
            read = os.read(self._guard.stdout.fileno(), 65536)
            if not read:
                raise ProgramFailed(
                    "No private folder could be made for the program in the folder for temporary "
                    f"files, {tempfile.gettempdir()}."
                    if not self._number
                    else "The process that looks after this program ended."
                )
            self._buffer += read
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _leave_to_parent(self) -> None:
        """In a forked process: hold nothing open, and stop nothing."""
        self._is_ours = False
        self._lock = threading.RLock()
        for pipe in (self._guard.stdin, self._guard.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        self._guard.returncode = 0  # not our child


def _as_text(argument: str) -> str:
    """The bytes of a file's name, as JSON can carry them."""
    return os.fsencode(argument).decode("latin-1")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        after_in_child=lambda: [guarded._leave_to_parent() for guarded in list(_all)]
    )
