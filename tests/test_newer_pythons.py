"""What may behave differently under a newer Python, under each that this machine has.

Each gets an environment of its own in .cache/, made by uv from the lock file, and kept for the
next run. Pythons are looked for on PATH and where pyenv keeps them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NEWER = [f"3.{minor}" for minor in range(sys.version_info.minor + 1, 15)]
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "requirements.lock", "pyproject.toml")
# what stands close to the interpreter: its event loop, threads and processes
SUITE = (
    "tests/serving",
    "tests/programs/test_programs_ends.py",
    "tests/programs/test_programs_kernel.py",
    "tests/test_environment.py",
)
NOTEBOOKS = "chapters"  # what readers run: under the newest Python only
# what takes long or needs a browser does so under any Python: once is enough
QUICKLY = ("-m", "not slow and not browser")


def interpreter(version: str) -> Path | None:
    """A working Python of this version, if there is one."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [*pyenv.glob(f"versions/{version}.*/bin/python"), shutil.which(f"python{version}")]
    for candidate in filter(None, candidates):
        asked = [str(candidate), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:  # a pyenv shim of a version not chosen says nothing
            return Path(candidate)
    return None


def environment(version: str, python: Path) -> Path:
    """The Python of an environment with all requirements, made anew when they change."""
    wanted = sha256(b"".join((ROOT / name).read_bytes() for name in REQUIREMENTS)).hexdigest()
    folder = ROOT / ".cache" / f"python{version}"
    inside = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    note = folder / ".made-from"
    if not note.exists() or note.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        uv = [sys.executable, "-m", "uv", "--quiet"]
        subprocess.run(
            [*uv, "venv", "--seed", "--python", str(python), str(folder)], check=True, cwd=ROOT
        )
        install = ["pip", "install", "--python", str(inside), "-c", "requirements.lock"]
        subprocess.run([*uv, *install, "-r", "requirements-dev.txt"], check=True, cwd=ROOT)
        note.write_text(wanted)
    return inside


def suite_under(version: str, python: Path, *tests: str) -> str:
    """Run tests; what failed, or nothing."""
    inside = environment(version, python)
    command = [str(inside), "-m", "pytest", "-q", "-p", "no:cacheprovider", *QUICKLY, *tests]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    summary = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)[-4000:]
    print(f"Python {version}: {summary.splitlines()[-1] if summary else done.stderr}")
    return f"Python {version}:\n{summary}\n{done.stderr[-2000:]}" if done.returncode else ""


@pytest.mark.slow
@pytest.mark.alone
def test_under_every_newer_python():
    here = {version: interpreter(version) for version in NEWER}
    found = {version: python for version, python in here.items() if python}
    if not found:
        pytest.skip(f"no newer Python is here: {', '.join(NEWER)} were looked for")
    with ThreadPoolExecutor() as pool:  # one processor each
        outcomes = list(pool.map(lambda one: suite_under(*one, *SUITE), found.items()))
    newest = max(found, key=NEWER.index)
    outcomes.append(suite_under(newest, found[newest], "-n", "2", NOTEBOOKS))
    assert not any(outcomes), "\n\n".join(filter(None, outcomes))
