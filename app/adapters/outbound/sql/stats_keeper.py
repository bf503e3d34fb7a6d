"""StatsKeeper in SQL: the rollups emptied, made anew, or compared with what follows from the raw activities.

The fold here is the definition and not the incremental way that `activity_store.py` goes: all days of one user are
known at once, because the activities are read in the order of users. So each of the two checks the other.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from itertools import groupby, zip_longest
from typing import Any

from sqlalchemy import Connection, Executable, Table, delete, select

from app.adapters.outbound.sql.activity_store import add_totals, add_users, bulk_of, totals_by_type
from app.adapters.outbound.sql.advisory_locks import AdvisoryLock, hold
from app.adapters.outbound.sql.bulk import unpack_visits
from app.adapters.outbound.sql.canonical_rows import batches
from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.day_rules import DayRules
from app.adapters.outbound.sql.rows import instant_of
from app.adapters.outbound.sql.schema import (
    activities,
    daily_totals,
    daily_users,
    retention_cells,
    stats_settings,
    type_totals,
    visitors,
)
from app.application.ports.activities import Difference, Progress, StatsKeeper
from app.domain.stats import (
    Day,
    Fold,
    Granularity,
    UserFigures,
    Visits,
    date_of,
    day_at,
    days_of,
    start_of,
    visits_on,
)
from app.domain.zone_rules import ZoneRules

ROLLUPS = (type_totals, daily_totals, daily_users, visitors, retention_cells, stats_settings)

_ROWS = 10_000
_DAY = 86_400_000_000


class SqlStatsKeeper(StatsKeeper):
    """Cares for what SqlActivityStore keeps; counts days in `zone`."""

    def __init__(self, database: Database, zone: tzinfo, rules: ZoneRules | None = None) -> None:
        self._database = database
        self._zone = zone
        self._day_rules = DayRules(zone, rules)

    async def reset(self) -> None:
        """Delete every row of every rollup."""
        await self._database.write(self._empty)

    async def rebuild(self, progress: Progress | None = None) -> int:
        """Empty them and fold everything; nobody counts meanwhile."""
        return await self._database.write(lambda connection: self._rebuild(connection, progress), unlimited=True)

    async def verify(self, progress: Progress | None = None) -> Difference | None:
        """Fold everything and compare."""
        return await self._database.read(lambda connection: self._verify(connection, progress), unlimited=True)

    async def trouble(self) -> str | None:
        """Compare the rules."""
        return await self._database.read(self._day_rules.trouble)

    def _empty(self, connection: Connection) -> None:
        hold(connection, AdvisoryLock.COUNTING)
        for table in ROLLUPS:
            connection.execute(delete(table))

    def _rebuild(self, connection: Connection, progress: Progress | None) -> int:
        rules = self._day_rules.newest(connection)
        self._empty(connection)
        bulk = bulk_of(self._database)
        folding = _Folding(self._day_by(rules), progress)
        with closing(folding.users(connection)) as users:
            for chunk in batches(users, _ROWS):
                bulk.lock_visits(connection, dict(chunk))
        add_totals(connection, bulk, folding.fold)
        add_users(connection, bulk, folding.figures)
        self._day_rules.note(connection, rules)
        return folding.read

    def _verify(self, connection: Connection, progress: Progress | None) -> Difference | None:
        folding = _Folding(self._day_by(self._day_rules.newest(connection)), progress)
        by_user = select(visitors).order_by(visitors.c.user_id)
        with closing(_stream(connection, by_user)) as rows, closing(folding.users(connection)) as folded:
            kept = ((user_id, unpack_visits(first, days)) for user_id, first, days in rows)
            of_visits = _first_difference_of_visits(folded, kept)
        kept_zone = connection.execute(select(stats_settings.c.timezone)).scalar()
        if folding.read and kept_zone not in (None, str(self._zone)):
            return Difference("timezone", str(kept_zone), str(self._zone))
        return next(_differences(connection, folding), of_visits)

    def _day_by(self, rules: ZoneRules | None) -> Callable[[int], Day]:
        if self._zone is UTC or str(self._zone) == "UTC":
            return lambda occurred_at: occurred_at // _DAY
        zone = rules.zone if rules else self._zone
        return lambda occurred_at: day_at(instant_of(occurred_at), zone)


@dataclass(slots=True)
class _Folding:
    """One pass over the activities; `fold` (its totals) and `figures` are whole once `users` is exhausted."""

    day_of: Callable[[int], Day]
    progress: Progress | None
    fold: Fold = field(default_factory=Fold)
    figures: UserFigures = field(default_factory=UserFigures)
    read: int = 0

    def users(self, connection: Connection) -> Generator[tuple[str, Visits], None, None]:
        """Hand out each user with all days, in the order of their ids."""
        columns = (activities.c.user_id, activities.c.type, activities.c.occurred_at, activities.c.value)
        with closing(_stream(connection, select(*columns).order_by(activities.c.user_id))) as rows:
            for user_id, own in groupby(rows, lambda row: row[0]):
                visits = self._take(own)
                if user_id is not None:
                    self.figures.move(None, visits)
                    yield user_id, visits

    def _take(self, rows: Iterable[Any]) -> Visits:
        days: set[Day] = set()
        for _, type_, occurred_at, value in rows:
            day = self.day_of(occurred_at)
            days.add(day)
            self.fold.add(day, type_, value, None)
            self.read += 1
            if self.progress and self.read % _ROWS == 0:
                self.progress(self.read)
        return visits_on(days)


def _stream(connection: Connection, statement: Executable) -> Generator[Any, None, None]:
    """Read a long answer bit by bit; a reader that stops early closes it, for the server holds it open."""
    with closing(connection.execute(statement, execution_options={"stream_results": True, "yield_per": _ROWS})) as rows:
        yield from rows


def _first_difference_of_visits(
    folded: Iterator[tuple[str, Visits]], kept: Iterator[tuple[str, Visits]]
) -> Difference | None:
    """Walk both in step to their ends: what else `folded` counts must be whole."""
    difference = None
    for there, here in zip_longest(folded, kept):
        if difference is None and here != there:
            difference = Difference(f"days of user {(there or here)[0]!r}", _visits(here), _visits(there))
    return difference


def _visits(found: tuple[str, Visits] | None) -> str:
    if found is None:
        return "never active"
    return f"{found[0]!r}: " + ", ".join(date_of(day).isoformat() for day in days_of(found[1]))


def _differences(connection: Connection, folding: _Folding) -> Iterator[Difference]:
    by_type = {(type_,): total for type_, total in totals_by_type(folding.fold).items()}
    yield from _compare(connection, type_totals, by_type, lambda key: f"count of {key[0]}")
    by_day = folding.fold.totals
    yield from _compare(connection, daily_totals, by_day, lambda key: f"count of {key[1]} on {date_of(key[0])}")
    daily = {(day,): (users,) for day, users in folding.figures.daily.items()}
    yield from _compare(connection, daily_users, daily, lambda key: f"users on {date_of(key[0])}")
    cells = {(str(cell.granularity), *cell[1:]): (users,) for cell, users in folding.figures.cells.items()}
    yield from _compare(connection, retention_cells, cells, _name_of_cell)


def _compare(
    connection: Connection, table: Table, folded: Mapping[Any, tuple[Any, ...]], name: Callable[[Any], str]
) -> Iterator[Difference]:
    """Compare figures; a row of zeros is as good as none."""
    width = len(table.primary_key)
    kept = {tuple(row[:width]): tuple(row[width:]) for row in connection.execute(select(table))}
    for key in sorted({*kept, *folded}):
        nothing = (0,) * (len(table.columns) - width)
        here, there = kept.get(key, nothing), folded.get(key, nothing)
        if here != there:
            yield Difference(name(key), _figures(here), _figures(there))


def _figures(values: tuple[Any, ...]) -> str:
    return ", sum ".join(map(str, values))


def _name_of_cell(key: tuple[Any, ...]) -> str:
    granularity, cohort, later = key
    begin = start_of(Granularity(granularity), cohort)
    return f"retention of the {granularity} of {begin}, {later} later"
