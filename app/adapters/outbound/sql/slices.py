"""Where slices of the table of activities begin and end, each as its database reads a part of a table fastest.

SQLite: ranges of the table's key. PostgreSQL has no index on it: ranges of blocks (ctid) of one partition after the
other; whoever reads one reads no other block. Both are the order in which the activities of a day, or of a month in
PostgreSQL, have come.
"""

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection

from app.adapters.outbound.sql.activity_text import postgres_line, sqlite_line, sqlite_tables
from app.adapters.outbound.sql.partitions import PREFIX
from app.adapters.outbound.sql.places import DAY, day_of, first_place
from app.adapters.outbound.sql.rows import microseconds
from app.application.ports.activity_archive import LineForm, Slice, UnknownPlaceError
from app.domain.activity_spans import ActivitySpan

MOST_CHARACTERS = 4 * 1024 * 1024
"""Of properties in a slice that has more than the fewest rows or blocks."""
_ROWS = (50, 500, 5_000)
"""How many rows a slice of SQLite has: the more, the smaller they are."""
_BLOCKS = (1, 10, 100)
"""The same of blocks, of 8 KiB each, in PostgreSQL."""
_EPOCH = date(1970, 1, 1).toordinal()
LATEST = (date.max.toordinal() - _EPOCH) * DAY
"""Microseconds; behind it there is nothing."""
_LAST_PLACE = 2**63 - 1
_NUMBER = re.compile(r"[0-9]{1,19}").fullmatch

Parameters = Mapping[str, Any]


class Source(NamedTuple):
    """Rows in SQL: what stands behind FROM, and its parameters."""

    sql: str
    parameters: Parameters


class Slices(Protocol):
    """What is asked of one kind of database."""

    @abstractmethod
    def next(self, connection: Connection, span: ActivitySpan, after: str) -> Slice | None:
        """See ActivityArchive.next_slice."""

    @abstractmethod
    def rows(self, span: ActivitySpan, wanted: Slice) -> Source:
        """Say where the rows of a slice are that lie in a span."""

    @abstractmethod
    def text(self, span: ActivitySpan, wanted: Slice, form: LineForm) -> Source:
        """Select the lines of these rows as one text without the last end of a line (null of none) and their number."""

    @abstractmethod
    def steps(self, connection: Connection, before: int, begins: int) -> Iterator[tuple[int, int]]:
        """List ranges of places that hold all of some days, the newest first; see `SqlActivityArchive.newest`."""


