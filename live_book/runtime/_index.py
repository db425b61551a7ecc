"""The two tables of contents: Pyodide's lock file and the page's own manifest."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

from ._errors import RuntimeNotGathered
from ._files import sha256
from ._own_wheels import COURSE
from ._pins import Pins, Wheel

PYODIDE_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")
LIBRARY = "python_stdlib.zip"
LOCK = "pyodide-lock.json"
MANIFEST = "manifest.json"


def unpack_pyodide(tarball: Path, folder: Path) -> dict[str, Any]:
    """Put the files that run into `folder`; the result is the lock file that npm's package has.

    Raises:
        RuntimeNotGathered: the package does not hold them.
    """
    wanted = (*PYODIDE_FILES, LIBRARY, LOCK)
    try:
        with tarfile.open(tarball) as archive:
            for name in wanted:
                (folder / name).write_bytes(archive.extractfile(f"package/{name}").read())
    except (tarfile.TarError, KeyError, AttributeError) as error:
        raise RuntimeNotGathered(
            f"The npm package {tarball.name} holds no Pyodide that a page can run ({error}); "
            "choose another version of it in live_book/runtime/packages.toml."
        ) from error
    return json.loads((folder / LOCK).read_text("utf-8"))


def write_lock(folder: Path, npm_lock: dict[str, Any], wheels: list[Wheel]) -> None:
    """Write the lock file that `pyodide.loadPackage` reads: these wheels and no others."""
    packages = {
        wheel.name: {
            "name": wheel.name,
            "version": wheel.version,
            "file_name": wheel.file,
            "install_dir": "site",
            "sha256": sha256(folder / wheel.file),
            "package_type": "package",
            "imports": wheel.imports,
            "depends": wheel.depends,
            "unvendored_tests": False,
        }
        for wheel in sorted(wheels, key=lambda wheel: wheel.name)
    }
    lock = {**npm_lock, "packages": packages}
    (folder / LOCK).write_text(json.dumps(lock, separators=(",", ":")) + "\n", "utf-8")


def write_manifest(folder: Path, pins: Pins, wheels: list[Wheel]) -> None:
    """Write what the page's worker reads: which file holds which import, and its size in bytes."""
    files = (*PYODIDE_FILES, LIBRARY, LOCK)
    manifest = {
        "python": pins.python,
        "pyodide": pins.pyodide,
        "files": {name: (folder / name).stat().st_size for name in files},
        "packages": {
            wheel.name: {
                "file": wheel.file,
                "bytes": (folder / wheel.file).stat().st_size,
                "imports": wheel.imports,
                # A module of `helpers` needs few of the packages that all of them need.
                "depends": [] if wheel.name == COURSE else wheel.depends,
                "kernel": wheel.kernel,
                "core": wheel.core,
            }
            for wheel in sorted(wheels, key=lambda wheel: wheel.name)
        },
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
