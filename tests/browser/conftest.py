"""The real book, built once for the tests of this folder, and pages that are watched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def book() -> Path:
    """The folder of the built book; what has run already with the same helpers does not run again."""
    done = subprocess.run(
        [sys.executable, "-m", "live_book.build"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    return ROOT / "_build" / "html"
