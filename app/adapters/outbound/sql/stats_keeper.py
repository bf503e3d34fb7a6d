"""StatsKeeper in SQL: the rollups emptied, made anew, or compared with what follows from the raw activities."""

from collections.abc import Collection, Sequence
from contextlib import closing
from datetime import date, tzinfo

from sqlalchemy import Connection, Table, delete, or_, select

from app.adapters.outbound.sql.activity_store import add_by_type, add_totals, add_users, bulk_of, put_visits
from app.adapters.outbound.sql.advisory_locks import AdvisoryLock, hold
from app.adapters.outbound.sql.canonical_rows import batches
from app.adapters.outbound.sql.counted_figures import CountedFigures
from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.day_rules import DayRules, funnel_types_kept, note_funnel_types
from app.adapters.outbound.sql.differences import (
    differences_of_figures,
    differences_of_instants,
    differences_of_persons,
    differences_of_visits,
)
from app.adapters.outbound.sql.dimension_values import admit_anew, bounded
from app.adapters.outbound.sql.frozen_days import empty_around, frozen_totals, read_cut, thawed, write_cut
from app.adapters.outbound.sql.funnel_instants import add_instants
from app.adapters.outbound.sql.identities import put_labels, put_persons, put_statements
from app.adapters.outbound.sql.packed_days import NO_DAY
from app.adapters.outbound.sql.raw_fold import ROWS, RawFold
from app.adapters.outbound.sql.schema import (
    active_users,
    aliases,
    claims,
    daily_totals,
    daily_users,
    dimension_totals,
    dimension_values,
    funnel_instants,
    hourly_totals,
    persons,
    plan_totals,
    retention_cells,
    stats_settings,
    type_retention_cells,
    type_totals,
    visitors,
)
from app.application.ports.activities import Difference, FrozenDaysError, Progress, StatsKeeper
from app.domain.funnels import DEFAULT_TYPES, DayOfType, Digest, GatheredInstants, digests_of
from app.domain.rollups import Cut, LocalClock, Rollup
from app.domain.stats import date_of
from app.domain.user_figures import UserFigures
from app.domain.usual_rollups import ROLLUPS
from app.domain.zone_rules import ZoneRules

_TABLES = (
    type_totals, daily_totals, hourly_totals, plan_totals, daily_users, visitors, persons, claims, aliases,
    retention_cells, active_users, type_retention_cells, dimension_totals, funnel_instants, stats_settings,
)  # fmt: skip

_INSTANTS = 500_000
"""That are kept in memory for a rebuild before they are written; 16 bytes each."""


