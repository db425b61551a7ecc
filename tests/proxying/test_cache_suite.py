"""The public test suite for HTTP caches, by the editor of the specifications (cache-tests.fyi).

Each required test that fails has its reason here; what else it asks for is kept.
"""

from __future__ import annotations

from collections import Counter

import pytest

from helpers import serve
from helpers.proxying import Cache, ReverseProxy
from tests.proxying.cache_suite import origin, results

APACHE = 131  # required tests that Apache passes on cache-tests.fyi

AGE = (
    "RFC 9111, section 5.1: of several members the first one SHOULD be used, and an Age that is no "
    "number SHOULD be ignored; the suite is older, and wants the answer to count as stale"
)
CLOSED = (
    "the server hangs up, and the suite wants an answer that the server has counted, which a 502 "
    "of the proxy's own is not (RFC 9111, 4.2.4 asks for an error); test_cache_flow.py has it"
)
COOKIE = "an answer that sets a cookie is never kept: stricter than the RFC, as nginx is"
ROOT = "freshness-none"  # most others build on it
FAILS = {
    "age-parse-nonnumeric": AGE,
    "age-parse-negative": AGE,
    "age-parse-float": AGE,
    "age-parse-prefix-twoline": AGE,
    "age-parse-dup-0": AGE,
    "age-parse-dup-0-twoline": AGE,
    "age-parse-dup-old": AGE,
    "age-parse-parameter": AGE,
    "age-parse-numeric-parameter": AGE,
    "stale-close-must-revalidate": CLOSED,
    "stale-close-proxy-revalidate": CLOSED,
    "stale-close-no-cache": CLOSED,
    "stale-close-s-maxage=2": CLOSED,
    "status-400-stale": "it asks for status-400-fresh first: a 400 is about one request, not a URL",
    "headers-store-Set-Cookie": COOKIE,
    "304-etag-update-response-Set-Cookie": COOKIE,
    "headers-store-Transfer-Encoding": "a Transfer-Encoding that is not chunked may smuggle: 502",
}


def _asked() -> list[dict]:
    """What the suite says of our cache; its time limits are not what is tested here."""
    with origin() as port:
        cache = Cache(stale_if_error=60)
        server = [f"http://127.0.0.1:{port}"]
        proxy = ReverseProxy(server, cache=cache, connect_timeout=60, timeout=60)
        with serve(proxy) as running:
            return results(running.url)


def _surprises(found: list[dict]) -> dict[str, str]:
    """What each required test said that fails anew or passes anew.

    A test fails, too, when one that it builds on does; then the reason is in what that one said.
    """
    required = [one for one in found if one["kind"] == "required"]
    anew = [one["id"] for one in required if one["passed"] == (one["id"] in FAILS)]
    said = {one["id"]: one["said"] for one in found}
    return {name: said[name] or f"{ROOT}: {said[ROOT]}" for name in anew}


@pytest.mark.slow
@pytest.mark.alone  # the suite waits three seconds and trusts that they were three
def test_the_public_suite():
    """A test that fails anew, or passes anew, is seen."""
    found = _asked()
    assert not _surprises(found)
    passed = Counter(one["kind"] for one in found if one["passed"])
    required = sum(one["kind"] == "required" for one in found)
    assert required == 157
    assert passed["required"] == 157 - len(FAILS) > APACHE
    assert passed["optimal"] >= 68
