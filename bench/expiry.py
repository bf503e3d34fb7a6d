"""`make bench-expiry`: the first of ten months leaves: how long others are locked out, and what comes back of the disk.

SQLite and, with `--database postgresql://...` (an empty one), PostgreSQL. Targets: at 10 million activities at most 2 s
of locks in all on PostgreSQL; at least half of the disk that the rows took comes back. The activities are written by
the database itself, with figures by day and hour alone: what leaves reads no others.
"""

import argparse
import asyncio
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Connection

from app.adapters.outbound.sql.activity_expiry import SqlActivityExpiry
from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.migrate import migrate
from app.adapters.outbound.sql.partitions import make_partitions
from app.adapters.outbound.sql.places import DAY, NUMBERS, months_of
from bench.stats import verdict

BEGIN, DAYS, CUT = date(2026, 1, 1), 304, date(2026, 2, 1)
"""Ten months, and what is before the second."""
FIRST = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
LOCKS, SHARE = 2.0, 0.5
"""The targets: seconds, and of the disk."""
_NAMES = "place, id, type, occurred_at, source, user_id, properties"
_PROPERTIES = '{"page":"/plans/291","ref":"newsletter"}'
_COUNTED = """
INSERT INTO daily_totals (day, type, slot, count, sum)
SELECT occurred_at / 86400000000, type, 0, count(*), '0'{0} FROM activities GROUP BY 1, 2;
INSERT INTO hourly_totals (hour, type, slot, count, sum)
SELECT occurred_at / 3600000000 * 3600, type, 0, count(*), '0'{0} FROM activities GROUP BY 1, 2
"""
_FILL = {
    "sqlite": "WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < {last}) "
    "INSERT INTO activities ({names}) SELECT (({at}) / {day} << {bits}) + n, randomblob(16), 'view', {at}, 'web', "
    "'user-' || abs(random() % 500000), '{properties}' FROM n",
    "postgresql": "INSERT INTO activities ({names}) SELECT (({at}) / {day} << {bits}) + n, gen_random_uuid(), 'view', "
    "{at}, 'web', 'user-' || (random() * 500000)::int, '{properties}' FROM generate_series(0::bigint, {last}) AS n",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", default="embedded")
    parser.add_argument("--activities", type=int, default=10_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as folder:
        asyncio.run(measure(given.database, Path(folder), given.activities))


async def measure(url: str, folder: Path, count: int) -> None:
    """Fill a database, let a month leave, and look at what is left."""
    database = open_database(url, folder, timeout=30)
    try:
        await migrate(database)
        await database.write(lambda connection: fill(connection, count), unlimited=True)
        before = await database.write(size)
        steps, removed, longest = await remove(database)
        after = await database.write(size)
    finally:
        await database.aclose()
    is_sqlite = url == "embedded"
    print(f"{'SQLite' if is_sqlite else 'PostgreSQL'}: {removed:,} of {count:,} activities have left in {steps} steps")
    print(f"locked {longest[0]:.2f} s in all, {longest[1] * 1000:.0f} ms at most at a time", end=" ")
    print("" if is_sqlite else verdict(longest[0] <= LOCKS))
    share = (before - after) / (before * removed / count)
    print(f"disk: {before / 1e6:.1f} MB before, {after / 1e6:.1f} MB after: {share:.0%} of what left", end=" ")
    print(verdict(share >= SHARE))


def fill(connection: Connection, count: int) -> None:
    """Write activities in the order of time, and figures of them."""
    name = connection.dialect.name
    if name == "postgresql":
        first = FIRST // DAY
        make_partitions(connection, months_of(range(first, first + DAYS)))
    at = f"{FIRST} + n * {DAYS * DAY // count}"
    told = {"names": _NAMES, "last": count - 1, "at": at, "day": DAY, "bits": NUMBERS, "properties": _PROPERTIES}
    connection.exec_driver_sql(_FILL[name].format(**told))
    for statement in _COUNTED.format("" if name == "sqlite" else "::numeric").split(";"):
        connection.exec_driver_sql(statement)


async def remove(database: Database) -> tuple[int, int, tuple[float, float]]:
    """Take every step; tell their number, the activities, the seconds in all and those of the longest."""
    expiry, removed = SqlActivityExpiry(database, UTC), 0
    seconds: list[float] = []
    has_more = True
    while has_more:
        began = time.perf_counter()
        count = await expiry.remove_some(CUT)
        seconds.append(time.perf_counter() - began)
        removed += count or 0
        has_more = count is not None
    has_more = True
    while has_more:
        began = time.perf_counter()
        has_more = await expiry.give_back()
        seconds.append(time.perf_counter() - began)
    return len(seconds), removed, (sum(seconds), max(seconds))


def size(connection: Connection) -> int:
    """Measure the activities in PostgreSQL, the whole file in SQLite: bytes."""
    if connection.dialect.name == "sqlite":
        pages, of = (connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "page_size"))
        return int(pages * of)
    found = connection.exec_driver_sql(
        "SELECT coalesce(sum(pg_total_relation_size(inhrelid)), 0) FROM pg_inherits "
        "WHERE inhparent = 'activities'::regclass"
    )
    return int(found.scalar_one())


if __name__ == "__main__":
    main()
