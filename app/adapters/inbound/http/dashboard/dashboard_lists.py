"""What the dashboard asks for by itself, as the stream tells everybody the same: ranges of days, and long lists."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from app.adapters.inbound.answering.answers import Amount, read_at
from app.adapters.inbound.http.dashboard.dashboard_answer import (
    DashboardPart,
    DashboardProvider,
    DayAnswer,
    TypeAnswer,
)
from app.adapters.inbound.http.describing.answers import JSON, failure, render_json
from app.adapters.inbound.reading.instants import read_date
from app.application.look_at_days import MOST_DAYS, AskedDays, FiguresOfDays, TypesOfDays
from app.application.read_plan_stats import WhatSells
from app.application.read_stats import DEFAULT_RANGE
from app.application.watch_dashboard import WatchDashboard
from app.domain.activities import ACTIVITY_TYPE

MOST_OF_A_PAGE = 50
MOST_PLANS = 8
LONGEST_SEARCH = 100
MOST_SKIPPED = 1_000_000

A_DATE: dict[str, Any] = {"format": "date"}
From = Annotated[
    str | None,
    Query(alias="from", description="The first day; `days` before the last one by default", json_schema_extra=A_DATE),
]
To = Annotated[str | None, Query(description="The last day, included; today by default", json_schema_extra=A_DATE)]
Days = Annotated[int, Query(ge=1, le=MOST_DAYS, description="How many days, where `from` is not given")]


def asked_days(from_: From = None, to: To = None, days: Days = DEFAULT_RANGE) -> AskedDays:
    """Read the range."""
    return AskedDays(read_date("from", from_), read_date("to", to), days)


Asked = Annotated[AskedDays, Depends(asked_days)]
OneType = Annotated[
    str | None, Query(pattern=f"^{ACTIVITY_TYPE.pattern}$", description="A type that is to be told by day as well")
]
Search = Annotated[str, Query(max_length=LONGEST_SEARCH, description="What the names have in them, in any case")]
Offset = Annotated[int, Query(ge=0, le=MOST_SKIPPED, description="How many to leave out before the first")]
Limit = Annotated[int, Query(ge=1, le=MOST_OF_A_PAGE, description="How many at the most")]

RESPONSES = failure(400, "The request was not correctly formed") | failure(503, "The history is away")


class DaySumAnswer(DashboardPart):
    """How many activities there were on a day, and the sum of their values."""

    date: date
    count: int
    sum: Amount


class SumsByDayAnswer(DashboardPart):
    """What some types together did on each day."""

    types: list[str]
    count: int
    sum: Amount = Field(description="With the digits that went in, whatever the currency")
    days: list[DaySumAnswer] = Field(description="Every day of the range, the oldest first")


class DaysAnswer(DashboardPart):
    """A range of days."""

    first: date = read_at("range.first")
    last: date = read_at("range.last")
    today: date = Field(description="In the zone of the stats")
    revenue: SumsByDayAnswer = Field(description="Of the types that are purchases")
    chosen: SumsByDayAnswer | None = Field(description="Of the type that was asked for")
    users: list[DayAnswer] = Field(description="How many users were active on each day")


class TypesPageAnswer(DashboardPart):
    """Some of the types that occurred in a range of days."""

    first: date = read_at("range.first")
    last: date = read_at("range.last")
    types: int = Field(description="How many occurred")
    activities: int = Field(description="Of all of them")
    found: int = Field(description="How many of them were searched for")
    page: list[TypeAnswer] = Field(description="The most frequent first, by an order of some seconds ago")


class RankedPlanAnswer(DashboardPart):
    """How often a plan was looked at and bought."""

    plan_id: UUID = read_at("figures.plan_id")
    title: str | None = Field(description="Null: the catalog does not know the plan, or cannot be asked now")
    views: int = read_at("figures.views")
    purchases: int = read_at("figures.purchases")
    sum: Amount = read_at("figures.sum", description="Of the values of its purchases")


class SellingPlansAnswer(DashboardPart):
    """What sells in a range of days, and what is looked at without being bought."""

    bought: list[RankedPlanAnswer] = Field(description="The most bought ones first")
    only_viewed: list[RankedPlanAnswer] = Field(description="The most viewed ones first")


class ProvidersPageAnswer(DashboardPart):
    """Some of the providers."""

    found: int = Field(description="How many were searched for")
    page: list[DashboardProvider] = Field(description="The troubled ones first")


def dashboard_lists_router(
    figures_of_days: FiguresOfDays, types_of_days: TypesOfDays, what_sells: WhatSells, watch_dashboard: WatchDashboard
) -> APIRouter:
    """Make the routes; they come before those of the page, whose files have any name."""
    router = APIRouter(tags=["dashboard"])

    @router.get(
        "/dashboard/days",
        response_model=DaysAnswer,
        summary="What was earned on each of some days, the users of each, and one type by day",
        responses=RESPONSES,
    )
    async def get_dashboard_days(
        asked: Asked,
        type: OneType = None,  # noqa: A002 - the name in the query
    ) -> Response:
        return _answer(DaysAnswer.of(await figures_of_days(asked, type)))

    @router.get(
        "/dashboard/types",
        response_model=TypesPageAnswer,
        summary="The types of some days, a page at a time, the most frequent first",
        responses=RESPONSES,
    )
    async def list_dashboard_types(
        asked: Asked, search: Search = "", offset: Offset = 0, limit: Limit = 25
    ) -> Response:
        return _answer(TypesPageAnswer.of(await types_of_days(asked, search, offset, limit)))

    @router.get(
        "/dashboard/plans",
        response_model=SellingPlansAnswer,
        summary="Which plans sell in a range of days, and which are only looked at",
        responses=RESPONSES,
    )
    async def get_dashboard_plans(from_: From = None, to: To = None) -> Response:
        found = await what_sells(read_date("from", from_), read_date("to", to), MOST_PLANS)
        return _answer(SellingPlansAnswer.of(found))

    @router.get(
        "/dashboard/providers",
        response_model=ProvidersPageAnswer,
        summary="How the providers fare, a page at a time, the troubled ones first",
        responses=failure(400, "The request was not correctly formed"),
    )
    async def list_dashboard_providers(search: Search = "", offset: Offset = 0, limit: Limit = 25) -> Response:
        return _answer(ProvidersPageAnswer.of(watch_dashboard.page_of_providers(search, offset, limit)))

    return router


def _answer(said: dict[str, Any]) -> Response:
    return Response(render_json(said), media_type=JSON, headers={"cache-control": "no-store"})
