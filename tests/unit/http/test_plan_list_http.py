"""`GET /catalog/plans`: what a query means, what is answered, and how pages go on."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.catalog.list_cursors import cursor_of, read_cursor
from app.adapters.inbound.http.catalog.plan_list_router import AT_ONCE, plan_list_router
from app.adapters.inbound.http.connection.connection_errors import InvalidCursorError
from app.domain.plan_listing import ListPosition
from app.domain.plans import Place, PlanDetails, PlanStatus, SearchablePlan, searchable
from tests.fakes.plan_list import ScanningPlanList
from tests.support.asgi import Sent, ask
from tests.support.builders import a_plan, a_zone

DETAILS = PlanDetails(
    status=PlanStatus.POSTPONED,
    place=Place(name="Sala", city="Madrid", country="ES", latitude=40.4, longitude=-3.7),
    url="https://e.example/1",
    image="https://e.example/1.png",
    category="Music, live",
    currency="EUR",
)


def told(title: str, starts: str, ends: str | None = None, **more: Any) -> SearchablePlan:
    return searchable(a_plan(title, title=title, starts=starts, ends=ends, **more))


class Site:
    """The route over a list."""

    def __init__(self, *plans: SearchablePlan, ready: bool = True) -> None:
        self.list = ScanningPlanList(plans, ready=ready)
        self.app = create_api([plan_list_router(self.list, ZoneInfo("Europe/Madrid"))], "test")

    async def ask(self, *pairs: tuple[str, str], **query: str) -> Sent:
        return await ask(self.app, "/catalog/plans", urlencode([*query.items(), *pairs]).encode())

    async def titles(self, *pairs: tuple[str, str], **query: str) -> list[str]:
        sent = await self.ask(*pairs, **query)
        assert sent.status == 200, sent.body
        return [plan["title"] for plan in json.loads(sent.body)["plans"]]

    async def refusal(self, *pairs: tuple[str, str], **query: str) -> tuple[int, str, str]:
        sent = await self.ask(*pairs, **query)
        error = json.loads(sent.body)["error"]
        return sent.status, error["code"], error["message"]


CONCERT = told("concert", "2026-06-02T21:00", "2026-06-02T23:00", details=PlanDetails(category="Music"))
PLAY = told("play", "2026-06-03T20:00", "2026-06-03T22:00", provider="other")
EXHIBITION = told("exhibition", "2026-05-01T10:00", "2026-07-31T18:00", details=PlanDetails(category="Art, modern"))
GALA = told("gala", "2026-06-02T18:00", "2026-06-03T01:00", details=PlanDetails(status=PlanStatus.CANCELLED))
ALL = (CONCERT, PLAY, EXHIBITION, GALA)


async def test_a_plan_is_told_with_all_that_search_has_no_words_for() -> None:
    zones = (a_zone(price="15.50"), a_zone(price="20"))
    plan = told("one", "2026-06-02T21:00", "2026-06-02T23:00", timezone="Europe/Madrid", zones=zones, details=DETAILS)

    sent = await Site(plan).ask()

    assert sent.headers[b"content-type"] == b"application/json"
    assert json.loads(sent.body, parse_float=Decimal) == {
        "plans": [
            {
                "id": str(plan.summary.plan_id),
                "provider": "demo",
                "title": "one",
                "status": "postponed",
                "timezone": "Europe/Madrid",
                "starts": "2026-06-02T21:00:00",
                "ends": "2026-06-02T23:00:00",
                "start_has_time": True,
                "end_has_time": True,
                "starts_at": "2026-06-02T19:00:00.000Z",
                "ends_at": "2026-06-02T21:00:00.000Z",
                "min_price": Decimal("15.50"),
                "max_price": Decimal(20),
                "currency": "EUR",
                "place": {
                    "name": "Sala",
                    "city": "Madrid",
                    "country": "ES",
                    "latitude": Decimal("40.4"),
                    "longitude": Decimal("-3.7"),
                },
                "url": "https://e.example/1",
                "image": "https://e.example/1.png",
                "category": "Music, live",
            }
        ],
        "next_cursor": None,
    }


async def test_what_nobody_said_is_null() -> None:
    (plan,) = json.loads((await Site(told("bare", "2026-06-02T21:00", zones=())).ask()).body)["plans"]

    assert plan["status"] == "scheduled"
    assert [plan[name] for name in ("place", "url", "image", "category", "currency", "min_price", "max_price")] == [
        None
    ] * 7


async def test_dates_are_days_of_the_plan_and_both_are_included() -> None:
    site = Site(*ALL)

    assert await site.titles(("from", "2026-06-02"), to="2026-06-03") == ["gala", "concert", "play"]
    assert await site.titles(("from", "2026-06-03")) == ["play"]
    assert await site.titles(to="2026-06-02") == ["concert"]
    assert await site.titles(("from", "2026-06-04"), to="2026-06-05", match="overlapping") == ["exhibition"]


async def test_a_date_time_without_an_offset_is_read_in_the_zone_of_searches() -> None:
    site = Site(*ALL)  # 21:00 UTC is 23:00 in Madrid

    assert await site.titles(("from", "2026-06-02T23:00:00"), to="2026-06-03T01:00:00") == ["concert"]
    assert await site.titles(("from", "2026-06-02T21:00:00Z"), to="2026-06-02T23:00:00Z") == ["concert"]
    assert await site.titles(("from", "2026-06-02T23:00:01")) == ["play"]


async def test_filters_take_one_value_or_several() -> None:
    site = Site(*ALL)

    assert await site.titles(provider="other") == ["play"]
    assert await site.titles(("provider", "other"), ("provider", "demo"), status="cancelled") == ["gala"]
    assert await site.titles(("category", "Music"), ("category", "Art, modern")) == ["exhibition", "concert"]
    assert await site.titles(("status", "cancelled"), ("status", "sold_out"), category="Music") == []


async def test_the_order_can_be_turned() -> None:
    assert await Site(*ALL).titles(order="-start") == ["play", "concert", "gala", "exhibition"]
    assert await Site(*ALL).titles(order="start") == ["exhibition", "gala", "concert", "play"]


@pytest.mark.parametrize("order", ["start", "-start"])
async def test_the_cursor_leads_through_all_pages(order: str) -> None:
    site = Site(*ALL, *(told(f"more {number}", "2026-06-02T21:00") for number in range(AT_ONCE + 3)))
    whole, titles = await site.titles(order=order, limit="1000"), list[str]()

    cursor: str | None = ""
    while cursor is not None:
        answer = json.loads((await site.ask(order=order, limit="7", cursor=cursor)).body)
        titles += [plan["title"] for plan in answer["plans"]]
        cursor = answer["next_cursor"]

    assert titles == whole
    assert len(whole) == AT_ONCE + 7


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ({"from": "yesterday"}, "invalid_date_time", "from: 'yesterday' is neither a date such as"),
        ({"to": "2026-02-30"}, "invalid_date_time", "to: '2026-02-30' is neither"),
        ({"from": ""}, "invalid_date_time", "from: '' is neither"),
        ({"from": "2026-06-02", "to": "2026-06-01"}, "from_after_to", "from (2026-06-02) is after to (2026-06-01)"),
        ({"from": "2026-06-02T00:00:01Z", "to": "2026-06-02T00:00:00Z"}, "from_after_to", "is after to"),
        ({"match": "touching"}, "invalid_request", "match"),
        ({"order": "price"}, "invalid_request", "order"),
        ({"status": "gone"}, "invalid_request", "status"),
        ({"limit": "1001"}, "invalid_request", "limit"),
        ({"limit": "0"}, "invalid_request", "limit"),
        ({"category": ""}, "invalid_request", "category"),
        ({"category": "x" * 201}, "invalid_request", "category"),
        ({"cursor": "x"}, "invalid_cursor", "expected a cursor as this service gave it out, found 'x'"),
    ],
)
async def test_what_cannot_be_is_said_in_one_line(query: dict[str, str], code: str, said: str) -> None:
    status, found, message = await Site(*ALL).refusal(*query.items())

    assert (status, found) == (400, code)
    assert said in message


async def test_a_filter_has_twenty_values_at_the_most() -> None:
    values = [("provider", f"p{number}") for number in range(21)]

    assert await Site(*ALL).titles(*values[:20]) == []
    assert (await Site(*ALL).refusal(*values))[:2] == (400, "invalid_request")


async def test_a_cursor_of_the_other_order_is_refused() -> None:
    site = Site(*ALL)
    cursor = json.loads((await site.ask(limit="1")).body)["next_cursor"]

    assert (await site.refusal(cursor=cursor, order="-start"))[:2] == (400, "invalid_cursor")


async def test_before_the_plans_are_loaded_the_answer_is_503() -> None:
    sent = await Site(ready=False).ask()

    assert (sent.status, sent.headers[b"retry-after"]) == (503, b"1")
    assert json.loads(sent.body)["error"]["code"] == "catalog_not_loaded"


@pytest.mark.parametrize("starts_at", ["0001-01-01T00:00", "9999-12-31T23:59:59.999999", "1969-12-31T23:59:59.999999"])
@pytest.mark.parametrize("descending", [False, True])
def test_a_cursor_is_read_back(starts_at: str, descending: bool) -> None:
    position = ListPosition(datetime.fromisoformat(starts_at).replace(tzinfo=UTC), CONCERT.summary.plan_id)

    assert read_cursor(cursor_of(position, descending=descending), descending=descending) == position


def test_cursors_of_impossible_instants_are_before_or_behind_everything() -> None:
    for text, year in (("a-" + "9" * 18, 1), ("a" + "9" * 18, 9999)):
        position = read_cursor(f"{text}_{'0' * 32}", descending=False)
        assert position is not None
        assert position.starts_at.year == year


@pytest.mark.parametrize(
    "text", ["a1", "a1_", "b1_" + "0" * 32, "a1_" + "0" * 33, "a٣_" + "0" * 32, "a" + "1" * 19 + "_" + "0" * 32]
)
def test_what_was_never_given_out_is_no_cursor(text: str) -> None:
    with pytest.raises(InvalidCursorError):
        read_cursor(text, descending=False)
