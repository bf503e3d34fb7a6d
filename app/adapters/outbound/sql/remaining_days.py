"""What is left of visitors on some days: found by reading these days, for no index leads from a visitor to its rows."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, time, tzinfo

import msgspec
from sqlalchemy import Connection, Select, String, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSON

from app.adapters.outbound.sql.places import DAY, first_place
from app.adapters.outbound.sql.rows import microseconds
from app.adapters.outbound.sql.schema import activities
from app.domain.activities import STATEMENTS
from app.domain.column_fold import visitors_of
from app.domain.identities import ANONYMOUS, Key
from app.domain.rollups import QUARTER, DatedActivities, Day, LocalClock
from app.domain.stats import date_of

TypeDay = tuple[Key, str, Day]
"""A visitor, what it did, and when."""


def nothing_left(
    connection: Connection, dated: DatedActivities, clock: LocalClock, first: Day
) -> tuple[frozenset[TypeDay], Mapping[Key, Collection[Day]]]:
    """Find out what visitors did not do besides on the days of these, by type and in all; nothing before `first`."""
    who = visitors_of(dated.activities)
    taken = {
        (visitor, type_, day)
        for visitor, type_, day in zip(who, dated.activities.types, dated.days, strict=True)
        if visitor is not None and day >= first
    }
    left = set(_left(connection, taken, clock))
    still = {(visitor, day) for visitor, _, day in left}
    days: dict[Key, set[Day]] = {}
    for visitor, _, day in taken:
        if (visitor, day) not in still:
            days.setdefault(visitor, set()).add(day)
    return frozenset(taken - left), days


def _left(connection: Connection, taken: Collection[TypeDay], clock: LocalClock) -> Iterator[TypeDay]:
    """Read what the same visitors did on the same days, and a little more."""
    who = msgspec.json.encode(sorted({visitor for visitor, _, _ in taken})).decode()
    kept = activities.c
    visitor = func.coalesce(kept.user_id, literal(ANONYMOUS).concat(kept.anonymous_id))
    for begin, end in _spans({day for _, _, day in taken}, clock.zone):
        found = (
            select(visitor, kept.type, func.min(kept.occurred_at), func.max(kept.occurred_at))
            .where(kept.place >= first_place(begin // DAY), kept.place < first_place(end // DAY + 1))
            .where(kept.occurred_at.between(begin, end), kept.type.not_in(STATEMENTS))
            .where(visitor.in_(_listed(connection, who)))
            .group_by(visitor, kept.type, kept.occurred_at // QUARTER)
        )
        rows = connection.execute(found).all()
        for place in (2, 3):  # a quarter of an hour lies within one day, or in two
            _, days = clock.read([row[place] for row in rows])
            yield from ((row[0], row[1], day) for row, day in zip(rows, days, strict=True))


def _listed(connection: Connection, texts: str) -> Select[tuple[str]]:
    if connection.dialect.name == "sqlite":
        return select(func.json_each(texts).table_valued("value").c.value)
    return select(func.json_array_elements_text(cast(literal(texts), JSON), type_=String).column_valued())


def _spans(days: Iterable[Day], zone: tzinfo) -> Iterator[tuple[int, int]]:
    """Give the instants (microseconds) between which days lie; those that follow each other together."""
    run: list[Day] = []
    for day in sorted(days):
        if run and day != run[-1] + 1:
            yield _begin(run[0], zone), _end(run[-1], zone)
            run = []
        run.append(day)
    if run:
        yield _begin(run[0], zone), _end(run[-1], zone)


def _begin(day: Day, zone: tzinfo) -> int:
    """Say when a day begins at the earliest: midnight may come twice, or not at all."""
    return max(0, min(_midnights(day, zone)))


def _end(day: Day, zone: tzinfo) -> int:
    return max(_midnights(day + 1, zone)) - 1


def _midnights(day: Day, zone: tzinfo) -> Iterator[int]:
    for fold in (0, 1):
        yield microseconds(datetime.combine(date_of(day), time(fold=fold), zone))
