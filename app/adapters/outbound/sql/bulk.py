"""The few statements through which every activity goes, each in the form that its database is fastest with.

SQLite: prepared statements run many times, and lookups by long lists; it has one writer at a time, so what was read
stays true. PostgreSQL: one statement for all rows, which come as one JSON document (psycopg's arrays cost 30 us a row);
rows are locked in one order, so that workers wait for each other and do not deadlock.
"""

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

import msgspec
from sqlalchemy import Column, Connection, Table

from app.adapters.outbound.sql.rows import microseconds
from app.domain.activities import Activity
from app.domain.stats import Visits

_LOOKUPS = 1_000
"""Parameters of one statement."""
_COLUMNS = "id, type, occurred_at, source, user_id, value, properties"

Row = tuple[UUID | bytes, str, int, str | None, str | None, str | None, str | None]


class Bulk(Protocol):
    """What the store asks of one kind of database."""

    @abstractmethod
    def insert_new(self, connection: Connection, activities: Mapping[UUID, Activity]) -> Collection[UUID]:
        """Insert those that are not there yet; return the ids of these."""

    @abstractmethod
    def lock_visits(self, connection: Connection, own: Mapping[str, Visits]) -> Mapping[str, Visits]:
        """Read the visits of users as they stand, nobody else may change them until the end of the transaction.

        Who is not in the answer was never seen before; `own` is then written for them already.
        """

    @abstractmethod
    def update_visits(self, connection: Connection, visits: Mapping[str, Visits]) -> None:
        """Replace the visits of users that are there."""

    @abstractmethod
    def add(self, connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """Add to the figures of a rollup, in the order of the rows; each has the key, then what is to be added."""


class SqliteBulk(Bulk):
    """Statements for SQLite."""

    def insert_new(self, connection: Connection, activities: Mapping[UUID, Activity]) -> Collection[UUID]:
        """Look them up, insert the others."""
        by_bytes = {activity_id.bytes: activity_id for activity_id in activities}
        known = {row[0] for row in _look_up(connection, "SELECT id FROM activities WHERE id IN", list(by_bytes))}
        new = [activity_id for as_bytes, activity_id in by_bytes.items() if as_bytes not in known]
        if new:
            rows = [_row(activity_id.bytes, activities[activity_id]) for activity_id in new]
            connection.exec_driver_sql(f"INSERT INTO activities ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)  # noqa: S608
        return new

    def lock_visits(self, connection: Connection, own: Mapping[str, Visits]) -> Mapping[str, Visits]:
        """Look them up, insert the others."""
        found = _look_up(connection, "SELECT user_id, first_day, days FROM visitors WHERE user_id IN", list(own))
        before = {user_id: unpack_visits(first, days) for user_id, first, days in found}
        new = [(user_id, *pack_visits(visits)) for user_id, visits in own.items() if user_id not in before]
        if new:
            connection.exec_driver_sql("INSERT INTO visitors (user_id, first_day, days) VALUES (?, ?, ?)", new)
        return before

    def update_visits(self, connection: Connection, visits: Mapping[str, Visits]) -> None:
        """Update one by one."""
        rows = [(*pack_visits(one), user_id) for user_id, one in visits.items()]
        connection.exec_driver_sql("UPDATE visitors SET first_day = ?, days = ? WHERE user_id = ?", rows)

    def add(self, connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """Upsert one by one; sums are text, which `add_exactly` (database.py) adds."""
        sums = {column.name: f"{column.name} + excluded.{column.name}" for column in _figures(table)}
        if "sum" in sums:
            sums["sum"] = "add_exactly(sum, excluded.sum)"
        values = f"VALUES ({', '.join('?' * len(table.columns))})"
        written = [tuple(_text(value) for value in row) for row in rows]
        connection.exec_driver_sql(_upsert(table, values, sums), written)


class PostgresBulk(Bulk):
    """Statements for PostgreSQL."""

    def insert_new(self, connection: Connection, activities: Mapping[UUID, Activity]) -> Collection[UUID]:
        """Insert in the order of the ids; who inserts one of them too waits for us."""
        rows = [_row(activity_id, activities[activity_id]) for activity_id in sorted(activities)]
        found = connection.exec_driver_sql(
            f"INSERT INTO activities ({_COLUMNS}) SELECT (r->>0)::uuid, r->>1, (r->>2)::bigint, r->>3, r->>4, "  # noqa: S608
            "(r->>5)::numeric, r->>6 FROM json_array_elements(%s::json) AS r ON CONFLICT DO NOTHING RETURNING id",
            (_json(rows),),
        )
        return [row[0] for row in found]

    def lock_visits(self, connection: Connection, own: Mapping[str, Visits]) -> Mapping[str, Visits]:
        """Insert in the order of the names, then lock those that were there in the same order."""
        users = sorted(own)
        inserted = connection.exec_driver_sql(
            "INSERT INTO visitors (user_id, first_day, days) SELECT r->>0, (r->>1)::int, decode(r->>2, 'hex') "
            "FROM json_array_elements(%s::json) AS r ON CONFLICT DO NOTHING RETURNING user_id",
            (_json([_hex(user_id, own[user_id]) for user_id in users]),),
        )
        new = {row[0] for row in inserted}
        there = [user_id for user_id in users if user_id not in new]
        if not there:
            return {}
        found = connection.exec_driver_sql(
            "SELECT user_id, first_day, days FROM visitors WHERE user_id IN "
            "(SELECT json_array_elements_text(%s::json)) ORDER BY user_id FOR UPDATE",
            (_json(there),),
        )
        return {user_id: unpack_visits(first, days) for user_id, first, days in found}

    def update_visits(self, connection: Connection, visits: Mapping[str, Visits]) -> None:
        """Update all at once."""
        connection.exec_driver_sql(
            "UPDATE visitors SET first_day = (r->>1)::int, days = decode(r->>2, 'hex') "
            "FROM json_array_elements(%s::json) AS r WHERE user_id = r->>0",
            (_json([_hex(user_id, one) for user_id, one in visits.items()]),),
        )

    def add(self, connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """Upsert all at once."""
        sums = {column.name: f"{table.name}.{column.name} + excluded.{column.name}" for column in _figures(table)}
        types = (column.type.compile(connection.dialect) for column in table.columns)
        values = ", ".join(f"(r->>{place})::{type_}" for place, type_ in enumerate(types))
        source = f"SELECT {values} FROM json_array_elements(%s::json) AS r"  # noqa: S608 - our own tables
        connection.exec_driver_sql(_upsert(table, source, sums), (_json([[*map(_text, row)] for row in rows]),))


def _figures(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if not column.primary_key]


def _upsert(table: Table, source: str, sums: Mapping[str, str]) -> str:
    keys = ", ".join(column.name for column in table.primary_key)
    changes = ", ".join(f"{name} = {sum_}" for name, sum_ in sums.items())
    columns = ", ".join(column.name for column in table.columns)
    return f"INSERT INTO {table.name} ({columns}) {source} ON CONFLICT ({keys}) DO UPDATE SET {changes}"


def _text(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value


def pack_visits(visits: Visits) -> tuple[int, bytes]:
    """Write a set of days as the columns first_day and days."""
    return visits.first, visits.days.to_bytes((visits.days.bit_length() + 7) // 8, "little")


def unpack_visits(first: int, days: bytes) -> Visits:
    """Read what `pack_visits` wrote."""
    return Visits(first, int.from_bytes(days, "little"))


def _hex(user_id: str, visits: Visits) -> tuple[str, int, str]:
    first, days = pack_visits(visits)
    return user_id, first, days.hex()


def _json(rows: Sequence[Any]) -> str:
    return msgspec.json.encode(rows).decode()


def _row(activity_id: UUID | bytes, activity: Activity) -> Row:
    _, type_, occurred_at, source, user_id, value, properties = activity
    written = None if value is None else f"{value:f}"
    return activity_id, type_, microseconds(occurred_at), source, user_id, written, properties


def _look_up(connection: Connection, select: str, keys: Sequence[Any]) -> Iterator[Any]:
    for start in range(0, len(keys), _LOOKUPS):
        chunk = tuple(keys[start : start + _LOOKUPS])
        yield from connection.exec_driver_sql(f"{select} ({','.join('?' * len(chunk))})", chunk)
