"""HAProxy: a balancer and proxy; a master that reads the config, and one worker with threads."""

from __future__ import annotations

import re
import shlex
import signal
import time
from typing import ClassVar

from . import _config
from ._config import Address, Quoting
from ._guarded import OUTPUT, PAUSE
from ._program import RealProgram

# `noreuseport`: else two programs could hold one port, and each would get half of the clients.
_MAIN = """\
global
    log stdout format raw local0
    noreuseport
    hard-stop-after 5s

defaults
    mode http
    log global
    option httplog
    option dontlognull
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout http-request 10s

"""
_ALERT = re.compile(r"\[ALERT\]\s+\(\d+\) : (?:config : )?(.*)")
_PLACE = re.compile(r"(?:parsing |Binding )?\[([^\]]*):(\d+)\] ?:? ?")
_MASTER_TIMEOUT = 2.0  # seconds; it only decides how soon another reload is safe
_SUMMARY = ("Error(s) found in", "Fatal errors found", "Errors found in")


class Haproxy(RealProgram):
    """HAProxy with the reader's `frontend`, `backend` and `listen` sections::

        haproxy = Haproxy('''
        frontend everyone
            bind 127.0.0.1:PORT
            http-request return status 200 content-type text/plain string "hello"
        ''')

    The sections may begin with a `defaults` of the reader's own, which then replaces the one that
    is there: mode http, a log of requests, and timeouts. The log has requests and notices in one.
    """

    _name = "HAProxy"
    _example = "bind 127.0.0.1:PORT"
    _quoting = Quoting(escaped='\\"$')
    _logs: ClassVar = {"log": OUTPUT}
    _site = "site.cfg"
    _main = "main.cfg"

    def _addresses(self, text: str) -> list[Address]:
        found = []
        for number, line in enumerate(text.splitlines(), 1):
            words = _split(line)
            if words[:2] == ["stats", "socket"]:
                words = words[1:]
            elif words[:1] not in (["bind"], ["dgram-bind"]):
                continue
            for written in words[1].split(",") if len(words) > 1 else ():
                kind, at, rest = written.rpartition("@")
                if kind in ("unix", "abns", "fd", "sockpair") or rest.startswith("/"):
                    continue
                if words[0] != "socket" or at:
                    found.append(_config.address(number, rest))
        return found

    def _write(self, text: str) -> None:
        (self.folder / self._main).write_text(_MAIN, "utf-8")
        (self.folder / self._site).write_text(text.rstrip("\n") + "\n", "utf-8")

    def _around(self, text: str) -> str:
        return _MAIN + text.strip("\n") + "\n"

    def _command(self, *, check: bool = False) -> list[str]:
        files = ["-f", self._main, "-f", self._site]
        return [self._file, "-c", *files] if check else [self._file, "-W", "-db", *files]

    def _complaint(self, said: str) -> tuple[str, int | None] | None:
        alerts = [a for a in _ALERT.findall(said) if not a.startswith(_SUMMARY)]
        for alert in alerts:
            place = _PLACE.match(alert)
            if place and place[1].endswith(self._site):
                return alert[place.end() :], int(place[2])
        return (alerts[0], None) if alerts else None

    def _is_bound(self) -> bool:
        return self._times_loaded() > 0

    def _said(self) -> str:
        return self._read(OUTPUT)

    def _apply(self) -> None:
        loaded = self._times_loaded()
        self._signal_and_wait(signal.SIGUSR2)
        # The new worker may be there before the master is back at listening to signals.
        deadline = time.monotonic() + _MASTER_TIMEOUT
        while self._times_loaded() == loaded and time.monotonic() < deadline:
            time.sleep(PAUSE)

    def _times_loaded(self) -> int:
        return self._read(OUTPUT).count("Loading success")


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # a quote is missing: HAProxy itself says so
        return line.split()
