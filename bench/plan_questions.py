"""For `make bench-stats`: the questions about plans, and what counting them costs an activity.

The rollup is filled as `PLANS` plans leave it that are looked at and bought on each of `DAYS` days, however many
activities that were. Targets: by views and purchases at most 20 ms, by conversion at most 500 ms (medians).
"""

import statistics
import time
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert

from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.plan_stats import SqlPlanStats
from app.adapters.outbound.sql.schema import plan_totals
from app.domain.activities import Activity
from app.domain.activity_columns import ActivityColumns
from app.domain.plan_totals import PURCHASE, VIEW, PlanOrder, PlanTotals
from app.domain.rollups import DatedActivities
from app.domain.stats import day_number
from bench.activities import FIRST_DAY

PLANS, DAYS = 2_000, 30
ROUNDS = 21
LIMITS = {PlanOrder.VIEWS: 20.0, PlanOrder.PURCHASES: 20.0, PlanOrder.CONVERSION: 500.0}
BATCH = 2_000
FIRST = FIRST_DAY.date()


async def ask_plans(database: Database) -> None:
    """Fill the rollup, ask each order in turns, empty it again; print medians."""
    stats = SqlPlanStats(database)
    await database.write(_fill)
    times: dict[PlanOrder, list[float]] = {order: [] for order in PlanOrder}
    for _ in range(ROUNDS):
        for order, taken in times.items():
            began = time.perf_counter()
            await stats.plans(FIRST, _last(), order, 10)
            taken.append((time.perf_counter() - began) * 1e3)
    for order, taken in times.items():
        median = statistics.median(taken)
        reached = "reached" if median <= LIMITS[order] else "MISSED"
        print(
            f"  {PLANS:,} plans of {DAYS} days by {order}: median {median:.2f} ms (target: {LIMITS[order]:g}) {reached}"
        )
    await database.write(_empty)
    named, other = _cost(names_plan=True), _cost(names_plan=False)
    print(f"  to count a look at a plan: {named:.2f} us; one that names no plan: {other:.2f} us")


def _last() -> date:
    return FIRST + timedelta(days=DAYS - 1)


def _empty(connection: Connection) -> None:
    connection.execute(delete(plan_totals))


def _fill(connection: Connection) -> None:
    begin = day_number(FIRST)
    for day in range(begin, begin + DAYS):
        rows: list[dict[str, Any]] = [
            {"day": day, "plan_id": str(UUID(int=plan)), "kind": kind, "slot": 0, "count": count, "sum": Decimal(count)}
            for plan in range(PLANS)
            for kind, count in ((VIEW, 1 + plan * 7919 % 997), (PURCHASE, 1 + plan * 7919 % 13))
        ]
        connection.execute(insert(plan_totals), rows)


def _cost(*, names_plan: bool) -> float:
    """Microseconds of CPU for each of a worker's batch of views."""
    plans = [UUID(int=n % 50) for n in range(BATCH)]
    texts = [f'{{"page":"/","plan_id":"{plan}"}}' if names_plan else '{"page":"/"}' for plan in plans]
    sent = [Activity(UUID(int=n), "view", FIRST_DAY, properties=text) for n, text in enumerate(texts)]
    dated = DatedActivities(ActivityColumns.of(sent), [0] * BATCH, [day_number(FIRST)] * BATCH)
    rollup, taken = PlanTotals(), []
    for _ in range(ROUNDS):
        began = time.process_time()
        rollup.sums(dated)
        taken.append((time.process_time() - began) / BATCH * 1e6)
    return statistics.median(taken)
