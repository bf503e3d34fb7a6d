"""The stats over HTTP. Answers are plain, without an envelope; sums have the digits that went in."""

from contextlib import suppress
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, status

from app.adapters.inbound.answering.stats_answers import (
    CohortsAnswer,
    DailyUsersAnswer,
    SeriesAnswer,
    TotalAnswer,
    TypeCountAnswer,
    daily_users_answer,
    dimension_answer,
    retention_answer,
    series_answer,
    total_answer,
    type_count_answer,
)
from app.adapters.inbound.http.describing.answers import failure, json_response
from app.adapters.inbound.http.stats.days import A_DATE, From, To
from app.adapters.inbound.http.stats.funnel_route import add_funnel
from app.adapters.inbound.http.stats.plan_stats_routes import add_plan_stats
from app.adapters.inbound.reading.granularity import read_granularity
from app.adapters.inbound.reading.instants import read_date
from app.adapters.inbound.use_cases.stats_use_cases import StatsUseCases
from app.application.read_series import MOST_VALUES, DimensionMissingError, SeriesQuestion
from app.application.read_stats import DEFAULT_LIMIT, DEFAULT_WINDOWS, MOST_TYPES, UnknownTypeError
from app.domain.activities import ACTIVITY_TYPE
from app.domain.dimensions import LONGEST_VALUE
from app.domain.series import Interval, Metric
from app.domain.stats import Granularity, TypeTotal
from app.domain.user_days import ALL

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
FromOfTotals = Annotated[
    str | None,
    Query(
        alias="from",
        description="Only activities from this day on; 29 days before `to` by default; without both, all days count",
        json_schema_extra=A_DATE,
    ),
]
ToOfTotals = Annotated[
    str | None,
    Query(description="Only activities up to this day, included; today by default", json_schema_extra=A_DATE),
]
OfMetric = Annotated[Metric, Query(description="Activities, the sum of their values, or users, each once a period")]
OfInterval = Annotated[
    Interval,
    Query(description="The length of a period; weeks are ISO weeks; hours of at most 92 days, and of no users"),
]
OfType = Annotated[
    str | None,
    Query(pattern=f"^{ACTIVITY_TYPE.pattern}$", description="Activities of this type alone; of all by default"),
]
OfDimension = Annotated[
    str | None,
    Query(
        max_length=120, description="`source`, or a `properties.NAME` of `activity.dimensions`: a series for each value"
    ),
]
OfValue = Annotated[str | None, Query(max_length=LONGEST_VALUE, description="Of the dimension: this value alone")]
Values = Annotated[
    int | None, Query(ge=1, le=1000, description=f"How many values at the most, {MOST_VALUES} by default")
]
Windows = Annotated[int, Query(ge=1, le=366, description="How many cohorts, and periods of each")]
Length = Annotated[
    Granularity | None, Query(description="The length of a period, a day by default; weeks are ISO weeks")
]
WindowType = Annotated[Granularity | None, Query(description="Another name of `granularity`")]

Confirm = Annotated[
    str | None,
    Query(description="The first day of which all activities are there", json_schema_extra=A_DATE),
]

RESPONSES = failure(400, "The request was not correctly formed") | failure(503, "The history is away")
LINK: dict[str, Any] = {
    "description": 'The next page: `</stats?limit=1000&after=view>; rel="next"` (RFC 8288); none on the last',
    "schema": {"type": "string"},
}
INCOMPLETE = failure(409, "The figure does not count all activities yet: `marquee stats rebuild`")
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
    async def list_totals(
        limit: PageLimit = MOST_TYPES,
        after: After = None,
        type: OneType = None,  # noqa: A002 - the name in the query
        from_: FromOfTotals = None,
        to: ToOfTotals = None,
    ) -> Response:
        first, last = read_date("from", from_), read_date("to", to)
        if type is not None:
            with suppress(UnknownTypeError):
                return json_response([total_answer(await _total(core, type, first, last))])
            return json_response([])
        if first is None and last is None:
            page = await core.page_of_totals(after or "", limit)
        else:
            page = await core.totals_of_range(first, last, after or "", limit)
        answer = json_response([total_answer(total) for total in page.totals])
        if page.more:
            days = "".join(f"&{name}={day}" for name, day in (("from", first), ("to", last)) if day)
            answer.headers["link"] = f'</stats?limit={limit}&after={page.totals[-1].type}{days}>; rel="next"'
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

    _add_periods(router, core)
    add_plan_stats(router, core)

    add_funnel(router, core.ask_funnel)

    @router.get(
        "/{type}",
        summary="How often one type occurred, and the sum of its values",
        response_model=TotalAnswer,
        responses=UNKNOWN,
    )
    async def get_total(type: str, from_: FromOfTotals = None, to: ToOfTotals = None) -> Response:  # noqa: A002 - the name in the contract's path
        return json_response(total_answer(await _total(core, type, read_date("from", from_), read_date("to", to))))

    return router


def _add_periods(router: APIRouter, core: StatsUseCases) -> None:
    """Add what is answered by periods."""

    @router.get(
        "/series",
        summary="How many activities, what sum of values or how many users in each period of a range",
        description="Every period that the range touches has a point, also where nothing was; it counts what lies in "
        "the range. The users of periods that the range cuts are looked up, which takes up to a second or two.",
        response_model=SeriesAnswer,
        responses=INCOMPLETE,
    )
    async def get_series(  # noqa: PLR0913, PLR0917 - a parameter each
        metric: OfMetric = Metric.COUNT,
        interval: OfInterval = Interval.DAY,
        type: OfType = None,  # noqa: A002 - the name in the query
        from_: From = None,
        to: To = None,
        dimension: OfDimension = None,
        value: OfValue = None,
        limit: Values = None,
    ) -> Response:
        asked = SeriesQuestion(metric, interval, type or ALL, read_date("from", from_), read_date("to", to))
        if dimension is None and value is None and limit is None:
            return json_response(series_answer(asked, await core.series(asked)))
        if dimension is None:
            raise DimensionMissingError
        found = await core.series_by_dimension(asked, dimension, value, limit or MOST_VALUES)
        return json_response(dimension_answer(asked, dimension, found))

    @router.get(
        "/retention",
        summary="Who came first in a period, and how many of them were active in later ones",
        response_model=CohortsAnswer,
        responses=INCOMPLETE,
    )
    async def get_retention(
        start_date: Start = None,
        windows: Windows = DEFAULT_WINDOWS,
        granularity: Length = None,
        window_type: WindowType = None,
        type: OfType = None,  # noqa: A002 - the name in the query
    ) -> Response:
        length = read_granularity(granularity, window_type)
        cohorts = await core.retention(length, windows, read_date("start_date", start_date), type or ALL)
        return json_response(retention_answer(length, cohorts, type or ALL))


async def _total(core: StatsUseCases, type_: str, first: date | None, last: date | None) -> TypeTotal:
    """Count all days, or those of a range."""
    if first is None and last is None:
        return await core.total_of_type(type_)
    return await core.total_in_range(type_, first, last)
