"""ActivityRemoval in SQL: rows go, and what they were counted for is taken back in the same transaction.

Every step is alone among those who count (AdvisoryLock.COUNTING). It

- deletes rows of `activities`, and their ids where these are to be free;
- subtracts what each rollup says of them, and drops rows that count nothing any more;
- looks which visitors did nothing else on a day, by reading the days that are touched and no others;
- takes statements back, and finds out anew who is one person (removed_visits.py).

Whoever keeps sets of their own adds a function to `HOOKS`. It is called in that transaction, after the deletion, with
the connection and a `Removed`, and has to make its tables what they would be without these activities.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, tuple_

from app.adapters.outbound.sql.activity_store import add_totals, add_users, bulk_of, totals_by_type, user_rows
from app.adapters.outbound.sql.advisory_locks import AdvisoryLock, hold, take_slot
from app.adapters.outbound.sql.columns import metadata
from app.adapters.outbound.sql.counters import inserting
from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.day_rules import DayRules, funnel_types_kept
from app.adapters.outbound.sql.dimension_values import DimensionValues
from app.adapters.outbound.sql.frozen_days import read_cut
from app.adapters.outbound.sql.funnel_instants import take_instants, take_visitors
from app.adapters.outbound.sql.places import DAY
from app.adapters.outbound.sql.remaining_days import TypeDay, nothing_left
from app.adapters.outbound.sql.removal_search import found_in, free_ids, rows_removed
from app.adapters.outbound.sql.removed_visits import Groups, Lost, take_out
from app.adapters.outbound.sql.schema import (
    activity_ids,
    daily_totals,
    type_totals,
)
from app.adapters.outbound.sql.untold import untell
from app.application.ports.removal import ActivityRemoval, FiguresIncompleteError, RemovalStep
from app.domain.activities import STATEMENTS, ActivityId
from app.domain.activity_columns import ActivityColumns, ActivityIds
from app.domain.column_fold import Fold, fold_columns, visitors_of
from app.domain.funnels import instants_by_day, numbers_of
from app.domain.identities import Key
from app.domain.removal import ToRemove
from app.domain.rollups import DatedActivities, Day, LocalClock, Rollup, negated
from app.domain.user_days import ALL
from app.domain.user_figures import UserFigures
from app.domain.usual_rollups import ROLLUPS
from app.domain.zone_rules import ZoneRules

STEP = 10_000
"""Activities that are removed in one transaction."""
_KEYS = 500
"""That one statement names."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What has just been deleted."""

    dated: DatedActivities
    """Those that counted; statements are none of them."""
    gone: frozenset[TypeDay]
    """Visitor, type and day of which nothing is left. None of them is on a day whose activities have left."""
    gone_days: Mapping[Key, Collection[Day]]
    """The days on which a visitor did nothing else, of no type."""
    groups: Groups
    """Who was one person before, and who is one after; only of those of whom something changes."""


RemovalHook = Callable[[Connection, Removed], None]


def _take_instants(connection: Connection, removed: Removed) -> None:
    types = funnel_types_kept(connection)
    take_instants(connection, instants_by_day(removed.dated, visitors_of(removed.dated.activities), types))


def _untell(connection: Connection, removed: Removed) -> None:
    untell(connection, ActivityIds(removed.dated.activities.ids))


HOOKS: Sequence[RemovalHook] = (_take_instants, _untell)
"""Called in order."""


