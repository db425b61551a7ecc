"""The pinned versions and hashes: `pins.json`, read and written."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ._errors import RuntimeNotGathered

HERE = Path(__file__).resolve().parent
PACKAGES = HERE / "packages.toml"
PINS = HERE / "pins.json"
_TABLES = ("pyodide", "kernel", "core", "on-demand", "left-out", "foreign", "stubs", "trim")


@dataclass(frozen=True)
class Wheel:
    """One pinned wheel.

    `imports` are its top-level import names, `depends` the names of the wheels it needs. Every
    page loads a `kernel` wheel; a `core` wheel (each kernel wheel is one) counts towards the
    site's 25 MB; any other is fetched only when a cell imports it.
    """

    name: str
    version: str
    file: str
    sha256: str
    imports: list[str]
    depends: list[str]
    kernel: bool
    core: bool


@dataclass(frozen=True)
class Pins:
    """Everything that is fetched: the npm package of Pyodide and the wheels."""

    pyodide: str
    integrity: str
    python: str
    platform: str
    abi: str
    stubs: list[str]
    wheels: list[Wheel] = field(default_factory=list)

    def pip_target(self, *others: str) -> list[str]:
        """The options that make pip choose wheels for the page instead of for this machine.

        Args:
            others: platforms whose wheels will do if the page's has none.
        """
        platforms = [word for one in (self.platform, *others) for word in ("--platform", one)]
        return [
            *platforms,
            "--python-version", self.python,
            "--implementation", "cp",
            "--abi", self.abi,
            "--abi", "none",
            "--only-binary", ":all:",
        ]  # fmt: skip


def normal(name: str) -> str:
    """A package's name as indexes compare it (PEP 503: lower case, one hyphen)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_packages(file: Path = PACKAGES) -> dict[str, Any]:
    """The tables of `packages.toml`.

    Raises:
        RuntimeNotGathered: the file is missing, is not TOML or lacks a table.
    """
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
        return {name: tables[name] for name in _TABLES}
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise RuntimeNotGathered(
            f"{file.name}, the list of what the page can import, can't be read ({error}); "
            "correct it and run this again."
        ) from error


def read_pins(file: Path = PINS) -> Pins:
    """The pins.

    Raises:
        RuntimeNotGathered: the file is missing or damaged.
    """
    try:
        content = json.loads(file.read_text("utf-8"))
        wheels = [Wheel(**wheel) for wheel in content.pop("wheels")]
        return Pins(**content, wheels=wheels)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RuntimeNotGathered(
            f"{file.name}, which names the exact files to fetch, can't be read ({error}); "
            "write it anew with `python -m live_book.runtime pin`."
        ) from error


def write_pins(pins: Pins, file: Path = PINS) -> None:
    """Write the pins, sorted by name, so that a change shows as a small difference."""
    content = asdict(pins)
    content["wheels"].sort(key=lambda wheel: wheel["name"])
    file.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
