"""What an undo costs, and that it follows what it touches: an import into a history that is there, and out again.

`make bench-stats` prints it at its sizes; `.venv/bin/python -m bench.removal --thousands 100 400` at smaller ones.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, timedelta
from itertools import islice
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.imports import SqlImports
from app.adapters.outbound.sql.migrate import migrate
from app.adapters.outbound.sql.removal import SqlActivityRemoval
from app.application.ports.imports import NewImport
from app.application.ports.removal import RecentIds
from app.application.undo_import import UndoImport
from app.domain.activities import ActivityId
from bench.activities import FIRST_DAY, activities

IMPORTED, IMPORTED_DAYS = 20_000, 3
BATCH, USERS, DAYS = 10_000, 500_000, 90


class NoDoor(RecentIds):
    """There is no Redis."""

    async def free(self, ids: Sequence[ActivityId]) -> None:
        """Free nothing."""


async def undo(database: Database) -> None:
    """Import activities of three days, take them out, and print both; CPU of all threads."""
    imports, zone = SqlImports(database), ZoneInfo("UTC")
    begun = await imports.begin(NewImport(str(uuid4()), "bench.csv", "csv"), FIRST_DAY.replace(tzinfo=UTC))
    store = SqlActivityStore(database, zone)
    made = [
        one._replace(activity_id=uuid4(), occurred_at=one.occurred_at + timedelta(days=30))
        for one in activities(IMPORTED, users=USERS, days=IMPORTED_DAYS)
    ]
    began = time.process_time()
    for start in range(0, IMPORTED, BATCH):
        await store.store(made[start : start + BATCH], begun.import_id)
    stored = time.process_time() - began
    began, wall = time.process_time(), time.perf_counter()
    done = await UndoImport(imports, SqlActivityRemoval(database, zone), NoDoor())(begun.import_id)
    took, waited = time.process_time() - began, time.perf_counter() - wall
    print(
        f"  undo of {done.removed:,} activities of {IMPORTED_DAYS} days: {waited:.2f} s, "
        f"CPU {took / IMPORTED * 1e6:.0f} us each; to store them took {stored / IMPORTED * 1e6:.0f} us each"
    )


async def measure(url: str, folder: Path, thousands: list[int]) -> None:
    """Fill a database of its own for each size."""
    for size in thousands:
        database = open_database(url, folder / str(size), timeout=30)
        await migrate(database)
        store = SqlActivityStore(database, ZoneInfo("UTC"))
        made = activities(size * 1_000, users=USERS, days=DAYS)
        while batch := list(islice(made, BATCH)):
            await store.store(batch)
        print(f"{size:,} thousand activities of {DAYS} days")
        await undo(database)
        await database.aclose()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", default="embedded")
    parser.add_argument("--thousands", type=int, nargs="+", default=[100, 400])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as folder:
        asyncio.run(measure(given.database, Path(folder), given.thousands))


if __name__ == "__main__":
    main()
