"""ActivityStore in SQL: raw activities and every rollup in one transaction."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

from app.adapters.outbound.sql.activity_outbox import note_activities
from app.adapters.outbound.sql.advisory_locks import AdvisoryLock, hold, take_slot
from app.adapters.outbound.sql.bulk import Bulk, PostgresBulk, SqliteBulk
from app.adapters.outbound.sql.columns import metadata
from app.adapters.outbound.sql.counted_figures import CountedFigures
from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.day_rules import DayRules, funnel_types_kept
from app.adapters.outbound.sql.dimension_values import DimensionValues
from app.adapters.outbound.sql.failures import is_about_the_data, is_without_partition
from app.adapters.outbound.sql.funnel_instants import add_instants
from app.adapters.outbound.sql.identities import Identities, put_statements
from app.adapters.outbound.sql.imports import note_stored
from app.adapters.outbound.sql.partitions import NoPartitionError, make_partitions
from app.adapters.outbound.sql.places import DAY, Month, months_of
from app.adapters.outbound.sql.schema import (
    active_users,
    daily_totals,
    daily_users,
    retention_cells,
    type_retention_cells,
    type_totals,
)
from app.application.ports.activities import ActivityStore, NotStorableError
from app.application.ports.imports import ImportId
from app.domain.activities import Activity
from app.domain.activity_columns import ActivityColumns
from app.domain.column_fold import Fold, fold_columns
from app.domain.funnels import DEFAULT_TYPES
from app.domain.identities import Key, aliases_in, claims_in
from app.domain.rollups import Rollup, Sums, added_up
from app.domain.stats import Granularity
from app.domain.user_days import ALL, UserDays, together
from app.domain.user_figures import UserFigures
from app.domain.usual_rollups import ROLLUPS
from app.domain.zone_rules import ZoneRules


class SqlActivityStore(ActivityStore):
    """Counts days in `zone`, which is the same for all rollups of one database.

    With its `rules`, also by the same rules: the newest by which no day would differ that was counted already.
    Retention is kept of types `retained`, besides that of all.
    """

    def __init__(  # noqa: PLR0913 - its database, and what is counted in it
        self,
        database: Database,
        zone: tzinfo,
        rules: ZoneRules | None = None,
        rollups: Sequence[Rollup] = ROLLUPS,
        *,
        retained: Collection[str] = frozenset(),
        funnel_types: Collection[str] = DEFAULT_TYPES,
    ) -> None:
        self._database = database
        self._day_rules = DayRules(zone, rules, funnel_types)
        self._counted = CountedFigures(rollups, retained)
        self._values = DimensionValues(rollups)
        self._rollups = rollups
        self._retained = retained
        self._bulk = bulk_of(database)
        self._identities = Identities(self._bulk, retained)
        self._settled = False
        self._months: set[Month] = set()
        """Those that have a partition, as far as we know."""

    async def store(self, activities: Sequence[Activity], import_id: ImportId | None = None) -> int:
        """Insert what is new, fold it, move the figures."""
        if not activities:
            return 0
        given = ActivityColumns.of(activities).first_of_each_id()
        if not self._settled:
            await self._database.write(self._settle)
            self._settled = True
        try:
            return await self._store_with_room(given, import_id)
        except NoPartitionError:  # it was there, and somebody removed it
            self._months.clear()
            return await self._store_with_room(given, import_id)

    async def _store_with_room(self, given: ActivityColumns, import_id: ImportId | None) -> int:
        await self._make_room(given)
        return await self._database.write(lambda connection: self._store(connection, given, import_id))

    async def _make_room(self, given: ActivityColumns) -> None:
        """Make the months of PostgreSQL that are not there yet, before the transaction in which all is counted."""
        if self._database.is_sqlite:
            return
        days = {at // DAY for at in given.occurred_at}
        if missing := months_of(days) - self._months:
            await self._database.write(lambda connection: make_partitions(connection, missing))
            self._months |= missing

    def _settle(self, connection: Connection) -> None:
        hold(connection, AdvisoryLock.COUNTING)
        self._day_rules.settle(connection)
        self._counted.settle(connection)

    def _store(self, connection: Connection, given: ActivityColumns, import_id: ImportId | None) -> int:
        with refusals_told():
            hold(connection, AdvisoryLock.COUNTING, shared=True)
            clock = self._day_rules.clock(connection)
            new = self._bulk.insert_new(connection, given, import_id)
            if new:
                types = funnel_types_kept(connection)
                self._count(connection, fold_columns(new, clock, self._rollups, types))
                if import_id is None:
                    note_activities(connection, new)
                else:  # last, so that who undoes it waits for us and not we for them
                    note_stored(connection, import_id, new)
            return len(new)

    def _count(self, connection: Connection, new: Fold) -> None:
        self._values.place(connection, new)
        slot = take_slot(connection)
        if new.totals:
            add_totals(connection, self._bulk, slot, new)
            add_instants(connection, slot, new.instants)
        claims, aliases = claims_in(new.statements), aliases_in(new.statements)
        changes = bool(new.statements) and self._identities.change_something(connection, claims, aliases)
        hold(connection, AdvisoryLock.IDENTITIES, shared=not changes)
        figures = self._move_visits(connection, new.visits)
        if changes:
            figures.add(self._identities.settle(connection, claims, aliases))
        else:
            put_statements(connection, claims, aliases)
        add_users(connection, self._bulk, slot, figures)

    def _move_visits(self, connection: Connection, own: Mapping[Key, UserDays]) -> UserFigures:
        figures = UserFigures(self._retained)
        own, before = self._bulk.lock_growing(connection, own)
        newcomers = Counter(visits for visitor, visits in own.items() if visitor not in before)
        for visits, number in newcomers.items():
            figures.arrive(visits, number)
        grown: dict[Key, UserDays] = {}
        of_persons: dict[Key, list[UserDays]] = {}
        for visitor, known in before.items():
            visits = own[visitor]
            after = visits if known.visits is None else together(known.visits, visits)
            if after != known.visits:
                grown[visitor] = after
                if known.person is None:
                    figures.move(known.visits, after)
                else:
                    of_persons.setdefault(known.person, []).append(visits)
        if grown:
            self._bulk.update_visits(connection, grown)
        self._identities.grow(connection, of_persons, figures)
        return figures


def bulk_of(database: Database) -> Bulk:
    """Choose the statements."""
    return SqliteBulk() if database.is_sqlite else PostgresBulk()


def add_totals(connection: Connection, bulk: Bulk, slot: int, new: Fold) -> None:
    """Add counts and sums, in one order, so that writers wait for each other and do not deadlock."""
    bulk.add(connection, daily_totals, slot, rows_of(new.totals))
    add_by_type(connection, bulk, totals_by_type(new), slot)
    for name, sums in sorted(new.sums.items()):
        if sums:
            bulk.add(connection, metadata.tables[name], slot, rows_of(sums))


def add_by_type(connection: Connection, bulk: Bulk, sums: Sums, slot: int = 0) -> None:
    """Add to the totals of types."""
    if sums:
        bulk.add(connection, type_totals, slot, rows_of(sums))


def put_visits(connection: Connection, bulk: Bulk, visits: Mapping[Key, UserDays]) -> None:
    """Write the visits of visitors, whether they are there or not."""
    there = bulk.lock_visits(connection, visits)
    changed = {key: visits[key] for key, known in there.items() if known.visits != visits[key]}
    if changed:
        bulk.update_visits(connection, changed)


def rows_of(sums: Sums) -> list[tuple[Any, ...]]:
    """Lay out figures as rows, in the order of their keys."""
    return [(*key, *figures) for key, figures in sorted(sums.items())]


def totals_by_type(new: Fold) -> Sums:
    """Add up the days of each type."""
    return added_up({(type_,): total} for (_, type_), total in new.totals.items())


def add_users(connection: Connection, bulk: Bulk, slot: int, figures: UserFigures) -> None:
    """Add what counts users."""
    for table, rows in user_rows(figures):
        if rows:
            bulk.add(connection, table, slot, sorted(rows))


def user_rows(figures: UserFigures) -> Sequence[tuple[Table, Sequence[tuple[Any, ...]]]]:
    """Lay out what counts users as rows of each table, without those that say 0: key, then number."""
    daily, active, cells, of_types = [], [], [], []
    for (type_, granularity, period), users in figures.active.items():
        if users and type_ == ALL and granularity is Granularity.DAY:
            daily.append((period, users))
        elif users:
            active.append((type_, str(granularity), period, users))
    for (granularity, cohort, later, type_), users in figures.cells.items():
        if users and type_ == ALL and granularity is not Granularity.MONTH:
            cells.append((str(granularity), cohort, later, users))
        elif users:
            of_types.append((type_, str(granularity), cohort, later, users))
    return [(daily_users, daily), (active_users, active), (retention_cells, cells), (type_retention_cells, of_types)]


@contextmanager
def refusals_told() -> Iterator[None]:
    """Turn what a database has against the data into a NotStorableError.

    Raises:
        NotStorableError: it will be refused for ever.
    """
    try:
        yield
    except DBAPIError as error:
        if is_without_partition(error):
            raise NoPartitionError from error
        if not is_about_the_data(error):
            raise
        raise NotStorableError(f"the database refuses it: {error.orig}") from error
    except (ArithmeticError, ValueError, OverflowError) as error:
        raise NotStorableError(f"it cannot be counted: {error!r}") from error
