"""`GET /search` on FastAPI: the contract's documentation, and the reference that `search_app.py` is compared with."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime, time, tzinfo
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema  # optional, but never null: that a query cannot say

from app.adapters.inbound.http.describing.answers import failure
from app.adapters.inbound.http.search.as_of_answers import AsOfAnswers, PackedAnswer
from app.adapters.inbound.http.search.search_errors import CatalogNotLoadedError, PastUnavailableError
from app.adapters.inbound.http.search.search_window import refuse_long_query, window_of
from app.adapters.inbound.reading.instants import read_instant
from app.application.ports.catalog import PlanFinder
from app.application.ports.system import HistoryUnavailableError
from app.application.read_history import MOST_PLANS, SearchPast
from app.domain.time_window import TimeWindow


class EventSummary(BaseModel):
    """A plan, in the contract's words."""

    id: UUID = Field(description="Identifier for the plan (UUID)")
    title: str = Field(description="Title of the plan")
    start_date: date = Field(description="Date when the event starts in local time")
    start_time: time | None = Field(description="Time when the event starts in local time", examples=["22:38:19"])
    end_date: date | None = Field(description="Date when the event ends in local time")
    end_time: time | None = Field(description="Time when the event ends in local time", examples=["14:45:15"])
    min_price: float | None = Field(description="Min price from all the available tickets")
    max_price: float | None = Field(description="Max price from all the available tickets")


class EventList(BaseModel):
    """What was found, by start, then by id."""

    events: list[EventSummary]


class SearchAnswer(BaseModel):
    """A search that went well."""

    data: EventList
    error: None = None


def _bound(description: str) -> Any:
    schema = {"type": "string", "format": "date-time", "examples": ["2021-07-21T17:32:28Z"]}
    return Query(description=description, json_schema_extra=schema)


def _header(description: str, *values: str) -> dict[str, Any]:
    schema = {"type": "string", "enum": list(values)} if values else {"type": "string"}
    return {"description": description, "schema": schema}


HEADERS = {
    "ETag": _header("Names the plans and the coding; not with `as_of`. With a known `If-None-Match` the answer is 304"),
    "Vary": _header("`Accept-Encoding`, and others where CORS is on"),
    "Content-Encoding": _header("Of 1 kB and more, as `Accept-Encoding` says", "zstd", "gzip"),
}
AS_OF = (
    "Search the catalog as it was known at this instant, instead of now: an extension of the contract, answered "
    f"from the history; at most {MOST_PLANS:,} plans are in such an answer, for more it is 400 `window_too_wide`"
)


def search_router(
    finder: PlanFinder, timezone: tzinfo, is_ready: Callable[[], bool], search_past: SearchPast
) -> APIRouter:
    """Make the route; naive date-times of a query are read in `timezone`."""
    router = APIRouter(tags=["search"])
    past_answers = AsOfAnswers(search_past)

    @router.get(
        "/search",
        operation_id="searchEvents",
        summary="Lists the available events on a time range",
        response_model=SearchAnswer,
        response_description="List of plans",
        responses={200: {"headers": HEADERS}}
        | failure(400, "The request was not correctly formed")
        | failure(500, "Generic error"),
    )
    async def search(
        request: Request,
        starts_at: Annotated[
            str | SkipJsonSchema[None], _bound("Return only events that starts after this date")
        ] = None,
        ends_at: Annotated[
            str | SkipJsonSchema[None], _bound("Return only events that finishes before this date")
        ] = None,
        as_of: Annotated[str | SkipJsonSchema[None], _bound(AS_OF)] = None,
    ) -> Response:
        refuse_long_query(request.scope["query_string"])
        window = window_of(starts_at, ends_at, timezone)
        if as_of is not None:
            return await past(window, read_instant("as_of", as_of, timezone))
        if not is_ready():
            raise CatalogNotLoadedError
        return await asyncio.to_thread(lambda: PackedAnswer(finder.find(window)))

    async def past(window: TimeWindow, as_of: datetime) -> Response:
        try:
            return await past_answers(window, as_of)
        except HistoryUnavailableError as error:
            raise PastUnavailableError(str(error)) from error

    return router
