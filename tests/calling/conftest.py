"""A bridge for all tests, and one for each that needs its own."""

from __future__ import annotations

import httpx
import pytest

from helpers import serve
from helpers.calling._web import GrpcWeb
from tests.calling.web_service import Raw, running


@pytest.fixture(scope="module")
def target():
    with running(Raw()) as port:
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
def web(target):
    """A client of a bridge to a service that all tests share."""
    with serve(GrpcWeb(target)) as bridge, httpx.Client(base_url=bridge.url, timeout=30) as client:
        yield client


@pytest.fixture
def own():
    """A service, and a client of a bridge to it, of one test."""
    service = Raw()
    with running(service) as port, serve(GrpcWeb(f"127.0.0.1:{port}")) as bridge:
        with httpx.Client(base_url=bridge.url, timeout=30) as client:
            client.headers["target"] = f"127.0.0.1:{port}"
            yield service, client
