"""PostgreSQL: the relational database server of chapter 3."""

from __future__ import annotations

import os
import re
import secrets
import signal
import sys
from pathlib import Path
from typing import Any, ClassVar

from ._database import DATABASE, HOST, Database
from ._errors import ConfigError, ProgramFailed

_USER = "course"
_INITDB_TIMEOUT, _FAREWELL = 60.0, 5.0  # seconds
_SETTINGS = "settings.conf"
# Shared memory in files of the folder: other kinds would outlive a kill -9.
_MAIN = f"""
listen_addresses = '{HOST}'
unix_socket_directories = ''
max_connections = 60
shared_buffers = 16MB
dynamic_shared_memory_type = mmap
log_line_prefix = ''
log_checkpoints = off
lc_messages = 'C'
timezone = 'UTC'
include '{_SETTINGS}'
"""
_MISTAKE = re.compile(
    rf'(?:LOG|FATAL|ERROR): +(.*?) in file "[^"]*{_SETTINGS}"[,]? line (\d+)(.*)$', re.MULTILINE
)
_INVALID = re.compile(
    r"(?:LOG|FATAL|ERROR): +((?:invalid value|parameter|\S+ is outside).*)$", re.M
)
_IPC_RMID = 0  # <sys/ipc.h>


class Postgres(Database):
    """A PostgreSQL server with an empty database named music::

        with Postgres() as postgres:
            connection = psycopg.connect(postgres.url)

    It listens on this machine only and wants the password that is part of `url`. Settings of the
    reader's are lines of `postgresql.conf`: `Postgres("log_statement = all")`.
    """

    _name = "PostgreSQL"
    _example = f"listen_addresses = '{HOST}'"
    _drop_root: ClassVar = True  # it refuses to run as root

    def __init__(self, settings: str = "", *, port: int = 0) -> None:
        """Start the server and return once it answers.

        Args:
            settings: lines for `postgresql.conf`.
            port: where it listens; 0 picks a free one.

        Raises:
            ConfigError: a setting can't be used; the message has PostgreSQL's own words.
            ProgramMissing: PostgreSQL is not on this machine.
            ProgramFailed: it ended while starting, or did not answer in time.
        """
        self._source, self._words = settings, {}
        self._password = secrets.token_hex(8)
        super().__init__(port=port)

    def _client_url(self, database: str = DATABASE) -> str:
        return f"postgresql://{_USER}:{self._password}@{HOST}:{self.port}/{database}"

    def _first_time(self) -> None:
        """Let initdb make the data folder, with one user who has a password."""
        password = self.folder / "password"
        password.write_text(self._password, "utf-8")
        if hasattr(os, "getuid") and os.getuid() == 0:
            password.chmod(0o644)  # the folder itself is closed to others
        initdb = Path(self._file).with_name("initdb" + Path(self._file).suffix)
        command = [str(initdb), "-D", "data", "-U", _USER, "--pwfile=password", "--no-sync",
                   "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"]  # fmt: skip
        self._process.run(command, self._environment(), drop_root=self._drop_root)
        code = self._process.wait(_INITDB_TIMEOUT)
        if code is None:
            raise ProgramFailed("PostgreSQL took too long to make its data folder.")
        password.unlink()
        if code:
            raise ProgramFailed(
                f"PostgreSQL could not make its data folder. {self._last_words(self._said())}"
            )
        with (self.folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(_MAIN)
        (self.folder / "data" / _SETTINGS).write_text(self._source + "\n", "utf-8")

    def _settle(self) -> None:
        """Make the database, whose name initdb can't be told."""
        import psycopg

        with psycopg.connect(self._client_url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")

    def _command(self, *, check: bool = False) -> list[str]:
        return [self._file, "-D", "data", "-p", str(self.port)]

    def _environment(self) -> dict[str, str]:
        return {"LC_ALL": "C", "TZ": "UTC"}

    def _is_bound(self) -> bool:
        return "database system is ready to accept connections" in self._said()

    def _complaint(self, said: str) -> tuple[str, int | None] | None:
        if found := _MISTAKE.search(said):
            return found[1] + found[3], int(found[2])
        found = _INVALID.search(said)
        return (found[1], None) if found else None

    def _shown_source(self) -> str:
        return self._source

    def _what(self, title: str) -> str:
        """ "postgres: checkpointer" says itself what it is."""
        return title.removeprefix("postgres: ").strip() or "worker"

    def reload(self, settings: str) -> None:
        """Let it take up other settings without a pause; some want a new start, says the log.

        Raises:
            ConfigError: a setting can't be used; those before stay.
            ProgramFailed: it does not run.
        """
        import psycopg

        if not self.running:
            raise ProgramFailed("PostgreSQL does not run any more: start it again.")
        file, before = self.folder / "data" / _SETTINGS, self._source
        file.write_text(settings + "\n", "utf-8")
        with psycopg.connect(self._client_url("postgres"), autocommit=True) as connection:
            mistakes: Any = connection.execute(
                # a setting that wants a new start can't be applied now, which is no mistake
                "SELECT f.error, f.sourceline FROM pg_file_settings f LEFT JOIN pg_settings s"
                " USING (name) WHERE f.error IS NOT NULL"
                " AND s.context IS DISTINCT FROM 'postmaster' ORDER BY f.seqno"
            ).fetchone()
            if mistakes:
                file.write_text(before + "\n", "utf-8")
                raise ConfigError(
                    "PostgreSQL does not take these settings.",
                    said=f"PostgreSQL says: {mistakes[0]}",
                    line=mistakes[1],
                    text=settings,
                )
            connection.execute("SELECT pg_reload_conf()")
        self._source = settings

    def _say_farewell(self) -> None:
        """Ask for a fast shutdown: the usual one waits until the last client has gone."""
        if not self.running or os.name != "posix":
            return
        self._process.signal(signal.SIGINT)
        self._process.wait(_FAREWELL)

    def _clean_up_after_crash(self) -> None:
        """Remove the few bytes of System V memory by which PostgreSQL knows its data folder."""
        lines = self._read("data/postmaster.pid").splitlines()
        if len(lines) > 6 and sys.platform == "linux":
            *_, number = lines[6].split() or [""]
            if number.isdigit():
                import ctypes

                ctypes.CDLL(None).shmctl(int(number), _IPC_RMID, None)
