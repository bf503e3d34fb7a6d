"""How what is known and said of plans is written in the journal: JSON that a person can read in any database."""

from datetime import datetime
from decimal import Decimal

import msgspec

from app.domain.plans import PlanDetails, PlanId, PlanSummary, SearchablePlan
from app.domain.reconciliation import KnownPlan

_json = msgspec.json.Encoder()
unpack_known = msgspec.json.Decoder(KnownPlan).decode
"""Read what `pack_known` wrote."""


class _Told(msgspec.Struct, omit_defaults=True):
    """A summary and details; what most plans have no other value of is not written."""

    plan_id: PlanId
    title: str
    starts: datetime
    ends: datetime | None
    min_price: Decimal | None
    max_price: Decimal | None
    start_has_time: bool = True
    end_has_time: bool = True
    details: PlanDetails | None = None
    timezone: str | None = None

    @property
    def summary(self) -> PlanSummary:
        """What a search says."""
        return PlanSummary(
            plan_id=self.plan_id,
            title=self.title,
            starts=self.starts,
            ends=self.ends,
            min_price=self.min_price,
            max_price=self.max_price,
            start_has_time=self.start_has_time,
            end_has_time=self.end_has_time,
        )


_told = msgspec.json.Decoder(_Told)


def pack_known(known: KnownPlan) -> str:
    """Write what a sync remembers of a plan."""
    return _json.encode(known).decode()


def pack_told(plan: SearchablePlan) -> str:
    """Write what is told of a plan, without its instants and its provider: they are columns of their own."""
    summary = plan.summary
    told = _Told(
        summary.plan_id,
        summary.title,
        summary.starts,
        summary.ends,
        summary.min_price,
        summary.max_price,
        summary.start_has_time,
        summary.end_has_time,
        plan.details,
        plan.timezone,
    )
    return _json.encode(told).decode()


def unpack_told(text: str, starts_at: datetime, ends_at: datetime, provider: str) -> SearchablePlan:
    """Read what `pack_told` wrote, back together with what are columns of their own."""
    told = _told.decode(text)
    return SearchablePlan(starts_at, ends_at, told.summary, told.details, provider, told.timezone)


def unpack_summary(text: str) -> PlanSummary:
    """Read of it what a search says."""
    return _told.decode(text).summary
