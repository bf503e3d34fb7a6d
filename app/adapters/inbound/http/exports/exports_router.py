"""Activities taken out over HTTP: `GET /export/activities` all of a span, `GET /activities` the newest to look at."""

import asyncio
from collections.abc import Sequence
from datetime import tzinfo
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import StringConstraints
from pydantic.json_schema import SkipJsonSchema

from app.adapters.formats.activity_record import activity_record
from app.adapters.inbound.answering.activity_answers import ActivityAnswer
from app.adapters.inbound.export_files.portions import LinesFormat, activities_as_lines
from app.adapters.inbound.http.access.guarded_app import still_admitted
from app.adapters.inbound.http.connection.client_address import Network, caller_of
from app.adapters.inbound.http.describing.answers import Documented, failure, json_response
from app.adapters.inbound.http.exports.activity_cursors import PATTERN, cursor_of, read_position
from app.adapters.inbound.http.exports.export_streams import ExportStreams
from app.adapters.inbound.reading.instants import read_bound
from app.application.export_activities import ExportActivities
from app.application.list_activities import MOST_LISTED, ListActivities
from app.application.ports.activity_archive import WantedActivities
from app.domain.activities import LONGEST_USER_ID
from app.domain.activity_spans import span_of

MEDIA_TYPES = {LinesFormat.NDJSON: "application/x-ndjson", LinesFormat.CSV: "text/csv; charset=utf-8"}
LOOKS = 2
"""That are answered at a time: each may read a whole day, or in PostgreSQL a month."""

DESCRIPTION = """
All activities of a span on lines, oldest months first, as `marquee import` takes them: the figures of an installation
into which they are imported are the same. The answer has no length and may take as long as its reader; one that was cut
short has no end (its last chunk is missing). What is stored meanwhile may be in it or not.

`from` and `to` are dates (in `stats.timezone`) or date-times, both included. In CSV, `properties` and `origin` are
JSON; `escape_formulas` puts an apostrophe before text that a spreadsheet would take for a formula.
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
AWAY = failure(400, "The request was not correctly formed") | failure(503, "The history is away, or too many read")
STREAMED: Documented = {
    200: {
        "description": "Activities, a line each",
        "content": {
            "application/x-ndjson": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
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


def exports_router(
    export: ExportActivities,
    look: ListActivities,
    streams: ExportStreams,
    zone: tzinfo,
    trusted_proxies: Sequence[Network] = (),
) -> APIRouter:
    """Make the routes; dates are days in `zone`."""
    router = APIRouter(tags=["activities"])
    places = asyncio.Semaphore(LOOKS)

    @router.get(
        "/export/activities",
        summary="All activities of a span",
        description=DESCRIPTION,
        responses=STREAMED,
        response_class=Response,
    )
    async def export_activities(
        request: Request,
        format_: Annotated[LinesFormat, Query(alias="format", description="How they are written")] = LinesFormat.NDJSON,
        from_: From = None,
        to: To = None,
        escape_formulas: Annotated[bool, Query(description="In CSV, for spreadsheets")] = False,
    ) -> Response:
        span = span_of(read_bound("from", from_, zone), read_bound("to", to, zone), zone)
        caller = caller_of(request.scope.get("principal"), request.scope, trusted_proxies)
        portions = activities_as_lines(export, span, format_, escape_formulas=escape_formulas)
        return await streams.open(portions, caller, MEDIA_TYPES[format_], still_admitted(request.scope))

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
        span = span_of(read_bound("from", from_, zone), read_bound("to", to, zone), zone)
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
