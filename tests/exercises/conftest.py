"""What the tests of the exercises share."""

from __future__ import annotations

import pytest

from helpers.exercises import _exercise


@pytest.fixture
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """No exercise is registered, while the test runs.

    The chapters' own are loaded before: a module loads once in a process, so what it registers
    while the test runs would be gone with the test.
    """
    for chapter in _exercise.chapters():
        _exercise.exercises_of(chapter)
    monkeypatch.setattr(_exercise, "_REGISTERED", {})
