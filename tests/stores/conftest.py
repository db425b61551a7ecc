"""What the tests of the stores share: each engine, started once for a test file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from helpers.programs import ProgramMissing
from tests.browser_support import skip_or_fail
from tests.stores.engines import ENGINES, Engine


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """One engine after the other: pytest runs all tests of a file with one before the next."""
    under_test = ENGINES[request.param](tmp_path_factory.mktemp(request.param))
    try:
        running = under_test.__enter__()
    except ProgramMissing as missing:
        skip_or_fail(str(missing))
    yield running
    running.__exit__(None, None, None)


@pytest.fixture
def store(engine: Engine) -> Iterator[Any]:
    """A store of the engine with nothing in it."""
    with engine.fresh() as empty:
        yield empty
