"""The catalog over HTTP: plans, providers, their runs and rejections, and a sync now."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response, status
from pydantic import BaseModel, Field

from app.adapters.inbound.answering.answers import (
    HeldAnswer,
    PlanDetailsAnswer,
    PlanStateAnswer,
    ProviderAnswer,
    RejectionAnswer,
    RunAnswer,
    held_answer,
    past_answer,
)
from app.adapters.inbound.http.describing.answers import failure, json_response
from app.application.read_catalog import DescribeHeld, DescribePlan, DescribeProviders, ListRejections, ListRuns
from app.application.read_history import ListPlanStates
from app.application.request_sync import RequestSync

Limit = Annotated[int, Query(ge=1, le=1000, description="How many at the most, newest first")]
Approve = Annotated[bool, Query(description="Apply what the gate holds")]
Full = Annotated[bool, Query(description="Fetch the whole feed, whatever its server says of changes")]
Mended = Annotated[bool, Query(description="Those that were mended last, instead of those that stand")]
Name = Annotated[str, Path(max_length=64, description="A provider's name in the configuration")]

UNKNOWN = failure(404, "Unknown")
AWAY = failure(400, "The request was not correctly formed") | failure(
    503, "The catalog's store, the history or a scheduler is away"
)


class RequestedSyncAnswer(BaseModel):
    """A sync that the scheduler was asked for."""

    run_id: str
    runs: str = Field(description="Where its report will stand", examples=["/catalog/providers/demo/runs"])


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogUseCases:
    """What the catalog's routes need."""

    describe_plan: DescribePlan
    list_plan_states: ListPlanStates
    describe_providers: DescribeProviders
    list_runs: ListRuns
    list_rejections: ListRejections
    describe_held: DescribeHeld
    request_sync: RequestSync


def catalog_router(core: CatalogUseCases) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/catalog", tags=["catalog"], responses=AWAY)

    @router.get(
        "/plans/{plan_id}", summary="Everything known of one plan", response_model=PlanDetailsAnswer, responses=UNKNOWN
    )
    async def get_plan(plan_id: UUID) -> Response:
        return json_response(PlanDetailsAnswer.of(await core.describe_plan(plan_id)))

    @router.get(
        "/plans/{plan_id}/history",
        response_model=list[PlanStateAnswer],
        summary="Every state that a plan was known in, newest first, and the change that brought it",
        responses=UNKNOWN,
    )
    async def list_plan_states(plan_id: UUID, limit: Limit = 20) -> Response:
        return json_response([past_answer(state) for state in await core.list_plan_states(plan_id, limit)])

    @router.get("/providers", summary="Every configured provider and how it fares", response_model=list[ProviderAnswer])
    async def list_providers() -> Response:
        return json_response([ProviderAnswer.of(provider) for provider in await core.describe_providers()])

    @router.get(
        "/providers/{name}/runs",
        summary="The newest runs of a provider's sync",
        response_model=list[RunAnswer],
        responses=UNKNOWN,
    )
    async def list_runs(name: Name, limit: Limit = 20) -> Response:
        return json_response([RunAnswer.of(report) for report in await core.list_runs(name, limit)])

    @router.get(
        "/providers/{name}/rejections",
        response_model=list[RejectionAnswer],
        summary="What of a provider's feed cannot be used now, or what has been mended",
        responses=UNKNOWN,
    )
    async def list_rejections(name: Name, limit: Limit = 100, mended: Mended = False) -> Response:
        rows = await core.list_rejections(name, limit, mended=mended)
        return json_response([RejectionAnswer.of(row) for row in rows])

    @router.get(
        "/providers/{name}/held",
        response_model=HeldAnswer,
        summary="What the gate holds of a provider, plan by plan, with before and after",
        responses=UNKNOWN,
    )
    async def describe_held(name: Name) -> Response:
        return json_response(held_answer(await core.describe_held(name)))

    @router.post(
        "/providers/{name}/sync",
        response_model=RequestedSyncAnswer,
        status_code=status.HTTP_202_ACCEPTED,
        summary="Ask the scheduler to sync a provider now",
        responses=UNKNOWN,
    )
    async def request_sync(name: Name, approve: Approve = False, full: Full = False) -> Response:
        run_id = await core.request_sync(name, approve=approve, full=full)
        return json_response({"run_id": run_id, "runs": f"/catalog/providers/{name}/runs"}, status.HTTP_202_ACCEPTED)

    return router
