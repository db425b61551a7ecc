"""What the whole suite shares.

With COURSE_REQUIRE_ALL=1 a skipped test is a failed one. `make test` runs two tests at a time
(pytest-xdist); those of one file stay together, so that they share what the file sets up.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from live_book._missing import missing_programs, reasons
from tests.notebooks import read

pytest_plugins = ["tests.browser_support"]

REQUIRE_ALL = os.environ.get("COURSE_REQUIRE_ALL") == "1"
ONE_BY_ONE = ("test_chapter_exercises.py",)
"""Files whose tests are long and share nothing: each may run beside any other."""

# The same examples in each run, so that a change is judged by what it changes.
# HYPOTHESIS_PROFILE=search looks for new ones.
# How long one example takes says more about what else the machine does than about the code.
untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("suite", untimed, derandomize=True)
settings.register_profile("search", untimed)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


def pytest_xdist_make_scheduler(config, log):
    """Which tests run one after the other in one process: those of a file, or on the real book."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            if file.startswith("tests/browser/"):
                return "book"  # it is built in the project's own folder
            return nodeid if file.endswith(ONE_BY_ONE) else file

    return ByGroup(config, log)


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
