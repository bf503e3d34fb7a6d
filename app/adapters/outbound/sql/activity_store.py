"""ActivityStore in SQL: raw activities and every rollup in one transaction."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from app.adapters.outbound.sql.advisory_locks import AdvisoryLock, hold
from app.adapters.outbound.sql.bulk import Bulk, PostgresBulk, SqliteBulk
from app.adapters.outbound.sql.counters import inserting
from app.adapters.outbound.sql.database import Database, SqlStore
from app.adapters.outbound.sql.day_rules import DayRules
from app.adapters.outbound.sql.failures import is_about_the_data
from app.adapters.outbound.sql.schema import (
    daily_totals,
    daily_users,
    import_marks,
    retention_cells,
    type_totals,
)
from app.application.ports.activities import ActivityStore, ImportMarks, NotStorableError
from app.domain.activities import Activity
from app.domain.stats import Fold, UserFigures, add, fold, union
from app.domain.zone_rules import ZoneRules


class SqlActivityStore(ActivityStore):
    """Counts days in `zone`, which is the same for all rollups of one database.

    With its `rules`, also by the same rules: the newest by which no day would differ that was counted already.
    """

    def __init__(self, database: Database, zone: tzinfo, rules: ZoneRules | None = None) -> None:
        self._database = database
        self._day_rules = DayRules(zone, rules)
        self._bulk = bulk_of(database)
        self._settled = False

    async def store(self, activities: Sequence[Activity]) -> int:
        """Insert what is new, fold it, move the figures."""
        given: dict[Any, Activity] = {}
        for activity in activities:
            given.setdefault(activity.activity_id, activity)
        if not given:
            return 0
        if not self._settled:
            await self._database.write(self._settle)
            self._settled = True
        return await self._database.write(lambda connection: self._store(connection, given))

    def _settle(self, connection: Connection) -> None:
        hold(connection, AdvisoryLock.COUNTING)
        self._day_rules.settle(connection)

    def _store(self, connection: Connection, given: Mapping[Any, Activity]) -> int:
        with refusals_told():
            hold(connection, AdvisoryLock.COUNTING, shared=True)
            zone = self._day_rules.zone(connection)
            new = self._bulk.insert_new(connection, given)
            if new:
                self._count(connection, fold((given[activity_id] for activity_id in new), zone))
            return len(new)

    def _count(self, connection: Connection, new: Fold) -> None:
        figures = self._move_visits(connection, new)
        add_totals(connection, self._bulk, new)
        add_users(connection, self._bulk, figures)

    def _move_visits(self, connection: Connection, new: Fold) -> UserFigures:
        figures = UserFigures()
        own = new.visits
        if not own:
            return figures
        before = self._bulk.lock_visits(connection, own)
        grown = {}
        for user_id, visits in own.items():
            known = before.get(user_id)
            after = visits if known is None else union(known, visits)
            if after != known:
                figures.move(known, after)
                if known is not None:
                    grown[user_id] = after
        if grown:
            self._bulk.update_visits(connection, grown)
        return figures


def bulk_of(database: Database) -> Bulk:
    """Choose the statements."""
    return SqliteBulk() if database.is_sqlite else PostgresBulk()


def add_totals(connection: Connection, bulk: Bulk, new: Fold) -> None:
    """Add counts and sums, in one order, so that writers wait for each other and do not deadlock."""
    bulk.add(connection, daily_totals, [(*key, *total) for key, total in sorted(new.totals.items())])
    bulk.add(connection, type_totals, [(type_, *total) for type_, total in sorted(totals_by_type(new).items())])


def totals_by_type(new: Fold) -> dict[str, tuple[int, Decimal]]:
    """Add up the days of each type."""
    by_type: dict[str, tuple[int, Decimal]] = {}
    for (_, type_), (count, sum_) in new.totals.items():
        counted, summed = by_type.get(type_, (0, Decimal()))
        by_type[type_] = (counted + count, add(summed, sum_))
    return by_type


def add_users(connection: Connection, bulk: Bulk, figures: UserFigures) -> None:
    """Add what counts users."""
    if daily := sorted(item for item in figures.daily.items() if item[1]):
        bulk.add(connection, daily_users, daily)
    if cells := sorted((*cell, users) for cell, users in figures.cells.items() if users):
        bulk.add(connection, retention_cells, cells)


@contextmanager
def refusals_told() -> Iterator[None]:
    """Turn what a database has against the data into a NotStorableError.

    Raises:
        NotStorableError: it will be refused for ever.
    """
    try:
        yield
    except DBAPIError as error:
        if not is_about_the_data(error):
            raise
        raise NotStorableError(f"the database refuses it: {error.orig}") from error
    except (ArithmeticError, ValueError, OverflowError) as error:
        raise NotStorableError(f"it cannot be counted: {error!r}") from error


class SqlImportMarks(SqlStore, ImportMarks):
    """A row per file."""

    async def rows_done(self, digest: str) -> int:
        """Read the mark."""
        found = select(import_marks.c.rows).where(import_marks.c.digest == digest)
        return await self._database.read(lambda connection: connection.execute(found).scalar() or 0)

    async def mark(self, digest: str, rows: int) -> None:
        """Write the mark."""

        def work(connection: Connection) -> None:
            new = inserting(connection, import_marks).values(digest=digest, rows=rows)
            connection.execute(new.on_conflict_do_update(index_elements=["digest"], set_={"rows": rows}))

        await self._database.write(work)