class SqliteSlices(Slices):
    """Ranges of places."""

    def next(self, connection: Connection, span: ActivitySpan, after: str) -> Slice | None:
        """Measure rows."""
        begin, end = bounds(span)
        first = max(_read_place(after) + 1 if after else 0, first_place(begin // DAY))
        behind = first_place(end // DAY + 1)

        def measure(rows: int) -> tuple[int | None, int]:
            found = connection.exec_driver_sql(
                "SELECT max(place), coalesce(sum(length(properties)), 0) "
                "FROM (SELECT place, properties FROM activities WHERE place >= ? AND place < ? ORDER BY place LIMIT ?)",
                (first, behind, rows),
            ).one()
            return found[0], found[1]

        last = largest(_ROWS, measure)
        return None if last is None else Slice(str(first), str(last))

    def rows(self, span: ActivitySpan, wanted: Slice) -> Source:
        """Read them along the key."""
        begin, end = bounds(span)
        return Source(
            "activities WHERE place BETWEEN :first AND :last AND occurred_at >= :begin AND occurred_at < :end",
            {"first": _read_place(wanted.begin), "last": _read_place(wanted.end), "begin": begin, "end": end},
        )

    def text(self, span: ActivitySpan, wanted: Slice, form: LineForm) -> Source:
        """Join the lines in one step, in which the interpreter does other things."""
        source = self.rows(span, wanted)
        sql = (
            f"SELECT group_concat({sqlite_line(form)}, char(10)), count(*) "  # noqa: S608 - words of ours
            f"FROM (SELECT *, lower(hex(id)) AS hex FROM {source.sql} ORDER BY place LIMIT -1)"
        )
        return Source(sql, {**source.parameters, **sqlite_tables()})

    def steps(self, connection: Connection, before: int, begins: int) -> Iterator[tuple[int, int]]:
        """Go from day to day, past those without activities."""
        behind = first_place(before // DAY + 1)
        while True:
            newest = connection.exec_driver_sql("SELECT max(place) FROM activities WHERE place < ?", (behind,)).scalar()
            if newest is None or day_of(newest) < begins // DAY:
                return
            first = first_place(day_of(newest))
            yield first, first_place(day_of(newest) + 1)
            behind = first


class PostgresSlices(Slices):
    """Ranges of blocks of partitions."""

    _place = re.compile(rf"({PREFIX}[0-9]{{4}}_[0-9]{{2}}):([0-9]{{1,9}})").fullmatch

    def next(self, connection: Connection, span: ActivitySpan, after: str) -> Slice | None:
        """Measure blocks; a partition's last ones may be few."""
        name, done = self._read(after) if after else ("", 0)
        begin, end = bounds(span)
        first, last = _partition_of(begin), _partition_of(end)
        for partition, blocks in _partitions(connection):
            if partition < max(name, first) or partition > last:
                continue
            at = done if partition == name else 0
            if at < blocks:
                return Slice(f"{partition}:{at}", f"{partition}:{self._end(connection, partition, at, blocks)}")
        return None

    def _end(self, connection: Connection, partition: str, first: int, blocks: int) -> int:
        def measure(number: int) -> tuple[int, int]:
            behind = min(first + number, blocks)
            size = connection.exec_driver_sql(
                f"SELECT coalesce(sum(octet_length(properties)), 0) FROM {partition} "  # noqa: S608 - a name of ours
                "WHERE ctid >= %s::tid AND ctid < %s::tid",
                (_tid(first), _tid(behind)),
            ).scalar_one()
            return behind, int(size)

        end: int = largest(_BLOCKS, measure)
        return end

    def rows(self, span: ActivitySpan, wanted: Slice) -> Source:
        """Read them block by block."""
        partition, first = self._read(wanted.begin)
        begin, end = bounds(span)
        return Source(
            f"{partition} WHERE ctid >= CAST(:first AS tid) AND ctid < CAST(:behind AS tid) "
            "AND occurred_at >= CAST(:begin AS bigint) AND occurred_at < CAST(:end AS bigint)",
            {"first": _tid(first), "behind": _tid(self._read(wanted.end)[1]), "begin": begin, "end": end},
        )

    def text(self, span: ActivitySpan, wanted: Slice, form: LineForm) -> Source:
        """Join the lines there."""
        source = self.rows(span, wanted)
        sql = f"SELECT string_agg({postgres_line(form)}, E'\\n'), count(*) FROM {source.sql}"  # noqa: S608 - the same
        return Source(sql, source.parameters)

    def steps(self, connection: Connection, before: int, begins: int) -> Iterator[tuple[int, int]]:
        """Go from month to month: each is a partition, which is read whole."""
        for partition, blocks in reversed(_partitions(connection)):
            first, behind = _months_places(partition)
            if blocks and first <= first_place(before // DAY) and behind > first_place(begins // DAY):
                yield first, behind

    def _read(self, place: str) -> tuple[str, int]:
        found = self._place(place)
        if found is None:
            raise UnknownPlaceError(place)
        return found[1], int(found[2])


def largest(steps: Sequence[int], measure: Callable[[int], tuple[Any, int]]) -> Any:
    """Take more and more, as long as the next step should still be small enough; `measure` gives an end and a size."""
    end = None
    for step in steps:
        further, size = measure(step)
        if end is not None and size > MOST_CHARACTERS:
            break
        end = further
        if size > MOST_CHARACTERS // 10:
            break
    return end


def bounds(span: ActivitySpan) -> tuple[int, int]:
    """Write a span in microseconds, the second one not included."""
    begin = 0 if span.begins is None else microseconds(span.begins)
    end = LATEST if span.ends is None else microseconds(span.ends)
    return min(max(begin, 0), LATEST), min(max(end, 0), LATEST)


def _read_place(place: str) -> int:
    if _NUMBER(place) is None or int(place) >= _LAST_PLACE:
        raise UnknownPlaceError(place)
    return int(place)


def _partitions(connection: Connection) -> Sequence[tuple[str, int]]:
    """List the partitions that there are with their lengths in blocks, in the order of time."""
    found = connection.exec_driver_sql(
        "SELECT relname, pg_relation_size(oid) / current_setting('block_size')::int FROM pg_class "
        "WHERE oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'activities'::regclass)"
    )
    return sorted((name, int(blocks)) for name, blocks in found)


def _partition_of(instant: int) -> str:
    return f"{PREFIX}{date.fromordinal(_EPOCH + instant // DAY):%Y_%m}"


def _months_places(partition: str) -> tuple[int, int]:
    year, month = map(int, partition.removeprefix(PREFIX).split("_"))
    begin, end = date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)
    return first_place(begin.toordinal() - _EPOCH), first_place(end.toordinal() - _EPOCH)


def _tid(block: int) -> str:
    return f"({block},0)"
