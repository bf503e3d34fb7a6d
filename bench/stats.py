"""`make bench-stats`: the questions over 1 and 10 million activities of 500,000 users over 90 days, at the database.

Targets: DAU over 90 days at most 5 ms, retention over 30 days at most 20 ms, top types at most 5 ms, series 20 ms, the
users of a part of a period 500 ms (medians); at 10 million at most 1.5 times the figure at 1 million. To join two users
with all that they did (`alias`), or an anonymous visitor with a user (`identify`), takes at most 5 ms, the transaction
included. `--database postgresql://...` measures there, in empty tables.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.migrate import migrate
from app.adapters.outbound.sql.stats import SqlStats
from app.domain.activities import ALIAS, IDENTIFY, Activity
from app.domain.stats import Granularity, day_number
from bench import period_questions
from bench.activities import FIRST_DAY, activities
from bench.funnel import ask_funnels
from bench.removal import undo

MILLION = 1_000_000
USERS, DAYS = 500_000, 90
BATCH = 10_000
ROUNDS = 101
FIRST = FIRST_DAY.date()
LAST = FIRST + timedelta(days=DAYS - 1)
LIMITS = {
    "DAU over 90 days": 5.0,
    "retention over 30 days": 20.0,
    "top types over 90 days": 5.0,
    **period_questions.LIMITS,
}
MERGE_LIMIT = 5.0
"""Milliseconds."""
MERGES = 201
CROWD = 2_000
"""Ids that become one person."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", default="embedded")
    parser.add_argument("--millions", type=int, nargs="+", default=[1, 10])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as folder:
        asyncio.run(measure(given.database, Path(folder), given.millions))


async def measure(url: str, folder: Path, millions: list[int]) -> None:
    """Fill a database of its own for each size, ask, compare."""
    found: list[dict[str, float]] = []
    for size in millions:
        database = open_database(url, folder / str(size), timeout=30)
        try:
            await migrate(database)
            await fill(database, size * MILLION)
            found.append(await ask(database))
            await ask_funnels(database)
            await merge(database)
            await undo(database)
        finally:
            await database.aclose()
    for name in LIMITS:
        ratio = found[-1][name] / found[0][name]
        print(
            f"{name}: {millions[-1]} million / {millions[0]} million {ratio:.2f} (target: at most 1.5)",
            verdict(ratio <= 1.5),
        )


async def fill(database: Database, count: int) -> None:
    """Store activities as a worker does."""
    counted, retained = period_questions.COUNTED, period_questions.RETAINED
    store = SqlActivityStore(database, ZoneInfo("UTC"), rollups=counted, retained=retained)
    made = activities(count, users=USERS, days=DAYS)
    began = time.perf_counter()
    while batch := list(islice(made, BATCH)):
        await store.store(batch)
    seconds = time.perf_counter() - began
    print(f"\n{count:,} activities stored in {seconds:.0f} s, {count / seconds:,.0f}/s, making them up included")


async def ask(database: Database) -> dict[str, float]:
    """Ask each question many times, in turns; medians in ms."""
    stats = SqlStats(database)
    first = day_number(FIRST)
    questions: dict[str, Callable[[], Awaitable[Any]]] = {
        "DAU over 90 days": lambda: stats.daily_users(FIRST, LAST),
        "retention over 30 days": lambda: stats.cells(Granularity.DAY, first, first + 29, 29),
        "top types over 90 days": lambda: stats.top_types(FIRST, LAST, 10),
        **period_questions.period_questions(database, FIRST, LAST),
    }
    times: dict[str, list[float]] = {name: [] for name in questions}
    for _ in range(ROUNDS):
        for name, question in questions.items():
            began = time.perf_counter()
            await question()
            times[name].append((time.perf_counter() - began) * 1e3)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    for name, median in medians.items():
        limit = LIMITS[name]
        print(
            f"  {name}: median {median:.2f} ms, worst {max(times[name]):.2f} (target: {limit:g})",
            verdict(median <= limit),
        )
    return medians


async def merge(database: Database) -> None:
    """Join users of whom there is a history, two by two, and visitors with users; then many ids into one person."""
    store = SqlActivityStore(database, ZoneInfo("UTC"))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    users = [f"user-{number}" for number in range(2 * MERGES)]
    seen = [Activity(uuid4(), "view", at, anonymous_id=f"visitor-{number}") for number in range(MERGES)]
    await store.store(seen)
    joins = [Activity(uuid4(), ALIAS, at, user_id=one, anonymous_id=other) for one, other in pairwise(users)][::2]
    claims = [
        Activity(uuid4(), IDENTIFY, at, user_id=user, anonymous_id=f"visitor-{number}")
        for number, user in enumerate(users[:MERGES])
    ]
    for name, statements in (("join two users", joins), ("join a visitor with a user", claims)):
        times = []
        for said in statements:
            began = time.perf_counter()
            await store.store([said])
            times.append((time.perf_counter() - began) * 1e3)
        median = statistics.median(times)
        print(
            f"  {name}: median {median:.2f} ms, worst {max(times):.2f} (target: {MERGE_LIMIT:g})",
            verdict(median <= MERGE_LIMIT),
        )
    crowd = [Activity(uuid4(), IDENTIFY, at, user_id="crowd", anonymous_id=f"crowd-{n}") for n in range(CROWD)]
    began = time.perf_counter()
    await store.store(crowd)
    print(f"  {CROWD:,} visitors become one person at once: {(time.perf_counter() - began) * 1e3:.0f} ms")
    taken = Activity(uuid4(), IDENTIFY, at - timedelta(days=1), user_id="another", anonymous_id="crowd-7")
    began = time.perf_counter()
    await store.store([taken])
    print(f"  one of them turns out to be somebody else's: {(time.perf_counter() - began) * 1e3:.1f} ms")


def verdict(good: bool) -> str:
    """Say it in a word."""
    return "reached" if good else "MISSED"


if __name__ == "__main__":
    main()
