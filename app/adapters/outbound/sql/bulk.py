"""The few statements through which every activity goes, each in the form that its database is fastest with.

SQLite: prepared statements run many times, and lookups by long lists; it has one writer at a time, so what was read
stays true. PostgreSQL: one statement for all rows, which come as one JSON document (psycopg's arrays cost 30 us a row);
rows are locked in one order, so that workers wait for each other and do not deadlock.
"""

from abc import abstractmethod
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import count, repeat
from operator import itemgetter
from typing import Any, Protocol

import msgspec
from sqlalchemy import Column, Connection, Table
from sqlalchemy.exc import IntegrityError

from app.adapters.outbound.sql.packed_days import pack_days, unpack_days, unpack_types
from app.adapters.outbound.sql.places import DAY, NUMBERS
from app.domain.activity_columns import ActivityColumns
from app.domain.identities import Key
from app.domain.regrouping import Known
from app.domain.user_days import UserDays, holds

_LOOKUPS = 1_000
"""Parameters of one statement."""
_COLUMNS = "id, type, occurred_at, source, user_id, anonymous_id, value, properties, origin"

_INSERT_PLACED = f"INSERT INTO activities (place, {_COLUMNS}) VALUES ({', '.join('?' * 10)})"  # noqa: S608 - our own
_INSERT_IMPORTED = f"INSERT INTO activities (place, {_COLUMNS}, import_id) VALUES ({', '.join('?' * 11)})"  # noqa: S608 - our own
_VISITORS = "SELECT visitor, first_day, days, types, person FROM visitors WHERE visitor IN"
_FREE_PLACES = f"""
SELECT j.value, coalesce(
    (SELECT max(place) + 1 FROM activities WHERE place >= j.value << {NUMBERS} AND place < (j.value + 1) << {NUMBERS}),
    j.value << {NUMBERS}
) FROM json_each(?) AS j
"""  # noqa: S608 - numbers of ours
_INSERT_GIVEN = f"""
WITH given AS MATERIALIZED (SELECT (r->>0)::uuid AS id, r FROM json_array_elements(%s::json) AS r),
new AS (INSERT INTO activity_ids (id) SELECT id FROM given ON CONFLICT DO NOTHING RETURNING id)
INSERT INTO activities (place, {_COLUMNS}, import_id)
SELECT ((r->>2)::bigint / {DAY} << {NUMBERS}) + nextval('activity_places'), id, r->>1, (r->>2)::bigint, r->>3, r->>4,
r->>5, (r->>6)::numeric, r->>7, r->>8, %s::bigint FROM given JOIN new USING (id) RETURNING id
"""  # noqa: S608 - numbers of ours


class Bulk(Protocol):
    """What the store asks of one kind of database."""

    @abstractmethod
    def insert_new(
        self, connection: Connection, activities: ActivityColumns, import_id: int | None = None
    ) -> ActivityColumns:
        """Insert those that are not there yet; return these. No two of the given ones have one id."""

    @abstractmethod
    def without_known(self, connection: Connection, own: Mapping[Key, UserDays]) -> Mapping[Key, UserDays]:
        """Leave out the visitors of whom all these days are kept: most were here before on the same day.

        Nobody takes a day from a visitor while somebody counts, so what is read here stays true.
        """

    def lock_growing(
        self, connection: Connection, own: Mapping[Key, UserDays]
    ) -> tuple[Mapping[Key, UserDays], Mapping[Key, Known]]:
        """Leave out whom `without_known` leaves out, and do with the others what `lock_visits` does: give both."""
        growing = self.without_known(connection, own)
        return growing, self.lock_visits(connection, growing) if growing else {}

    @abstractmethod
    def lock_visits(self, connection: Connection, own: Mapping[Key, UserDays]) -> Mapping[Key, Known]:
        """Read the days of visitors as they stand, nobody else may change them until the end of the transaction.

        Who is not in the answer was never seen before; `own` is then written for them already.
        """

    @abstractmethod
    def update_visits(self, connection: Connection, visits: Mapping[Key, UserDays]) -> None:
        """Replace the days of visitors that are there."""

    @abstractmethod
    def add(self, connection: Connection, table: Table, slot: int, rows: Sequence[Sequence[Any]]) -> None:
        """Add to the figures of a rollup, in the order of the rows; each has the key, then what is to be added."""


