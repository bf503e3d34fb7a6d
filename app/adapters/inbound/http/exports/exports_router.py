"""Activities taken out over HTTP: `GET /export/activities` all of a span, `GET /activities` the newest to look at."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import tzinfo
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import StringConstraints
from pydantic.json_schema import SkipJsonSchema

from app.adapters.formats.activity_record import activity_record
from app.adapters.inbound.answering.activity_answers import ActivityAnswer
from app.adapters.inbound.export_files.portions import FileFormat, Portion, activities_as_lines, as_portions
from app.adapters.inbound.export_files.tables import PLAN_COLUMNS, STATS_COLUMNS
from app.adapters.inbound.http.access.guarded_app import still_admitted
from app.adapters.inbound.http.connection.client_address import Network, caller_of
from app.adapters.inbound.http.describing.answers import Documented, failure, json_response
from app.adapters.inbound.http.exports.activity_cursors import PATTERN, cursor_of, read_position
from app.adapters.inbound.http.exports.export_streams import ExportStreams
from app.adapters.inbound.reading.instants import read_bound, read_date
from app.application.export_activities import ExportActivities
from app.application.export_plans import ExportPlans
from app.application.export_stats import ExportStats
from app.application.list_activities import MOST_LISTED, ListActivities
from app.application.ports.activity_archive import WantedActivities
from app.domain.activities import LONGEST_USER_ID
from app.domain.activity_spans import ActivitySpan, span_of

MEDIA_TYPES = {
    FileFormat.NDJSON: "application/x-ndjson",
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.PARQUET: "application/vnd.apache.parquet",
}
LOOKS = 2
"""That are answered at a time: each may read a whole day, or in PostgreSQL a month."""

DESCRIPTION = """
All activities of a span on lines, oldest months first, as `marquee import` takes them: the figures of an installation
into which they are imported are the same. The answer has no length and may take as long as its reader; one that was cut
short has no end (its last chunk is missing). What is stored meanwhile may be in it or not.

