"""Clients that people have already send to a running service, as processes of their own: each activity counts once.

`make client-tools` installs those for Node.js, in the versions of tests/data/clients, into .tools.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.service import REPOSITORY, Installation, Service
from tests.support.service_access import a_user
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.slow, pytest.mark.timeout(120)]

CLIENTS = REPOSITORY / "tests" / "data" / "clients"
MODULES = REPOSITORY / ".tools" / "node_modules"


class Site(NamedTuple):
    installation: Installation
    service: Service
    key: str
    """A writer's."""

    @property
    def stats(self) -> dict[str, tuple[int, float]]:
        return {one["type"]: (one["count"], one["sum"]) for one in self.service.ask("/stats").json}

    def stored(self, source: str) -> list[tuple[Any, ...]]:
        asked = "SELECT origin, user_id, value, properties, occurred_at FROM activities WHERE source = ?"
        with closing(sqlite3.connect(self.installation.data / "history.sqlite3")) as database:
            return sorted(database.execute(asked, [source]).fetchall())


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Installation() as installation:
        installation.configure(security={"anonymous": ["health", "stats"]})
        service = installation.run()
        yield Site(installation, service, a_user(installation, "shop", "writer"))


def node(script: str, tmp_path: Path, *words: str) -> Any:
    """Run a script to its end, and read what it says; a client that is not installed skips the test, not in CI."""
    found = shutil.which("node")
    if found is None or not (MODULES / "cloudevents").is_dir():
        reason = "Node.js or its packages are missing: `make client-tools` installs these"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    shutil.copy(CLIENTS / script, tmp_path)
    (tmp_path / "node_modules").symlink_to(MODULES)
    return said_by(found, str(tmp_path / script), *words)


def said_by(*command: str) -> Any:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_segments_library_tells_of_a_customer_and_each_call_counts_once(site: Site, tmp_path: Path) -> None:
    said = node("segment.mjs", tmp_path, site.service.url or "", site.key)

    assert said == {"statuses": [200, 200, 200], "failures": []}
    until(lambda: site.stats.get("order_completed") == (2, 19.75))
    assert site.stats.items() >= {"page_view": (1, 0), "screen_view": (1, 0)}.items()


def test_the_sdk_for_javascript_sends_events_in_every_mode(site: Site, tmp_path: Path) -> None:
    answers = node("cloud_events.mjs", tmp_path, site.service.url or "", site.key)

    assert_each_event_arrived(site, "/shop/js", answers)


def test_the_sdk_for_python_sends_events_in_every_mode(site: Site) -> None:
    sender = str(REPOSITORY / "tests" / "processes" / "cloud_events_sender.py")

    answers = said_by(sys.executable, sender, site.service.url or "", site.key)

    assert_each_event_arrived(site, "/shop/python", answers)


def assert_each_event_arrived(site: Site, source: str, answers: Any) -> None:
    """Ids 1 and 2 came twice, and 3 with other data; all at noon, by Ana."""
    assert [status for status, _ in answers] == [202] * 4, answers
    assert [one["status"] for one in answers[3][1]["results"]] == ["duplicate", "duplicate", "accepted"]
    until(lambda: len(site.stored(source)) == 4)
    found = site.stored(source)
    assert [json.loads(row[0])["id"] for row in found] == ["1", "2", "3", "4"]
    assert {row[1] for row in found} == {"ana"}
    assert [float(row[2]) for row in found[:2]] == [12.5, 12.5]
    assert {row[4] for row in found} == {found[0][4]}
