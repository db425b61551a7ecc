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


@pytest.mark.slow
def test_the_public_suite():
    """A test that fails anew, or passes anew, is seen."""
    with origin() as port:
        with serve(
            ReverseProxy([f"http://127.0.0.1:{port}"], cache=Cache(stale_if_error=60))
        ) as proxy:
            found = results(proxy.url)
    failed = {one["id"]: one["said"] for one in found if not one["passed"]}
    required = {one["id"] for one in found if one["kind"] == "required"}
    assert {name: said for name, said in failed.items() if name in required}.keys() == FAILS.keys()
    passed = Counter(one["kind"] for one in found if one["passed"])
    assert len(required) == 157
    assert passed["required"] == 157 - len(FAILS) > APACHE
    assert passed["optimal"] >= 68
