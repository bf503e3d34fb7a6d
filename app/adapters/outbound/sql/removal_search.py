"""Which rows of the activities are to be removed, and their removal: by place in SQLite, by block in PostgreSQL.

PostgreSQL has no index on the table: each step goes on in the partition and behind the row (ctid) where the last one
ended, so that no block is read twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    MetaData,
    Table,
    and_,
    delete,
    func,
    or_,
    select,
    text,
)

from app.adapters.outbound.sql.partitions import partitions_there
from app.adapters.outbound.sql.places import DAY, first_place
from app.adapters.outbound.sql.schema import activities
from app.adapters.outbound.sql.slices import bounds
from app.domain.activities import STATEMENTS
from app.domain.activity_columns import ActivityColumns
from app.domain.removal import ToRemove

_AT_ONCE = 1_000
_NAMES = ("id", "type", "occurred_at", "source", "user_id", "value", "properties", "anonymous_id", "origin")
"""In the order of ActivityColumns."""


@dataclass(frozen=True, slots=True)
class FoundRows:
    """Rows that stand in one table, or partition."""

    rows: Sequence[Any]
    """Places; in PostgreSQL ctids."""
    partition: str = ""
    following: str | None = None
    """Where to go on when the partition has no more; None: nothing follows."""

    @property
    def last(self) -> str:
        """Where to go on behind the last row."""
        return f"{self.partition}:{self.rows[-1]}"


def found_in(connection: Connection, wanted: ToRemove, after: str, limit: int) -> FoundRows:
    """Find the next rows."""
    partition, _, row = after.partition(":")
    if connection.dialect.name == "sqlite":
        return FoundRows(_places(connection, wanted, int(row or -1), limit))
    for name, following in _partitions(connection, wanted, partition):
        behind = row if name == partition and row else "(0,0)"
        table = activities.to_metadata(MetaData(), name=name)
        is_behind = text("ctid > CAST(:behind AS tid)").bindparams(behind=behind)
        found = select(text("CAST(ctid AS text)")).select_from(table).where(is_behind, _those(table, wanted))
        if rows := connection.execute(found.limit(limit)).scalars().all():
            return FoundRows(rows, name, following and f"{following}:")
    return FoundRows(())


def rows_removed(connection: Connection, found: FoundRows, wanted: ToRemove) -> ActivityColumns:
    """Delete those that are still there, and return them."""
    parts: list[Any] = []
    for start in range(0, len(found.rows), _AT_ONCE):
        chunk = found.rows[start : start + _AT_ONCE]
        if found.partition:
            table = activities.to_metadata(MetaData(), name=found.partition)
            listed = "{" + ",".join(f'"{row}"' for row in chunk) + "}"
            named: Any = text("ctid = ANY(CAST(:rows AS tid[]))").bindparams(rows=listed)
        else:
            table = activities
            written = msgspec.json.encode(list(chunk)).decode()
            named = table.c.place.in_(select(func.json_each(written).table_valued("value").c.value))
        gone = delete(table).where(named, _those(table, wanted)).returning(*(table.c[name] for name in _NAMES))
        parts += connection.execute(gone).all()
    if not parts:
        return ActivityColumns.of(())
    ids, *others = zip(*parts, strict=True)
    return ActivityColumns(b"".join([one.bytes for one in ids]), *others)


def free_ids(connection: Connection, removed: ActivityColumns) -> None:
    """Let the ids of activities count when they come again."""
    ids = removed.split_ids()
    for start in range(0, len(ids), _AT_ONCE):
        chunk = ids[start : start + _AT_ONCE]
        if connection.dialect.name == "sqlite":
            places = ",".join("?" * len(chunk))
            connection.exec_driver_sql(f"DELETE FROM activity_ids WHERE id IN ({places})", tuple(chunk))  # noqa: S608 - places alone
        else:
            connection.exec_driver_sql(
                "DELETE FROM activity_ids WHERE id = ANY(%s::uuid[])", ([one.hex() for one in chunk],)
            )


def _places(connection: Connection, wanted: ToRemove, behind: int, limit: int) -> Sequence[int]:
    begin, end = bounds(wanted.span)
    place = activities.c.place
    found = (
        select(place)
        .where(place > behind, place >= first_place(begin // DAY), place < first_place(end // DAY + 1))
        .where(_those(activities, wanted))
        .order_by(place)
        .limit(limit)
    )
    return connection.execute(found).scalars().all()


def _partitions(connection: Connection, wanted: ToRemove, first: str) -> Iterator[tuple[str, str | None]]:
    """List the partitions that the span touches, from one on, each with the next one."""
    begin, end = bounds(wanted.span)
    names = [name for name in partitions_there(connection, begin // DAY, end // DAY) if name >= first]
    return zip_longest(names, names[1:])


def _those(table: Table, wanted: ToRemove) -> ColumnElement[bool]:
    """Say in SQL which rows are wanted."""
    kept = table.c
    any_of: list[ColumnElement[bool]] = []
    if wanted.import_id is not None:
        any_of.append(kept.import_id == wanted.import_id)
    if wanted.users:
        any_of.append(kept.user_id.in_(wanted.users))
        any_of.append(and_(kept.type.in_(STATEMENTS), kept.anonymous_id.in_(wanted.users)))
    if wanted.anonymous:
        by_nobody_else = or_(kept.user_id.is_(None), kept.type.in_(STATEMENTS))
        any_of.append(and_(by_nobody_else, kept.anonymous_id.in_(wanted.anonymous)))
    if wanted.sources:
        any_of.append(kept.source.in_(wanted.sources))
    if wanted.ids:
        any_of.append(kept.id.in_(wanted.ids))
    begin, end = bounds(wanted.span)
    return and_(or_(*any_of), kept.occurred_at >= begin, kept.occurred_at < end)
