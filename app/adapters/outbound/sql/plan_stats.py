"""PlanStats in SQL: every question reads rows of the rollup plan_totals, never an activity."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import CTE, Connection, Float, Subquery, case, cast, func, select

from app.adapters.outbound.sql.counted_figures import require
from app.adapters.outbound.sql.database import SqlStore
from app.adapters.outbound.sql.schema import plan_totals
from app.adapters.outbound.sql.slot_sums import exact_sum, summed
from app.application.ports.plan_stats import PlanStats
from app.domain.plan_totals import PURCHASE, VIEW, PlanFigures, PlanOrder
from app.domain.rollups import Sums
from app.domain.stats import day_number

_table = plan_totals.c


def _counted(kind: str) -> Any:
    return func.sum(case((_table.kind == kind, _table["count"]), else_=0))


def _paid(ranked: CTE, days: Sequence[int]) -> Subquery:
    """Add up what was paid for the plans that are told: exact sums are dear, and days are looked up one by one."""
    found = _table.plan_id.in_(select(ranked.c.plan_id))
    return (
        select(_table.plan_id, exact_sum(_table.sum).label("sum"))
        .where(_table.day.in_(days), found, _table.kind == PURCHASE)
        .group_by(_table.plan_id)
        .subquery()
    )


class SqlPlanStats(SqlStore, PlanStats):
    """Reads what SqlActivityStore keeps."""

    async def plans(self, first: date, last: date, order: PlanOrder, limit: int) -> Sequence[PlanFigures]:
        """Add up a row per day, plan and kind; only the database sees those that are not among the first."""
        views, purchases = _counted(VIEW), _counted(PURCHASE)
        rank = {
            PlanOrder.VIEWS: views,
            PlanOrder.PURCHASES: purchases,
            PlanOrder.CONVERSION: cast(purchases, Float) / func.nullif(views, 0),
        }[order].label("rank")
        ranked = (
            select(_table.plan_id, views.label("views"), purchases.label("purchases"), rank)
            .where(_table.day.between(day_number(first), day_number(last)))
            .group_by(_table.plan_id)
            .having(views + purchases > 0)
            .order_by(rank.desc().nulls_last(), _table.plan_id)
            .limit(limit)
            .cte("ranked")
        )
        paid = _paid(ranked, range(day_number(first), day_number(last) + 1))
        wanted = (
            select(ranked.c.plan_id, ranked.c.views, ranked.c.purchases, paid.c.sum)
            .outerjoin_from(ranked, paid, paid.c.plan_id == ranked.c.plan_id)
            .order_by(ranked.c.rank.desc().nulls_last(), ranked.c.plan_id)
        )
        return [
            PlanFigures(plan_id, int(v), int(p), sum_ or Decimal())
            for plan_id, v, p, sum_ in await self._complete(wanted)
        ]

    async def plan(self, plan_id: str, first: date, last: date) -> Sums:
        """Look at each day."""
        days = range(day_number(first), day_number(last) + 1)
        wanted = summed(plan_totals).where(_table.day.in_(days), _table.plan_id == plan_id)
        return {(row.day, row.plan_id, row.kind): (row.count, row.sum) for row in await self._complete(wanted)}

    async def _complete(self, wanted: Any) -> Sequence[Any]:
        def read(connection: Connection) -> Sequence[Any]:
            require(connection, plan_totals.name)
            return connection.execute(wanted).all()

        return await self._database.read(read)
