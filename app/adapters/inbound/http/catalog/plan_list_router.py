"""`GET /catalog/plans`: the plans that search finds, with what it has no words for."""

import asyncio
from datetime import tzinfo
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema  # optional, but never null: that a query cannot say

from app.adapters.inbound.answering.answers import ListedPlanAnswer
from app.adapters.inbound.http.catalog.list_cursors import PATTERN, cursor_of, read_cursor
from app.adapters.inbound.http.describing.answers import JSON, failure, render_json
from app.adapters.inbound.reading.instants import read_bound
from app.application.ports.plan_list import PlanList
from app.domain.plan_listing import ListWindow, Match, PlanFilter, PlanPage, PlanQuestion
from app.domain.plans import PlanStatus

MOST = 1000
MOST_VALUES = 20
"""Of one filter."""
AT_ONCE = 50
"""Plans that are rendered before others are served."""

DESCRIPTION = f"""
The plans that `GET /search` finds, those that left their feed too, page by page: while `next_cursor` is not null, ask
again with `cursor` and the same other parameters. What is added, moved or withdrawn meanwhile makes no other plan come
twice or get lost. A page may be shorter than `limit`, or empty, before the end: a filter that lets few plans through
takes several.

`from` and `to` are dates or date-times, both included. A date is that day where the plan takes place, on its own clock;
`to` includes the whole day. A date-time without an offset is read in `search.timezone`. With `match=inside` a plan is
in the window as in `GET /search`; with `overlapping` it may have begun before, or go on behind.

`provider`, `status` and `category` may be given up to {MOST_VALUES} times each: one of the values has to fit, letter by
letter.
"""


class Order(StrEnum):
    """By start, then by id."""

    START = "start"
    DESCENDING = "-start"


class PlansAnswer(BaseModel):
    """A page of a list."""

    plans: list[ListedPlanAnswer]
    next_cursor: str | None = Field(description="`cursor` of the next page; null: there are no more plans")


def _bound(description: str, **more: Any) -> Any:
    formats = [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]
    return Query(description=description, **more, json_schema_extra={"anyOf": formats, "examples": ["2026-06-01"]})


Bound = str | SkipJsonSchema[None]
Value = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _values(description: str) -> Any:
    return Query(default_factory=list, max_length=MOST_VALUES, description=description)


def plan_list_router(plan_list: PlanList, timezone: tzinfo) -> APIRouter:
    """Make the route; naive date-times of a query are read in `timezone`."""
    router = APIRouter(prefix="/catalog", tags=["catalog"])

    @router.get(
        "/plans",
        summary="The plans in a range of time, with all that is told of them",
        description=DESCRIPTION,
        response_model=PlansAnswer,
        responses=failure(400, "The request was not correctly formed") | failure(503, "The plans are not loaded yet"),
    )
    async def list_plans(  # noqa: PLR0913, PLR0917 - each is a parameter of the query
        provider: Annotated[list[Value], _values("The name of a provider")],
        status: Annotated[list[PlanStatus], _values("What became of the plan")],
        category: Annotated[list[Value], _values("As the provider writes it")],
        from_: Annotated[Bound, _bound("The first day, or instant", alias="from")] = None,
        to: Annotated[Bound, _bound("The last day, or instant")] = None,
        match: Annotated[Match, Query(description="Wholly in the window, or some of it")] = Match.INSIDE,
        order: Annotated[Order, Query(description="By start, then by id; `-start`: the latest first")] = Order.START,
        limit: Annotated[int, Query(ge=1, le=MOST, description="How many at the most")] = 100,
        cursor: Annotated[
            str | SkipJsonSchema[None],
            Query(description="`next_cursor` of the page before", json_schema_extra={"pattern": f"^{PATTERN}$"}),
        ] = None,
    ) -> Response:
        is_descending = order is Order.DESCENDING
        question = PlanQuestion(
            window=ListWindow(
                begins=read_bound("from", from_, timezone), ends=read_bound("to", to, timezone), match=match
            ),
            filter=PlanFilter(
                providers=frozenset(provider), statuses=frozenset(status), categories=frozenset(category)
            ),
            descending=is_descending,
            after=read_cursor(cursor, descending=is_descending),
            limit=limit,
        )
        body = await _rendered(await plan_list.page(question), descending=is_descending)
        return Response(body, media_type=JSON)

    return router


async def _rendered(page: PlanPage, *, descending: bool) -> bytes:
    """Render a page; other requests go on between."""
    rendered: list[bytes] = []
    for at in range(0, len(page.plans), AT_ONCE):
        rendered += [render_json(ListedPlanAnswer.of(plan)) for plan in page.plans[at : at + AT_ONCE]]
        await asyncio.sleep(0)
    end = render_json(None if page.end is None else cursor_of(page.end, descending=descending))
    return b'{"plans":[%b],"next_cursor":%b}' % (b",".join(rendered), end)
