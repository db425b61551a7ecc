"""Caddy: one process, a config language made to be short, and a second one in JSON beneath it."""

from __future__ import annotations

import json
import re
from typing import Any

from . import _config
from ._config import Quoting
from ._errors import ConfigError, ProgramFailed
from ._guarded import OUTPUT
from ._program import RealProgram

_PLACE = re.compile(r"site\.caddyfile:(\d+)(?: - |: )?")
_ENDING_PLACE = re.compile(r",? ?at site\.caddyfile:(\d+).*|, import chain:.*")


class Caddy(RealProgram):
    """Caddy with the reader's Caddyfile::

        caddy = Caddy('''
        http://127.0.0.1:PORT {
            root * FILES
            file_server
        }
        ''', files=folder)

    A site without `bind` would listen on every address of the machine; here it listens on
    127.0.0.1. Plain HTTP only: no certificates are made and no redirects to HTTPS are set up.
    The access log is in JSON, as Caddy writes it.
    """

    _name = "Caddy"
    _example = "http://127.0.0.1:PORT {"
    _quoting = Quoting(escaped='"', impossible="{")  # { begins a placeholder, in quotes too
    _site = "site.caddyfile"
    _main = "caddy.json"

    def _prepare(self, port: int) -> tuple[str, str]:
        """The Caddyfile filled in. Where it listens is known once Caddy has translated it."""
        text = _config.fill(self._source, {"PORT": port, **self._words}, self._quoting)
        return text, "127.0.0.1"

    def _write(self, text: str) -> None:
        """Let Caddy translate the Caddyfile to JSON, and put in what keeps it on this machine."""
        (self.folder / self._site).write_text(text, "utf-8")
        command = [self._file, "adapt", "--config", self._site, "--adapter", "caddyfile"]
        said, code = self._once(command)
        if code:
            raise self._failure(said, code)
        start = re.search(r"^\{", said, re.MULTILINE)
        config = json.loads(said[start.start() :].splitlines()[0]) if start else {}
        self._keep_here(config)
        (self.folder / self._main).write_text(json.dumps(config, indent=2), "utf-8")

    def _around(self, text: str) -> str:
        """The Caddyfile; what is put around it is in `caddy.json`, in the folder."""
        return text.strip("\n") + "\n"

    def _keep_here(self, config: dict[str, Any]) -> None:
        config["admin"] = {"listen": "unix/admin.sock"}
        servers = config.get("apps", {}).get("http", {}).get("servers", {})
        listens = set()
        for server in servers.values():
            server["listen"] = [self._on_loopback(written) for written in server["listen"]]
            listens.update(server["listen"])
            server["automatic_https"] = {"disable": True}
            server.setdefault("logs", {})
        if f"127.0.0.1:{self.port}" not in listens:
            raise ConfigError(f"The word PORT has to say where to listen: `{self._example}`.")
        logs = config.setdefault("logging", {}).setdefault("logs", {})
        for name, file in (("access", "access.log"), ("default", "error.log")):
            writer = {"output": "file", "filename": str(self.folder / file), "roll": False}
            logs.setdefault(name, {"writer": writer})
        logs["access"].setdefault("include", ["http.log.access"])
        logs["default"].setdefault("exclude", ["http.log.access"])

    def _on_loopback(self, written: str) -> str:
        address = _config.address(0, written)
        if address.host in ("", "localhost"):
            return f"127.0.0.1:{address.port}"
        if not address.is_loopback:
            raise ConfigError(
                f"`bind {address.host}` would let other machines in, and the servers of this "
                f"course stay on this one: leave it out, and write `{self._example}`."
            )
        return written

    def _command(self, *, check: bool = False) -> list[str]:
        what = "validate" if check else "run"
        return [self._file, what, "--config", self._main]

    def _environment(self) -> dict[str, str]:
        """Caddy keeps state in the home folder, which is not ours to write to."""
        names = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "APPDATA")
        return dict.fromkeys(names, str(self.folder))

    def _complaint(self, said: str) -> tuple[str, int | None] | None:
        errors = re.findall(r"^Error: (.*)", said, re.MULTILINE)
        if not errors:
            return None
        places = _PLACE.findall(errors[-1])
        words = _ENDING_PLACE.sub("", errors[-1])
        words = _PLACE.sub("", words).removeprefix("adapting config using caddyfile: ")
        return words.strip(), int(places[-1]) if places else None

    def _is_bound(self) -> bool:
        return "serving initial configuration" in self._read("error.log") + self._read(OUTPUT)

    def _expected_workers(self) -> int:
        return 0

    def _apply(self) -> None:
        command = [self._file, "reload", "--config", self._main, "--address", "unix/admin.sock"]
        said, code = self._once([*command, "--force"])
        if code:
            raise ProgramFailed(f"Caddy did not take up the new config. {self._last_words(said)}")
