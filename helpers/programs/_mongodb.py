"""MongoDB's protocol, spoken by a real server: mongod, or FerretDB with SQLite files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .._recipes import FERRETDB
from ._building import build
from ._database import DATABASE, HOST, Database
from ._errors import ProgramFailed, ProgramMissing

_VARIABLE = "MONGODB_URI"
_PATIENCE = 3_000  # milliseconds that a server elsewhere has to answer


class MongoDB(Database):
    """A server that MongoDB's own client connects to::

        with MongoDB() as mongodb:
            client = pymongo.MongoClient(mongodb.url)

    It is the one that the environment variable MONGODB_URI names, else `mongod` if that is here,
    else FerretDB, which translates MongoDB's protocol into SQL for SQLite. `server` says which.
    A server that MONGODB_URI names runs elsewhere: it can't be killed from here, and `stop` leaves
    it alone.

    Attributes:
        server: its name and version, such as "FerretDB 1.24.2".
    """

    _name = "MongoDB"
    server: str

    def __new__(cls, *_: Any, **__: Any) -> Any:
        """The server that MONGODB_URI names is one that is not started."""
        return super().__new__(_Elsewhere if os.environ.get(_VARIABLE) else cls)

    def _first_time(self) -> None:
        super()._first_time()
        self._is_ferret = Path(self._file) == FERRETDB.result
        if self._is_ferret:
            build(FERRETDB)
        self.server = f"{'FerretDB' if self._is_ferret else 'mongod'} {self.version}"

    def _client_url(self) -> str:
        return f"mongodb://{HOST}:{self.port}/{DATABASE}"

    def _command(self, *, check: bool = False) -> list[str]:
        if self._is_ferret:
            return [self._file, f"-listen={HOST}:{self.port}", "-folder=data"]
        return [self._file, "--dbpath=data", f"--bind_ip={HOST}", f"--port={self.port}",
                "--nounixsocket"]  # fmt: skip

    def _is_bound(self) -> bool:
        return "waiting for connections" in self._said().lower()

    def __repr__(self) -> str:
        state = f"on {HOST}, port {self.port}" if self.running else "(not running)"
        return f"{self.server} {state}"


class _Elsewhere(MongoDB):
    """The server that MONGODB_URI names: there already, and not ours to stop."""

    def __init__(self, *, port: int = 0) -> None:
        self.url, self.port, self.pid = os.environ[_VARIABLE], 0, 0
        import pymongo

        try:
            with pymongo.MongoClient(self.url, serverSelectionTimeoutMS=_PATIENCE) as client:
                said = client.server_info()
        except pymongo.errors.PyMongoError as error:
            raise ProgramMissing(
                f"{_VARIABLE} names a server that does not answer: {str(error)[:200]}"
            ) from None
        self.version = said["version"]
        kind = "FerretDB" if "ferretdb" in said else "MongoDB"
        self.server = f"{kind} {self.version}, which {_VARIABLE} names"

    @property
    def running(self) -> bool:
        return True

    def log(self) -> str:
        return f"(the log is where the server is that {_VARIABLE} names)"

    def processes(self) -> list[tuple[int, str]]:
        return []

    def kill(self) -> None:
        raise ProgramFailed(f"{_VARIABLE} names this server: only one of our own can be killed.")

    def start_again(self) -> None:
        """It runs already."""

    def stop(self) -> None:
        """It is not ours to stop."""

    def __repr__(self) -> str:
        return self.server
