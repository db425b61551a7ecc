"""Programs that no package brings: built once on this machine, from their makers' modules, and kept.

FerretDB is built by Go, Cassandra's libraries are gathered by Maven. What was built is kept in
`.cache/programs` of the project (where that can't be written, in the user's cache folder; the
variable COURSE_CACHE names another one). So only the first start has to wait, and only the first
needs the internet.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_FOLDER = Path(__file__).parent / "programs" / "recipes"
MADE_BY_TOOLS = ("__pycache__", "node_modules", "target", ".pytest_cache", ".ipynb_checkpoints")
MADE_FILES = (".pyc", ".sqlite3", ".sqlite3-wal", ".sqlite3-shm", ".DS_Store")


@dataclass(frozen=True)
class Recipe:
    """How a program is made.

    name: its folder in helpers/programs/recipes. title: as its makers write it. version: what is
    made. tools: the commands that make it. needs: the commands that it runs with. command: the
    arguments that make it; FOLDER is where the result goes. file: what stands in that folder when
    it is done. of: the folder with what the tools read, if it is not one of helpers' own recipes.
    in_place: the result is what the tools have made of a copy of that folder.
    """

    name: str
    title: str
    version: str
    tools: tuple[str, ...]
    command: tuple[str, ...]
    file: str
    needs: tuple[str, ...] = ()
    of: Path | None = None
    in_place: bool = False

    @property
    def source(self) -> Path:
        """The folder with what the tools read."""
        return self.of or _FOLDER / self.name

    @property
    def folder(self) -> Path:
        """Where the result is, or will be. Another recipe has another folder."""
        return cache_folder() / f"{self.name}-{self.version}-{self._digest[:12]}"

    @cached_property
    def _digest(self) -> str:
        digest = hashlib.sha256(repr(self.command).encode())
        for path in files_of(self.source):
            digest.update(path.encode() + b"\0" + (self.source / path).read_bytes())
        return digest.hexdigest()

    @property
    def result(self) -> Path:
        """The file that is there once it is made."""
        return self.folder / self.file

    @property
    def note(self) -> str:
        """Where it is, or how it comes here, for a table of programs."""
        if self.result.exists():
            return f"{self.title}, made on this machine"
        return f"{self.title}, which is made at its first start: a minute or two"

    @property
    def is_possible(self) -> bool:
        """Whether it was made or can be made, and can run. Looks for files only."""
        here = all(shutil.which(command) for command in self.needs)
        return here and (self.result.exists() or all(map(shutil.which, self.tools)))


def files_of(folder: Path) -> list[str]:
    """The paths of a folder's files inside it, without what tools have made there."""
    found = []
    for inner, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in MADE_BY_TOOLS]
        found += [(Path(inner) / name).relative_to(folder).as_posix() for name in files]
    return sorted(path for path in found if not path.endswith(MADE_FILES))


def copy_files(source: Path, target: Path) -> None:
    """Copy a folder's files to another one, without what tools have made there."""
    for path in files_of(source):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / path, target / path)


def cache_folder() -> Path:
    """Where what was made is kept."""
    if named := os.environ.get("COURSE_CACHE"):
        return Path(named).absolute()
    project = _FOLDER.parents[2]
    if (project / "_toc.yml").exists() and os.access(project, os.W_OK):
        return project / ".cache" / "programs"
    import platformdirs

    return Path(platformdirs.user_cache_dir("fundamentals-of-backend-engineering"))


FERRETDB = Recipe(
    "ferretdb",
    "FerretDB",
    "1.24.2",
    tools=("go",),
    # the other backends would take four fifths of the file
    command=("go", "build", "-trimpath", "-ldflags=-s -w", "-tags=ferretdb_no_postgresql",
             "-o=FOLDER/ferretdb", "."),
    file="ferretdb",
)  # fmt: skip
CASSANDRA = Recipe(
    "cassandra",
    "Cassandra",
    "5.0.4",
    tools=("mvn",),
    command=("mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=FOLDER"),
    file="cassandra-all-5.0.4.jar",
    needs=("java",),
)
