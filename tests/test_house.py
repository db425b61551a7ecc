"""The rules of the house: which way imports point, what is public, what the project's files say."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HELPERS = ROOT / "helpers"
PACKAGES = sorted(p.name for p in HELPERS.iterdir() if (p / "__init__.py").exists())
GROUND_FLOOR = {"music", "serving", "programs", "widgets", "exercises"}
STANDS_ON = {"proxying": {"balancing"}}


def imported_packages(folder: Path) -> set[str]:
    """The packages of helpers that a package's modules import."""
    found = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""] if node.level in (0, 2) else []
                prefix = "" if node.level == 0 else "helpers."
                found |= {f"{prefix}{name}" for name in names}
                if node.module == "helpers" or (node.level == 2 and not node.module):
                    found |= {f"helpers.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
    inside = {name.split(".")[1] for name in found if name.startswith("helpers.")}
    return inside & set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package):
    allowed = GROUND_FLOOR | STANDS_ON.get(package, set()) | {package}
    assert imported_packages(HELPERS / package) <= allowed


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_come_through_the_package(package):
    module = importlib.import_module(f"helpers.{package}")
    assert module.__doc__
    for name in module.__all__:
        assert hasattr(module, name), name
    inner = [p.name for p in (HELPERS / package).glob("*.py") if not p.name.startswith("_")]
    if package != "widgets":  # a widget's module is named like the JavaScript beside it
        assert inner == [], "modules inside a package are private: _name.py"


@pytest.mark.parametrize("package", PACKAGES)
def test_public_functions_are_documented(package):
    module = importlib.import_module(f"helpers.{package}")
    for name in module.__all__:
        thing = getattr(module, name)
        if callable(thing):
            assert thing.__doc__, f"helpers.{package}.{name} has no docstring"


def test_files_stay_small():
    for pattern in ("helpers/**/*.py", "helpers/**/*.js", "live_book/**/*.py", "live_book/**/*.js"):
        for file in ROOT.glob(pattern):
            assert len(file.read_text("utf-8").splitlines()) <= 400, file


def test_nothing_listens_beyond_this_machine():
    for file in [*HELPERS.rglob("*.py"), *(ROOT / "live_book").rglob("*.py")]:
        assert "0.0.0" + ".0" not in file.read_text("utf-8"), file


def test_an_older_python_gets_one_clear_line():
    """The import of helpers, as Python 3.10 would do it."""
    code = (
        "import sys; sys.version_info = (3, 10, 4, 'final', 0)\n"
        "try:\n    import helpers\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "needs Python 3.11 or newer, and this is Python 3.10" in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_the_lock_file_fits_the_requirements():
    """Every package of the two lists is locked, within its bounds."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pinned = re.findall(r"^([\w.-]+)==([\w.]+)", lock, re.MULTILINE)
    versions = {}
    for name, version in pinned:
        versions.setdefault(canonicalize_name(name), []).append(version)
    for file in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / file).read_text("utf-8").splitlines():
            line = line.partition("#")[0].strip()
            if line and not line.startswith("-"):
                wanted = Requirement(line)
                locked = versions[canonicalize_name(wanted.name)]
                assert all(version in wanted.specifier for version in locked), line


def test_requirements_have_both_bounds():
    for file in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / file).read_text("utf-8").splitlines():
            requirement = line.partition("#")[0].strip()
            if requirement and not requirement.startswith("-"):
                assert ">=" in requirement and "<" in requirement.replace(">=", ""), line


def test_readme_names_the_commands_of_the_makefile():
    readme = (ROOT / "README.md").read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in ("book", "test", "lab", "serve", "clean"):
        assert f"make {target}" in readme
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")
