"""ActivityExpiry in SQL. SQLite: some rows at a time, along the table's key. PostgreSQL: a month's partition at a time.

What leaves leaves by whole days of UTC, and so may take the beginning of a day of the stats with it: all of this day is
frozen then. Each step freezes what it removes, in one transaction in which nobody counts.
"""

from abc import abstractmethod
from collections.abc import Collection, Sequence
from datetime import date, datetime, time, tzinfo
from typing import Protocol

from sqlalchemy import Column, ColumnElement, Connection, delete, func, select

from app.adapters.outbound.sql.advisory_locks import AdvisoryLock, hold
from app.adapters.outbound.sql.counted_figures import CountedFigures
from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.day_rules import DayRules
from app.adapters.outbound.sql.frozen_days import freeze_statements, read_cut, write_cut
from app.adapters.outbound.sql.partitions import partitions
from app.adapters.outbound.sql.places import DAY, day_of, first_place
from app.adapters.outbound.sql.rows import microseconds
from app.adapters.outbound.sql.schema import activities, daily_totals, hourly_totals
from app.adapters.outbound.sql.sqlite_file import give_pages_back
from app.application.ports.activity_expiry import ActivityExpiry
from app.application.ports.removal import FiguresIncompleteError
from app.domain.activities import STATEMENTS
from app.domain.rollups import Cut, Day, Rollup, cut_behind
from app.domain.usual_rollups import ROLLUPS
from app.domain.zone_rules import ZoneRules

ROWS = 2_000
"""That one step removes in SQLite."""
PAGES = 500
"""Of 4 KiB, that one step gives back."""
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '1s'"
"""PostgreSQL lets nobody past who waits for a lock of this kind: a long question must not hold up everybody."""


class SqlActivityExpiry(ActivityExpiry):
    """Removes what SqlActivityStore keeps; counts days in `zone`."""

    def __init__(  # noqa: PLR0913 - its database, what is counted in it, and the size of a step
        self,
        database: Database,
        zone: tzinfo,
        rules: ZoneRules | None = None,
        rollups: Sequence[Rollup] = ROLLUPS,
        *,
        retained: Collection[str] = frozenset(),
        rows: int = ROWS,
    ) -> None:
        self._database = database
        self._counted = CountedFigures(rollups, retained)
        self._zone = zone
        self._day_rules = DayRules(zone, rules)
        self._leaving: Leaving = RowsLeaving(rows) if database.is_sqlite else PartitionLeaving()

    async def remove_some(self, before: date) -> int | None:
        """Look first, so that nobody waits for us when nothing is due."""
        midnight = datetime.combine(before, time(), self._zone)
        bound = max(microseconds(midnight) // DAY, 0)
        if await self._database.read(lambda connection: self._leaving.behind(connection, bound)) is None:
            return None
        return await self._database.write(lambda connection: self._remove(connection, bound))

    def _remove(self, connection: Connection, bound: Day) -> int | None:
        if not self._database.is_sqlite:
            connection.exec_driver_sql(_LOCK_TIMEOUT)
        hold(connection, AdvisoryLock.COUNTING)
        hold(connection, AdvisoryLock.PARTITIONS)
        zone = self._day_rules.zone(connection)
        behind = self._leaving.behind(connection, bound)
        if behind is None:
            return None
        known, cut = read_cut(connection), cut_behind((day_of(behind - 1) + 1) * DAY, zone)
        rows = activities.c.place < behind
        count, statements = _numbers_of(connection, rows)
        if known is None or known.instant < cut.instant:
            if self._counted.trouble(connection):
                raise FiguresIncompleteError("figures that are new or configured anew")
            _see_that_all_are_counted(connection, known, cut, count - statements)
            write_cut(connection, cut)
        if statements:
            freeze_statements(connection, select(activities.c.id).where(rows, activities.c.type.in_(STATEMENTS)))
        self._leaving.remove(connection, rows)
        return count

    async def give_back(self) -> bool:
        """Shorten SQLite's file; PostgreSQL's is gone with its table."""
        return self._database.is_sqlite and await self._database.write(lambda one: give_pages_back(one, PAGES))


def _numbers_of(connection: Connection, rows: ColumnElement[bool]) -> tuple[int, int]:
    """Count rows, and the statements among them, by reading them once."""
    statements = func.count().filter(activities.c.type.in_(STATEMENTS))
    count, said = connection.execute(select(func.count(), statements).select_from(activities).where(rows)).one()
    return int(count), int(said)


def _see_that_all_are_counted(connection: Connection, known: Cut | None, cut: Cut, leaving: int) -> None:
    """Look whether the figures are whole, for nobody can make them anew later: they may have been reset, or be younger.

    Raises:
        FiguresIncompleteError: they are not.
    """
    if _count_between(connection, daily_totals.c.day, None, cut.day) < leaving:
        raise FiguresIncompleteError(daily_totals.name)
    first_day, first_hour = (None, None) if known is None else (known.day, known.hour)
    by_day = _count_between(connection, daily_totals.c.day, first_day, cut.day)
    if _count_between(connection, hourly_totals.c.hour, first_hour, cut.hour) < by_day:
        raise FiguresIncompleteError(hourly_totals.name)


def _count_between(connection: Connection, key: Column[int], begin: int | None, end: int) -> int:
    counted = select(func.coalesce(func.sum(key.table.c["count"]), 0)).where(key < end)
    return int(connection.execute(counted if begin is None else counted.where(key >= begin)).scalar_one())


class Leaving(Protocol):
    """How activities leave one kind of database."""

    @abstractmethod
    def behind(self, connection: Connection, bound: Day) -> int | None:
        """Say before which place the rows stand that leave next, of the days (UTC) before a bound; None: none does."""

    @abstractmethod
    def remove(self, connection: Connection, rows: ColumnElement[bool]) -> None:
        """Remove these rows."""


class RowsLeaving(Leaving):
    """The rows that stand first; in SQLite a range of the key costs what it holds."""

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def behind(self, connection: Connection, bound: Day) -> int | None:
        """Find the last of the first rows."""
        first = select(activities.c.place).where(activities.c.place < first_place(bound))
        some = first.order_by(activities.c.place).limit(self._rows).subquery()
        last = connection.execute(select(func.max(some.c.place))).scalar()
        return None if last is None else int(last) + 1

    def remove(self, connection: Connection, rows: ColumnElement[bool]) -> None:
        """Delete them."""
        connection.execute(delete(activities).where(rows))


class PartitionLeaving(Leaving):
    """The oldest partition, as soon as all its days may leave."""

    def behind(self, connection: Connection, bound: Day) -> int | None:
        """Look for one."""
        oldest = next(iter(partitions(connection)), None)
        return oldest.behind if oldest is not None and oldest.behind <= first_place(bound) else None

    def remove(self, connection: Connection, rows: ColumnElement[bool]) -> None:  # noqa: ARG002 - those of the oldest
        """Drop it; its files go with it."""
        connection.exec_driver_sql(f"DROP TABLE {partitions(connection)[0].name}")
