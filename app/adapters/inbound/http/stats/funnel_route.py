"""`GET /stats/funnel`: how far users came through some types of activities."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.adapters.inbound.answering.stats_answers import FunnelStepAnswer, funnel_step_answer
from app.adapters.inbound.http.describing.answers import failure, json_response
from app.adapters.inbound.reading.instants import read_date, read_length
from app.application.ask_funnel import AskFunnel
from app.domain.activities import ACTIVITY_TYPE
from app.domain.funnels import MOST_STEPS, Funnel

_TYPE = ACTIVITY_TYPE.pattern
_DATE: dict[str, Any] = {"format": "date"}
DESCRIPTION = """
A row a step: `users` came at least so far. A user counts for the furthest step that was reached in order, each strictly
later than the one before, all at most `within` after a first step on a day from `from` to `to`. Any of the first steps
may be the one, and later steps count beyond `to`. Users who are joined are one; who did something and is not known by
an id counts in none.

Types of `stats.funnel_types` are answered from instants that are kept. Others are read from single activities: one such
question at a time (`503`, `funnel_busy`), for at most 5 s (`400`, `funnel_too_slow`).
"""


def add_funnel(router: APIRouter, ask_funnel: AskFunnel) -> None:
    """Add the route."""

    @router.get(
        "/funnel",
        summary="How many users came from a first step to later ones, in order",
        description=DESCRIPTION,
        response_model=list[FunnelStepAnswer],
        responses=failure(503, "The history is away, or another funnel is being read from single activities"),
    )
    async def get_funnel(
        steps: Annotated[
            str,
            Query(
                description=f"Types in their order, by commas; at most {MOST_STEPS}",
                json_schema_extra={
                    "pattern": f"^{_TYPE}(,{_TYPE}){{0,{MOST_STEPS - 1}}}$",
                    "examples": ["view,cart.added,purchase"],
                },
            ),
        ],
        within: Annotated[
            str,
            Query(
                description="How long after a first step the last one counts, at most 366d: s, m, h, d or w",
                json_schema_extra={"pattern": "^[0-9]{1,6}[smhdw]$", "examples": ["7d"]},
            ),
        ] = "7d",
        from_: Annotated[
            str | None,
            Query(
                alias="from",
                description="The first day of first steps; 29 days before `to` by default",
                json_schema_extra=_DATE,
            ),
        ] = None,
        to: Annotated[
            str | None,
            Query(description="Their last day, included; today by default", json_schema_extra=_DATE),
        ] = None,
    ) -> Response:
        asked = Funnel(steps.split(","), read_length("within", within))
        found = await ask_funnel(asked, read_date("from", from_), read_date("to", to))
        return json_response([funnel_step_answer(step) for step in found])
