"""`.venv/bin/python -m bench.stats_costs`: what each rollup costs an activity, as CPU of the store on SQLite.

The same activities are stored with one rollup after the other, in turns, into databases of their own. What users by
type cost shows where all activities have one type. Ratios count; leave the machine alone for figures.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.database import open_database
from app.adapters.outbound.sql.migrate import migrate
from app.domain.activities import Activity
from app.domain.dimensions import DimensionTotals
from app.domain.rollups import Rollup
from app.domain.usual_rollups import ROLLUPS
from bench.activities import activities

BATCH = 2_000
RETAINED = ("view", "purchase")


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted, and of which activities."""

    name: str
    rollups: Sequence[Rollup] = ()
    retained: Sequence[str] = ()
    one_type: bool = False
    funnel_types: Sequence[str] = ()


ALL = (
    Counted("nothing new, one type", one_type=True),
    Counted("users by type, week and month"),
    Counted("+ retention of two types", (), RETAINED),
    Counted("+ hours and plans", ROLLUPS, RETAINED),
    Counted("+ source", (*ROLLUPS, DimensionTotals(["source"])), RETAINED),
    Counted("+ a property", (*ROLLUPS, DimensionTotals(["source", "properties.page"])), RETAINED),
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    made = list(activities(given.count, users=given.users, days=given.days))
    taken: dict[str, list[float]] = {one.name: [] for one in ALL}
    for _ in range(given.rounds):
        for one in ALL:
            taken[one.name].append(asyncio.run(cost(one, made)))
    print(f"{given.count:,} activities of {given.users:,} users in {given.days} days, batches of {BATCH:,}")
    before = None
    for name, figures in taken.items():
        median = statistics.median(figures)
        more = "" if before is None else f", {median - before:+.2f}"
        print(f"  {name}: {median:.2f} us of CPU an activity{more}")
        before = median


async def cost(counted: Counted, made: Sequence[Activity]) -> float:
    """Store them into a new database; tell the microseconds of CPU of one, all threads."""
    given = [one._replace(type="view") for one in made] if counted.one_type else made
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as folder:
        database = open_database("embedded", Path(folder), timeout=30)
        try:
            await migrate(database)
            store = SqlActivityStore(
                database,
                ZoneInfo("UTC"),
                rollups=counted.rollups,
                retained=counted.retained,
                funnel_types=counted.funnel_types,
            )
            await store.store(given[:1])
            begun = time.process_time()
            for start in range(1, len(given), BATCH):
                await store.store(given[start : start + BATCH])
            return (time.process_time() - begun) / len(given) * 1e6
        finally:
            await database.aclose()


if __name__ == "__main__":
    main()
