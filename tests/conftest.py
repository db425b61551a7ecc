"""What the whole suite shares: with COURSE_REQUIRE_ALL=1 a skipped test is a failed one."""

from __future__ import annotations

import os

import pytest

pytest_plugins = ["tests.browser_support"]

REQUIRE_ALL = os.environ.get("COURSE_REQUIRE_ALL") == "1"


def pytest_collection_modifyitems(items):
    """Whatever opens Chromium is marked so."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Turn "not here, skipped" into a failure where everything has to be there."""
    report = yield
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"COURSE_REQUIRE_ALL=1, and this test would be skipped: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """The same for a file that skips itself as a whole."""
    report = yield
    if REQUIRE_ALL and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"COURSE_REQUIRE_ALL=1, and {collector.nodeid} would be skipped"
    return report
