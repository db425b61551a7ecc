"""What the whole suite shares: with COURSE_REQUIRE_ALL=1 a skipped test is a failed one."""

from __future__ import annotations

import os

import pytest

from live_book._missing import missing_programs, reasons
from tests.notebooks import read

pytest_plugins = ["tests.browser_support"]

REQUIRE_ALL = os.environ.get("COURSE_REQUIRE_ALL") == "1"


def pytest_collection_modifyitems(items):
    """Mark what opens Chromium, and skip notebooks whose programs are not all here."""
    missing = missing_programs()
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        if item.path.suffix == ".ipynb" and missing:
            tags = {tag for cell in read(item.path).cells for tag in cell.metadata.get("tags", [])}
            if why := reasons(sorted(tags), missing):
                item.add_marker(pytest.mark.skip(reason="; ".join(why)))


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
