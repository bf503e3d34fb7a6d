"""The questions about periods that `make bench-stats` asks, and how long each may take."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date
from typing import Any

from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.period_stats import SqlPeriodStats
from app.adapters.outbound.sql.stats import SqlStats
from app.application.ports.period_stats import DimensionQuestion
from app.domain.dimensions import DimensionTotals
from app.domain.rollups import Rollup
from app.domain.series import hours_between
from app.domain.stats import Granularity, day_number, period_of
from app.domain.usual_rollups import ROLLUPS

COUNTED: Sequence[Rollup] = (*ROLLUPS, DimensionTotals(["source"]))
RETAINED = ("purchase",)
_TARGET, _PART = 20.0, 500.0
"""Milliseconds; those for users of a part of a period."""
LIMITS: Mapping[str, float] = {
    "totals of 90 days": _TARGET,
    "revenue by day": _TARGET,
    "activities by hour, 31 days": _TARGET,
    "users by week": _TARGET,
    "buyers by month": _TARGET,
    "revenue by source": _TARGET,
    "retention of buyers by month": _TARGET,
    "users of three days, each once": _PART,
}


def period_questions(database: Database, first: date, last: date) -> Mapping[str, Callable[[], Awaitable[Any]]]:
    """Give each question its way to the database, as HTTP asks it."""
    periods, stats = SqlPeriodStats(database), SqlStats(database)
    hours = hours_between(first, date.fromordinal(first.toordinal() + 30), UTC)
    week, last_week = (period_of(Granularity.WEEK, day) for day in (first, last))
    month, last_month = (period_of(Granularity.MONTH, day) for day in (first, last))
    by_source = DimensionQuestion("source", first, last, "purchase")
    begin = day_number(first) + 40
    return {
        "totals of 90 days": lambda: periods.totals_between(first, last, "", 1_000),
        "revenue by day": lambda: periods.days(first, last, "purchase"),
        "activities by hour, 31 days": lambda: periods.hours(hours),
        "users by week": lambda: periods.active(Granularity.WEEK, week, last_week),
        "buyers by month": lambda: periods.active(Granularity.MONTH, month, last_month, "purchase"),
        "revenue by source": lambda: periods.by_value(by_source, 20),
        "retention of buyers by month": lambda: stats.cells(Granularity.MONTH, month, last_month, 3, "purchase"),
        "users of three days, each once": lambda: periods.users_between(begin, begin + 2),
    }
