"""What the dashboard asks for by itself, over HTTP: ranges of days, types and providers a page at a time."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from jsonschema_rs import validator_for

from app.adapters.inbound.http.dashboard.dashboard_lists import (
    DaysAnswer,
    ProvidersPageAnswer,
    SellingPlansAnswer,
    TypesPageAnswer,
)
from app.application.ports.system import CircuitState
from tests.support.asgi import ask
from tests.support.builders import NOW, an_activity
from tests.support.dashboard_server import Dashboard
from tests.support.dashboard_world import DashboardWorld
from tests.support.scripted_provider import ScriptedProvider, configured

SHAPES = {
    name: validator_for(answer.model_json_schema(mode="serialization"), validate_formats=True)
    for name, answer in (
        ("days", DaysAnswer),
        ("types", TypesPageAnswer),
        ("plans", SellingPlansAnswer),
        ("providers", ProvidersPageAnswer),
    )
}


@pytest.fixture
async def dashboard() -> Dashboard:
    return Dashboard(DashboardWorld())


async def told(dashboard: Dashboard, name: str, query: str = "") -> dict[str, Any]:
    sent = await ask(dashboard.gate, f"/dashboard/{name}", query.encode())
    assert (sent.status, sent.headers[b"cache-control"]) == (200, b"no-store")
    found: dict[str, Any] = json.loads(sent.body)
    SHAPES[name].validate(found)
    return found


async def refused(dashboard: Dashboard, name: str, query: str = "") -> tuple[int, str]:
    sent = await ask(dashboard.gate, f"/dashboard/{name}", query.encode())
    return sent.status, json.loads(sent.body)["error"]["code"]


async def test_days_tell_revenue_users_and_one_type(dashboard: Dashboard) -> None:
    await dashboard.world.happened(
        an_activity(1, type_="purchase", value="12.50"),
        an_activity(2, type_="purchase", value="1", at=NOW - timedelta(days=1)),
        an_activity(3, value="2"),
    )

    days = await told(dashboard, "days", "from=2026-01-04&type=view")

    assert (days["first"], days["last"], days["today"]) == ("2026-01-04", "2026-01-05", "2026-01-05")
    assert days["revenue"] == {
        "types": ["purchase"],
        "count": 2,
        "sum": 13.5,
        "days": [{"date": "2026-01-04", "count": 1, "sum": 1}, {"date": "2026-01-05", "count": 1, "sum": 12.5}],
    }
    assert (days["chosen"]["count"], days["chosen"]["sum"]) == (1, 2)
    assert days["users"] == [{"date": "2026-01-04", "users": 1}, {"date": "2026-01-05", "users": 1}]


async def test_sums_are_sent_with_their_digits(dashboard: Dashboard) -> None:
    await dashboard.world.happened(an_activity(1, type_="purchase", value="123456789012.12345678"))

    sent = await ask(dashboard.gate, "/dashboard/days", b"days=1")

    assert b'"sum":123456789012.12345678' in sent.body


async def test_ten_thousand_types_are_pages_of_a_few_kilobytes(dashboard: Dashboard) -> None:
    await dashboard.world.happened(*(an_activity(number, type_=f"type.{number:05}") for number in range(10_000)))

    first = await told(dashboard, "types", "days=90")
    last = await told(dashboard, "types", "days=90&offset=9990&limit=50")
    searched = await told(dashboard, "types", "days=90&search=TYPE.0123")
    state = await ask(dashboard.gate, "/dashboard/state")

    assert (first["types"], first["found"], len(first["page"])) == (10_000, 10_000, 25)
    assert [row["type"] for row in last["page"]] == [f"type.{number:05}" for number in range(9990, 10_000)]
    assert (searched["types"], searched["found"]) == (10_000, 10)
    assert len(json.dumps(first)) < 3_000
    assert len(state.body) < 10_000


async def test_a_thousand_providers_are_pages_the_troubled_first(dashboard: Dashboard) -> None:
    world = dashboard.world
    world.providers[:] = [configured(ScriptedProvider(), name=f"p{number:03}") for number in range(1000)]
    await world.circuits.save("p777", CircuitState("open", 5))
    await world.catalog.look()

    first = await told(dashboard, "providers")
    second = await told(dashboard, "providers", "offset=25")
    searched = await told(dashboard, "providers", "search=P77")

    assert [one["name"] for one in first["page"]] == ["p777", *(f"p{number:03}" for number in range(24))]
    assert second["page"][0]["name"] == "p024"
    assert (first["found"], searched["found"], searched["page"][0]["name"]) == (1000, 10, "p777")


async def test_plans_that_sell_and_those_that_are_only_looked_at_are_told(dashboard: Dashboard) -> None:
    sold, seen = UUID(int=7), UUID(int=8)
    await dashboard.world.happened(
        *(an_activity(number, properties=f'{{"plan_id":"{seen}"}}') for number in range(12)),
        an_activity(50, type_="purchase", value="12.50", properties=f'{{"plan_id":"{sold}"}}'),
    )

    plans = await told(dashboard, "plans", "from=2026-01-05")

    assert plans == {
        "bought": [{"plan_id": str(sold), "title": None, "views": 0, "purchases": 1, "sum": 12.5}],
        "only_viewed": [{"plan_id": str(seen), "title": None, "views": 12, "purchases": 0, "sum": 0}],
    }


@pytest.mark.parametrize(
    ("name", "query", "code"),
    [
        ("days", "from=2026-02-30", "invalid_date"),
        ("days", "from=2026-01-05&to=2026-01-04", "from_after_to"),
        ("types", "from=2024-01-01&to=2026-01-04", "range_too_long"),
        ("days", "days=0", "invalid_request"),
        ("types", "limit=51", "invalid_request"),
        ("providers", "offset=-1", "invalid_request"),
    ],
)
async def test_what_makes_no_sense_is_refused(dashboard: Dashboard, name: str, query: str, code: str) -> None:
    assert await refused(dashboard, name, query) == (400, code)


@pytest.mark.parametrize("name", ["days", "types", "plans"])
async def test_a_history_that_is_away_is_said(dashboard: Dashboard, name: str) -> None:
    dashboard.world.history.unavailable = "the disk is full"

    assert await refused(dashboard, name) == (503, "history_unavailable")


async def test_what_is_to_be_known_of_the_counted_days_is_in_the_state(dashboard: Dashboard) -> None:
    dashboard.world.history.days_trouble = "run marquee stats rebuild"

    state = json.loads((await ask(dashboard.gate, "/dashboard/state")).body)

    assert state["history"]["counting"] == "run marquee stats rebuild"
