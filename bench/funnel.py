"""Funnels over what `bench.stats` has stored; target: 20 ms for each 10,000 users of the first step.

Alone: `python -m bench.funnel --millions 1`.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.funnel_evidence import SqlFunnelInstants
from app.adapters.outbound.sql.migrate import migrate
from app.application.ask_funnel import AskFunnel
from app.domain.funnels import Funnel
from bench.activities import FIRST_DAY

TARGET = 20.0
"""Milliseconds for each 10,000 users of the first step; where there are fewer users, as for 10,000."""
RAW_TARGET = 5.0
"""Seconds."""
ROUNDS = 5
QUESTIONS = (
    (("view", "purchase"), 30),
    (("view", "cart.added", "purchase"), 30),
    (("view", "view", "purchase"), 30),
    (("view", "purchase"), 1),
    (("purchase", "view"), 30),
    (("purchase", "view"), 1),
    (("search", "share"), 1),
)
"""Steps, and days of first steps; `search` and `share` are not kept, and read from single activities."""


async def ask_funnels(database: Database) -> None:
    """Ask each in turns; medians, and what they are of users."""
    ask = AskFunnel(SqlFunnelInstants(database, ZoneInfo("UTC")), SystemClock(), UTC)
    first = FIRST_DAY.date() + timedelta(days=10)
    for steps, days in QUESTIONS:
        funnel, last = Funnel(steps, timedelta(days=7)), first + timedelta(days=days - 1)
        times, cpu = [], []
        for _ in range(ROUNDS):
            began, worked = time.perf_counter(), time.process_time()
            found = await ask(funnel, first, last)
            times.append((time.perf_counter() - began) * 1e3)
            cpu.append((time.process_time() - worked) * 1e3)
        median, work = statistics.median(times), statistics.median(cpu)
        users = [step.users for step in found]
        share = work / max(users[0] / 10_000, 1)
        kept = set(steps) <= {"view", "cart.added", "purchase"}
        good = share <= TARGET if kept else median <= RAW_TARGET * 1e3
        print(
            f"  funnel {','.join(steps)} of {days} days: users {users}, median {median:.1f} ms, CPU {work:.1f} ms, "
            f"{share:.1f} ms of CPU for 10,000 users{'' if kept else ' (from single activities)'}:",
            "reached" if good else "MISSED",
        )


async def main() -> None:
    """Fill a database, and ask."""
    from bench.stats import MILLION, fill  # noqa: PLC0415 - it asks these questions too

    parser = argparse.ArgumentParser()
    parser.add_argument("--millions", type=float, default=1)
    parser.add_argument("--database", default="embedded")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as folder:
        database = open_database(given.database, Path(folder), timeout=30)
        try:
            await migrate(database)
            await fill(database, int(given.millions * MILLION))
            await ask_funnels(database)
        finally:
            await database.aclose()


if __name__ == "__main__":
    asyncio.run(main())