class SqlActivityRemoval(ActivityRemoval):
    """Removes what SqlActivityStore stored, and takes the same rollups back; days are those of `zone`."""

    def __init__(  # noqa: PLR0913 - what the store has, and the size of a step
        self,
        database: Database,
        zone: tzinfo,
        rules: ZoneRules | None = None,
        rollups: Sequence[Rollup] = ROLLUPS,
        *,
        hooks: Sequence[RemovalHook] = HOOKS,
        step: int = STEP,
        retained: Collection[str] = (),
    ) -> None:
        self._database = database
        self._day_rules = DayRules(zone, rules)
        self._values = DimensionValues(rollups)
        self._rollups = rollups
        self._hooks = hooks
        self._step = step
        self._retained = retained
        self._bulk = bulk_of(database)

    async def remove(self, wanted: ToRemove, after: str = "", *, frees_ids: bool) -> RemovalStep:
        """Find them while others count, then take them out alone."""
        found = await self._database.read(
            lambda connection: found_in(connection, wanted, after, self._step), unlimited=True
        )
        if not found.rows:
            return RemovalStep((), None)

        def work(connection: Connection) -> ActivityColumns:
            hold(connection, AdvisoryLock.COUNTING)
            removed = rows_removed(connection, found, wanted)
            if removed:
                self._take_back(connection, removed)
                if frees_ids:
                    free_ids(connection, removed)
            return removed

        removed = await self._database.write(work, unlimited=True)
        return RemovalStep(ActivityIds(removed.ids), found.last if len(found.rows) >= self._step else found.following)

    async def have_left(self, day: Day) -> bool:
        """Compare its beginning with the cut."""
        cut = await self._database.read(read_cut)
        return cut is not None and day * DAY < cut.instant

    async def forget_frozen_days(self, wanted: ToRemove) -> bool:
        """Take the days before the first one that is not frozen."""

        def work(connection: Connection) -> bool:
            hold(connection, AdvisoryLock.COUNTING)
            frozen = frozen_before(connection)
            if frozen is None:
                return False
            lost = {key: {ALL: range(frozen)} for key in wanted.visitors}
            figures, _ = take_out(connection, self._bulk, lost, (), self._retained)
            add_users(connection, self._bulk, take_slot(connection), figures)
            _drop_user_rows(connection, figures)
            take_visitors(connection, numbers_of(wanted.visitors), frozen)
            return bool(figures.active)

        return await self._database.write(work, unlimited=True)

    async def spend(self, ids: Sequence[ActivityId]) -> None:
        """Insert them."""
        for start in range(0, len(ids), _KEYS):
            rows = [{"id": one} for one in sorted(ids[start : start + _KEYS])]
            await self._database.write(partial(_spend, rows=rows))

    def _take_back(self, connection: Connection, removed: ActivityColumns) -> None:
        clock = self._day_rules.clock(connection)
        fold = fold_columns(removed, clock, self._rollups)
        self._values.place(connection, fold, admits=False)
        slot = take_slot(connection)
        self._subtract(connection, slot, fold)
        dated = _dated(removed, clock)
        gone, gone_days = nothing_left(connection, dated, clock, frozen_before(connection) or 0)
        figures, groups = take_out(connection, self._bulk, _lost(gone, gone_days), fold.statements, self._retained)
        add_users(connection, self._bulk, slot, figures)
        _drop_user_rows(connection, figures)
        for hook in self._hooks:
            hook(connection, Removed(dated, gone, gone_days, groups))

    def _subtract(self, connection: Connection, slot: int, fold: Fold) -> None:
        if not fold.totals:
            return
        sums = {name: negated(counted) for name, counted in fold.sums.items()}
        add_totals(connection, self._bulk, slot, Fold(negated(fold.totals), sums))
        _drop_rows(connection, type_totals, totals_by_type(fold))
        _drop_rows(connection, daily_totals, fold.totals)
        for name, counted in fold.sums.items():
            _drop_rows(connection, metadata.tables[name], counted)


def frozen_before(connection: Connection) -> Day | None:
    """Say from which day on the activities are all there; None: on every day."""
    cut = read_cut(connection)
    return None if cut is None else cut.day


def _spend(connection: Connection, rows: Sequence[Mapping[str, ActivityId]]) -> None:
    connection.execute(inserting(connection, activity_ids).on_conflict_do_nothing(), rows)


def _dated(removed: ActivityColumns, clock: LocalClock) -> DatedActivities:
    counted = removed.chosen([place for place, type_ in enumerate(removed.types) if type_ not in STATEMENTS])
    return DatedActivities(counted, *clock.read(counted.occurred_at))


def _lost(gone: Collection[TypeDay], gone_days: Mapping[Key, Collection[Day]]) -> Lost:
    lost: dict[Key, dict[str, Collection[Day]]] = {key: {ALL: days} for key, days in gone_days.items()}
    of_types: dict[tuple[Key, str], set[Day]] = {}
    for key, type_, day in gone:
        of_types.setdefault((key, type_), set()).add(day)
    for (key, type_), days in of_types.items():
        lost.setdefault(key, {})[type_] = days
    return lost


def _drop_user_rows(connection: Connection, figures: UserFigures) -> None:
    for table, rows in user_rows(figures):
        _drop_rows(connection, table, [row[:-1] for row in rows])


def _drop_rows(connection: Connection, table: Table, touched: Collection[tuple[Any, ...]]) -> None:
    """Delete the rows of those keys under which nothing is counted any more.

    Raises:
        FiguresIncompleteError: under one of them less than nothing would be.
    """
    keys = [column for column in table.primary_key if column.name != "slot"]
    counted = next(column for column in table.columns if not column.primary_key)
    ordered = sorted(touched)
    for start in range(0, len(ordered), _KEYS):
        among = tuple_(*keys).in_(ordered[start : start + _KEYS])
        lowest = select(*keys).where(among).group_by(*keys)
        if below := connection.execute(lowest.having(func.sum(counted) < 0).limit(1)).first():
            raise FiguresIncompleteError(f"{table.name} of {', '.join(map(str, below))}")
        empty = lowest.having(func.sum(counted) == 0)
        connection.execute(delete(table).where(among, tuple_(*keys).in_(empty)))
