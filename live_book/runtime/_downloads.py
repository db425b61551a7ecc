"""What is fetched from the package indexes: kept by hash, so that it is fetched once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from ._errors import RuntimeNotGathered
from ._files import integrity, sha256, unfinished
from ._node import check_pyodide, fetch_pyodide
from ._pins import Pins, Wheel, read_packages

_AT_ONCE = 8  # wheels in one call of pip: a progress line after each call


class Downloads:
    """A folder of fetched files: `<first 16 digits of the hash>/<file name>`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def wheel(self, wheel: Wheel) -> Path:
        """Where a wheel is, or will be."""
        return self.folder / wheel.sha256[:16] / wheel.file

    def tarball(self, pins: Pins) -> Path:
        """Where Pyodide's npm package is, or will be."""
        # base64 holds characters that no file name may have
        return self.folder / pins.integrity.encode().hex()[-16:] / f"pyodide-{pins.pyodide}.tgz"

    def missing(self, pins: Pins) -> list[Wheel]:
        """The wheels that are not here yet; a damaged one is removed and counts as missing."""
        return [wheel for wheel in pins.wheels if not _intact(self.wheel(wheel), wheel.sha256)]

    def fetch(self, pins: Pins, step: Callable[[int], None]) -> None:
        """Fetch what is missing; `step` is told how many files came.

        Raises:
            RuntimeNotGathered: no network, no npm, or a file with another hash.
        """
        tarball = self.tarball(pins)
        if not (tarball.is_file() and integrity(tarball) == pins.integrity):
            with unfinished(self.folder) as folder:
                fetched = fetch_pyodide(pins.pyodide, folder)
                check_pyodide(fetched, pins.integrity)
                _move(fetched, tarball)
        step(1)
        missing = self.missing(pins)
        step(len(pins.wheels) - len(missing))
        for start in range(0, len(missing), _AT_ONCE):
            some = missing[start : start + _AT_ONCE]
            with unfinished(self.folder) as folder:
                _fetch_wheels(pins, some, folder)
                for wheel in some:
                    _move(folder / wheel.file, self.wheel(wheel))
            step(len(some))


def pip_download(arguments: Iterable[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """`pip download` into `folder`, without dependencies, with this environment's pip."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--retries", "2",
               "--disable-pip-version-check", "--dest", str(folder), *arguments]  # fmt: skip
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, encoding="utf-8", errors="replace",
        env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip


def reason(pip_stderr: str) -> str:
    """The last error that pip names, on one line."""
    errors = [line for line in pip_stderr.splitlines() if line.startswith("ERROR:")]
    lines = errors or pip_stderr.strip().splitlines() or ["it gave no reason"]
    return lines[-1].removeprefix("ERROR:").strip().rstrip(".")


def _fetch_wheels(pins: Pins, wheels: list[Wheel], folder: Path) -> None:
    listed = folder / "wanted.txt"
    lines = [f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n" for wheel in wheels]
    listed.write_text("".join(lines), "utf-8")
    # the hashes say which files these are, whatever platform they are for
    others = read_packages()["foreign"].values()
    target = pins.pip_target(*others)
    done = pip_download([*target, "--require-hashes", "-r", str(listed)], folder)
    names = _blamed(wheels, done.stderr)
    if "DO NOT MATCH THE HASHES" in done.stderr:
        raise RuntimeNotGathered(
            f"What pip fetched for {names} is not the file that pins.json names (its hash "
            "differs), so it was not used; build again, and if that does not help, ask who runs "
            "your package index."
        )
    if done.returncode:
        raise RuntimeNotGathered(
            f"pip could not fetch {names} ({reason(done.stderr)}); check the network connection "
            "and build again: what was fetched so far is kept."
        )
    for wheel in wheels:
        file = folder / wheel.file
        if not _intact(file, wheel.sha256):
            raise RuntimeNotGathered(
                f"pip fetched another file than {wheel.file}, which pins.json names for "
                f"{wheel.name}, so it was not used; build again, or write new pins with "
                "`python -m live_book.runtime pin`."
            )


def _blamed(wheels: list[Wheel], stderr: str) -> str:
    """The wheels that pip's errors name; if none, the first and how many more."""
    named = [one for one in wheels if f"{one.name}=={one.version}" in stderr]
    first, *others = named or wheels
    return f"{first.name} {first.version}" + (f" and {len(others)} more" if others else "")


def _intact(file: Path, expected: str) -> bool:
    return file.is_file() and sha256(file) == expected


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)
