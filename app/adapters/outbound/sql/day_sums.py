"""DaySums in SQL."""

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal

from app.adapters.outbound.sql.database import SqlStore
from app.adapters.outbound.sql.schema import daily_totals
from app.adapters.outbound.sql.slot_sums import summed
from app.application.ports.day_sums import DaySums
from app.domain.rollups import Day
from app.domain.stats import day_number


class SqlDaySums(SqlStore, DaySums):
    """Reads what SqlActivityStore keeps."""

    async def of_types(
        self, types: Collection[str], first: date, last: date
    ) -> Mapping[tuple[Day, str], tuple[int, Decimal]]:
        """Name each day and each type, so that every row is sought by its key, however many other types there are."""
        days = range(day_number(first), day_number(last) + 1)
        wanted = summed(daily_totals).where(daily_totals.c.day.in_(days), daily_totals.c.type.in_(types))
        rows = await self._rows(wanted)
        return {(day, type_): (counted, sum_) for day, type_, counted, sum_ in rows}