class SqliteBulk(Bulk):
    """Statements for SQLite."""

    def insert_new(
        self, connection: Connection, activities: ActivityColumns, import_id: int | None = None
    ) -> ActivityColumns:
        """Insert a thousand ids at once; where some are known, look them up and insert the others."""
        ids = activities.split_ids()
        known: set[bytes] = set()
        for start in range(0, len(ids), _LOOKUPS):
            known |= _insert_ids(connection, ids[start : start + _LOOKUPS])
        if known:
            activities = activities.chosen([place for place, one in enumerate(ids) if one not in known])
        if activities and import_id is None:
            connection.exec_driver_sql(_INSERT_PLACED, _placed(connection, activities))
        elif activities:
            connection.exec_driver_sql(_INSERT_IMPORTED, _placed(connection, activities, repeat(import_id)))
        return activities

    def without_known(self, connection: Connection, own: Mapping[Key, UserDays]) -> Mapping[Key, UserDays]:
        """Look them up."""
        wanted = "SELECT visitor, types FROM visitors WHERE visitor IN"
        return _growing(own, _look_up(connection, wanted, list(own)))

    def lock_growing(
        self, connection: Connection, own: Mapping[Key, UserDays]
    ) -> tuple[Mapping[Key, UserDays], Mapping[Key, Known]]:
        """Look all of them up once: nobody else writes."""
        found = {row[0]: _known(*row[1:]) for row in _look_up(connection, _VISITORS, list(own))}
        whole = {visitor for visitor, known in found.items() if known.visits and _has(known.visits, own[visitor])}
        growing = {visitor: days for visitor, days in own.items() if visitor not in whole} if whole else own
        _insert_visitors(connection, growing, found.keys())
        return growing, {visitor: known for visitor, known in found.items() if visitor not in whole}

    def lock_visits(self, connection: Connection, own: Mapping[Key, UserDays]) -> Mapping[Key, Known]:
        """Look them up, insert the others."""
        before = {row[0]: _known(*row[1:]) for row in _look_up(connection, _VISITORS, list(own))}
        _insert_visitors(connection, own, before.keys())
        return before

    def update_visits(self, connection: Connection, visits: Mapping[Key, UserDays]) -> None:
        """Update one by one."""
        rows = [(*pack_days(one), visitor) for visitor, one in visits.items()]
        connection.exec_driver_sql("UPDATE visitors SET first_day = ?, days = ?, types = ? WHERE visitor = ?", rows)

    def add(self, connection: Connection, table: Table, slot: int, rows: Sequence[Sequence[Any]]) -> None:
        """Upsert one by one; sums are text, which `add_exactly` (database.py) adds."""
        sums = {column.name: f"{column.name} + excluded.{column.name}" for column in _figures(table)}
        if "sum" in sums:
            sums["sum"] = "add_exactly(sum, excluded.sum)"
        values = f"VALUES ({', '.join('?' * len(table.columns))})"
        key = len(table.primary_key) - 1
        written = [(*row[:key], slot, *map(_text, row[key:])) for row in rows]
        connection.exec_driver_sql(_upsert(table, values, sums), written)


class PostgresBulk(Bulk):
    """Statements for PostgreSQL."""

    def insert_new(
        self, connection: Connection, activities: ActivityColumns, import_id: int | None = None
    ) -> ActivityColumns:
        """Insert in the order of the ids; who inserts one of them too waits for us."""
        ids = [one.hex() for one in activities.split_ids()]
        rows = sorted(zip(ids, *_written(activities), strict=True), key=itemgetter(0))
        inserted = connection.exec_driver_sql(_INSERT_GIVEN, (_json(rows), import_id)).scalars().all()
        if len(inserted) == len(ids):
            return activities
        new = {one.hex for one in inserted}
        return activities.chosen([place for place, one in enumerate(ids) if one in new])

    def without_known(self, connection: Connection, own: Mapping[Key, UserDays]) -> Mapping[Key, UserDays]:
        """Look them up, without a lock."""
        wanted = "SELECT visitor, types FROM visitors WHERE visitor IN (SELECT json_array_elements_text(%s::json))"
        return _growing(own, connection.exec_driver_sql(wanted, (_json(list(own)),)).fetchall())

    def lock_visits(self, connection: Connection, own: Mapping[Key, UserDays]) -> Mapping[Key, Known]:
        """Insert in the order of the names, then lock those that were there in the same order."""
        visitors = sorted(own)
        inserted = connection.exec_driver_sql(
            "INSERT INTO visitors (visitor, first_day, days, types) "
            "SELECT r->>0, (r->>1)::int, decode(r->>2, 'hex'), decode(r->>3, 'hex') "
            "FROM json_array_elements(%s::json) AS r ON CONFLICT DO NOTHING RETURNING visitor",
            (_json([_hex(visitor, own[visitor]) for visitor in visitors]),),
        )
        new = {row[0] for row in inserted}
        there = [visitor for visitor in visitors if visitor not in new]
        if not there:
            return {}
        found = connection.exec_driver_sql(
            "SELECT visitor, first_day, days, types, person FROM visitors WHERE visitor IN "
            "(SELECT json_array_elements_text(%s::json)) ORDER BY visitor FOR UPDATE",
            (_json(there),),
        )
        return {row[0]: _known(*row[1:]) for row in found}

    def update_visits(self, connection: Connection, visits: Mapping[Key, UserDays]) -> None:
        """Update all at once."""
        connection.exec_driver_sql(
            "UPDATE visitors SET first_day = (r->>1)::int, days = decode(r->>2, 'hex'), types = decode(r->>3, 'hex') "
            "FROM json_array_elements(%s::json) AS r WHERE visitor = r->>0",
            (_json([_hex(visitor, one) for visitor, one in visits.items()]),),
        )

    def add(self, connection: Connection, table: Table, slot: int, rows: Sequence[Sequence[Any]]) -> None:
        """Upsert all at once."""
        sums = {column.name: f"{table.name}.{column.name} + excluded.{column.name}" for column in _figures(table)}
        key = len(table.primary_key) - 1
        written = [(*row[:key], slot, *map(_text, row[key:])) for row in rows]
        types = (column.type.compile(connection.dialect) for column in table.columns)
        values = ", ".join(f"(r->>{place})::{type_}" for place, type_ in enumerate(types))
        source = f"SELECT {values} FROM json_array_elements(%s::json) AS r"  # noqa: S608 - our own tables
        connection.exec_driver_sql(_upsert(table, source, sums), (_json(written),))


