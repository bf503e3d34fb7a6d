"""A history with something in every table, and all that is in one."""

from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Connection, Integer, LargeBinary, Table, insert, select
from sqlalchemy.types import BigInteger

from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.all_tables import metadata
from app.adapters.outbound.sql.columns import ExactDecimal, Id
from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.stats_keeper import SqlStatsKeeper
from app.domain.activities import ALIAS, IDENTIFY, Activity
from app.infrastructure.settings.settings import Settings
from app.infrastructure.wiring.configured_adapters import rollups
from tests.support.builders import NOW, an_activity

ROWS = 5
_COUNTED = {
    "active_users", "activities", "activity_ids", "aliases", "claims", "daily_totals", "daily_users",
    "dimension_totals", "dimension_values", "funnel_instants", "hourly_totals", "persons", "plan_totals",
    "retention_cells", "stats_counted", "stats_settings", "type_retention_cells", "type_totals", "visitors",
}  # fmt: skip
"""What the store itself fills."""
_SAID = (IDENTIFY, ALIAS, IDENTIFY)


_DEFAULT = Settings()
_ROLLUPS, _RETAINED = rollups(_DEFAULT), frozenset(_DEFAULT.stats.retention_types)


def a_keeper(database: Database) -> SqlStatsKeeper:
    """Make what compares the figures of such a history, which are those of the default configuration."""
    return SqlStatsKeeper(database, UTC, rollups=_ROLLUPS, retained=_RETAINED)


async def fill(database: Database, activities: int = 50) -> None:
    """Store activities, and put some rows into every other table."""
    store = SqlActivityStore(database, UTC, rollups=_ROLLUPS, retained=_RETAINED)
    made = [
        an_activity(
            number,
            user=f"ü{number % 17}",
            source=f"ß{number % 3}",
            value=f"{Decimal(number).scaleb(-(number % 5)):f}",
            properties=f'{{"plan_id":"{UUID(int=number % 7)}"}}',
        )
        for number in range(activities)
    ]
    said = [
        Activity(UUID(int=2**100 + n), kind, NOW, user_id="ü1", anonymous_id=f"ö{n}") for n, kind in enumerate(_SAID)
    ]
    await store.store(said)
    for start in range(0, activities, 5_000):
        await store.store(made[start : start + 5_000])
    await database.write(_fill)


def _fill(connection: Connection) -> None:
    for table in metadata.sorted_tables:
        if table.name not in _COUNTED:
            rows = 1 if table.name == "access_version" else ROWS
            connection.execute(insert(table), [_row(table, number) for number in range(1, rows + 1)])


def _row(table: Table, number: int) -> dict[str, Any]:
    return {column.name: _value(column.type, f"{column.name} ñ", number) for column in table.columns}


def _value(type_: Any, name: str, number: int) -> Any:
    if isinstance(type_, Id):
        return UUID(int=number)
    if isinstance(type_, Boolean):
        return number % 2 == 0
    if isinstance(type_, (Integer, BigInteger)):
        return number
    if isinstance(type_, ExactDecimal):
        return Decimal("-0.50")
    if isinstance(type_, LargeBinary):
        return bytes([0, number, 255])
    return f"{name}{number}"[-10:]


async def contents(database: Database) -> Mapping[str, list[Any]]:
    """Read everything, as a person would compare it."""

    def work(connection: Connection) -> Mapping[str, list[Any]]:
        return {
            table.name: sorted(repr([_plain(value) for value in row]) for row in connection.execute(select(table)))
            for table in metadata.sorted_tables
        }

    return await database.read(work)


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return value.bytes
    return f"{value:f}" if isinstance(value, Decimal) else value
