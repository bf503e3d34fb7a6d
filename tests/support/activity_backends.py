"""The stores of activities that keep one promise: memory, SQLite, PostgreSQL; and all that can be asked of them."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Executable

from app.adapters.outbound.sql.activity_expiry import SqlActivityExpiry
from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.all_tables import metadata
from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.day_sums import SqlDaySums
from app.adapters.outbound.sql.forgotten_names import SqlForgottenNames
from app.adapters.outbound.sql.funnel_evidence import SqlFunnelInstants
from app.adapters.outbound.sql.imports import SqlImports
from app.adapters.outbound.sql.migrate import migrate
from app.adapters.outbound.sql.period_stats import SqlPeriodStats
from app.adapters.outbound.sql.plan_stats import SqlPlanStats
from app.adapters.outbound.sql.removal import SqlActivityRemoval
from app.adapters.outbound.sql.stats import SqlStats
from app.adapters.outbound.sql.stats_keeper import SqlStatsKeeper
from app.application.ports.activities import ActivityStore, Stats, StatsKeeper
from app.application.ports.activity_expiry import ActivityExpiry
from app.application.ports.day_sums import DaySums
from app.application.ports.forgetting import ForgottenNames
from app.application.ports.funnels import FunnelInstants
from app.application.ports.imports import ImportId, Imports, UndoneImports
from app.application.ports.period_stats import DimensionQuestion, PeriodStats
from app.application.ports.plan_stats import PlanStats
from app.application.ports.removal import ActivityRemoval
from app.application.ports.system import HistoryUnavailableError
from app.domain.activities import Activity
from app.domain.dimensions import DimensionTotals
from app.domain.stats import Granularity, date_of, period_of, retention
from app.domain.usual_rollups import ROLLUPS
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.forgetting import MemoryForgottenNames
from tests.fakes.funnel_instants import MemoryFunnelInstants
from tests.support.oracle import Oracle

ALL_DAYS = (date(2025, 12, 1), date(2026, 2, 28))
RETAINED = ("buy", "view")
DIMENSIONS = ("source", "properties.page")
ROLLUPS_OF_TESTS = (*ROLLUPS, DimensionTotals(DIMENSIONS))
Find = Callable[[str], tuple[str, Path]]


class ActivityBackend(Protocol):
    """One database; each call makes another adapter on it."""

    def store(self, zone: tzinfo = UTC) -> ActivityStore: ...
    def stats(self) -> Stats: ...
    def day_sums(self) -> DaySums: ...
    def periods(self) -> PeriodStats: ...
    def plan_stats(self) -> PlanStats: ...
    def keeper(self, zone: tzinfo = UTC) -> StatsKeeper: ...
    def expiry(self, zone: tzinfo = UTC) -> ActivityExpiry: ...
    def imports(self) -> Imports: ...
    async def undo(self, import_id: ImportId) -> None: ...
    def undone_imports(self) -> UndoneImports: ...
    def removal(self, zone: tzinfo = UTC, step: int = 10_000) -> ActivityRemoval: ...
    def forgotten_names(self) -> ForgottenNames: ...
    def funnels(self, zone: tzinfo = UTC) -> FunnelInstants: ...
    async def clear(self) -> None: ...
    async def aclose(self) -> None: ...


class MemoryActivityBackend:
    def __init__(self) -> None:
        self._all = MemoryActivityStore(UTC)
        self._names = MemoryForgottenNames(self._all)

    def store(self, zone: tzinfo = UTC) -> ActivityStore:
        self._all.zone = zone
        return self._all

    def stats(self) -> Stats:
        return self._all

    def day_sums(self) -> DaySums:
        return self._all

    def periods(self) -> PeriodStats:
        return self._all

    def plan_stats(self) -> PlanStats:
        return self._all

    def keeper(self, zone: tzinfo = UTC) -> StatsKeeper:
        self._all.zone = zone
        return self._all

    def imports(self) -> Imports:
        return self._all.imports

    async def undo(self, import_id: ImportId) -> None:
        await undone(self._all.imports, import_id)

    def undone_imports(self) -> UndoneImports:
        return self._all.imports

    def expiry(self, zone: tzinfo = UTC) -> ActivityExpiry:
        self._all.zone = zone
        return self._all

    def removal(self, zone: tzinfo = UTC, step: int = 10_000) -> ActivityRemoval:
        self._all.zone, self._all.step = zone, step
        return self._all

    def forgotten_names(self) -> ForgottenNames:
        return self._names

    def funnels(self, zone: tzinfo = UTC) -> FunnelInstants:
        self._all.zone = zone
        return MemoryFunnelInstants(self._all)

    async def clear(self) -> None:
        self.__init__()  # type: ignore[misc]  # as if it were new

    async def aclose(self) -> None:
        pass


class SqlActivityBackend:
    def __init__(self, database: Database) -> None:
        self.database = database

    def store(self, zone: tzinfo = UTC) -> ActivityStore:
        return SqlActivityStore(self.database, zone, rollups=ROLLUPS_OF_TESTS, retained=RETAINED)

    def stats(self) -> Stats:
        return SqlStats(self.database)

    def day_sums(self) -> DaySums:
        return SqlDaySums(self.database)

    def periods(self) -> PeriodStats:
        return SqlPeriodStats(self.database)

    def plan_stats(self) -> PlanStats:
        return SqlPlanStats(self.database)

    def keeper(self, zone: tzinfo = UTC) -> StatsKeeper:
        return SqlStatsKeeper(self.database, zone, rollups=ROLLUPS_OF_TESTS, retained=RETAINED)

    def imports(self) -> Imports:
        return SqlImports(self.database)

    async def undo(self, import_id: ImportId) -> None:
        await undone(SqlImports(self.database), import_id)

    def undone_imports(self) -> UndoneImports:
        return SqlImports(self.database)

    def expiry(self, zone: tzinfo = UTC) -> ActivityExpiry:
        return SqlActivityExpiry(self.database, zone, rollups=ROLLUPS_OF_TESTS, retained=RETAINED, rows=100)

    def removal(self, zone: tzinfo = UTC, step: int = 10_000) -> ActivityRemoval:
        return SqlActivityRemoval(self.database, zone, rollups=ROLLUPS_OF_TESTS, step=step, retained=RETAINED)

    def forgotten_names(self) -> ForgottenNames:
        return SqlForgottenNames(self.database)

    def funnels(self, zone: tzinfo = UTC) -> FunnelInstants:
        return SqlFunnelInstants(self.database, zone)

    async def clear(self) -> None:
        for table in reversed(metadata.sorted_tables):
            await self.database.write(partial(_execute, table.delete()))

    async def aclose(self) -> None:
        await self.database.aclose()


async def undone(imports: UndoneImports, import_id: ImportId) -> None:
    """Note an import as undone; figures stay."""
    await imports.begin_undo(import_id)
    await imports.end_undo(import_id)


def _execute(statement: Executable, connection: Connection) -> None:
    connection.execute(statement)


async def patiently(backend: ActivityBackend, part: Sequence[Activity]) -> int:
    """As a worker does: a deadlock that the database resolved is tried again."""
    while True:
        try:
            return await backend.store().store(part)
        except HistoryUnavailableError:
            await asyncio.sleep(0.01)


async def migrate_one(url: str, directory: Path) -> None:
    database = open_database(url, directory, timeout=5)
    await migrate(database)
    await database.aclose()


async def figures(backend: ActivityBackend, today: date = ALL_DAYS[1]) -> dict[str, Any]:
    """Everything that can be asked, in the oracle's words."""
    stats, (first, last) = backend.stats(), ALL_DAYS
    days = (last - first).days
    users = await stats.daily_users(first, last)
    return {
        "totals": [{"type": t.type, "count": t.count, "sum": t.sum} for t in await stats.totals()],
        "dau": [users.get((first - date(1970, 1, 1)).days + n, 0) for n in range(days + 1)],
        "top": [{"type": t.type, "count": t.count} for t in await stats.top_types(first, last, 3)],
        "day": await _retention(stats, Granularity.DAY, days, today),
        "week": await _retention(stats, Granularity.WEEK, days // 7, today),
        "month": await _retention(stats, Granularity.MONTH, days // 28, today),
        "of a type": {type_: await _of_type(backend, type_, today) for type_ in RETAINED},
        "by": {(name, type_): await _by(backend, name, type_) for name, type_ in product(DIMENSIONS, ("", "buy"))},
        "days": {day: total for day, total in (await backend.periods().days(first, last, "view")).items() if total[0]},
    }


async def _by(backend: ActivityBackend, dimension: str, type_: str) -> Any:
    """What was counted of each value on each day."""
    rows = await backend.periods().by_value(DimensionQuestion(dimension, *ALL_DAYS, type_), 1_000)
    return {(row.value.text, row.day): row.total for row in rows if row.total[0]}


async def _of_type(backend: ActivityBackend, type_: str, today: date) -> Any:
    """Who did one thing, and did it again."""
    stats, periods = backend.stats(), backend.periods()
    return [
        [
            {period: n for period, n in (await periods.active(granularity, 0, 100_000, type_)).items() if n},
            await _retention(stats, granularity, 6, today, type_),
        ]
        for granularity in Granularity
    ]


async def _retention(stats: Stats, granularity: Granularity, windows: int, today: date, type_: str = "") -> list[Any]:
    begin = period_of(granularity, ALL_DAYS[0])
    cells = await stats.cells(granularity, begin, begin + windows - 1, windows, type_)
    cohorts = retention(granularity, begin, windows, cells, today)
    return [{"start": c.start.isoformat(), "size": c.size, "active": list(c.active)} for c in cohorts]


def oracle_of(activities: Sequence[Activity], zone: tzinfo = UTC) -> Oracle:
    """Ask it of these."""
    return Oracle([_plain(activity) for activity in activities], zone)


def by_definition(activities: Sequence[Activity], zone: tzinfo = UTC, today: date = ALL_DAYS[1]) -> dict[str, Any]:
    """What the oracle says of the same."""
    oracle = oracle_of(activities, zone)
    first, last = ALL_DAYS
    days = (last - first).days
    return {
        "totals": oracle.totals(),
        "dau": [row["users"] for row in oracle.dau(first, last)],
        "top": oracle.top(first, last, 3),
        "day": oracle.retention(first, days, "day", today)["cohorts"],
        "week": oracle.retention(first, days // 7, "week", today)["cohorts"],
        "month": oracle.retention(first, days // 28, "month", today)["cohorts"],
        "of a type": {
            type_: [
                [
                    {
                        period_of(length, begin): len(who)
                        for begin, who in oracle.users_by_period(length, type_).items()
                    },
                    oracle.retention(first, 6, length, today, type_)["cohorts"],
                ]
                for length in Granularity
            ]
            for type_ in RETAINED
        },
        "by": {
            (name, type_): {key: total for key, total in oracle.by_value(name, type_).items() if _is_asked_for(key[1])}
            for name, type_ in product(DIMENSIONS, ("", "buy"))
        },
        "days": {day: total for day, total in oracle.days("view").items() if _is_asked_for(day)},
    }


def _is_asked_for(day: int) -> bool:
    return ALL_DAYS[0] <= date_of(day) <= ALL_DAYS[1]


def _plain(activity: Activity) -> Mapping[str, Any]:
    origin = json.loads(activity.origin or "{}")
    return {
        "anonymous_id": activity.anonymous_id,
        "received_at": datetime.fromisoformat(origin["received_at"]) if origin.get("publishable") else None,
        "id": activity.activity_id,
        "type": activity.type,
        "source": activity.source,
        "properties": json.loads(activity.properties or "{}"),
        "occurred_at": activity.occurred_at,
        "user_id": activity.user_id,
        "value": None if activity.value is None else str(activity.value),
    }
