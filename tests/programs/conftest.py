"""After every test of helpers.programs, no program, no process and no folder may be left."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import environment
from helpers.programs import _program
from tests.programs.servers import PROGRAMS, folders
from tests.waiting import eventually


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that starts a program needs it; where it is missing, the reason says how to get it."""
    missing = {}
    for kind in PROGRAMS:
        row = environment.report_on([kind._name], timeout=20).rows[0]
        if row.status != environment.HERE:
            missing[kind] = f"{row.name} is not here: {row.note}"
    for item in items:
        kind = getattr(item, "callspec", None) and item.callspec.params.get("kind")
        if kind in missing and "programs" in item.path.parts:
            item.add_marker(pytest.mark.skip(reason=missing[kind]))


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files that nobody else uses; the test leaves nothing in it."""
    temp = tmp_path / "temp"
    temp.mkdir()
    monkeypatch.setenv("TMPDIR", str(temp))
    monkeypatch.setattr(tempfile, "tempdir", str(temp))
    yield temp
    left = list(_program._running)
    for program in left:
        program.stop()
    assert not left, "the test left a program running"
    eventually(lambda: not folders(temp))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a song in it, which only its owner may read."""
    folder = tmp_path / "files"
    folder.mkdir(mode=0o700)
    (folder / "song.wav").write_bytes(b"RIFF" + bytes(range(256)))
    return folder