def _figures(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if not column.primary_key]


def _upsert(table: Table, source: str, sums: Mapping[str, str]) -> str:
    keys = ", ".join(column.name for column in table.primary_key)
    changes = ", ".join(f"{name} = {sum_}" for name, sum_ in sums.items())
    columns = ", ".join(column.name for column in table.columns)
    return f"INSERT INTO {table.name} ({columns}) {source} ON CONFLICT ({keys}) DO UPDATE SET {changes}"


def _text(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value


def _growing(own: Mapping[Key, UserDays], kept: Iterable[Any]) -> Mapping[Key, UserDays]:
    """Leave out those of whom a row of `kept` has all days; many rows are alike, and looked at once."""
    has_all: dict[tuple[bytes | None, UserDays], bool] = {}
    known = set()
    for visitor, types in kept:
        row = (types, own[visitor])
        if row not in has_all:
            has_all[row] = holds(unpack_types(types), row[1])
        if has_all[row]:
            known.add(visitor)
    return {visitor: days for visitor, days in own.items() if visitor not in known} if known else own


def _known(first: int, days: bytes, types: bytes | None, person: Key | None) -> Known:
    return Known(unpack_days(first, days, types), person)


def _hex(visitor: Key, own: UserDays) -> tuple[Key, int, str, str]:
    first, days, types = pack_days(own)
    return visitor, first, days.hex(), types.hex()


def _json(rows: Sequence[Any]) -> str:
    return msgspec.json.encode(rows).decode()


def _insert_ids(connection: Connection, ids: Sequence[bytes]) -> set[bytes]:
    """Insert ids, and return those that were there before: usually none, and nobody looks."""
    try:
        _insert_all_ids(connection, ids)
    except IntegrityError:
        known = {row[0] for row in _look_up(connection, "SELECT id FROM activity_ids WHERE id IN", ids)}
        new = [(one,) for one in ids if one not in known]
        if new:
            connection.exec_driver_sql("INSERT INTO activity_ids (id) VALUES (?)", new)
        return known
    return set()


def _insert_all_ids(connection: Connection, ids: Sequence[bytes]) -> None:
    """Insert ids in one statement, all or none.

    Raises:
        IntegrityError: one of them is there.
    """
    connection.exec_driver_sql(_ids_statement(len(ids)), tuple(ids))


@lru_cache(maxsize=64)  # so many statements a connection keeps prepared, by their texts
def _ids_statement(number: int) -> str:
    return f"INSERT INTO activity_ids (id) VALUES {','.join(['(?)'] * number)}"  # noqa: S608 - places alone


def _written(activities: ActivityColumns) -> Sequence[Sequence[Any]]:
    """Write the columns behind the id."""
    values = [None if value is None else f"{value:f}" for value in activities.values]
    who = (activities.sources, activities.user_ids, activities.anonymous_ids)
    return (activities.types, activities.occurred_at, *who, values, activities.properties, activities.origins)


def _has(kept: UserDays, wanted: UserDays) -> bool:
    return holds(dict(kept.by_type), wanted)


def _insert_visitors(connection: Connection, own: Mapping[Key, UserDays], there: Container[Key]) -> None:
    new = [(visitor, *pack_days(days)) for visitor, days in own.items() if visitor not in there]
    if new:
        new.sort(key=itemgetter(0))  # neighbours go into one page of the tree
        connection.exec_driver_sql("INSERT INTO visitors (visitor, first_day, days, types) VALUES (?, ?, ?, ?)", new)


def _placed(connection: Connection, activities: ActivityColumns, *more: Iterable[Any]) -> Sequence[tuple[Any, ...]]:
    """Write rows, each with the next free place of its day in front."""
    days = [at // DAY for at in activities.occurred_at]
    found = connection.exec_driver_sql(_FREE_PLACES, (_json(sorted(set(days))),))
    free = {day: count(place) for day, place in found}
    if len(free) == 1:
        places: Iterable[int] = free[days[0]]
    else:
        places = [next(free[day]) for day in days]
    return list(zip(places, activities.split_ids(), *_written(activities), *more))  # noqa: B905 - places have no end


def _look_up(connection: Connection, select: str, keys: Sequence[Any]) -> Iterator[Any]:
    for start in range(0, len(keys), _LOOKUPS):
        chunk = tuple(keys[start : start + _LOOKUPS])
        yield from connection.exec_driver_sql(f"{select} ({','.join('?' * len(chunk))})", chunk).fetchall()
