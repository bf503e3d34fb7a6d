"""What people ask of the past: how a plan was known, and what a search would have found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.application.ports.history import PastState, PlanHistory
from app.domain.errors import DomainError, UnknownPlanError
from app.domain.plans import PlanId, PlanSummary
from app.domain.time_window import TimeWindow

MOST_PLANS = 10_000
"""In one answer about the past: it is made as a whole, unlike one about the present."""


class WindowTooWideError(DomainError):
    """More plans lie inside the window than one answer may hold."""

    def __init__(self, most: int) -> None:
        """Say what to do instead."""
        super().__init__(
            f"more than {most:,} plans were known inside this window: ask for a narrower one, "
            "for instance with starts_at and ends_at a month apart"
        )


@dataclass(frozen=True, slots=True)
class ListPlanStates:
    """List how a plan was known, newest first."""

    history: PlanHistory

    async def __call__(self, plan_id: PlanId, limit: int) -> Sequence[PastState]:
        """List at most `limit` states.

        Raises:
            UnknownPlanError: the journal has never seen it.
            HistoryUnavailableError: nobody can tell now.
        """
        states = await self.history.states(plan_id, limit)
        if not states:
            raise UnknownPlanError(plan_id)
        return states


@dataclass(frozen=True, slots=True)
class SearchPast:
    """Search with what was known at an instant."""

    history: PlanHistory
    most: int = MOST_PLANS

    async def __call__(self, window: TimeWindow, as_of: datetime) -> Sequence[PlanSummary]:
        """Find all plans inside the window, by start, then by id; for an instant that is yet to come, as known now.

        Raises:
            WindowTooWideError: they are too many.
            HistoryUnavailableError: nobody can tell now.
        """
        found = await self.history.search(window, as_of, self.most + 1)
        if len(found) > self.most:
            raise WindowTooWideError(self.most)
        return found
