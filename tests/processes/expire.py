"""Let activities of the history at URL (or `embedded`, in DIRECTORY) leave that are of days before DATE."""

import asyncio
import sys
from datetime import UTC, date
from pathlib import Path

from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.sql.activity_expiry import SqlActivityExpiry
from app.adapters.outbound.sql.database import open_database
from app.application.expire_activities import ExpireActivities

ROWS = 20
"""In a step of SQLite: there are many, so that a kill comes between some of them, or within one."""


async def expire(url: str, directory: Path, before: date) -> int:
    database = open_database(url, directory, timeout=5)
    expiry = SqlActivityExpiry(database, UTC, rows=ROWS)
    use_case = ExpireActivities(expiry=expiry, clock=SystemClock(), zone=UTC, keep_days=None, pause=0)
    count = await use_case.before(before)
    await database.aclose()
    return count


if __name__ == "__main__":
    asyncio.run(expire(sys.argv[1], Path(sys.argv[2]), date.fromisoformat(sys.argv[3])))