`from` and `to` are dates (in `stats.timezone`) or date-times, both included. In CSV, `properties` and `origin` are
JSON; `escape_formulas` puts an apostrophe before text that a spreadsheet would take for a formula.
"""
PLANS = """
Each plan once, in its newest state, those that left their feed too; with `from` and `to` those that start within these
days or instants. The answer is streamed as that of `/export/activities`.
"""
FIGURES = """
For each day on which something was counted, first its `users`, then a line for each `type` with `count` and `sum`.
Without `from`, the ten years that end with `to`.
"""
LOOK = """
The newest activities, by `occurred_at`, then by id. `Link` has the next page. There is no index by user or type: a page
looks back day by day (PostgreSQL: month by month) for about half a second; then it may be short, or empty, and `Link`
leads on from there.
"""

Bound = str | SkipJsonSchema[None]
Text = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_USER_ID)]


def _bound(description: str, **more: Any) -> Any:
    formats = [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]
    return Query(description=description, **more, json_schema_extra={"anyOf": formats, "examples": ["2026-06-01"]})


From = Annotated[Bound, _bound("The first day, or instant", alias="from")]
To = Annotated[Bound, _bound("The last day, or instant")]
Day = str | SkipJsonSchema[None]
A_DAY: dict[str, Any] = {"format": "date", "examples": ["2026-06-01"]}
FromDay = Annotated[Day, Query(alias="from", description="The first day", json_schema_extra=A_DAY)]
ToDay = Annotated[Day, Query(description="The last day, included; today by default", json_schema_extra=A_DAY)]
Format = Annotated[FileFormat, Query(alias="format", description="How they are written; Parquet needs an extra")]
Escape = Annotated[bool, Query(description="In CSV, for spreadsheets")]
AWAY = failure(400, "The request was not correctly formed") | failure(503, "The history is away, or too many read")
STREAMED: Documented = {
    200: {
        "description": "A line each; Parquet: a row each",
        "content": {
            "application/x-ndjson": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
            "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
        },
    },
    **AWAY,
    **failure(
        429,
        "Too many requests, or an export of yours is being read",
        headers={"Retry-After": {"schema": {"type": "integer"}}},
    ),
}
LINK: dict[str, Any] = {
    "description": 'The next page: `</activities?limit=100&after=...>; rel="next"` (RFC 8288); none on the last',
    "schema": {"type": "string"},
}


def exports_router(  # noqa: PLR0913, PLR0917 - what may be exported, and for whom
    export: ExportActivities,
    export_plans: ExportPlans,
    export_stats: ExportStats,
    look: ListActivities,
    streams: ExportStreams,
    zone: tzinfo,
    trusted_proxies: Sequence[Network] = (),
) -> APIRouter:
    """Make the routes; dates are days in `zone`."""
    router = APIRouter(tags=["activities"])
    places = asyncio.Semaphore(LOOKS)

    def span_between(from_: str | None, to: str | None) -> ActivitySpan:
        return span_of(read_bound("from", from_, zone), read_bound("to", to, zone), zone)

    async def opened(request: Request, portions: AsyncGenerator[Portion, None], format_: FileFormat) -> Response:
        caller = caller_of(request.scope.get("principal"), request.scope, trusted_proxies)
        return await streams.open(portions, caller, MEDIA_TYPES[format_], still_admitted(request.scope))

    @router.get(
        "/export/activities",
        summary="All activities of a span",
        description=DESCRIPTION,
        responses=STREAMED,
        response_class=Response,
    )
    async def export_activities(
        request: Request,
        format_: Format = FileFormat.NDJSON,
        from_: From = None,
        to: To = None,
        escape_formulas: Escape = False,
    ) -> Response:
        span = span_between(from_, to)
        portions = activities_as_lines(export, span, format_, escape_formulas=escape_formulas)
        return await opened(request, portions, format_)

    @router.get(
        "/export/plans",
        summary="All plans that start on some days, as the journal knows them",
        description=PLANS,
        responses=STREAMED,
        response_class=Response,
    )
    async def export_all_plans(
        request: Request,
        format_: Format = FileFormat.NDJSON,
        from_: From = None,
        to: To = None,
        escape_formulas: Escape = False,
    ) -> Response:
        span = span_between(from_, to)
        portions = as_portions(PLAN_COLUMNS, export_plans(span), format_, escape_formulas=escape_formulas)
        return await opened(request, portions, format_)

    @router.get(
        "/export/stats",
        summary="The users of each day and its totals by type",
        description=FIGURES,
        responses=STREAMED,
        response_class=Response,
    )
    async def export_all_stats(
        request: Request,
        format_: Format = FileFormat.NDJSON,
        from_: FromDay = None,
        to: ToDay = None,
        escape_formulas: Escape = False,
    ) -> Response:
        figures = export_stats(read_date("from", from_), read_date("to", to))
        portions = as_portions(STATS_COLUMNS, figures, format_, escape_formulas=escape_formulas)
        return await opened(request, portions, format_)

    @router.get(
        "/activities",
        summary="The newest activities, to look at",
        description=LOOK,
        response_model=list[ActivityAnswer],
        responses={200: {"headers": {"Link": LINK}, "description": "A page of activities"}, **AWAY},
    )
    async def list_activities(  # noqa: PLR0913, PLR0917 - each is a parameter of the query
        user: Annotated[Text | SkipJsonSchema[None], Query(description="Whose, by `user_id`")] = None,
        type_: Annotated[Text | SkipJsonSchema[None], Query(alias="type", description="Of this type")] = None,
        from_: From = None,
        to: To = None,
        limit: Annotated[int, Query(ge=1, le=MOST_LISTED, description="How many at the most")] = 100,
        after: Annotated[
            str | SkipJsonSchema[None],
            Query(description="Where the page before has ended", json_schema_extra={"pattern": f"^{PATTERN}$"}),
        ] = None,
    ) -> Response:
        span = span_between(from_, to)
        wanted = WantedActivities(span, user, type_, read_position(after))
        async with places:
            page = await look(wanted, limit)
        answer = json_response([activity_record(activity) for activity in page.activities])
        if page.next is not None:
            asked = {
                "user": user,
                "type": type_,
                "from": from_,
                "to": to,
                "limit": limit,
                "after": cursor_of(page.next),
            }
            query = urlencode({name: value for name, value in asked.items() if value is not None})
            answer.headers["link"] = f'</activities?{query}>; rel="next"'
        return answer

    return router
