"""PlanStats in SQL: every question reads rows of the rollup plan_totals, never an activity."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Float, case, cast, func, literal, select

from app.adapters.outbound.sql.columns import ExactDecimal
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


class SqlPlanStats(SqlStore, PlanStats):
    """Reads what SqlActivityStore keeps."""

    async def plans(self, first: date, last: date, order: PlanOrder, limit: int) -> Sequence[PlanFigures]:
        """Add up a row per day, plan and kind; only the database sees those that are not among the first."""
        views, purchases = _counted(VIEW), _counted(PURCHASE)
        of_all = exact_sum(case((_table.kind == PURCHASE, _table.sum), else_=literal(Decimal(), ExactDecimal())))
        ranked = {
            PlanOrder.VIEWS: views.desc(),
            PlanOrder.PURCHASES: purchases.desc(),
            PlanOrder.CONVERSION: (cast(purchases, Float) / func.nullif(views, 0)).desc().nulls_last(),
        }
        wanted = (
            select(_table.plan_id, views, purchases, of_all)
            .where(_table.day.between(day_number(first), day_number(last)))
            .group_by(_table.plan_id)
            .having(views + purchases > 0)
            .order_by(ranked[order], _table.plan_id)
            .limit(limit)
        )
        return [PlanFigures(plan_id, int(v), int(p), sum_) for plan_id, v, p, sum_ in await self._complete(wanted)]

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
