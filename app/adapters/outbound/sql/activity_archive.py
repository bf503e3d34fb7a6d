"""ActivityArchive in SQL. Each question is a short transaction of its own, so that no reader holds anything up.

SQLite: a long one would keep its write-ahead log from being given back. PostgreSQL: it would keep the server from
cleaning up what others have deleted.
"""

from collections.abc import Sequence
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Row, Select, literal, select, text, tuple_

from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.places import DAY, day_of
from app.adapters.outbound.sql.rows import instant_of, microseconds
from app.adapters.outbound.sql.schema import activities as table
from app.adapters.outbound.sql.slices import LATEST, PostgresSlices, Slices, SqliteSlices, bounds
from app.application.ports.activity_archive import (
    ActivityArchive,
    FoundActivities,
    LineForm,
    Lines,
    Slice,
    WantedActivities,
)
from app.domain.activities import Activity
from app.domain.activity_spans import ActivitySpan

TIME_LIMIT = 0.5
"""Seconds after which no further day (in PostgreSQL: month) is searched for the newest activities."""
_COLUMNS = (
    table.c.id,
    table.c.type,
    table.c.occurred_at,
    table.c.source,
    table.c.user_id,
    table.c.value,
    table.c.properties,
    table.c.anonymous_id,
    table.c.origin,
)
"""In the order of Activity."""
_STANDS = tuple_(table.c.occurred_at, table.c.id)


class SqlActivityArchive(ActivityArchive):
    """The activities of one database."""

    def __init__(self, database: Database, time_limit: float = TIME_LIMIT) -> None:
        self._database = database
        self._time_limit = time_limit
        self._slices: Slices = SqliteSlices() if database.is_sqlite else PostgresSlices()

    @property
    def name(self) -> str:
        """Where the database is."""
        return self._database.name

    async def next_slice(self, span: ActivitySpan, after: str) -> Slice | None:
        """Measure what follows."""
        return await self._database.read(lambda connection: self._slices.next(connection, span, after))

    async def lines(self, span: ActivitySpan, wanted: Slice, form: LineForm) -> Lines:
        """Let the database write them."""
        source = self._slices.text(span, wanted, form)

        def read(connection: Connection) -> Lines:
            written, count = connection.execute(text(source.sql), source.parameters).one()
            return Lines("" if written is None else f"{written}\n", count)

        return await self._database.read(read)

    async def activities(self, span: ActivitySpan, wanted: Slice) -> Sequence[Activity]:
        """Read rows."""
        source = self._slices.rows(span, wanted)
        names = ", ".join(column.name for column in _COLUMNS)
        found = text(f"SELECT {names} FROM {source.sql}").columns(*_COLUMNS)  # noqa: S608 - names of ours
        return await self._database.read(
            lambda connection: [*map(_activity, connection.execute(found, source.parameters))]
        )

    async def newest(self, wanted: WantedActivities, limit: int) -> FoundActivities:
        """Look through one day after the other (PostgreSQL: month), each sorted whole, until there are enough."""
        return await self._database.read(lambda connection: self._newest(connection, wanted, limit))

    def _newest(self, connection: Connection, wanted: WantedActivities, limit: int) -> FoundActivities:
        begin, end = bounds(wanted.span)
        found: list[Activity] = []
        began, searched = monotonic(), None
        for first, behind in self._slices.steps(connection, min(end - 1, _newest_instant(wanted)), begin):
            if searched is not None and monotonic() - began >= self._time_limit:
                return FoundActivities(found, instant_of(searched))
            within = _newest_of(wanted, begin, end).where(table.c.place >= first, table.c.place < behind)
            found += map(_activity, connection.execute(within.limit(limit - len(found))))
            searched = day_of(first) * DAY
            if len(found) >= limit:
                break
        return FoundActivities(found, None)


def _newest_instant(wanted: WantedActivities) -> int:
    """Say when the newest of those wanted may have occurred: nothing stands before the smallest id of an instant."""
    if wanted.before is None:
        return LATEST
    return microseconds(wanted.before.occurred_at) - (not wanted.before.activity_id.int)


def _newest_of(wanted: WantedActivities, begin: int, end: int) -> Select[Any]:
    found = select(*_COLUMNS).where(table.c.occurred_at >= begin, table.c.occurred_at < end)
    if wanted.user_id is not None:
        found = found.where(table.c.user_id == wanted.user_id)
    if wanted.type is not None:
        found = found.where(table.c.type == wanted.type)
    if wanted.before is not None:
        at, activity_id = wanted.before
        found = found.where(tuple_(literal(microseconds(at)), literal(activity_id, table.c.id.type)) > _STANDS)
    return found.order_by(table.c.occurred_at.desc(), table.c.id.desc())


def _activity(row: Row[*tuple[Any, ...]]) -> Activity:
    activity_id, type_, occurred_at, *others = row
    return Activity(activity_id, type_, instant_of(occurred_at), *others)
