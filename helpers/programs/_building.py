"""Make a program that no package brings, once, and keep it; see `helpers/_recipes.py`.

`python -m helpers.programs` makes all of them that this machine can make.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .._progress import waiting
from .._recipes import CASSANDRA, FERRETDB, Recipe, copy_files
from ._errors import ProgramFailed, ProgramMissing

_TIMEOUT = 900.0  # seconds; decides only how long a failure takes
_LAST_LINES = 4


def build(recipe: Recipe) -> Path:
    """Make it, unless it is there already. Two notebooks do not make the same at the same time.

    Returns:
        The file that the recipe names.

    Raises:
        ProgramMissing: a tool that makes it is not on this machine.
        ProgramFailed: it could not be made; the message has the tool's last words.
    """
    if recipe.result.exists():
        return recipe.result
    missing = [tool for tool in recipe.tools if shutil.which(tool) is None]
    if missing:
        raise ProgramMissing(
            f"{recipe.title} is made by {missing[0]}, which is not on this machine."
        )
    from filelock import FileLock

    recipe.folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{recipe.folder}.lock"):
        if not recipe.result.exists():
            with tempfile.TemporaryDirectory(dir=recipe.folder.parent, prefix="making-") as work:
                _make(recipe, Path(work))
    return recipe.result


def _make(recipe: Recipe, work: Path) -> None:
    """Run the tool on a copy of the recipe, and put the result in its place in one step."""
    source = work / "source"
    copy_files(recipe.source, source)
    made = source if recipe.in_place else work / "made"
    made.mkdir(exist_ok=True)
    command = [word.replace("FOLDER", str(made)) for word in recipe.command]
    command[0] = shutil.which(command[0]) or command[0]
    log = work / "log"
    title = f"Making {recipe.title} {recipe.version} (once; a minute or two)"
    with log.open("wb") as output, waiting(title) as tell:
        process = subprocess.Popen(
            command, cwd=source, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=os.name == "posix",
        )  # fmt: skip
        try:
            deadline = time.monotonic() + _TIMEOUT
            while process.poll() is None and time.monotonic() < deadline:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.25)
                tell()
        finally:
            if process.poll() is None:
                _kill(process)
    if process.returncode or not (made / recipe.file).exists():
        words = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
        said = "\n".join(words[-_LAST_LINES:])
        raise ProgramFailed(
            f"{recipe.title} could not be made; it needs the internet, once. "
            f"{recipe.tools[0]} says:\n{said}"
        )
    shutil.rmtree(recipe.folder, ignore_errors=True)
    made.rename(recipe.folder)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the tool with what it has started."""
    if os.name == "posix":
        import signal

        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def build_all() -> int:
    """Make what is not there and can be made here; returns a code for the shell."""
    code = 0
    for recipe in (FERRETDB, CASSANDRA):
        try:
            if recipe.is_possible:
                build(recipe)
            else:
                tools = " and ".join(recipe.needs + recipe.tools)
                print(f"{recipe.title} can't be made on this machine: that takes {tools}.")
        except ProgramFailed as error:
            print(error, file=sys.stderr)
            code = 1
    return code
