"""The past over HTTP: a plan's history, and searches of what was known then."""

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from starlette.types import ASGIApp

from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.catalog.catalog_router import CatalogUseCases, catalog_router
from app.adapters.inbound.http.catalog.plan_list_router import plan_list_router
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.search.search_app import SearchApp
from app.adapters.inbound.http.search.search_router import search_router
from app.adapters.outbound.memory.circuit_states import MemoryCircuitStates
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.adapters.outbound.search_index.plan_list import IndexPlanList
from app.application.ports.providers import ConfiguredProvider, ProviderDirectory
from app.application.read_catalog import DescribeHeld, DescribePlan, DescribeProviders, ListRejections, ListRuns
from app.application.read_history import ListPlanStates, SearchPast
from app.application.request_sync import RequestSync
from app.domain.plans import Plan
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.fakes.sync_requests import MemorySyncRequests
from tests.support.asgi import Sent, ask
from tests.support.builders import a_plan, a_zone
from tests.support.journal_world import JournalWorld

ZONE = ZoneInfo("Europe/Madrid")


class OneProvider(ProviderDirectory):
    def __init__(self, world: JournalWorld) -> None:
        self._world = world

    def all(self) -> list[ConfiguredProvider]:
        return [self._world.configured]

    def get(self, name: str) -> ConfiguredProvider:
        assert name == self._world.name
        return self._world.configured


class Site:
    """The routes over a JournalWorld, as the service has them."""

    def __init__(self, *, most: int = 100) -> None:
        self.world = JournalWorld()
        self.index = LiveIndex(RENDERING)
        self.index.mark_ready()
        search_past = SearchPast(self.world.plan_journal, most)
        routers = [
            search_router(self.index, ZONE, lambda: self.index.ready, search_past),
            plan_list_router(IndexPlanList(self.index, RENDERING), ZONE),
            catalog_router(self._use_cases()),
        ]
        self.api = create_api(routers, "test")
        self.observed: list[int] = []
        self.app: ASGIApp = SearchApp(
            self.api, self.index, ZONE, lambda status, _: self.observed.append(status), errors=ERRORS
        )

    def _use_cases(self) -> CatalogUseCases:
        world = self.world
        directory = OneProvider(world)
        return CatalogUseCases(
            describe_plan=DescribePlan(world.catalog),
            list_plan_states=ListPlanStates(world.plan_journal),
            describe_providers=DescribeProviders(directory, world.catalog, world.journal, MemoryCircuitStates()),
            list_runs=ListRuns(directory, world.journal),
            list_rejections=ListRejections(directory, world.rejections),
            describe_held=DescribeHeld(directory, world.held),
            request_sync=RequestSync(directory, MemorySyncRequests(world.store), lambda: "run"),
        )

    async def sync_with(self, *plans: Plan) -> datetime:
        """Sync, journal and index; the instant from which on it is known."""
        await self.world.sync_with(*plans)
        await self.world.journal_changes()
        await self.index.load(self.world.log.searchable("demo"))
        return self.world.clock.now()

    async def search(self, **parameters: Any) -> Sent:
        given = {name: at.isoformat() if isinstance(at, datetime) else at for name, at in parameters.items()}
        return await ask(self.app, "/search", urlencode(given).encode())


def titles(sent: Sent) -> list[str]:
    assert sent.status == 200, sent.body
    return [found["title"] for found in json.loads(sent.body)["data"]["events"]]


def error_of(sent: Sent) -> tuple[int, str]:
    answer = json.loads(sent.body)
    assert answer["data"] is None
    return sent.status, answer["error"]["code"]


async def test_a_plans_history_is_listed_newest_first_with_everything_known_then() -> None:
    site = Site()
    plan = a_plan(zones=(a_zone(price="15.00"), a_zone(price="20.10")))
    first = await site.sync_with(plan)
    second = await site.sync_with(a_plan(2))

    sent = await ask(site.app, f"/catalog/plans/{plan.key.plan_id}/history")

    assert sent.status == 200
    newest, oldest = json.loads(sent.body)
    assert (newest["kinds"], newest["in_feed"], newest["run_id"]) == (["withdrawn"], False, "run-2")
    assert (oldest["kinds"], oldest["in_feed"], oldest["run_id"]) == (["listed"], True, "run-1")
    assert [state["at"] for state in (oldest, newest)] == [
        at.isoformat(timespec="milliseconds").replace("+00:00", "Z") for at in (first, second)
    ]
    now = json.loads((await ask(site.app, f"/catalog/plans/{plan.key.plan_id}")).body)
    assert {name: newest[name] for name in now} == now
    assert b'"max_price":20.10' in sent.body


async def test_a_history_is_as_long_as_asked_for() -> None:
    site = Site()
    for title in "abc":
        await site.sync_with(a_plan(title=title))

    sent = await ask(site.app, f"/catalog/plans/{a_plan().key.plan_id}/history", b"limit=2")

    assert [state["title"] for state in json.loads(sent.body)] == ["c", "b"]


async def test_a_plan_that_the_journal_has_never_seen_is_404_and_no_history_503() -> None:
    site = Site()
    path = f"/catalog/plans/{uuid4()}/history"
    assert error_of(await ask(site.app, path)) == (404, "unknown_plan")
    assert error_of(await ask(site.app, path, b"limit=0")) == (400, "invalid_request")

    site.world.plan_journal.unavailable = "the database is away"
    sent = await ask(site.app, path)

    assert error_of(sent) == (503, "history_unavailable")
    assert sent.headers[b"retry-after"] == b"5"
    assert b"the database is away" not in sent.body, "hosts and files are for the log"


