"""Puts together the folder that the site serves as `_runtime/<digest>/`."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from ._downloads import Downloads
from ._errors import RuntimeNotGathered
from ._files import settle, unfinished
from ._index import (
    LIBRARY,
    MANIFEST,
    PYODIDE_FILES,
    unpack_pyodide,
    write_lock,
    write_manifest,
)
from ._jobs import LIBRARY_RULES, Job, run_jobs, wheel_rules
from ._node import find_node
from ._own_wheels import course_version, course_wheels, sources, stub_wheel
from ._pins import HERE, PACKAGES, PINS, Pins, Wheel, read_packages, read_pins

_FOLDERS_KEPT = 4  # of former builds; going back to former helpers is then immediate


def gather(
    root: Path,
    *,
    pins_file: Path = PINS,
    downloads: Path | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Gather Pyodide and the pinned wheels; at once and without network if nothing has changed.

    Args:
        root: the checkout; its `.cache/live_book/` holds the result and what was fetched.
        pins_file: the exact versions and hashes.
        downloads: where fetched files are kept, if not in `.cache/live_book/downloads/`.
        say: is given a progress line now and then; nothing when there is nothing to do.

    Returns:
        The folder. Its name is a digest of all that went in.

    Raises:
        RuntimeNotGathered: whatever fails, in one sentence for a reader.
    """
    cache = root / ".cache" / "live_book"
    try:
        pins = read_pins(pins_file)
        node = find_node()
        course, version = sources(root), course_version(root)
        name = digest({**course, "version": version.encode()}, pins_file, node is not None)
        target = cache / "runtime" / name
        if _complete(target):
            return target
        shutil.rmtree(target, ignore_errors=True)  # only a damaged one is there
        own = course_wheels(course, version, pins)
        own += [stub_wheel(name) for name in pins.stubs]
        kept = Downloads(downloads or cache / "downloads")
        with unfinished(target.parent) as folder:
            _build(folder, pins, own, kept, node, say)
            settle(folder, target)
        _forget_former(target)
    except OSError as error:
        raise RuntimeNotGathered(
            f"Python for the page could not be gathered in {cache} ({error}); check that the file "
            "or folder named here is yours and that the disk has room, and build again."
        ) from error
    return target


def digest(course: dict[str, bytes], pins_file: Path, compiled: bool) -> str:
    """12 hexadecimal digits over everything that decides what the folder holds."""
    own = [file for file in sorted(HERE.iterdir()) if file.suffix in (".py", ".mjs")]
    read = {f"runtime/{file.name}": file.read_bytes() for file in [*own, PACKAGES]}
    total = hashlib.sha256(b"compiled" if compiled else b"sources")
    for name, content in {**course, **read, "pins": pins_file.read_bytes()}.items():
        total.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return total.hexdigest()[:12]


def _complete(folder: Path) -> bool:
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        sizes = dict(manifest["files"])
        sizes |= {one["file"]: one["bytes"] for one in manifest["packages"].values()}
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError):
        return False


def _build(
    folder: Path,
    pins: Pins,
    own: list[tuple[Wheel, bytes]],
    downloads: Downloads,
    node: str | None,
    say: Callable[[str], None],
) -> None:
    fetched = {wheel.name: downloads.wheel(wheel) for wheel in pins.wheels}
    wheels = [*pins.wheels, *(wheel for wheel, _ in own)]
    jobs_in_all = len(wheels) + 1  # and the standard library
    progress = Progress(len(pins.wheels) + 1 + jobs_in_all, say)
    downloads.fetch(pins, progress.step)

    with unfinished(folder.parent) as work:
        npm_lock = unpack_pyodide(downloads.tarball(pins), work)
        for wheel, content in own:
            fetched[wheel.name] = work / wheel.file
            fetched[wheel.name].write_bytes(content)
        trim = read_packages()["trim"]
        jobs = [Job(work / LIBRARY, folder / LIBRARY, LIBRARY_RULES)]
        jobs += [
            Job(fetched[one.name], folder / one.file, wheel_rules(one, trim)) for one in wheels
        ]
        run_jobs(jobs, work, node, downloads.folder.parent / "compiled", progress.step)
        for file in PYODIDE_FILES:
            shutil.copyfile(work / file, folder / file)
    write_lock(folder, npm_lock, wheels)
    write_manifest(folder, pins, wheels)


def _forget_former(newest: Path) -> None:
    former = [path for path in newest.parent.iterdir() if (path / MANIFEST).is_file()]
    former.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in [one for one in former if one != newest][_FOLDERS_KEPT - 1 :]:
        shutil.rmtree(path, ignore_errors=True)


class Progress:
    """Counts the steps and says so every eighth time, and at the end."""

    def __init__(self, total: int, say: Callable[[str], None]) -> None:
        self.total, self.say = total, say
        self.done = self.said = 0
        self._say()

    def step(self, count: int = 1) -> None:
        """`count` more steps are done."""
        self.done += count
        if self.done - self.said >= 8 or self.done == self.total > self.said:
            self._say()

    def _say(self) -> None:
        self.said = self.done
        self.say(f"Gathering Python for the page (once): {self.done} of {self.total}")
