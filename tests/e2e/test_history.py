"""The journal behind the catalog: what was known when, and a Redis that is lost without a plan being lost."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from tests.support.feed_files import a_feed, an_item, some_items
from tests.support.service import Installation, Service
from tests.support.waiting import until

pytestmark = pytest.mark.redis_server

PLANS = 12
GONE = "Left the feed"
RESTORED = "the catalog had lost plans that the journal knows; they were restored"
CHANGES = 1_600
KEPT = 1_000
STORY = "starts_at=2023-05-01T00:00:00Z&ends_at=2023-05-03T00:00:00Z"
OTHER = an_item("other", title="Other", starts="2023-05-02T21:00:00")


@pytest.fixture
def installation() -> Iterator[Installation]:
    with Installation() as installation:
        yield installation


@pytest.fixture
def service(installation: Installation) -> Service:
    """A second provider beside acme, with a story to be told."""
    _publish(installation, "story.xml", _story("Old title", "20.00"), OTHER)
    return _service_that_has_withdrawn_a_plan(installation, _provider(installation, "story"))


def _service_that_has_withdrawn_a_plan(installation: Installation, *others: dict[str, object]) -> Service:
    """Twelve plans of acme, one of them withdrawn, all of it journaled."""
    _publish(installation, "acme.xml", *some_items(PLANS - 1), an_item("gone", title=GONE))
    installation.configure(_provider(installation, "acme"), *others)
    service = installation.run()
    until(lambda: service.finds(title=GONE))
    _sync(installation, service, "acme", *some_items(PLANS - 1))
    until(lambda: _kinds(service, _id(service, GONE)) == [["withdrawn"], ["listed"]])
    return service


def test_the_history_of_a_plan_tells_every_change_newest_first_and_a_search_finds_what_was_known_then(
    installation: Installation, service: Service
) -> None:
    plan_id, listed = _id(service, "Old title"), _now()
    _sync(installation, service, "story", _story("New title", "35.50"), OTHER)
    changed = _now()
    _sync(installation, service, "story", OTHER)
    withdrawn = _now()
    _sync(installation, service, "story", _story("New title", "35.50"), OTHER)
    until(lambda: len(_kinds(service, plan_id)) == 4)

    history = service.ask(f"/catalog/plans/{plan_id}/history").json
    assert [state["kinds"] for state in history] == [["returned"], ["withdrawn"], ["changed"], ["listed"]]
    assert [state["title"] for state in history] == ["New title"] * 3 + ["Old title"]
    assert [state["min_price"] for state in history] == [35.5, 35.5, 35.5, 20.0]
    assert [state["in_feed"] for state in history] == [True, False, True, True]
    assert sorted((state["at"] for state in history), reverse=True) == [state["at"] for state in history]
    runs = [run["run_id"] for run in service.ask("/catalog/providers/story/runs").json]
    assert [state["run_id"] for state in history] == runs
    assert service.ask(f"/catalog/plans/{plan_id}/history?limit=1").json == history[:1]
    unknown = service.ask(f"/catalog/plans/{UUID(int=1)}/history")
    assert (unknown.status, unknown.json["error"]["code"]) == (404, "unknown_plan")

    assert _found(service, "2023-01-01T00:00:00Z") == {}
    assert _found(service, listed) == {"Old title": 20.0, "Other": 20.0}
    assert _found(service, changed) == {"New title": 35.5, "Other": 20.0}
    assert _found(service, withdrawn) == _found(service, changed)
    assert service.search(f"{STORY}&as_of={_now()}") == service.search(STORY) != []
    assert service.search(f"starts_at=2024-01-01T00:00:00Z&as_of={listed}") == []


def test_a_start_without_redis_data_finds_every_plan_though_no_feed_answers_and_says_so_once(
    installation: Installation,
) -> None:
    service = _service_that_has_withdrawn_a_plan(installation)
    found, gone = service.search(), _plan(service, GONE)
    assert service.end() == 0
    shutil.rmtree(installation.data / "redis")
    (installation.directory / "acme.xml").unlink()

    again = installation.run()

    assert again.search() == found
    assert _restored(again) == {"acme": PLANS}
    assert _plan(again, GONE) == gone
    assert gone["withdrawn_at"]
    assert again.end() == 0
    third = installation.run()
    assert third.search() == found
    assert _restored(third) == {}
    assert _kinds(third, gone["id"]) == [["withdrawn"], ["listed"]]


def test_a_redis_that_is_emptied_under_a_running_service_has_every_plan_again_within_seconds(
    installation: Installation, service: Service
) -> None:
    plan_id, found, api = _id(service, GONE), service.search(), service.child("api")
    answers: list[bool] = []

    with installation.redis() as client:
        client.flushall()

    def is_back() -> bool:
        answers.append(service.search() == found)
        return service.answers(f"/catalog/plans/{plan_id}")

    until(is_back)
    assert all(answers)
    assert service.search() == found
    until(lambda: _restored(service) == {"acme": PLANS, "story": 2})
    assert service.child("api") == api


def test_catalog_restore_brings_back_what_only_the_journal_knows_and_leaves_the_rest(
    installation: Installation,
) -> None:
    _publish(installation, "acme.xml", *some_items(PLANS))
    installation.configure(_provider(installation, "acme"))
    assert installation.command("sync").returncode == 0
    worker = installation.start("worker")
    until(lambda: _journaled(installation) == PLANS)
    worker.close()
    nothing_lost = installation.json_of("catalog", "restore")
    shutil.rmtree(installation.data / "redis")

    told = installation.command("catalog", "restore")

    assert nothing_lost == [{"provider": "acme", "restored": 0, "present": PLANS}]
    assert (told.returncode, told.stdout) == (0, f"acme: {PLANS} plans restored, 0 were there already\n")
    assert installation.json_of("catalog", "restore", "acme") == nothing_lost


def test_the_change_log_is_trimmed_only_behind_the_journal(installation: Installation) -> None:
    _publish(installation, "acme.xml", *some_items(CHANGES // 2))
    installation.configure(_provider(installation, "acme"), catalog={"change_log_limit": KEPT}, activity={"workers": 0})
    service = installation.run()
    until(lambda: len(service.search()) == CHANGES // 2)
    _sync(installation, service, "acme", *some_items(CHANGES // 2, "Another title"))

    assert _logged(installation) == CHANGES
    assert _journaled(installation) == 0

    installation.start("worker")
    until(lambda: _journaled(installation) == CHANGES)
    until(lambda: _logged(installation) < CHANGES)
    assert _logged(installation) >= KEPT
    plan_id = _id(service, "Another title")
    assert _kinds(service, plan_id) == [["changed"], ["listed"]]


def _story(title: str, price: str) -> str:
    return an_item("story", title=title, price=price, starts="2023-05-01T21:00:00")


def _provider(installation: Installation, name: str) -> dict[str, object]:
    return {"name": name, "url": (installation.directory / f"{name}.xml").as_uri(), "interval": 3600}


def _publish(installation: Installation, file: str, *items: str) -> None:
    installation.write(file, a_feed(items))


def _sync(installation: Installation, service: Service, provider: str, *items: str) -> None:
    _publish(installation, f"{provider}.xml", *items)
    assert service.request_sync(provider, approve=True)["outcome"] == "applied"


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _found(service: Service, as_of: str) -> dict[str, float]:
    """What a search of the past finds of the story: prices by title."""
    return {plan["title"]: plan["min_price"] for plan in service.search(f"{STORY}&as_of={as_of}")}


def _id(service: Service, title: str) -> str:
    until(lambda: service.finds(title=title))
    return str(next(plan["id"] for plan in service.search() if plan["title"] == title))


def _plan(service: Service, title: str) -> Any:
    plan = service.ask(f"/catalog/plans/{_id(service, title)}")
    assert plan.status == 200, plan.body
    return plan.json


def _kinds(service: Service, plan_id: str) -> list[list[str]]:
    answer = service.ask(f"/catalog/plans/{plan_id}/history")
    return [state["kinds"] for state in answer.json] if answer.status == 200 else []


def _restored(service: Service) -> dict[str, int]:
    """How many plans each restoration said to have brought back; none says it twice."""
    told = [(entry["provider"], entry["restored"]) for entry in service.log if entry["event"] == RESTORED]
    assert len(told) == len(dict(told))
    return dict(told)


def _logged(installation: Installation) -> int:
    with installation.redis() as client:
        length: int = client.xlen("marquee:1:{p:acme}:log")
        return length


def _journaled(installation: Installation) -> int:
    with closing(sqlite3.connect(installation.data / "history.sqlite3")) as database:
        count: int = database.execute("SELECT count(*) FROM plan_journal").fetchone()[0]
        return count
