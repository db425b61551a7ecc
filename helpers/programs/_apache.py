"""Apache httpd: a parent that reads the config and opens the ports, and children with threads."""

from __future__ import annotations

import re
import signal
import subprocess
from functools import cache
from pathlib import Path

from . import _config
from ._config import Address, Quoting
from ._errors import ProgramFailed
from ._program import RealProgram
from ._types import MEDIA_TYPES

# What a beginner's config needs; in the order in which they have to be loaded.
_MODULES = """
    mpm_event unixd authz_core authn_core authz_host access_compat log_config mime dir alias env
    headers setenvif filter deflate expires negotiation autoindex rewrite status reqtimeout
    slotmem_shm proxy proxy_http proxy_balancer proxy_hcheck watchdog
    lbmethod_byrequests lbmethod_bytraffic lbmethod_bybusyness
    cache cache_disk cache_socache socache_shmcb
"""
_MODULE_FOLDERS = (
    "/usr/lib/apache2/modules",
    "/usr/lib64/httpd/modules",
    "/usr/lib/httpd/modules",
    "/usr/libexec/apache2",
    "/opt/homebrew/lib/httpd/modules",
    "/usr/local/lib/httpd/modules",
    "/usr/local/apache2/modules",
)
_MAIN = """\
PidFile httpd.pid
DefaultRuntimeDir .
Mutex file:. default
ServerName 127.0.0.1
{modules}
TypesConfig types.conf
ErrorLog error.log
LogLevel notice
LogFormat "%h %l %u %t \\"%r\\" %>s %b \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\"" combined
CustomLog access.log combined
StartServers {workers}
ServerLimit 8
ThreadsPerChild 25
MaxRequestWorkers 200
<Directory />
    AllowOverride None
    Require all granted
</Directory>
Include site.conf
"""
_PLACE = re.compile(r"line (\d+) of (.+?):\s*(?:\n|$|(?=\S))")
_NOT_CLOSED = re.compile(r"site\.conf:(\d+): (.*)")


class Apache(RealProgram):
    """Apache httpd with the reader's directives::

        apache = Apache('''
        Listen 127.0.0.1:PORT
        DocumentRoot FILES
        ''', files=folder)

    The modules that a beginner's config needs are loaded; see `_apache.py` for which. The access
    log has the format "combined".
    """

    _name = "Apache"
    _example = "Listen 127.0.0.1:PORT"
    _quoting = Quoting(escaped='\\"', ends=">")
    _drop_root = True
    _workers = 2

    def _addresses(self, text: str) -> list[Address]:
        found = []
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split()
            if len(words) > 1 and words[0].lower() == "listen":
                found.append(_config.address(number, words[1]))
        return found

    def _main_text(self) -> str:
        return _MAIN.format(modules="\n".join(_load_lines(self._file)), workers=self._workers)

    def _write(self, text: str) -> None:
        types = "".join(f"{kind} {ends}\n" for kind, ends in MEDIA_TYPES.items())
        (self.folder / "types.conf").write_text(types, "utf-8")
        (self.folder / self._main).write_text(self._main_text(), "utf-8")
        (self.folder / self._site).write_text(text, "utf-8")

    def _around(self, text: str) -> str:
        return self._main_text().replace("Include site.conf\n", text.strip("\n") + "\n")

    def _command(self, *, check: bool = False) -> list[str]:
        folder, main = str(self.folder), str(self.folder / self._main)
        return [self._file, "-d", folder, "-f", main, "-t" if check else "-DFOREGROUND"]

    def _complaint(self, said: str) -> tuple[str, int | None] | None:
        open_block = _NOT_CLOSED.search(said)
        if open_block:
            return open_block[2], int(open_block[1])
        for found in reversed(list(_PLACE.finditer(said))):
            words = said[found.end() :].strip().splitlines()
            line = int(found[1]) if found[2].endswith(self._site) else None
            return (words[0] if words else said.strip()), line
        for line in said.splitlines():
            if "AH" in line and ("Syntax" in line or ":emerg]" in line or "Cannot" in line):
                return re.sub(r"^\[.*\] ", "", line), None
        return None

    def _is_bound(self) -> bool:
        return bool(self._read("httpd.pid").strip())

    def _expected_workers(self) -> int:
        asked = re.findall(r"(?im)^\s*StartServers\s+(\d+)", self._text)
        return int(asked[-1]) if asked else self._workers

    def _apply(self) -> None:
        self._signal_and_wait(signal.SIGUSR1)


@cache
def _load_lines(file: str) -> tuple[str, ...]:
    """A LoadModule line for each module that is here and not part of the program itself."""
    done = subprocess.run([file, "-l"], capture_output=True, text=True, timeout=20)
    built_in = set(re.findall(r"mod_(\w+)\.c|^\s*(event|worker|prefork)\.c", done.stdout, re.M))
    inside = {name for pair in built_in for name in pair if name}
    folder = next((Path(f) for f in _MODULE_FOLDERS if Path(f, "mod_mime.so").exists()), None)
    if folder is None:
        raise ProgramFailed(
            f"Apache is here ({file}), but its modules are in none of the usual folders: "
            f"{', '.join(_MODULE_FOLDERS)}."
        )
    return tuple(
        f'LoadModule {name}_module "{folder}/mod_{name}.so"'
        for name in _MODULES.split()
        if name not in inside and (folder / f"mod_{name}.so").exists()
    )
