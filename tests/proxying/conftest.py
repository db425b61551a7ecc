"""After every test of helpers.proxying, no server, socket or complaint may be left."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import h11
import psutil
import pytest

from tests.serving.conftest import nothing_left  # noqa: F401 - a fixture
from tests.waiting import eventually


def is_uvicorns(record: logging.LogRecord) -> bool:
    """What uvicorn says when an answer stays without its end, as it has to if a server breaks off;
    and when it has answered a bad body with 400 itself, and the app's answer comes after all.
    """
    if record.getMessage() == "ASGI callable returned without completing response.":
        return True
    return bool(record.exc_info) and record.exc_info[0] is h11.LocalProtocolError


def sockets() -> set[tuple]:
    """This process's sockets, as the operating system tells them."""
    found = psutil.Process().net_connections("tcp")
    return {(one.fd, tuple(one.laddr), tuple(one.raddr or ())) for one in found}


@pytest.fixture(autouse=True)
def no_socket_left(nothing_left) -> Iterator[None]:  # noqa: F811
    before = sockets()
    yield
    eventually(lambda: sockets() <= before, 3)


@pytest.fixture(autouse=True)
def nothing_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever clients and servers do, it is no error of the proxy's."""
    yield
    records = [one for when in ("setup", "call") for one in caplog.get_records(when)]
    errors = [one for one in records if one.levelno >= logging.ERROR and not is_uvicorns(one)]
    assert [one.getMessage() for one in errors] == []
