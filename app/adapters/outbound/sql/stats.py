"""Stats in SQL: every question reads rows of a rollup, never an activity."""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection, func, select

from app.adapters.outbound.sql.counted_figures import RETENTION, require
from app.adapters.outbound.sql.database import SqlStore
from app.adapters.outbound.sql.schema import (
    daily_totals,
    daily_users,
    retention_cells,
    type_retention_cells,
    type_totals,
)
from app.adapters.outbound.sql.slot_sums import summed
from app.application.ports.activities import Stats
from app.domain.rollups import Day
from app.domain.stats import Cell, Granularity, TypeCount, TypeRanking, TypeTotal, day_number
from app.domain.user_days import ALL


class SqlStats(SqlStore, Stats):
    """Reads what SqlActivityStore keeps."""

    async def totals(self, after: str = "", limit: int | None = None) -> Sequence[TypeTotal]:
        """Read the totals per type, along the primary key."""
        behind = summed(type_totals).where(type_totals.c.type > after)
        return [TypeTotal(*row) for row in await self._rows(behind.order_by(type_totals.c.type).limit(limit))]

    async def total(self, type_: str) -> TypeTotal | None:
        """Read one of them."""
        rows = await self._rows(summed(type_totals).where(type_totals.c.type == type_))
        return TypeTotal(*rows[0]) if rows else None

    async def ranking(self, limit: int) -> TypeRanking:
        """Read the first rows of them; only the database sees the others, of which there may be 100,000."""
        count = func.sum(type_totals.c["count"])
        ranked = summed(type_totals).order_by(count.desc(), type_totals.c.type).limit(limit)
        added_up = select(func.count(type_totals.c.type.distinct()), func.coalesce(count, 0)).select_from(type_totals)

        def read(connection: Connection) -> TypeRanking:
            types, activities = connection.execute(added_up).one()
            top = connection.execute(ranked).all()
            return TypeRanking(types, int(activities), [TypeTotal(*row) for row in top])

        return await self._database.read(read)

    async def daily_users(self, first: date, last: date) -> Mapping[Day, int]:
        """Read a row per day."""
        between = daily_users.c.day.between(day_number(first), day_number(last))
        return {row.day: row.users for row in await self._rows(summed(daily_users).where(between))}

    async def top_types(self, first: date, last: date, limit: int) -> Sequence[TypeCount]:
        """Add up a row per day and type."""
        count = func.sum(daily_totals.c["count"])
        top = (
            select(daily_totals.c.type, count)
            .where(daily_totals.c.day.between(day_number(first), day_number(last)))
            .group_by(daily_totals.c.type)
            .order_by(count.desc(), daily_totals.c.type)
            .limit(limit)
        )
        return [TypeCount(type_, int(counted)) for type_, counted in await self._rows(top)]

    async def cells(
        self, granularity: Granularity, first: int, last: int, later: int, type_: str = ""
    ) -> Mapping[Cell, int]:
        """Read a row per cell."""
        table = retention_cells
        if type_ != ALL or granularity is Granularity.MONTH:
            table = type_retention_cells
        wanted = summed(table).where(
            table.c.granularity == str(granularity),
            table.c.cohort.between(first, last),
            table.c.later.between(0, later),
        )
        if table is type_retention_cells:
            wanted = wanted.where(table.c.type == type_)

        def read(connection: Connection) -> Mapping[Cell, int]:
            if table is type_retention_cells:
                require(connection, RETENTION, type_)
            rows = connection.execute(wanted)
            return {Cell(granularity, row.cohort, row.later): row.users for row in rows}

        return await self._database.read(read)
