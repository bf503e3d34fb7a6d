"""The time zone rules of the package `tzdata` decide, whatever the machine has; newer ones reach plans that stay.

Vancouver had winter time until 2025; from 2026 on it stays seven hours behind. A show there at 21:00 on 2026-12-05
begins at 04:00Z on the 6th by the rules of 2026, and at 05:00Z by those of 2025.
"""

import json
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.feed_files import a_feed, an_item
from tests.support.service import Installation, Service
from tests.support.waiting import until
from tests.support.webhook_receiver import Receiver
from tests.support.zone_files import VANCOUVER, VANCOUVER_OF_2025, VANCOUVER_OF_2026, tzdata_package, zone_path

pytestmark = [pytest.mark.redis_server, pytest.mark.faults, pytest.mark.timeout(600)]

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
    old = str(zone_path(tmp_path / "zoneinfo", {VANCOUVER: VANCOUVER_OF_2025, "Europe/Madrid": "WET0"}))
    settings = {"search": {"timezone": VANCOUVER}, "stats": {"timezone": "Europe/Madrid"}}
    with an_installation(SHOW, **settings) as installation:
        service = installation.run(PYTHONTZPATH=old)
        until(lambda: service.finds(title="Show"))
        # half past midnight in Madrid, by the machine's file half past eleven of the day before
        post(service, {"type": "view", "user_id": "ana", "occurred_at": "2026-01-05T23:30:00Z"})
        until(lambda: service.ask("/stats").json)

        assert (titles(service, BY_2026), titles(service, BY_2025)) == (["Show"], [])
        assert titles(service, "starts_at=2026-12-05T21:00:00&ends_at=2026-12-05T23:00:00") == ["Show"]
        days = service.ask("/stats/dau?from=2026-01-05&to=2026-01-06").json
        by_command = installation.command(
            "stats", "dau", "--from", "2026-01-05", "--to", "2026-01-06", "--json", PYTHONTZPATH=old
        )
        assert [day["users"] for day in days] == [0, 1]
        assert json.loads(by_command.stdout) == days
        verified = installation.command("stats", "verify", PYTHONTZPATH=old)
        assert verified.returncode == 0, verified.stdout
        told = {entry["role"]: entry["tzdata"] for entry in service.log if "tzdata" in entry}
        assert set(told) >= {"api", "scheduler", "worker", "supervisor"}
        assert {service.ask("/health").json["tzdata"]} == set(told.values())


def changes(service: Service) -> list[dict[str, Any]]:
    return [change["data"] for change in service.ask("/catalog/changes?limit=1000").json["changes"]]


def retimed(service: Service) -> dict[str, str]:
    """Say which plans were told as retimed, and the start that was told with it."""
    return {d["plan"]["title"]: d["starts_at"] for d in changes(service) if d["changes"] == ["retimed"]}


def test_an_upgrade_of_tzdata_mends_what_it_changes_and_tells_everybody_once(tmp_path: Path) -> None:
    old = str(tzdata_package(tmp_path / "old", "2025b", {VANCOUVER: VANCOUVER_OF_2025}))
    new = str(tzdata_package(tmp_path / "new", "2026b", {VANCOUVER: VANCOUVER_OF_2026}))
    hooks = {"webhooks": {"allow_private_networks": True}}
    with Receiver() as receiver, an_installation(SHOW, SUMMER, DRAFT, **hooks) as installation:
        before = installation.run(PYTHONPATH=old)
        until(lambda: len(changes(before)) == 3)
        assert (titles(before, BY_2025), titles(before, BY_2026)) == (["Show"], [])
        assert before.ask("/health").json["tzdata"] == "2025b"
        installation.command("webhooks", "add", "listener", receiver.url, "--names", "plan.retimed").check_returncode()
        then = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        before.end()

        installation.configure(**hooks)  # also plans of a provider that nobody syncs any more
        after = installation.run(PYTHONPATH=new)
        until(lambda: len(retimed(after)) == 2)

        until(lambda: titles(after, BY_2026) == ["Show"])
        assert titles(after, BY_2025) == []
        assert retimed(after) == {"Show": "2026-12-06T04:00:00.000Z", "Draft": "2026-12-07T04:00:00.000Z"}
        assert len(changes(after)) == 5
        assert titles(after, f"{BY_2025}&as_of={then}") == ["Show"]
        assert titles(after, f"{BY_2026}&as_of={then}") == []
        show = next(change["id"] for change in changes(after) if change["plan"]["title"] == "Show")
        states = after.ask(f"/catalog/plans/{show}/history").json
        assert [(state["kinds"], state["starts_at"], state["starts"]) for state in states] == [
            (["retimed"], "2026-12-06T04:00:00.000Z", "2026-12-05T21:00:00"),
            (["listed"], "2026-12-06T05:00:00.000Z", "2026-12-05T21:00:00"),
        ]
        until(lambda: len(receiver.diary.ids) == 2)
        told = [one.envelope for one in receiver.diary.received]
        assert {(one["type"], tuple(one["data"]["changes"])) for one in told} == {
            ("marquee.plan.retimed.v1", ("retimed",))
        }
        after.end()

        older = installation.run(PYTHONPATH=old)
        until(lambda: any("newer time zone rules" in entry["event"] for entry in older.log))
        assert len(changes(older)) == 5
        assert titles(older, BY_2026) == ["Show"]
