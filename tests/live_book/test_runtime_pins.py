"""The pins: within the bounds, equal to requirements.lock, and complete."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import replace
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from live_book.runtime import RuntimeNotGathered, gather
from live_book.runtime import _pin as pin
from live_book.runtime._pins import read_packages, read_pins, write_pins

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "live_book" / "runtime"
GROUPS = ("kernel", "core", "on-demand")


@pytest.fixture(scope="module")
def pins():
    return read_pins()


@pytest.fixture(scope="module")
def packages():
    return read_packages()


def test_every_wanted_package_is_pinned_within_its_bounds(pins, packages):
    versions = {wheel.name: wheel.version for wheel in pins.wheels}
    for group in GROUPS:
        for name, bounds in packages[group].items():
            assert versions[canonicalize_name(name)] in Requirement(name + bounds).specifier, name


def test_bounds_are_those_of_the_requirements(packages):
    """A package that a reader installs has the same bounds in the page."""
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    wanted = [line.partition("#")[0].strip() for line in lines]
    required = {
        canonicalize_name(one.name): one.specifier
        for one in (Requirement(line) for line in wanted if line and not line.startswith("-"))
    }
    for group in GROUPS:
        for name, bounds in packages[group].items():
            if name in required:
                assert Requirement(name + bounds).specifier == required[name], name


def test_versions_are_those_of_the_lock_file(pins):
    text = (ROOT / "requirements.lock").read_text("utf-8")
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.MULTILINE))
    differing = {
        wheel.name: (wheel.version, locked[wheel.name])
        for wheel in pins.wheels
        if wheel.name in locked and locked[wheel.name] != wheel.version
    }
    assert differing == {}, "run `python -m live_book.runtime pin`, or say here why one differs"


def test_kernel_and_core_contain_what_they_need(pins):
    wheels = {wheel.name: wheel for wheel in pins.wheels}
    for wheel in pins.wheels:
        for name in set(wheel.depends) - set(pins.stubs):
            assert wheels[name].kernel or not wheel.kernel, (wheel.name, name)
            assert wheels[name].core or not wheel.core, (wheel.name, name)


def test_dependencies_are_those_of_the_metadata(pins, packages):
    """Every requirement without a marker, or with one that holds in the page, and no others."""
    gather(ROOT, say=lambda text: None)
    downloads = ROOT / ".cache" / "live_book" / "downloads"
    left_out = {canonicalize_name(name) for name in packages["left-out"]}
    for wheel in pins.wheels:
        with zipfile.ZipFile(downloads / wheel.sha256[:16] / wheel.file) as archive:
            place = next(one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
            metadata = Parser().parsestr(archive.read(place).decode())
        needed = [Requirement(line) for line in metadata.get_all("Requires-Dist") or []]
        plain = {canonicalize_name(one.name) for one in needed if not one.marker} - left_out
        assert plain <= set(wheel.depends), wheel.name
        assert set(wheel.depends) <= {canonicalize_name(one.name) for one in needed}, wheel.name
    depends = {wheel.name: set(wheel.depends) for wheel in pins.wheels}
    assert "pexpect" not in depends["ipython"]  # sys_platform != "emscripten"
    assert "colorama" not in depends["click"]  # platform_system == "Windows"
    assert "jedi" in depends["ipython"]


def test_no_host_is_named():
    for file in PACKAGE.iterdir():
        if file.is_file():
            assert "://" not in file.read_text("utf-8"), file.name


def test_pins_survive_being_written(pins, tmp_path):
    write_pins(replace(pins, wheels=pins.wheels[::-1]), tmp_path / "pins.json")
    assert (tmp_path / "pins.json").read_bytes() == (PACKAGE / "pins.json").read_bytes()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"wheels": [{}]}'])
def test_damaged_pins_are_reported_in_one_sentence(text, tmp_path):
    file = tmp_path / "pins.json"
    file.write_text(text)
    with pytest.raises(RuntimeNotGathered, match=r"^pins\.json, which .* `python -m .*`\.$"):
        read_pins(file)


def test_a_damaged_list_is_reported_in_one_sentence(tmp_path):
    file = tmp_path / "packages.toml"
    file.write_text("[core]\n")
    with pytest.raises(RuntimeNotGathered, match=r"^packages\.toml, .* run this again\.$"):
        read_packages(file)


def test_the_locked_version_depends_on_the_marker(tmp_path):
    (tmp_path / "requirements.lock").write_text(
        "# made by hand\n"
        "numpy==1.0 ; python_full_version < '3.12'\n"
        "numpy==2.0 ; python_full_version >= '3.12'\n"
        "psutil==7.0 ; sys_platform != 'emscripten'\n"
        "Typing_Extensions==4.0\n"
        "    # via numpy\n"
    )
    expected = {"numpy": "2.0", "typing-extensions": "4.0"}
    assert pin.locked_versions(tmp_path, "3.14.2") == expected


def test_import_names_are_read_from_the_files(tmp_path):
    names = [
        "one/__init__.py", "two.py", "three/inner/deep.py", "_four.cpython-314-wasm32.so",
        "one-1.0.dist-info/METADATA", "one-1.0.data/scripts/run.py", "docs/readme.md",
    ]  # fmt: skip
    with zipfile.ZipFile(tmp_path / "one-1.0-py3-none-any.whl", "w") as wheel:
        for name in names:
            wheel.writestr(name, "")
    found = pin.import_names(tmp_path / "one-1.0-py3-none-any.whl")
    assert found == ["_four", "one", "three", "two"]
    assert json.dumps(found)
