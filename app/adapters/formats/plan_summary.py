"""A plan in the words of the search contract, "Fever Providers API" 1.0.0 (ADR 0005); domain events say it alike."""

import datetime as dt
from decimal import Decimal
from uuid import UUID

import msgspec

from app.domain.plans import PlanSummary

LAST_SECOND = dt.time(23, 59, 59)
"""With it ends, for a window, a day of which no time is said."""


class SummaryFields(msgspec.Struct, frozen=True):
    """The fields in the order in which they are sent, `id` first."""

    id: UUID
    title: str
    start_date: dt.date
    start_time: dt.time | None
    """None when the plan takes whole days."""
    end_date: dt.date | None
    """None when nobody knows the end; the last day of a plan that takes whole days."""
    end_time: dt.time | None
    min_price: Decimal | None
    """A JSON number with the digits that the feed had."""
    max_price: Decimal | None

    @classmethod
    def of(cls, plan: PlanSummary) -> "SummaryFields":
        """Say a plan in these words."""
        starts, ends = plan.starts, plan.ends
        return cls(
            plan.plan_id,
            plan.title,
            starts.date(),
            starts.time() if plan.start_has_time else None,
            ends and ends.date(),
            ends.time() if ends and plan.end_has_time else None,
            plan.min_price,
            plan.max_price,
        )

    def plan(self) -> PlanSummary:
        """Read the plan back."""
        return PlanSummary(
            plan_id=self.id,
            title=self.title,
            starts=dt.datetime.combine(self.start_date, self.start_time or dt.time.min),
            ends=None if self.end_date is None else dt.datetime.combine(self.end_date, self.end_time or LAST_SECOND),
            min_price=self.min_price,
            max_price=self.max_price,
            start_has_time=self.start_time is not None,
            end_has_time=self.end_date is None or self.end_time is not None,
        )
