"""PeriodStats in SQL: every question reads rows of a rollup, never an activity."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Executable, func, select

from app.adapters.outbound.sql.counted_figures import ACTIVE, require
from app.adapters.outbound.sql.database import SqlStore
from app.adapters.outbound.sql.packed_days import unpack_types
from app.adapters.outbound.sql.raw_fold import stream
from app.adapters.outbound.sql.schema import (
    active_users,
    daily_totals,
    daily_users,
    dimension_totals,
    hourly_totals,
    persons,
    visitors,
)
from app.adapters.outbound.sql.slot_sums import exact_sum, summed
from app.application.ports.period_stats import DimensionQuestion, DimensionRow, PeriodStats
from app.domain.dimensions import code_of, value_of
from app.domain.rollups import Day, Hour
from app.domain.series import Total
from app.domain.stats import Granularity, TypeTotal, Visits, day_number
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
        return {row.period: row.users for row in await self._complete(ACTIVE, wanted)}

    async def users_between(self, first: Day, last: Day, type_: str = ALL) -> int:
        """Read the sets of days of all who may have been there: of persons, and of visitors who are alone."""
        return await self._database.read(lambda connection: _users_between(connection, first, last, type_))

    async def days(self, first: date, last: date, type_: str = ALL) -> Mapping[Day, Total]:
        """Read a row per day and type."""
        begin, end = day_number(first), day_number(last)
        among: Any = daily_totals.c.day.between(begin, end)
        if type_ != ALL:  # a look at each day, however many types there are
            among = daily_totals.c.day.in_(range(begin, end + 1)) & (daily_totals.c.type == type_)
        return await self._by(daily_totals.c.day, among)

    async def hours(self, hours: Sequence[Hour], type_: str = ALL) -> Mapping[Hour, Total]:
        """Read a row per hour and type."""
        if not hours:
            return {}
        among: Any = hourly_totals.c.hour.between(hours[0], hours[-1])
        if type_ != ALL:
            among = hourly_totals.c.hour.in_(hours) & (hourly_totals.c.type == type_)
        return await self._by(hourly_totals.c.hour, among, hourly_totals.name)

    async def totals_between(self, first: date, last: date, after: str, limit: int) -> Sequence[TypeTotal]:
        """Add up the days."""
        table = daily_totals.c
        wanted = (
            select(table.type, func.sum(table["count"]), exact_sum(table.sum))
            .where(table.day.between(day_number(first), day_number(last)), table.type > after)
            .group_by(table.type)
            .order_by(table.type)
            .limit(limit)
        )
        return [TypeTotal(type_, int(count), sum_) for type_, count, sum_ in await self._rows(wanted)]

    async def by_value(self, asked: DimensionQuestion, limit: int) -> Sequence[DimensionRow]:
        """Rank the values of the range, then read the rows of the first ones."""
        table = dimension_totals.c
        among = (
            (table.dimension == asked.dimension)
            & (table.type == asked.type)
            & table.day.between(day_number(asked.first), day_number(asked.last))
        )
        if asked.value is not None:
            among &= table.value == code_of(asked.value)
        count = func.sum(table["count"])
        ranked = select(table.value).where(among).group_by(table.value).order_by(count.desc(), table.value).limit(limit)

        def read(connection: Connection) -> Sequence[DimensionRow]:
            require(connection, dimension_totals.name, asked.dimension)
            order = {code: place for place, code in enumerate(connection.execute(ranked).scalars())}
            days = select(table.value, table.day, count, exact_sum(table.sum)).where(among, table.value.in_(order))
            rows = connection.execute(days.group_by(table.value, table.day)).all()
            rows = sorted(rows, key=lambda row: (order[row[0]], row[1]))
            return [DimensionRow(value_of(code), day, (int(counted), sum_)) for code, day, counted, sum_ in rows]

        return await self._database.read(read)

    async def _complete(self, figure: str, wanted: Executable) -> Sequence[Any]:
        """Read rows of a figure that counts all activities."""

        def read(connection: Connection) -> Sequence[Any]:
            require(connection, figure)
            return connection.execute(wanted).all()

        return await self._database.read(read)

    async def _by(self, key: Any, among: Any, figure: str | None = None) -> Mapping[int, Total]:
        table = key.table
        wanted = select(key, func.sum(table.c["count"]), exact_sum(table.c.sum)).where(among).group_by(key)
        rows = await (self._complete(figure, wanted) if figure else self._rows(wanted))
        return {period: (int(count), sum_) for period, count, sum_ in rows}


def _users_between(connection: Connection, first: Day, last: Day, type_: str) -> int:
    if type_ != ALL:
        require(connection, ACTIVE)
    wanted = Visits(first, (1 << (last - first + 1)) - 1)
    found = 0
    for table, alone in ((visitors, visitors.c.person.is_(None)), (persons, persons.c.ids > 0)):
        days = [table.c.first_day, table.c.days] if type_ == ALL else [table.c.types]
        reach = table.c.first_day + 8 * func.length(table.c.days)
        with_days = select(*days).where(alone, table.c.first_day <= last, reach > first)
        found += _meeting(stream(connection, with_days), wanted, type_)
    return found


def _meeting(rows: Iterable[Any], wanted: Visits, type_: str) -> int:
    """Count those who were active on one of the wanted days."""
    found = 0
    for row in rows:
        if type_ == ALL:
            first, days = row[0], int.from_bytes(row[1], "little")
        elif (visits := unpack_types(row[0]).get(type_)) is not None:
            first, days = visits
        else:
            continue
        offset = wanted.first - first
        found += bool((days >> offset if offset >= 0 else days << -offset) & wanted.days)
    return found
