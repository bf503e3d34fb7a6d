"""Ids apart, activities by days, rollups in slots.

What is there is moved by the database itself, in one transaction: no row comes into our memory, and the room on the
disk is needed twice until it has ended. For each million of activities it takes some seconds.
"""

import logging
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import BigInteger, Integer, String, Text

from app.adapters.outbound.sql.frozen_columns import BIG, BYTEWISE, EXACT, UUID, key, optional, required

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_log = logging.getLogger(__name__)
_DAY = 86_400_000_000
_EPOCH = date(1970, 1, 1)
_KEPT = "id, type, occurred_at, source, user_id, value, properties"


def _rollups() -> dict[str, list[sa.Column[Any]]]:
    return {
        "type_totals": [key("type", BYTEWISE)],
        "daily_totals": [key("day", Integer), key("type", BYTEWISE)],
        "daily_users": [key("day", Integer)],
        "retention_cells": [key("granularity", String(4)), key("cohort", Integer), key("later", Integer)],
    }


def upgrade() -> None:
    """Bring the schema forward."""
    op.rename_table("activities", "activities_before")
    _make_tables()
    count = op.get_bind().exec_driver_sql("SELECT count(*) FROM activities_before").scalar_one()
    if count:
        _log.warning(
            "%s activities are moved to tables by days: this takes a while, and room on the disk", f"{count:,}"
        )
    if _is_sqlite():
        _move("rowid")
    else:
        op.execute("CREATE SEQUENCE activity_places")
        _make_partitions()
        _move("nextval('activity_places')")
    op.drop_table("activities_before")
    for name, keys in _rollups().items():
        _add_slot(name, keys)


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _make_tables() -> None:
    op.create_table(
        "activity_ids",
        key("id", UUID),
        comment="Which activities were ever accepted: kept for ever, so that nothing counts twice.",
        sqlite_with_rowid=False,
    )
    place = "Day (UTC) and number, as in places.py."
    op.create_table(
        "activities",
        key("place", BIG, place) if _is_sqlite() else required("place", BIG, comment=place),
        required("id", UUID),
        required("type", String),
        required("occurred_at", BigInteger),
        optional("source", String),
        optional("user_id", BYTEWISE),
        optional("anonymous_id", BYTEWISE),
        optional("value", EXACT),
        optional("properties", Text),
        optional("origin", Text, comment="What is kept of how it came, where that differs: JSON."),
        optional("import_id", BigInteger, comment="Which import brought it; null for what came through a door."),
        comment="Every activity, once, by days. PostgreSQL: a partition for each month, and no index.",
        postgresql_partition_by="RANGE (place)",
    )


def _make_partitions() -> None:
    bind = op.get_bind()
    days = bind.exec_driver_sql(f"SELECT DISTINCT occurred_at / {_DAY} FROM activities_before").scalars()  # noqa: S608
    for year, month in sorted({(day.year, day.month) for day in (_EPOCH + timedelta(number) for number in days)}):
        begin, end = (date(year + at // 12, at % 12 + 1, 1) - _EPOCH for at in (month - 1, month))
        bind.exec_driver_sql(
            f"CREATE TABLE activities_{year}_{month:02} PARTITION OF activities "
            f"FOR VALUES FROM ({begin.days << 40}) TO ({end.days << 40})"
        )


def _move(number: str) -> None:
    bind = op.get_bind()
    bind.exec_driver_sql("INSERT INTO activity_ids (id) SELECT id FROM activities_before ORDER BY id")
    bind.exec_driver_sql(
        f"INSERT INTO activities (place, {_KEPT}) "  # noqa: S608 - names of ours
        f"SELECT ((occurred_at / {_DAY}) << 40) + {number}, {_KEPT} FROM activities_before"
    )


def _add_slot(name: str, keys: list[sa.Column[Any]]) -> None:
    """Put a slot into the key of a rollup: in SQLite by another table, into which its rows go."""
    slot = sa.Column("slot", Integer, primary_key=True, nullable=False, autoincrement=False, server_default="0")
    if not _is_sqlite():
        op.add_column(name, sa.Column("slot", Integer, nullable=False, server_default="0"))
        op.drop_constraint(f"{name}_pkey", name)
        op.create_primary_key(f"{name}_pkey", name, [*(column.name for column in keys), "slot"])
        return
    counts_users = name in {"daily_users", "retention_cells"}
    figures = (
        [required("users", BigInteger)] if counts_users else [required("count", BigInteger), required("sum", EXACT)]
    )
    names = ", ".join(column.name for column in [*keys, *figures])
    op.rename_table(name, "rollup_before")
    op.create_table(name, *keys, slot, *figures, sqlite_with_rowid=False)
    op.execute(f"INSERT INTO {name} ({names}) SELECT {names} FROM rollup_before")  # noqa: S608 - names of ours
    op.drop_table("rollup_before")