class SqlStatsKeeper(StatsKeeper):
    """Cares for what SqlActivityStore keeps; counts days in `zone`."""

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
        self._rollups = rollups
        self._retained = retained
        self._zone = zone
        self._funnel_types = frozenset(funnel_types)
        self._day_rules = DayRules(zone, rules, funnel_types)
        self._counted = CountedFigures(rollups, retained)

    async def reset(self, giving_up: date | None = None) -> None:
        """Delete every row of every rollup."""

        def work(connection: Connection) -> None:
            hold(connection, AdvisoryLock.COUNTING)
            cut = read_cut(connection)
            if cut is not None and giving_up != date_of(cut.day):
                raise FrozenDaysError(date_of(cut.day))
            self._empty(connection, None)
            connection.execute(delete(dimension_values))
            self._counted.note(connection)

        await self._database.write(work)

    async def rebuild(self, progress: Progress | None = None, leaving: date | None = None) -> int:
        """Empty them and fold everything; nobody counts meanwhile."""
        return await self._database.write(
            lambda connection: self._rebuild(connection, progress, leaving), unlimited=True
        )

    async def verify(self, progress: Progress | None = None) -> Difference | None:
        """Fold everything and compare."""
        return await self._database.read(lambda connection: self._verify(connection, progress), unlimited=True)

    async def trouble(self) -> str | None:
        """Compare the rules, and what is counted."""

        def look(connection: Connection) -> str | None:
            return self._day_rules.trouble(connection) or self._counted.trouble(connection)

        return await self._database.read(look)

    async def frozen_before(self) -> date | None:
        """Read the cut."""
        cut = await self._database.read(read_cut)
        return None if cut is None else date_of(cut.day)

    def _empty(self, connection: Connection, cut: Cut | None) -> None:
        """Delete what is made anew; without a cut, all."""
        frozen: set[Table] = set()
        if cut is not None:
            frozen = {*empty_around(connection, cut, self._rollups), funnel_instants}
            not_kept = funnel_instants.c.type.not_in(self._funnel_types)
            connection.execute(delete(funnel_instants).where(or_(thawed(funnel_instants, cut), not_kept)))
        for table in _TABLES:
            if table not in frozen:
                connection.execute(delete(table))

    def _rebuild(self, connection: Connection, progress: Progress | None, leaving: date | None) -> int:
        hold(connection, AdvisoryLock.COUNTING)
        rules, cut = self._day_rules.newest(connection), read_cut(connection)
        kept_zone = connection.execute(select(stats_settings.c.timezone)).scalar()
        if cut is not None and kept_zone != str(self._zone) and leaving != date_of(cut.day):
            raise FrozenDaysError(date_of(cut.day))
        kept = funnel_types_kept(connection)
        self._empty(connection, cut)
        admit_anew(connection, self._rollups)
        self._counted.note(connection)
        bulk = bulk_of(self._database)
        gathered = GatheredInstants(lambda some: add_instants(connection, 0, some), _INSTANTS)
        folding = self._folding(connection, rules, cut, progress)
        folding.timed, folding.take_instants = self._funnel_types, gathered.add
        add_by_type(connection, bulk, frozen_totals(connection, cut))
        folding.read_statements(connection, lambda said, joins: put_statements(connection, said, joins))
        with closing(folding.visitors(connection)) as found:
            for chunk in batches(found, ROWS):
                put_visits(connection, bulk, dict(chunk))
        gathered.finish()
        if folding.person_of:
            bulk.lock_visits(connection, dict.fromkeys(folding.person_of, NO_DAY))
        put_labels(connection, folding.person_of)
        put_persons(connection, folding.persons)
        if folding.fold.totals:
            add_totals(connection, bulk, 0, folding.fold)
        add_users(connection, bulk, 0, folding.figures)
        self._day_rules.note(connection, rules)
        if cut is not None:
            write_cut(connection, cut)
            note_funnel_types(connection, {type_: kept.get(type_, cut.day) for type_ in self._funnel_types})
        return folding.read

    def _verify(self, connection: Connection, progress: Progress | None) -> Difference | None:
        cut = read_cut(connection)
        digests: dict[DayOfType, Digest] = {}
        folding = self._folding(connection, self._day_rules.newest(connection), cut, progress)
        folding.timed = funnel_types_kept(connection)
        folding.take_instants = lambda some: digests.update(digests_of(some, digests))
        folding.read_statements(connection)
        of_visits = differences_of_visits(connection, folding)
        kept_zone = connection.execute(select(stats_settings.c.timezone)).scalar()
        if folding.read and kept_zone not in (None, str(self._zone)):
            return Difference("timezone", str(kept_zone), str(self._zone))
        of_figures = next(differences_of_figures(connection, folding), None)
        of_instants = next(differences_of_instants(connection, digests, cut), None)
        return of_figures or of_visits or of_instants or next(differences_of_persons(connection, folding), None)

    def _folding(
        self, connection: Connection, rules: ZoneRules | None, cut: Cut | None, progress: Progress | None
    ) -> RawFold:
        clock = LocalClock(rules.zone if rules else self._zone, cut)
        rollups = bounded(connection, self._rollups)
        return RawFold(clock, progress, rollups, cut, figures=UserFigures(self._retained))