async def test_a_search_as_of_an_instant_finds_what_was_known_then() -> None:
    site = Site()
    instants = [await site.sync_with(a_plan(title=title), a_plan(2, title=title)) for title in "abc"]

    found = [titles(await site.search(as_of=at)) for at in instants]
    before = titles(await site.search(as_of=instants[0] - timedelta(microseconds=1)))
    one_bound = titles(await site.search(as_of=instants[0], starts_at="2021-07-01T00:00:00Z"))

    assert found == [["a", "a"], ["b", "b"], ["c", "c"]]
    assert (before, one_bound) == ([], [])
    assert site.observed == []


async def test_now_and_the_future_are_answered_to_the_byte_as_a_search_of_now() -> None:
    site = Site()
    starts = [f"2021-06-{1 + number % 5:02}T21:00" for number in range(9)]
    plans = [a_plan(number, starts=at, zones=(a_zone(price="7.50"),)) for number, at in enumerate(starts)]
    at = await site.sync_with(*plans)
    window = {"starts_at": "2021-06-02T00:00:00Z", "ends_at": "2021-06-04T23:59:59Z"}

    now = await site.search(**window)

    assert now.body == (await site.search(**window, as_of=at)).body
    assert now.body == (await site.search(**window, as_of="2999-01-01T00:00:00Z")).body
    assert len(titles(now)) == 6
    assert site.observed == [200]


async def test_a_withdrawn_plan_and_one_that_went_offline_stay_findable() -> None:
    site = Site()
    await site.sync_with(a_plan(1, title="gone"), a_plan(2, title="offline"))
    at = await site.sync_with(a_plan(2, title="offline", sell_mode="offline"), a_plan(3, sell_mode="offline"))

    assert sorted(titles(await site.search(as_of=at))) == ["gone", "offline"]


async def test_an_instant_without_an_offset_is_read_in_the_zone_of_searches() -> None:
    site = Site()
    at = await site.sync_with(a_plan())
    local = at.astimezone(ZONE).replace(tzinfo=None)

    assert len(titles(await site.search(as_of=local))) == 1
    assert titles(await site.search(as_of=local - timedelta(seconds=1))) == []


@pytest.mark.parametrize("spelled", [b"as_of", b"as%5Fof", b"%61s_of", b"%61%73%5f%6f%66"])
async def test_however_it_is_spelled_as_of_is_understood(spelled: bytes) -> None:
    site = Site()
    await site.sync_with(a_plan())

    usual = b"starts_at=2021-01-01T00:00:00Z&ends_at=2022-01-01T00:00:00Z"
    sent = await ask(site.app, "/search", usual + b"&" + spelled + b"=2020-01-01T00:00:00Z")

    assert titles(sent) == []


async def test_words_that_only_look_like_it_are_unknown() -> None:
    site = Site()
    await site.sync_with(a_plan())

    for query in (b"x=as_of", b"as_often=1", b"was_of=1&x=%20"):
        assert error_of(await ask(site.app, "/search", query)) == (400, "unknown_parameter")


@pytest.mark.parametrize("text", ["", "now", "2021-02-30T00:00:00Z", "2021-02-01"])
async def test_an_instant_that_is_none_is_400(text: str) -> None:
    sent = await Site().search(as_of=text)

    assert error_of(sent) == (400, "invalid_date_time")
    assert b"as_of: " in sent.body


async def test_the_other_mistakes_are_those_of_every_search() -> None:
    site = Site()
    wrong = {"starts_at": "2022-01-01T00:00:00Z", "ends_at": "2021-01-01T00:00:00Z"}

    assert error_of(await site.search(**wrong, as_of="2021-01-01T00:00:00Z")) == (400, "window_ends_before_it_starts")
    assert error_of(await site.search(as_of="2021-01-01T00:00:00Z", x="y" * 3000)) == (400, "query_too_long")


async def test_too_many_plans_for_one_answer_are_400_with_what_to_do() -> None:
    site = Site(most=3)
    at = await site.sync_with(*(a_plan(number) for number in range(4)))

    sent = await site.search(as_of=at)

    assert error_of(sent) == (400, "window_too_wide")
    assert b"narrower" in sent.body


async def test_without_the_history_the_past_is_500_and_the_present_as_ever() -> None:
    site = Site()
    at = await site.sync_with(a_plan())
    site.world.plan_journal.unavailable = "the database is away"

    past, present = await site.search(as_of=at), await site.search()

    assert error_of(past) == (500, "history_unavailable")
    assert past.headers[b"retry-after"] == b"5"
    assert len(titles(present)) == 1


async def test_it_is_documented_with_the_statuses_of_the_contract() -> None:
    operation = Site().api.openapi()["paths"]["/search"]["get"]

    as_of = next(parameter for parameter in operation["parameters"] if parameter["name"] == "as_of")
    assert (as_of["required"], as_of["schema"]["format"]) == (False, "date-time")
    assert "10,000" in as_of["description"]
    assert sorted(operation["responses"]) == ["200", "400", "500"]


async def test_a_plan_that_left_its_feed_is_listed_still_and_one_that_was_never_online_is_not() -> None:
    site = Site()
    await site.sync_with(a_plan(1, title="stays"), a_plan(2, title="leaves"), a_plan(3, sell_mode="offline"))
    await site.sync_with(a_plan(1, title="stays"), a_plan(3, sell_mode="offline"))

    listed = json.loads((await ask(site.app, "/catalog/plans")).body)["plans"]

    assert sorted(plan["title"] for plan in listed) == ["leaves", "stays"]
    assert {(plan["provider"], plan["timezone"]) for plan in listed} == {("demo", "UTC")}
