"""What holds for every test."""

import os
import signal
from collections.abc import Generator
from typing import Any
from zlib import crc32

import pytest
from hypothesis import settings

from app.infrastructure.time_zones.zone_rules import use_pinned_rules

use_pinned_rules()

# How long an example takes is the machine's affair; what may take how long, tests say themselves. Everybody gets the
# same examples, so that what fails has been changed; others every night, and where `MARQUEE_RANDOM_EXAMPLES` is set.
settings.register_profile("marquee", deadline=None, derandomize="MARQUEE_RANDOM_EXAMPLES" not in os.environ)
settings.load_profile("marquee")


# What is ignored here is ignored by every process that a test starts: SIGHUP under nohup, SIGINT behind a shell's `&`.
for _number, _handler in ((signal.SIGHUP, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skip is a failure: what a test needs is to be installed there, not done without."""
    report = yield
    forbidden = os.environ.get("CI") == "true" and not item.get_closest_marker("may_skip_in_ci")
    if report.skipped and forbidden and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped in CI: {call.excinfo.value if call.excinfo else ''}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let files that ask for the most time start first, and mix those that wait with those that compute (ADR 0087)."""
    most: dict[str, float] = {}
    for item in items:
        asked = item.get_closest_marker("timeout")
        most[_file_of(item)] = max(most.get(_file_of(item), 0), asked.args[0] if asked else 0)
    items.sort(key=lambda item: (-most[_file_of(item)], crc32(_file_of(item).encode())))


def _file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
