"""The stats over HTTP. Answers are plain, without an envelope; sums have the digits that went in."""

from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, status

from app.adapters.inbound.answering.stats_answers import (
    CohortsAnswer,
    DailyUsersAnswer,
    TotalAnswer,
    TypeCountAnswer,
    daily_users_answer,
    retention_answer,
    total_answer,
    type_count_answer,
)
from app.adapters.inbound.http.describing.answers import failure, json_response
from app.adapters.inbound.reading.instants import read_date
from app.adapters.inbound.use_cases.stats_use_cases import StatsUseCases
from app.application.read_stats import DEFAULT_LIMIT, DEFAULT_WINDOWS, MOST_TYPES, UnknownTypeError
from app.domain.activities import ACTIVITY_TYPE
from app.domain.stats import Granularity

A_DATE: dict[str, Any] = {"format": "date"}
From = Annotated[
    str | None,
    Query(alias="from", description="The first day; 29 days before `to` by default", json_schema_extra=A_DATE),
]
To = Annotated[str | None, Query(description="The last day, included; today by default", json_schema_extra=A_DATE)]
Start = Annotated[
    str | None,
    Query(
        description="A day of the first cohort's period; by default the last cohort is the current period's",
        json_schema_extra=A_DATE,
    ),
]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at the most")]
PageLimit = Annotated[int, Query(ge=1, le=MOST_TYPES, description="How many types at the most")]
After = Annotated[
    str | None, Query(pattern=f"^{ACTIVITY_TYPE.pattern}$", description="A type: those behind it by name are listed")
]
OneType = Annotated[
    str | None,
    Query(pattern=f"^{ACTIVITY_TYPE.pattern}$", description="This type alone, also one that is the name of a question"),
]
Windows = Annotated[int, Query(ge=1, le=366, description="How many cohorts, and periods of each")]
Length = Annotated[Granularity, Query(description="The length of a period; weeks are ISO weeks")]

Confirm = Annotated[
    str | None,
    Query(description="The first day of which all activities are there", json_schema_extra=A_DATE),
]

RESPONSES = failure(400, "The request was not correctly formed") | failure(503, "The history is away")
LINK: dict[str, Any] = {
    "description": 'The next page: `</stats?limit=1000&after=view>; rel="next"` (RFC 8288); none on the last',
    "schema": {"type": "string"},
}
FROZEN = failure(409, "What is counted of some days would be lost for good")
UNKNOWN = failure(404, "A type never seen")


def stats_router(core: StatsUseCases) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/stats", tags=["stats"], responses=RESPONSES)

    @router.get(
        "",
        response_model=list[TotalAnswer],
        summary="How often every type occurred, and the sum of its values",
        description="A page of the types, by name. Where more follow, `Link` has the next page. With `type`, the total "
        "of that type, or nothing.",
        responses={200: {"headers": {"Link": LINK}, "description": "A page of the totals"}},
    )
    async def list_totals(limit: PageLimit = MOST_TYPES, after: After = None, type: OneType = None) -> Response:  # noqa: A002 - the name in the query
        if type is not None:
            with suppress(UnknownTypeError):
                return json_response([total_answer(await core.total_of_type(type))])
            return json_response([])
        page = await core.page_of_totals(after or "", limit)
        answer = json_response([total_answer(total) for total in page.totals])
        if page.more:
            answer.headers["link"] = f'</stats?limit={limit}&after={page.totals[-1].type}>; rel="next"'
        return answer

    @router.delete(
        "",
        status_code=status.HTTP_204_NO_CONTENT,
        summary="Reset all figures; the activities stay, `marquee stats rebuild` brings the figures back",
        description="What is counted of days whose activities have left by their age does not come back: then "
        "`confirm` has to be the first day behind them, which the refusal names.",
        responses=FROZEN,
    )
    async def reset_stats(confirm: Confirm = None) -> Response:
        await core.keeper.reset(read_date("confirm", confirm))
        return Response(status_code=status.HTTP_204_NO_CONTENT)

    @router.get("/dau", summary="How many users were active on each day", response_model=list[DailyUsersAnswer])
    async def list_daily_users(from_: From = None, to: To = None) -> Response:
        days = await core.daily_active_users(read_date("from", from_), read_date("to", to))
        return json_response([daily_users_answer(day) for day in days])

    @router.get(
        "/top-events", summary="The most frequent types of some days, most first", response_model=list[TypeCountAnswer]
    )
    async def list_top_types(from_: From = None, to: To = None, limit: Limit = DEFAULT_LIMIT) -> Response:
        found = await core.top_types(read_date("from", from_), read_date("to", to), limit)
        return json_response([type_count_answer(one) for one in found])

    @router.get(
        "/retention",
        summary="Who came first in a period, and how many of them were active in later ones",
        response_model=CohortsAnswer,
    )
    async def get_retention(
        start_date: Start = None, windows: Windows = DEFAULT_WINDOWS, granularity: Length = Granularity.DAY
    ) -> Response:
        cohorts = await core.retention(granularity, windows, read_date("start_date", start_date))
        return json_response(retention_answer(granularity, cohorts))

    @router.get(
        "/{type}",
        summary="How often one type occurred, and the sum of its values",
        response_model=TotalAnswer,
        responses=UNKNOWN,
    )
    async def get_total(type: str) -> Response:  # noqa: A002 - the name in the contract's path
        return json_response(total_answer(await core.total_of_type(type)))

    return router
