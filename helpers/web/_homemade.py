"""Our server as a program of its own, to stand beside nginx and the others."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import ClassVar

from ..programs._config import Quoting
from ..programs._guarded import OUTPUT
from ..programs._program import RealProgram
from ._files import Files

_CHECKOUT = Path(__file__).resolve().parent.parent.parent


class Homemade(RealProgram):
    """``python -m helpers.web FOLDER`` in a process of its own, handled as Nginx is.

    It has the files of one folder and no config; `version` is that of the Python it runs in.
    """

    _name = "Homemade"
    _example = "python -m helpers.web FOLDER --port PORT"
    _quoting = Quoting("")
    _logs: ClassVar[dict[str, str]] = {"log": OUTPUT}

    def __init__(
        self, folder: str | os.PathLike[str], *, port: int = 0, quiet: bool = False
    ) -> None:
        """Start the server and return once it answers.

        Args:
            folder: whose files it serves.
            port: the port to listen on; 0 picks a free one.
            quiet: log no line for each answer.

        Raises:
            NotADirectoryError: there is no such folder.
            ProgramFailed: it ended while starting, or did not answer in time.
        """
        self._served, self._quiet = Path(Files(folder).root), quiet
        self.version, self._file = platform.python_version(), sys.executable
        self._source, self._words = f"{self._example}\n", {}
        self._launch(port)

    def reload(self, config: str | None = None, **words: object) -> None:
        """Nothing to do: it reads each file when it is asked for, and has no config."""

    def _prepare(self, port: int) -> tuple[str, str]:
        return f"python -m helpers.web {self._served} --port {port}", "127.0.0.1"

    def _write(self, text: str) -> None:
        pass

    def _around(self, text: str) -> str:
        return f"{text}\n"

    def _command(self, *, check: bool = False) -> list[str]:
        folder, port = str(self._served), str(self.port)
        command = [self._file, "-u", "-m", "helpers.web", folder, "--port", port]
        return [*command, "--quiet"] if self._quiet else command

    def _environment(self) -> dict[str, str]:
        found = os.environ.get("PYTHONPATH")
        return {"PYTHONPATH": os.pathsep.join([str(_CHECKOUT), *([found] if found else [])])}

    def _complaint(self, said: str) -> tuple[str, int | None] | None:
        return None

    def _is_bound(self) -> bool:
        return "Serving " in self._read(OUTPUT)

    def _expected_workers(self) -> int:
        return 0
