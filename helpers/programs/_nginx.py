"""nginx: a master that reads the config and opens the ports, and workers that serve."""

from __future__ import annotations

import os
import re
import signal
import sys
from difflib import get_close_matches
from textwrap import indent

from . import _config
from ._config import Address, Quoting
from ._errors import ConfigError
from ._program import RealProgram
from ._types import MEDIA_TYPES

_MAIN = """\
daemon off;
{user}pid nginx.pid;
error_log error.log warn;
worker_processes {workers};
worker_shutdown_timeout 5s;
events {{
    worker_connections 1024;
}}
http {{
    include types.conf;
    default_type application/octet-stream;
    access_log access.log combined;
    client_body_temp_path temp_body;
    proxy_temp_path temp_proxy;
    {others}
    include site.conf;
}}
"""
_INCLUDE = "    include site.conf;\n"
_COMPLAINT = re.compile(r"\[(?:emerg|alert|crit)\] (?:\d+#\d+: )?(.*)")
_PLACE = re.compile(r"(.*) in (.+):(\d+)$")
_TEMPORARY = ("fastcgi", "uwsgi", "scgi")


class Nginx(RealProgram):
    """nginx with the reader's `server` blocks::

        nginx = Nginx('''
            server {
                listen 127.0.0.1:PORT;
                root FILES;
            }
        ''', files=folder)

    `config` is what stands inside `http { }`. The access log has the format "combined".
    """

    _name = "nginx"
    _example = "listen 127.0.0.1:PORT;"
    _quoting = Quoting(escaped='\\"', impossible="$")

    def __init__(self, config: str, *, port: int = 0, workers: int = 2, **words: object) -> None:
        """Start nginx and return once it answers.

        Args:
            config: what stands inside `http { }`.
            port: what PORT stands for; 0 picks a free port.
            workers: how many worker processes.
            words: `files=folder` puts the folder in for the word FILES, and so on.

        Raises:
            ConfigError: the config can't be used.
            ProgramMissing: nginx is not on this machine.
            ProgramFailed: it ended while starting, or did not answer in time.
        """
        self._workers = workers
        super().__init__(config, port=port, **words)

    def _addresses(self, text: str) -> list[Address]:
        """The `listen` of all servers; a server without one would take every address."""
        found: list[Address] = []
        blocks: list[list] = []  # name, line, whether it has a listen, its other directives
        words: list[tuple[int, str]] = []
        for line, token in _config.tokens(text):
            if token not in ("{", "}", ";"):
                words.append((line, token))
                continue
            name = words[0][1] if words else ""
            if token == "{":
                blocks.append([name, line, False, {}])
            elif token == ";" and name == "listen" and len(words) > 1:
                if blocks:
                    blocks[-1][2] = True
                if not words[1][1].strip("\"'").startswith("unix:"):
                    found.append(_config.address(*words[1]))
            elif token == "}" and blocks:
                name, start, listens, others = blocks.pop()
                if name == "server" and not listens:
                    raise self._no_listen(start, others)
            elif words and blocks:
                blocks[-1][3][name] = words[0][0]
            words = []
        return found

    def _no_listen(self, line: int, others: dict[str, int]) -> ConfigError:
        message = "This server has no `listen`, and nginx would let other machines in: "
        for meant in get_close_matches("listen", others, 1):
            message, line = f"{message}is `{meant}` meant to be it? ", others[meant]
        message += f"Write `{self._example}`"
        return ConfigError(message, line=line, text=self._source)

    def _main_text(self) -> str:
        root = os.name == "posix" and os.getuid() == 0
        temporary = (f"{name}_temp_path temp_{name};" for name in _TEMPORARY)
        return _MAIN.format(
            user=f"user root{' wheel' * (sys.platform == 'darwin')};\n" if root else "",
            workers=self._workers,
            others="\n    ".join(temporary),
        )

    def _write(self, text: str) -> None:
        types = "".join(f"    {kind} {ends};\n" for kind, ends in MEDIA_TYPES.items())
        (self.folder / "types.conf").write_text(f"types {{\n{types}}}\n", "utf-8")
        (self.folder / self._main).write_text(self._main_text(), "utf-8")
        (self.folder / self._site).write_text(text, "utf-8")

    def _around(self, text: str) -> str:
        return self._main_text().replace(_INCLUDE, indent(text.strip("\n"), "    ") + "\n")

    def _command(self, *, check: bool = False) -> list[str]:
        folder, main = str(self.folder), str(self.folder / self._main)
        command = [self._file, "-p", folder, "-c", main, "-e", str(self.folder / "error.log")]
        return [*command, "-t"] if check else command

    def _complaint(self, said: str) -> tuple[str, int | None] | None:
        for words in _COMPLAINT.findall(said):
            place = _PLACE.match(words)
            if place and place[2].endswith(self._site):
                return place[1], int(place[3])
            if not re.match(r"(?:bind|mkdir|open|socket|listen)\b.*failed", words):
                return words, None
        return None

    def _is_bound(self) -> bool:
        return bool(self._read("nginx.pid").strip())

    def _expected_workers(self) -> int:
        return self._workers

    def _what(self, title: str) -> str:
        if "shutting down" in title:
            return "worker that finishes its last requests"
        found = re.search(r"(worker|cache manager|cache loader) process", title)
        return found[1] if found else "worker"

    def _apply(self) -> None:
        self._signal_and_wait(getattr(signal, "SIGHUP", 0))

    def _ask_to_reload(self, number: int) -> None:
        if os.name == "nt":  # there are no signals, but nginx knows how to tell its other self
            self._once([*self._command(), "-s", "reload"])
        else:
            super()._ask_to_reload(number)
