"""Our proxy as a program of its own, to stand beside nginx and HAProxy."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from ..programs._config import Quoting
from ..programs._guarded import OUTPUT
from ..programs._program import RealProgram
from ._servers import weights_of

_CHECKOUT = Path(__file__).resolve().parent.parent.parent


class Standalone(RealProgram):
    """``python -m helpers.proxying URL URL`` in a process of its own, handled as Nginx is::

        with Standalone([a.url, b.url], "least-connections", check="/health") as proxy:
            proxy.url

    It ends with the process that started it, and has no config; `version` is that of the Python it
    runs in.
    """

    _name = "Standalone"
    _example = "python -m helpers.proxying URL --port PORT"
    _quoting = Quoting("")
    _logs: ClassVar[dict[str, str]] = {"log": OUTPUT}

    def __init__(
        self,
        urls: Iterable[str] | Mapping[str, float],
        algorithm: str = "round-robin",
        *,
        port: int = 0,
        **options: float | str,
    ) -> None:
        """Start the proxy and return once it answers.

        Args:
            urls: of the servers behind it, or a mapping of these to weights.
            algorithm: such as "round-robin", "least-connections", "consistent-hash".
            port: the port to listen on; 0 picks a free one.
            options: what `ReverseProxy` takes by name, such as check="/health" or retries=2; and
                cache=65_536, the bytes that a cache may take.

        Raises:
            ValueError: a URL can't be used.
            TypeError: the URLs are no list.
            ProgramFailed: it ended while starting, or did not answer in time.
        """
        self._servers = [f"{url}={weight}" for url, weight in weights_of(urls).items()]
        self._arguments = ["--algorithm", algorithm]
        for name, value in options.items():
            self._arguments += [f"--{name.replace('_', '-')}", str(value)]
        self.version, self._file = platform.python_version(), sys.executable
        self._source, self._words = f"{self._example}\n", {}
        self._launch(port)

    def reload(self, config: str | None = None, **words: object) -> None:
        """Nothing to do: it has no config."""

    def _prepare(self, port: int) -> tuple[str, str]:
        return " ".join(["python -m helpers.proxying", *self._servers]), "127.0.0.1"

    def _write(self, text: str) -> None:
        pass

    def _around(self, text: str) -> str:
        return f"{text}\n"

    def _command(self, *, check: bool = False) -> list[str]:
        port = ["--port", str(self.port)]
        return [
            self._file, "-u", "-m", "helpers.proxying", *self._servers, *port, *self._arguments
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        found = os.environ.get("PYTHONPATH")
        return {"PYTHONPATH": os.pathsep.join([str(_CHECKOUT), *([found] if found else [])])}

    def _complaint(self, said: str) -> tuple[str, int | None] | None:
        return None

    def _is_bound(self) -> bool:
        return "Proxying at " in self._read(OUTPUT)

    def _expected_workers(self) -> int:
        return 0
