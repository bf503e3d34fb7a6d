"""The time zone rules of the package `tzdata` decide, whatever the machine has; newer ones reach plans that stay.

Vancouver had winter time until 2025; from 2026 on it stays seven hours behind. A show there at 21:00 on 2026-12-05 begins
at 04:00Z on the 6th by the rules of 2026, and at 05:00Z by those of 2025.
"""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.feeds import a_feed, an_item
from tests.e2e.service import Installation, Service
from tests.processes.waiting import until
from tests.webhook_receiver import Receiver
from tests.zone_files import VANCOUVER, VANCOUVER_OF_2025, VANCOUVER_OF_2026, tzdata_package, zone_path

pytestmark = [pytest.mark.redis_server, pytest.mark.faults]

SHOW = an_item("show", title="Show", starts="2026-12-05T21:00:00", ends="2026-12-05T23:00:00")
SUMMER = an_item("summer", title="Summer", starts="2026-07-05T21:00:00", ends="2026-07-05T23:00:00")
DRAFT = an_item("draft", title="Draft", starts="2026-12-06T21:00:00", mode="offline")
BY_2026 = "starts_at=2026-12-06T04:00:00Z&ends_at=2026-12-06T06:00:00Z"
BY_2025 = "starts_at=2026-12-06T05:00:00Z&ends_at=2026-12-06T07:00:00Z"


def titles(service: Service, window: str) -> list[str]:
    return [plan["title"] for plan in service.search(window)]


def an_installation(*items: str, **sections: Any) -> Installation:
    installation = Installation()
    feed = {"name": "west", "url": installation.write("west.xml", a_feed(items)), "timezone": VANCOUVER}
    installation.configure({**feed, "interval": 3600}, **sections)
    return installation


def post(service: Service, body: dict[str, object]) -> None:
    assert service.url
    connection = HTTPConnection(urlsplit(service.url).netloc, timeout=10)
    connection.request("POST", "/events", json.dumps(body), {"Content-Type": "application/json"})
    assert connection.getresponse().status == 202
    connection.close()


def test_old_zone_files_first_on_the_machines_path_change_nothing(tmp_path: Path) -> None:
    old = str(zone_path(tmp_path / "zoneinfo", {VANCOUVER: VANCOUVER_OF_2025}))
    settings = {"search": {"timezone": VANCOUVER}, "stats": {"timezone": VANCOUVER}}
    with an_installation(SHOW, **settings) as installation:
        service = installation.run(PYTHONTZPATH=old)
        until(lambda: service.finds(title="Show"))
        # half past midnight by the rules of 2026, half past eleven of the day before by the older ones
        post(service, {"type": "view", "user_id": "ana", "occurred_at": "2026-12-06T07:30:00Z"})
        until(lambda: service.ask("/stats").json)

        assert (titles(service, BY_2026), titles(service, BY_2025)) == (["Show"], [])
        assert titles(service, "starts_at=2026-12-05T21:00:00&ends_at=2026-12-05T23:00:00") == ["Show"]
        days = service.ask("/stats/dau?from=2026-12-05&to=2026-12-06").json
        by_command = installation.command(
            "stats", "dau", "--from", "2026-12-05", "--to", "2026-12-06", "--json", PYTHONTZPATH=old
        )
        assert [day["users"] for day in days] == [0, 1]
        assert json.loads(by_command.stdout) == days
        verified = installation.command("stats", "verify", PYTHONTZPATH=old)
        assert verified.returncode == 0, verified.stdout
        told = {entry["role"]: entry["tzdata"] for entry in service.log if "tzdata" in entry}
        assert set(told) >= {"api", "scheduler", "worker", "supervisor"}
        assert {service.ask("/health").json["tzdata"]} == set(told.values())
