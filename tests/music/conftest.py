"""The client that most tests of the HTTP API begin with."""

from __future__ import annotations

import pytest

from .support import make_client


@pytest.fixture
def ask():
    """A client of an app of its own, with the small catalogue."""
    return make_client()
