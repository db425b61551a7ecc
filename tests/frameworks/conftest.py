"""The five applications, each started once for a file of tests that only reads or adds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.frameworks import FRAMEWORKS, start
from helpers.programs import ProgramMissing

NAMES = tuple(FRAMEWORKS)


@pytest.fixture(scope="module")
def running() -> Iterator:
    """Gives the application of a name; all that were asked for are stopped at the end."""
    apps = {}

    def app(name: str):
        if name not in apps:
            try:
                apps[name] = start(name)
            except ProgramMissing as error:
                pytest.skip(str(error))
        return apps[name]

    yield app
    for one in apps.values():
        one.stop()


@pytest.fixture(scope="module", params=NAMES)
def app(request, running):
    """Each of the five."""
    return running(request.param)


@pytest.fixture(params=NAMES)
def fresh(request):
    """Starts an application that no other test has changed, with the variables that are given."""
    started = []

    def start_one(**variables: str):
        try:
            started.append(start(request.param, **variables))
        except ProgramMissing as error:
            pytest.skip(str(error))
        return started[-1]

    yield start_one
    for one in started:
        one.stop()
