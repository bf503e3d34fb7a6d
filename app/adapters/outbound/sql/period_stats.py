"""PeriodStats in SQL: every question reads rows of a rollup, never an activity."""

from collections.abc import Mapping

from app.adapters.outbound.sql.database import SqlStore
from app.adapters.outbound.sql.schema import active_users, daily_users
from app.adapters.outbound.sql.slot_sums import summed
from app.application.ports.period_stats import PeriodStats
from app.domain.stats import Granularity
from app.domain.user_days import ALL


class SqlPeriodStats(SqlStore, PeriodStats):
    """Reads what SqlActivityStore keeps."""

    async def active(self, granularity: Granularity, first: int, last: int, type_: str = ALL) -> Mapping[int, int]:
        """Read a row per period."""
        if type_ == ALL and granularity is Granularity.DAY:
            days = summed(daily_users).where(daily_users.c.day.between(first, last))
            return {row.day: row.users for row in await self._rows(days)}
        wanted = summed(active_users).where(
            active_users.c.type == type_,
            active_users.c.granularity == str(granularity),
            active_users.c.period.between(first, last),
        )
        return {row.period: row.users for row in await self._rows(wanted)}
