"""What is said when something that an application runs on is not here: one line that helps."""

from __future__ import annotations

import os

import pytest

from helpers.environment import HERE, Row
from helpers.frameworks import FRAMEWORKS, _frameworks, start, start_all
from helpers.frameworks import _start as starting
from helpers.programs import ProgramMissing


def pretend(monkeypatch, **versions: str) -> None:
    """Programs by name, with the version that they say; the others are not on this machine."""

    def find(name: str) -> Row:
        if name not in versions:
            raise ProgramMissing(f"{name} is not on this machine. To get it: ask")
        return Row(name, HERE, versions[name], "", "", f"/nowhere/{name.lower()}")

    monkeypatch.setattr(_frameworks, "find", find)


@pytest.mark.parametrize(("name", "program"), [("express", "Node"), ("spring_boot", "Java")])
def test_what_is_missing_is_named(monkeypatch, name, program):
    pretend(monkeypatch)
    with pytest.raises(ProgramMissing, match=f"^{program} is not on this machine"):
        start(name)


@pytest.mark.parametrize(
    ("name", "versions", "told"),
    [
        ("express", {"Node": "18.19.0"}, r"^Node 18\.19\.0 is too old: version 20 or newer"),
        ("spring_boot", {"Java": "11.0.2"}, r"^Java 11\.0\.2 is too old: version 17 or newer"),
        ("spring_boot", {"Java": "1.8.0_302"}, r"^Java 1\.8\.0_302 is too old"),
        ("spring_boot", {"Java": "21-ea"}, r"^Maven is not on this machine"),
    ],
)
def test_what_is_too_old_is_told(monkeypatch, name, versions, told):
    pretend(monkeypatch, **versions)
    with pytest.raises(ProgramMissing, match=told):
        start(name)


def test_a_java_without_its_compiler_is_told(monkeypatch, tmp_path):
    pretend(monkeypatch, Java="17.0.1", Maven="3.8.7")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    with pytest.raises(
        ProgramMissing, match=r"^Java is here without its compiler, .*\. To get it:"
    ):
        FRAMEWORKS["spring_boot"].recipe()


def test_all_that_can_run_are_started_and_the_others_named(monkeypatch, capsys):
    monkeypatch.delenv("COURSE_REQUIRE_ALL", raising=False)
    pretend(monkeypatch)
    apps = start_all()
    try:
        assert list(apps) == ["fastapi", "flask", "django"]
        told = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in told] == ["Node", "Java"]
    finally:
        for app in apps.values():
            app.stop()


def test_where_all_are_asked_for_one_missing_is_an_error(monkeypatch):
    monkeypatch.setenv("COURSE_REQUIRE_ALL", "1")
    pretend(monkeypatch)
    started = []
    really = starting.start
    monkeypatch.setattr(starting, "start", lambda name: started.append(really(name)) or started[-1])
    with pytest.raises(ProgramMissing, match=r"^Node is not on this machine"):
        start_all()
    assert [app.running for app in started] == [False] * 3
    assert os.environ["COURSE_REQUIRE_ALL"] == "1"
