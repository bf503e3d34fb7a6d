"""The questions to the stats over HTTP: answers to the byte, and a clear 4xx for everything else."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from fastapi import FastAPI

from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.error_table import HISTORY_AWAY
from app.adapters.inbound.http.stats.stats_router import stats_router
from app.adapters.inbound.use_cases.stats_use_cases import StatsUseCases
from app.application.ask_funnel import AskFunnel
from app.application.read_plan_stats import PlanByDay, PlansByFigures, WhatSells
from app.application.read_series import Series, SeriesByDimension, TotalInRange, TotalsOfRange
from app.application.read_stats import DailyActiveUsers, PageOfTotals, Retention, TopTypes, TotalOfType
from app.domain.activities import Activity
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.funnel_instants import MemoryFunnelInstants
from tests.fakes.plan_catalog import MemoryPlanCatalog
from tests.fakes.plan_journal import MemoryPlanJournal
from tests.fakes.store import MemoryStore
from tests.support.asgi import Sent, ask
from tests.support.fixed_clock import FixedClock
from tests.support.oracle import Oracle

TODAY = date(2026, 1, 5)


class World:
    """The API over a store in memory."""

    def __init__(self) -> None:
        self.store = MemoryActivityStore(UTC)
        self.api = an_api(self.store)

    async def get(self, path: str, query: str = "") -> Any:
        """Ask, and read the answer of a question that is answered."""
        sent = await ask(self.api, path, query.encode())
        assert (sent.status, sent.headers[b"content-type"]) == (200, b"application/json")
        return json.loads(sent.body, parse_float=Decimal)

    async def refusal(self, path: str, query: str) -> tuple[int, str, str]:
        return error_in(await ask(self.api, path, query.encode()))

    async def happened(self, *activities: dict[str, Any]) -> None:
        await self.store.store(
            [
                Activity(
                    UUID(int=one["id"]),
                    one["type"],
                    one["occurred_at"],
                    user_id=one["user_id"],
                    value=None if one["value"] is None else Decimal(one["value"]),
                )
                for one in activities
            ]
        )


def an_api(store: MemoryActivityStore) -> FastAPI:
    clock = FixedClock()
    plans = PlansByFigures(store, MemoryPlanCatalog(MemoryStore()), MemoryPlanJournal(), clock, UTC)
    use_cases = StatsUseCases(
        page_of_totals=PageOfTotals(store),
        keeper=store,
        total_of_type=TotalOfType(store),
        daily_active_users=DailyActiveUsers(store, clock, UTC),
        top_types=TopTypes(store, clock, UTC),
        retention=Retention(store, clock, UTC, ["purchase"]),
        series=Series(store, clock, UTC),
        series_by_dimension=SeriesByDimension(store, clock, UTC, ["source", "properties.page"]),
        totals_of_range=TotalsOfRange(store, clock, UTC),
        total_in_range=TotalInRange(store, store, clock, UTC),
        plans_by_figures=plans,
        plan_by_day=PlanByDay(store, clock, UTC),
        what_sells=WhatSells(plans),
        ask_funnel=AskFunnel(MemoryFunnelInstants(store), clock, UTC),
    )
    return create_api([stats_router(use_cases)], "test")


def error_in(sent: Sent) -> tuple[int, str, str]:
    answer = json.loads(sent.body)
    assert answer["data"] is None
    return sent.status, answer["error"]["code"], answer["error"]["message"]


def an_activity(number: int, type_: str = "view", day: str = "2026-01-05", **more: Any) -> dict[str, Any]:
    at = datetime.fromisoformat(f"{day}T12:00:00Z")
    return {"id": number, "type": type_, "occurred_at": at, "user_id": "ana", "value": None, **more}


def some_activities(count: int) -> list[dict[str, Any]]:
    random = Random(3)
    begin = datetime(2025, 11, 1, tzinfo=UTC)
    return [
        {
            "id": number,
            "type": random.choice(["view", "click", "purchase"]),
            "occurred_at": begin + timedelta(minutes=random.randrange(66 * 24 * 60)),
            "user_id": random.choice(["ana", "bob", "eve", "zoe", None]),
            "value": random.choice([None, "12.50", "0.1", "7"]),
        }
        for number in range(count)
    ]


@pytest.fixture
def world() -> World:
    return World()


async def test_sums_are_numbers_with_the_digits_that_went_in(world: World) -> None:
    await world.happened(an_activity(1, "buy", value="12.50"), an_activity(2, "buy", value="0.10"), an_activity(3))

    sent = await ask(world.api, "/stats")

    assert sent.body == b'[{"type":"buy","count":2,"sum":12.60},{"type":"view","count":1,"sum":0}]'


async def test_totals_come_in_pages_and_each_names_the_next(world: World) -> None:
    await world.happened(*(an_activity(number, f"t{number}") for number in range(5)))
    seen, link, links = [], "/stats?limit=2", []

    while link:
        path, query = link.partition("?")[0], link.partition("?")[2].encode()
        sent = await ask(world.api, path, query)
        seen.append([total["type"] for total in json.loads(sent.body)])
        links.append(sent.headers.get(b"link", b"").decode())
        link = links[-1].removeprefix("<").partition(">")[0]

    assert seen == [["t0", "t1"], ["t2", "t3"], ["t4"]]
    assert links == ['</stats?limit=2&after=t1>; rel="next"', '</stats?limit=2&after=t3>; rel="next"', ""]


async def test_a_page_has_a_thousand_types_unless_fewer_are_asked_for(world: World) -> None:
    await world.happened(*(an_activity(number, f"t{number:04}") for number in range(1001)))

    sent = await ask(world.api, "/stats")

    assert len(json.loads(sent.body)) == 1000
    assert sent.headers[b"link"] == b'</stats?limit=1000&after=t0999>; rel="next"'


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "after=No+Type", "after=%00", "after=a%0A", "type=No"]
)
async def test_a_page_that_cannot_be_is_refused(world: World, query: str) -> None:
    status, code, _ = await world.refusal("/stats", query)

    assert (status, code) == (400, "invalid_request")


async def test_a_type_has_a_total_of_its_own(world: World) -> None:
    await world.happened(an_activity(1, "ticket.bought", value="1e3"), an_activity(2))

    assert await world.get("/stats/ticket.bought") == {"type": "ticket.bought", "count": 1, "sum": 1000}


async def test_one_type_may_be_asked_for_in_the_list_also_one_whose_name_is_reserved_by_now(world: World) -> None:
    await world.happened(an_activity(1, "funnel", value="2.50"), an_activity(2))

    found = await ask(world.api, "/stats", b"type=funnel")
    never = await ask(world.api, "/stats", b"type=series")

    assert (found.status, found.body) == (200, b'[{"type":"funnel","count":1,"sum":2.50}]')
    assert (never.status, never.body) == (200, b"[]")


async def test_plans_are_told_by_views_and_purchases(world: World) -> None:
    plan, other = str(UUID(int=1)), str(UUID(int=2))
    at = datetime(2026, 1, 5, 11, tzinfo=UTC)
    did = [("view", plan, None), ("view", plan, None), ("purchase", plan, Decimal("9.90")), ("purchase", other, None)]
    await world.store.store(
        [
            Activity(UUID(int=n), type_, at, value=value, properties=f'{{"plan_id":"{of}"}}')
            for n, (type_, of, value) in enumerate(did)
        ]
    )

    found = await world.get("/stats/plans", "from=2026-01-05&to=2026-01-05&order=conversion")
    days = await world.get(f"/stats/plans/{plan}", "from=2026-01-04&to=2026-01-05")

    first = {"plan_id": plan, "title": None, "views": 2, "purchases": 1, "sum": Decimal("9.90")}
    assert found == [
        first | {"conversion": Decimal("0.5")},
        {"plan_id": other, "title": None, "views": 0, "purchases": 1, "sum": 0, "conversion": None},
    ]
    assert days == [
        {"date": "2026-01-04", "views": 0, "purchases": 0, "sum": 0},
        {"date": "2026-01-05", "views": 2, "purchases": 1, "sum": Decimal("9.90")},
    ]


async def test_without_activities_answers_are_empty(world: World) -> None:
    assert await world.get("/stats") == []
    assert await world.get("/stats/top-events") == []


@pytest.mark.parametrize("path", ["/stats/view", "/stats/No Type", "/stats/\0"])
async def test_a_type_never_seen_is_404(world: World, path: str) -> None:
    status, code, message = await world.refusal(path, "")

    assert (status, code) == (404, "unknown_type")
    assert repr(path.removeprefix("/stats/")) in message


async def test_all_questions_are_answered_as_the_oracle_answers_them(world: World) -> None:
    activities = some_activities(400)
    oracle = Oracle(activities, UTC)
    await world.happened(*activities)

    assert await world.get("/stats") == oracle.totals()
    assert await world.get("/stats/dau") == oracle.dau(TODAY - timedelta(days=29), TODAY)
    assert await world.get("/stats/dau", "from=2025-11-05&to=2025-11-09") == oracle.dau(
        date(2025, 11, 5), date(2025, 11, 9)
    )
    assert await world.get("/stats/top-events", "from=2025-11-05&to=2025-12-24&limit=2") == oracle.top(
        date(2025, 11, 5), date(2025, 12, 24), 2
    )
    assert await world.get("/stats/retention", "start_date=2025-11-01&windows=80") == oracle.retention(
        date(2025, 11, 1), 80, "day", TODAY
    )
    assert await world.get("/stats/retention", "start_date=2025-11-01&windows=12&granularity=week") == oracle.retention(
        date(2025, 11, 1), 12, "week", TODAY
    )


async def test_retention_by_default_is_of_the_last_8_days(world: World) -> None:
    answer = await world.get("/stats/retention")

    assert answer["granularity"] == "day"
    assert [cohort["start"] for cohort in answer["cohorts"]] == [
        (TODAY - timedelta(days=days)).isoformat() for days in range(7, -1, -1)
    ]
    assert [len(cohort["active"]) for cohort in answer["cohorts"]] == [8] * 8


@pytest.mark.parametrize(
    "text",
    [
        "",
        "today",
        "2026-1-5",
        "2026-02-30",
        "20260105",
        "2026-W02-1",
        "2026-01-05T00:00:00Z",
        "\u0662026-01-05",
        "0000-01-01",
    ],
)
@pytest.mark.parametrize(
    ("path", "parameter"),
    [("/stats/dau", "from"), ("/stats/dau", "to"), ("/stats/top-events", "to"), ("/stats/retention", "start_date")],
)
async def test_a_date_that_is_none_is_named_with_what_is_expected(
    world: World, path: str, parameter: str, text: str
) -> None:
    status, code, message = await world.refusal(path, f"{parameter}={quote(text)}")

    assert (status, code) == (400, "invalid_date")
    assert message == f"{parameter}: {text!r} is not a date; expected one such as 2026-01-05"


@pytest.mark.parametrize("path", ["/stats/dau", "/stats/top-events"])
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("from=2026-01-05&to=2026-01-04", "from_after_to"),
        ("from=2026-01-06", "from_after_to"),
        ("from=2016-01-01&to=2026-01-08", "range_too_long"),
        ("from=0001-01-01", "range_too_long"),
        ("from=0001-01-01&to=9999-12-31", "range_too_long"),
    ],
)
async def test_a_range_that_cannot_be_answered_is_400(world: World, path: str, query: str, code: str) -> None:
    status, found, message = await world.refusal(path, query)

    assert (status, found) == (400, code)
    assert message.startswith("from")


@pytest.mark.parametrize(
    ("path", "query", "parameter"),
    [
        ("/stats/top-events", "limit=0", "limit"),
        ("/stats/top-events", "limit=1001", "limit"),
        ("/stats/top-events", "limit=ten", "limit"),
        ("/stats/retention", "windows=0", "windows"),
        ("/stats/retention", "windows=367", "windows"),
        ("/stats/retention", "windows=99999999999999999999999", "windows"),
        ("/stats/retention", "granularity=year", "granularity"),
    ],
)
async def test_a_number_or_word_out_of_its_bounds_is_400_and_named(
    world: World, path: str, query: str, parameter: str
) -> None:
    status, code, message = await world.refusal(path, query)

    assert (status, code) == (400, "invalid_request")
    assert message.startswith(f"{parameter}: ")


@pytest.mark.parametrize("query", ["to=0001-01-01", "from=9999-12-31&to=9999-12-31"])
async def test_ranges_at_the_ends_of_the_calendar_are_answered(world: World, query: str) -> None:
    assert [day["users"] for day in await world.get("/stats/dau", query)] == [0]


async def test_retention_at_the_ends_of_the_calendar_is_answered_or_400(world: World) -> None:
    first = await world.get("/stats/retention", "start_date=0001-01-01&windows=366&granularity=week")
    status, code, message = await world.refusal("/stats/retention", "start_date=9999-12-31&windows=2")

    assert first["cohorts"][0]["start"] == "0001-01-01"
    assert (status, code) == (400, "dates_out_of_range")
    assert message == "start_date: 2 days from 9999-12-31 on reach beyond 9999-12-31"


async def test_a_reset_empties_the_figures(world: World) -> None:
    await world.happened(an_activity(1))

    sent = await ask(world.api, "/stats", method="DELETE")

    assert (sent.status, sent.body) == (204, b"")
    assert await world.get("/stats") == []
    assert await world.store.rebuild() == 1


@pytest.mark.parametrize("path", ["/stats", "/stats/view", "/stats/dau", "/stats/top-events", "/stats/retention"])
async def test_a_history_that_is_away_is_503_with_a_hint_when_to_come_back(world: World, path: str) -> None:
    world.store.unavailable = "the disk is full"

    sent = await ask(world.api, path)

    assert error_in(sent) == (503, "history_unavailable", HISTORY_AWAY)
    assert int(sent.headers[b"retry-after"]) > 0


async def test_what_would_be_lost_for_good_is_emptied_only_when_it_is_named(world: World) -> None:
    await world.happened(*some_activities(100))
    await world.store.remove_some(date(2025, 12, 1))

    refused = [
        error_in(await ask(world.api, "/stats", query, method="DELETE")) for query in (b"", b"confirm=2025-12-02")
    ]
    wrong = error_in(await ask(world.api, "/stats", b"confirm=yes", method="DELETE"))
    kept = await world.get("/stats")
    done = await ask(world.api, "/stats", b"confirm=2025-12-01", method="DELETE")

    assert [(status, code) for status, code, _ in refused] == [(409, "frozen_days")] * 2
    assert "days before 2025-12-01" in refused[0][2]
    assert wrong[:2] == (400, "invalid_date")
    assert (sum(one["count"] for one in kept), done.status) == (100, 204)
    assert await world.get("/stats") == []


async def sales(world: World) -> None:
    at = datetime(2026, 1, 4, 12, tzinfo=UTC)
    await world.store.store(
        [
            Activity(UUID(int=n), "purchase", at, source, user_id=f"user-{n % 2}", value=Decimal("2.50"))
            for n, source in enumerate(["web", "web", "shop", None])
        ]
    )


async def test_a_series_has_a_figure_for_every_period(world: World) -> None:
    await sales(world)

    found = await world.get("/stats/series", "metric=sum&type=purchase&from=2026-01-04")
    by_hour = await world.get("/stats/series", "interval=hour&from=2026-01-04&to=2026-01-04")
    users = await world.get("/stats/series", "metric=users&interval=month&from=2026-01-01&to=2026-01-31")

    assert found == {
        "metric": "sum",
        "interval": "day",
        "type": "purchase",
        "points": [{"start": "2026-01-04", "sum": Decimal("10.00")}, {"start": "2026-01-05", "sum": 0}],
    }
    assert len(by_hour["points"]) == 24
    assert by_hour["points"][12] == {"start": "2026-01-04T12:00:00+00:00", "count": 4}
    assert users["points"] == [{"start": "2026-01-01", "users": 2}]


async def test_a_series_of_each_value_of_a_dimension_has_the_frequent_ones_first(world: World) -> None:
    await sales(world)

    found = await world.get("/stats/series", "interval=month&from=2026-01-01&to=2026-01-31&dimension=source&limit=2")
    one = await world.get("/stats/series", "interval=month&from=2026-01-01&to=2026-01-31&dimension=source&value=shop")

    assert found["dimension"] == "source"
    assert [(row["value"], row["other"], row["points"][0]["count"]) for row in found["values"]] == [
        ("web", False, 2),
        (None, False, 1),
    ]
    assert [(row["value"], row["points"][0]["count"]) for row in one["values"]] == [("shop", 1)]


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/stats/series", "metric=users&interval=hour", "no_such_series"),
        ("/stats/series", "interval=hour&from=2025-01-01", "range_too_long"),
        ("/stats/series", "dimension=colour", "unknown_dimension"),
        ("/stats/series", "value=web", "dimension_missing"),
        ("/stats/retention", "type=view", "retention_not_kept"),
        ("/stats/retention", "granularity=week&window_type=month", "granularity_twice"),
        ("/stats", "from=2026-01-05&to=2026-01-04", "from_after_to"),
        ("/stats/purchase", "from=2015-01-01", "range_too_long"),
    ],
)
async def test_a_question_about_periods_that_cannot_be_answered_is_400(
    world: World, path: str, query: str, code: str
) -> None:
    await sales(world)

    assert (await world.refusal(path, query))[:2] == (400, code)


async def test_totals_of_a_range_have_pages_that_keep_the_range(world: World) -> None:
    at = datetime(2026, 1, 4, 12, tzinfo=UTC)
    await world.store.store([Activity(UUID(int=n), type_, at) for n, type_ in enumerate(["a", "b"])])

    sent = await ask(world.api, "/stats", b"from=2026-01-04&to=2026-01-05&limit=1")

    assert json.loads(sent.body) == [{"type": "a", "count": 1, "sum": 0}]
    assert sent.headers[b"link"] == b'</stats?limit=1&after=a&from=2026-01-04&to=2026-01-05>; rel="next"'
    assert await world.get("/stats", "from=2026-01-05") == []
    assert await world.get("/stats/a", "from=2026-01-05") == {"type": "a", "count": 0, "sum": 0}


async def test_the_other_name_of_granularity_is_read(world: World) -> None:
    await sales(world)

    by_month = await world.get("/stats/retention", "windows=1&window_type=month&type=purchase")

    assert by_month == {
        "granularity": "month",
        "type": "purchase",
        "cohorts": [{"start": "2026-01-01", "size": 2, "active": [None]}],
    }


async def test_a_funnel_has_a_row_a_step(world: World) -> None:
    at = datetime(2026, 1, 4, 12, tzinfo=UTC)
    rows = [("view", "ana", 0), ("purchase", "ana", 30), ("view", "bob", 0), ("view", "eve", 1), ("purchase", "eve", 0)]
    activities = [
        an_activity(n, type_, user_id=user, occurred_at=at + timedelta(hours=hours))
        for n, (type_, user, hours) in enumerate(rows)
    ]
    await world.happened(*activities)

    for within, hours in (("7d", 168), ("29h", 29), ("1w", 168)):
        expected = Oracle(activities, UTC).funnel(["view", "purchase"], timedelta(hours=hours), date(2026, 1, 1), TODAY)
        assert await world.get("/stats/funnel", f"steps=view,purchase&within={within}&from=2026-01-01") == expected


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ("steps=", "invalid_funnel", "'' is no type of activities"),
        ("steps=view&within=7", "invalid_length", "within: '7' is no length of time; expected one such as 30m"),
        ("steps=view&within=9999w", "invalid_funnel", "at most 366d"),
        ("steps=view&from=x", "invalid_date", "from"),
    ],
)
async def test_what_is_no_funnel_is_refused(world: World, query: str, code: str, said: str) -> None:
    status, found, message = await world.refusal("/stats/funnel", query)

    assert (status, found) == (400, code)
    assert said in message
