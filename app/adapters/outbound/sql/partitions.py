"""The partitions of the table activities in PostgreSQL: one for each month, made when the first activity of it comes.

There is no default partition, so that to attach one more locks nobody out who reads or writes the others.
"""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import Connection

from app.adapters.outbound.sql.advisory_locks import AdvisoryLock, hold
from app.adapters.outbound.sql.places import NUMBERS, Month, day_of, first_of, first_place, first_place_of, months_of

PREFIX = "activities_"
"""How the name of a partition begins; year and month follow: activities_2026_01."""


class Partition(NamedTuple):
    """One that is there."""

    name: str
    first: int
    """Its places, from the first to that behind the last."""
    behind: int


class NoPartitionError(Exception):
    """There is none for an activity: make it, and store once more."""


def make_partitions(connection: Connection, months: Iterable[Month]) -> None:
    """Make those that are not there yet; several processes may want the same ones at the same time."""
    hold(connection, AdvisoryLock.PARTITIONS)
    there = {partition.name for partition in partitions(connection)}
    for month in sorted(months):
        name = f"{PREFIX}{first_of(month):%Y_%m}"
        if name not in there:
            begin, end = first_place_of(month), first_place_of(month + 1)
            connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE activities INCLUDING DEFAULTS)")
            connection.exec_driver_sql(
                f"ALTER TABLE activities ATTACH PARTITION {name} FOR VALUES FROM ({begin}) TO ({end})"
            )


def partitions(connection: Connection) -> Sequence[Partition]:
    """List those that are there, in the order of time."""
    known = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'activities'::regclass"
    found = []
    for name in connection.exec_driver_sql(known).scalars():
        year, month = map(int, name.removeprefix(PREFIX).split("_"))
        number = year * 12 + month - 1
        found.append(Partition(name, first_place_of(number), first_place_of(number + 1)))
    return sorted(found, key=attrgetter("first"))


def partitions_there(connection: Connection, first_day: int, last_day: int) -> Sequence[str]:
    """Name the partitions that have days (UTC) between two, both included, in the order of time."""
    first, last = first_place(first_day), first_place(last_day)
    return [one.name for one in partitions(connection) if one.first <= last and first < one.behind]


def make_room(connection: Connection, places: Iterable[int]) -> None:
    """Make the partitions for some places, where the database has partitions."""
    if connection.dialect.name == "postgresql":
        make_partitions(connection, months_of({day_of(place) for place in places}))


def number_behind_all(connection: Connection) -> None:
    """Let PostgreSQL number the next activity behind all that were loaded with their places."""
    if connection.dialect.name == "postgresql":
        numbers = f"place & ((1::bigint << {NUMBERS}) - 1)"
        connection.exec_driver_sql(
            f"SELECT setval('activity_places', max({numbers})) FROM activities HAVING count(*) > 0"  # noqa: S608 - ours
        )
