"""Plans by what visitors do with them, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.adapters.inbound.answering.stats_answers import (
    PlanDayAnswer,
    PlanFiguresAnswer,
    plan_day_answer,
    plan_figures_answer,
)
from app.adapters.inbound.http.describing.answers import failure, json_response
from app.adapters.inbound.http.stats.days import From, To
from app.adapters.inbound.reading.instants import read_date
from app.adapters.inbound.use_cases.stats_use_cases import StatsUseCases
from app.application.read_plan_stats import MOST_PLANS
from app.application.read_stats import DEFAULT_LIMIT
from app.domain.plan_totals import PlanOrder

OfOrder = Annotated[PlanOrder, Query(description="What comes first: most views, most purchases, or most of both")]
INCOMPLETE = failure(409, "The figure does not count all activities yet: `marquee stats rebuild`")
PlanLimit = Annotated[int, Query(ge=1, le=MOST_PLANS, description="How many plans at the most")]


def add_plan_stats(router: APIRouter, core: StatsUseCases) -> None:
    """Add the routes to those of the stats."""

    @router.get(
        "/plans",
        summary="Which plans are looked at and bought, most first",
        description="Activities name their plan by `plan_id`, a field or a property. Which types are looks and which "
        "are purchases is configured (`stats.view_types`, `stats.purchase_types`).",
        response_model=list[PlanFiguresAnswer],
        responses=INCOMPLETE,
    )
    async def list_plan_figures(
        from_: From = None, to: To = None, order: OfOrder = PlanOrder.VIEWS, limit: PlanLimit = DEFAULT_LIMIT
    ) -> Response:
        found = await core.plans_by_figures(read_date("from", from_), read_date("to", to), order, limit)
        return json_response([plan_figures_answer(one) for one in found])

    @router.get(
        "/plans/{plan_id}",
        summary="How often one plan was looked at and bought, on every day of a range",
        response_model=list[PlanDayAnswer],
        responses=INCOMPLETE,
    )
    async def list_plan_days(plan_id: UUID, from_: From = None, to: To = None) -> Response:
        found = await core.plan_by_day(plan_id, read_date("from", from_), read_date("to", to))
        return json_response([plan_day_answer(day) for day in found])
