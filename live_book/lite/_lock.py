"""JupyterLite's own list of packages: the site's runtime, and the few wheels of its kernel.

Pyodide reads a lock file that names every wheel, what it imports as and what it depends on. The
runtime has one for the pages. JupyterLite gets another beside its settings, because its kernel
needs more packages and can load them only before a cell runs, by the names that the cell imports:
what `helpers` imports inside a function has to be named as a dependency.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from collections.abc import Iterable
from email import message_from_bytes
from pathlib import Path, PurePosixPath
from typing import Any

from ..runtime._own_wheels import imported_tops

LOCK = "pyodide-lock.json"
KERNEL = ("micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython")
"""What JupyterLite's kernel loads when it starts, as its worker lists it."""
OURS = "backend-fundamentals"
"""The package of the runtime that holds `helpers`."""


def imports_of(sources: Iterable[Path]) -> set[str]:
    """The top-level modules that Python files import anywhere, also inside functions."""
    names = {top for file in sources for top in imported_tops(file.name, file.read_bytes())}
    return names - sys.stdlib_module_names


def describe_wheel(wheel: Path, address: str) -> dict[str, Any]:
    """The lock file's entry for a wheel of pure Python.

    Args:
        wheel: the file; its name follows PEP 427.
        address: where a browser finds it, relative to the lock file.
    """
    with zipfile.ZipFile(wheel) as archive:
        files = archive.namelist()
        metadata = next(name for name in files if name.endswith(".dist-info/METADATA"))
        message = message_from_bytes(archive.read(metadata))
    tops = {PurePosixPath(name).parts[0] for name in files if name.endswith(".py")}
    return {
        "name": message["Name"].lower().replace("_", "-"),
        "version": message["Version"],
        "file_name": address,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": sorted(top.removesuffix(".py") for top in tops),
        "depends": [],
        "unvendored_tests": False,
    }


def lite_lock(
    shared: dict[str, Any], to_runtime: str, wheels: dict[str, Path], helpers: Iterable[Path]
) -> dict[str, Any]:
    """The lock file for JupyterLite.

    Args:
        shared: the runtime's lock file.
        to_runtime: the runtime's folder relative to the new lock file, with a slash at the end.
        wheels: JupyterLite's own wheels, by their address relative to the new lock file.
        helpers: the Python files of `helpers`.
    """
    packages = {
        name: {**package, "file_name": to_runtime + package["file_name"]}
        for name, package in shared["packages"].items()
    }
    for address, wheel in sorted(wheels.items()):
        entry = describe_wheel(wheel, address)
        packages.setdefault(entry["name"], entry)
    if OURS in packages:
        used = imports_of(helpers)
        needed = {
            name
            for name, package in packages.items()
            if name != OURS and used & {*package["imports"]}
        }
        depends = sorted(needed | {*packages[OURS]["depends"]})
        packages[OURS] = {**packages[OURS], "depends": depends}
    return {**shared, "packages": packages}


def write_lock(
    runtime: Path, target: Path, to_runtime: str, wheels: dict[str, Path], helpers: Iterable[Path]
) -> list[str]:
    """Write JupyterLite's lock file; gives those of `KERNEL` that it holds."""
    shared = json.loads((runtime / LOCK).read_text("utf-8"))
    lock = lite_lock(shared, to_runtime, wheels, helpers)
    target.write_text(json.dumps(lock, separators=(",", ":")) + "\n", "utf-8")
    return [name for name in KERNEL if name in lock["packages"]]
