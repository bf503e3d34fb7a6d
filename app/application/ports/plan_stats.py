"""The port of the questions about plans: what was looked at and what was bought."""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import date
from typing import Protocol

from app.domain.plan_totals import PlanFigures, PlanOrder
from app.domain.rollups import Sums


class PlanStats(Protocol):
    """What was counted of plans, read.

    Both methods raise FigureIncompleteError where not all activities are counted yet (`marquee stats rebuild`), and
    HistoryUnavailableError when nobody can tell now.
    """

    @abstractmethod
    async def plans(self, first: date, last: date, order: PlanOrder, limit: int) -> Sequence[PlanFigures]:
        """List plans of a range of days, both included: most first, equal ones by id.

        By conversion, plans without a view come last.
        """

    @abstractmethod
    async def plan(self, plan_id: str, first: date, last: date) -> Sums:
        """Tell what was counted of one plan in a range of days, both included, by day, plan and kind."""
