"""What people ask of plans: which sell, which are only looked at, and how one fares from day to day."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from decimal import Decimal
from uuid import UUID

from app.application.ports.catalog import PlanCatalog
from app.application.ports.history import PlanHistory
from app.application.ports.plan_stats import PlanStats
from app.application.ports.system import Clock, LiveStateUnavailableError
from app.application.read_stats import DateRange, range_until
from app.domain.plan_totals import PlanDay, PlanFigures, PlanOrder, days_of_plan
from app.domain.stats import today

MOST_PLANS = 1_000
"""Of one answer."""
FEWEST_VIEWS = 10
"""Of a plan that is only looked at: few looks say nothing."""


@dataclass(frozen=True, slots=True)
class RankedPlan:
    """A plan's figures, with what the catalog calls it, or called it last."""

    figures: PlanFigures
    title: str | None
    """None: neither the catalog nor the journal knows the plan."""


@dataclass(frozen=True, slots=True)
class SellingPlans:
    """What sells, and what is looked at without being bought; both by most."""

    bought: Sequence[RankedPlan]
    only_viewed: Sequence[RankedPlan]


@dataclass(frozen=True, slots=True)
class PlansByFigures:
    """Rank plans by their figures."""

    plan_stats: PlanStats
    catalog: PlanCatalog
    history: PlanHistory
    clock: Clock
    zone: tzinfo

    async def __call__(
        self, first: date | None, last: date | None, order: PlanOrder = PlanOrder.VIEWS, limit: int = 10
    ) -> Sequence[RankedPlan]:
        """List the first `limit` plans of a range of days.

        Raises:
            FromAfterToError: as DateRange does.
            RangeTooLongError: the same.
            HistoryUnavailableError: nobody can tell now.
        """
        days = self.days(first, last)
        return await self.titled(await self.plan_stats.plans(days.first, days.last, order, limit))

    def days(self, first: date | None, last: date | None) -> DateRange:
        """Say which days are meant."""
        return range_until(first, last or today(self.clock.now(), self.zone))

    async def titled(self, found: Sequence[PlanFigures]) -> Sequence[RankedPlan]:
        """Say what the plans are called."""
        titles = await asyncio.gather(*(self._title(one.plan_id) for one in found))
        return [RankedPlan(one, title) for one, title in zip(found, titles, strict=True)]

    async def _title(self, plan_id: str) -> str | None:
        """Ask the journal where the catalog has nothing to say: it keeps plans for ever, and commands reach it too."""
        try:
            found = await self.catalog.find(UUID(plan_id))
        except LiveStateUnavailableError:
            found = None
        if found is None:
            found = next((state.found for state in await self.history.states(UUID(plan_id), 1)), None)
        return found.plan.title if found else None


@dataclass(frozen=True, slots=True)
class WhatSells:
    """Tell which plans sell, and which are only looked at."""

    plans: PlansByFigures

    async def __call__(self, first: date | None, last: date | None, limit: int = 10) -> SellingPlans:
        """List the most bought ones, and the most viewed ones of which none was bought, `limit` of each at the most.

        Of the latter only those are found that are among the MOST_PLANS most viewed ones.

        Raises:
            FromAfterToError: as DateRange does.
            RangeTooLongError: the same.
            HistoryUnavailableError: nobody can tell now.
        """
        days = self.plans.days(first, last)
        bought = await self.plans(days.first, days.last, PlanOrder.PURCHASES, limit)
        viewed = await self.plans.plan_stats.plans(days.first, days.last, PlanOrder.VIEWS, MOST_PLANS)
        only = [one for one in viewed if not one.purchases and one.views >= FEWEST_VIEWS][:limit]
        return SellingPlans([one for one in bought if one.figures.purchases], await self.plans.titled(only))


@dataclass(frozen=True, slots=True)
class PlanByDay:
    """Tell how one plan fared from day to day."""

    plan_stats: PlanStats
    clock: Clock
    zone: tzinfo

    async def __call__(self, plan_id: UUID, first: date | None, last: date | None) -> Sequence[PlanDay]:
        """Give every day of a range, also those on which nothing was.

        Raises:
            FromAfterToError: as DateRange does.
            RangeTooLongError: the same.
            HistoryUnavailableError: nobody can tell now.
        """
        days = range_until(first, last or today(self.clock.now(), self.zone))
        found = {one.date: one for one in days_of_plan(await self.plan_stats.plan(str(plan_id), days.first, days.last))}
        every = (days.first + timedelta(days=n) for n in range((days.last - days.first).days + 1))
        return [found.get(day, PlanDay(day, 0, 0, Decimal())) for day in every]
