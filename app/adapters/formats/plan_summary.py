"""A plan in the words of the search contract, "Fever Providers API" 1.0.0 (ADR 0005); domain events say it alike."""

import datetime as dt
from decimal import Decimal
from uuid import UUID

import msgspec

from app.domain.plans import PlanSummary


class SummaryFields(msgspec.Struct, frozen=True):
    """The fields in the order in which they are sent, `id` first."""

    id: UUID
    title: str
    start_date: dt.date
    start_time: dt.time
    end_date: dt.date
    end_time: dt.time
    min_price: Decimal | None
    """A JSON number with the digits that the feed had."""
    max_price: Decimal | None

    @classmethod
    def of(cls, plan: PlanSummary) -> "SummaryFields":
        """Say a plan in these words."""
        starts, ends = plan.starts, plan.ends
        when = (starts.date(), starts.time(), ends.date(), ends.time())
        return cls(plan.plan_id, plan.title, *when, plan.min_price, plan.max_price)

    def plan(self) -> PlanSummary:
        """Read the plan back."""
        return PlanSummary(
            plan_id=self.id,
            title=self.title,
            starts=dt.datetime.combine(self.start_date, self.start_time),
            ends=dt.datetime.combine(self.end_date, self.end_time),
            min_price=self.min_price,
            max_price=self.max_price,
        )
