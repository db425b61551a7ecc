"""Chooses the exact versions: `python -m live_book.runtime pin`.

pip can choose wheels for another platform, but it judges markers ("only on Windows") by its own.
So each package is asked for by itself here, and its METADATA is read as the page's Python would.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from email.parser import Parser
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename

from ._downloads import pip_download, reason
from ._errors import RuntimeNotGathered
from ._files import integrity, sha256
from ._index import unpack_pyodide
from ._node import fetch_pyodide
from ._pins import PINS, Pins, Wheel, normal, read_packages, write_pins

_GROUPS = ("kernel", "core", "on-demand")


def pin(root: Path, pins_file: Path = PINS, say: Callable[[str], None] = print) -> None:
    """Write `pins.json`: the newest versions within the bounds of `packages.toml`.

    A version that `root/requirements.lock` names is taken first, if it has a fitting wheel.

    Raises:
        RuntimeNotGathered: no network, or no versions that fit together.
    """
    asked = read_packages()
    target = asked["pyodide"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tarball = fetch_pyodide(target["version"], folder)
        info = unpack_pyodide(tarball, folder)["info"]
        pins = Pins(
            pyodide=tarball.name.removeprefix("pyodide-").removesuffix(".tgz"),
            integrity=integrity(tarball),
            python=info["python"],
            platform=target["platform"],
            abi=target["abi"],
            stubs=sorted(normal(stub) for stub in asked["stubs"]),
        )
        _check_target(target, info)
        say(f"Pyodide {pins.pyodide}, Python {pins.python}")
        resolver = _Resolver(pins, asked, locked_versions(root, info["python"]), folder)
        wheels = resolver.resolve(say)
    write_pins(replace(pins, wheels=wheels), pins_file)
    say(f"{len(wheels)} wheels are pinned in {pins_file.name}")


def page_environment(python: str) -> dict[str, str]:
    """The values that markers see in the page (PEP 508), for a Python such as `3.14.2`."""
    return {
        "implementation_name": "cpython",
        "implementation_version": python,
        "os_name": "posix",
        "platform_machine": "wasm32",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Emscripten",
        "platform_version": "",
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": "emscripten",
    }


def locked_versions(root: Path, python: str) -> dict[str, str]:
    """The versions in `requirements.lock`, where its markers hold in the page."""
    environment = page_environment(python)
    found = {}
    for line in (root / "requirements.lock").read_text("utf-8").splitlines():
        match = re.match(r"([\w.-]+)==(\S+)(?: *; *(.+))?$", line)
        if match and (not match[3] or Marker(match[3]).evaluate(environment)):
            found[normal(match[1])] = match[2]
    return found


def import_names(wheel: Path) -> list[str]:
    """The names that a wheel lets a program import: its top-level modules and packages."""
    with zipfile.ZipFile(wheel) as archive:
        paths = [name.split("/") for name in archive.namelist()]
    tops = {
        path[0].split(".")[0]
        for path in paths
        if path[-1].endswith((".py", ".so")) and not path[0].endswith((".dist-info", ".data"))
    }
    return sorted(name for name in tops if name.isidentifier())


class _Resolver:
    """Finds a wheel for each wanted package and for all that these need."""

    def __init__(self, pins: Pins, asked: dict[str, Any], locked: dict[str, str], folder: Path):
        self.pins, self.locked, self.folder = pins, locked, folder
        self.foreign = {normal(name): platform for name, platform in asked["foreign"].items()}
        self.not_fetched = {normal(name) for name in asked["left-out"]} | set(pins.stubs)
        self.groups = {group: [normal(name) for name in asked[group]] for group in _GROUPS}
        self.wanted: dict[str, list[Requirement]] = {}
        self.files: dict[str, Path] = {}
        self.needs: dict[str, list[str]] = {}
        for group in _GROUPS:
            for name, bounds in asked[group].items():
                self.wanted[normal(name)] = [Requirement(f"{name}{bounds}")]

    def resolve(self, say: Callable[[str], None]) -> list[Wheel]:
        """Fetch level by level until nobody needs anything new."""
        while waiting := sorted(self.wanted.keys() - self.files.keys()):
            say(f"Looking for {', '.join(waiting)}")
            self._fetch(waiting)
            for name in waiting:
                self._read_needs(name)
        self._check()
        kernel = self._closure(self.groups["kernel"])
        core = kernel | self._closure(self.groups["core"])
        return [self._wheel(name, name in kernel, name in core) for name in sorted(self.files)]

    def _fetch(self, names: list[str]) -> None:
        specs = [self._spec(name) for name in names]
        if pip_download([*self.pins.pip_target(), *specs], self.folder).returncode:
            for name, spec in zip(names, specs, strict=True):
                self._fetch_one(name, spec)
        for file in self.folder.glob("*.whl"):
            self.files[normal(file.name.split("-")[0])] = file
        missing = set(names) - self.files.keys()
        if missing:
            raise RuntimeNotGathered(
                f"pip fetched no wheel named {', '.join(sorted(missing))}, though it was asked "
                "to; leave out what asks for it in packages.toml and run this again."
            )

    def _fetch_one(self, name: str, spec: str) -> None:
        """With the locked version; if that has no fitting wheel, with any within the bounds."""
        for one in dict.fromkeys([spec, f"{name}{self._bounds(name)}"]):
            others = [self.foreign[name]] if name in self.foreign else []
            done = pip_download([*self.pins.pip_target(*others), one], self.folder)
            if not done.returncode:
                return
        raise RuntimeNotGathered(
            f"{name} has no wheel that fits the page's Python ({reason(done.stderr)}); check the "
            "network connection, or change packages.toml, and run this again."
        )

    def _bounds(self, name: str) -> SpecifierSet:
        total = SpecifierSet()
        for requirement in self.wanted[name]:
            total &= requirement.specifier
        return total

    def _spec(self, name: str) -> str:
        bounds, locked = self._bounds(name), self.locked.get(name)
        return f"{name}=={locked}" if locked and locked in bounds else f"{name}{bounds}"

    def _read_needs(self, name: str) -> None:
        environment = page_environment(self.pins.python)
        extras = {"", *(extra for one in self.wanted[name] for extra in one.extras)}
        self.needs[name] = []
        for line in _requirements(self.files[name]):
            needed = Requirement(line)
            marker = needed.marker
            if marker and not any(marker.evaluate({**environment, "extra": x}) for x in extras):
                continue
            other = normal(needed.name)
            if other in self.not_fetched - set(self.pins.stubs):
                continue
            self.needs[name].append(other)
            if other not in self.pins.stubs:
                self.wanted.setdefault(other, []).append(needed)

    def _check(self) -> None:
        for name, requirements in self.wanted.items():
            version = parse_wheel_filename(self.files[name].name)[1]
            for one in requirements:
                if version not in one.specifier:
                    raise RuntimeNotGathered(
                        f"{name} {version} was chosen, and another package asks for {one}; narrow "
                        "the bounds in packages.toml and run this again."
                    )

    def _closure(self, names: Iterable[str]) -> set[str]:
        found, waiting = set(), list(names)
        while waiting:
            name = waiting.pop()
            if name in self.files and name not in found:
                found.add(name)
                waiting += self.needs[name]
        return found

    def _wheel(self, name: str, kernel: bool, core: bool) -> Wheel:
        file = self.files[name]
        version = str(parse_wheel_filename(file.name)[1])
        depends = sorted(set(self.needs[name]))
        return Wheel(
            name, version, file.name, sha256(file), import_names(file), depends, kernel, core
        )


def _requirements(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        place = next(one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(place).decode()).get_all("Requires-Dist") or []


def _check_target(target: dict[str, str], info: dict[str, str]) -> None:
    platform = f"pyemscripten_{info['abi_version']}_{info['arch']}"
    if target["platform"] != platform or not info["python"].startswith(f"{target['python']}."):
        raise RuntimeNotGathered(
            f"This Pyodide is Python {info['python']} for {platform}, and packages.toml names "
            f"{target['python']} for {target['platform']}; correct the file and run this again."
        )
