"""Build the book: ``python -m live_book.build`` (``make book`` calls it).

Executes every notebook, turns warnings into errors, and ends by naming the file to open. A
notebook that has run is not run again until its own code changes (jupyter-cache sees to that) or
what it imports does (this module sees to that).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from . import lite
from ._missing import missing_programs
from .lite import LiteNotBuilt

ROOT = Path(__file__).resolve().parent.parent
EXECUTED_WITH = ("helpers", "requirements.lock")
WRITTEN_WITH = ("live_book", "_config.yml", "_toc.yml")
# this environment's own jupyter-book, whatever is on PATH; it can't be run with `python -m`
JUPYTER_BOOK = "from jupyter_book.cli.main import main; main()"


def fingerprint(root: Path, names: Iterable[str]) -> str:
    """A hash of the named files, and of all files below the named folders."""
    digest = sha256(sys.version.encode())
    for name in names:
        top = root / name
        files = [top] if top.is_file() else sorted(p for p in top.rglob("*") if p.is_file())
        for file in files:
            if "__pycache__" not in file.parts:
                digest.update(file.relative_to(root).as_posix().encode() + b"\0")
                digest.update(sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def forget_outdated(root: Path, build: Path) -> None:
    """Remove the results that were made with other helpers or another extension."""
    outdated = {
        "executed-with": (EXECUTED_WITH, (".jupyter_cache", ".doctrees", "html")),
        "written-with": (WRITTEN_WITH, (".doctrees", "html")),
    }
    build.mkdir(exist_ok=True)
    for name, (sources, results) in outdated.items():
        note, now = build / f".{name}", fingerprint(root, sources)
        if name == "executed-with":  # a program that is here now may give its cells outputs
            now += "".join(f" without {program}" for program in sorted(missing_programs()))
        if not note.exists() or note.read_text() != now:
            for result in results:
                shutil.rmtree(build / result, ignore_errors=True)
            note.write_text(now)


def build(root: Path = ROOT) -> int:
    """Build ``root``'s book into ``root/_build/html``.

    Returns:
        The exit code: 0 when every notebook ran and no page gave a warning.
    """
    output = root / "_build"
    forget_outdated(root, output)
    command = [sys.executable, "-c", JUPYTER_BOOK, "build", ".", "-W", "--keep-going"]
    failed = _run(command, root)
    page = output / "html" / "index.html"
    if failed or not page.exists():
        print(
            "\nThe book was not built. The first line above that says ERROR or WARNING names "
            "the page and what is wrong with it.",
            file=sys.stderr,
        )
        return failed or 1
    try:
        _add_jupyterlite(root, output / "html")
    except LiteNotBuilt as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(
        "\nThe book is ready. `make serve` shows it with everything that moves; to read only, open"
    )
    print(page)
    return 0


def _add_jupyterlite(root: Path, site: Path) -> None:
    """Put JupyterLite beside the pages, if they have a Python for it to start."""
    for runtime in (site / "_runtime").glob("*/manifest.json"):
        lite.build(root, site, runtime.parent.relative_to(site).as_posix())


def _run(command: list[str], folder: Path) -> int:
    """Run a command, show what it says as it says it, and give its exit code.

    The kernels warn that they talk TCP; on the loopback address that is no news to a reader.
    """
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        encoding="utf-8", errors="replace",
    ) as process:  # fmt: skip
        for line in process.stdout:
            if not line.startswith("[IPKernelApp] WARNING"):
                print(line, end="", flush=True)
    return process.returncode


if __name__ == "__main__":
    sys.exit(build())
