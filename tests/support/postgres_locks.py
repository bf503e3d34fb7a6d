"""Who waits for whom in PostgreSQL, for tests of transactions that meet."""

import asyncio

from sqlalchemy import text

from tests.support.history_backends import SqlHistory


async def until_waiting(history: SqlHistory, count: int, *unless_done: asyncio.Task[None]) -> None:
    """Wait until so many transactions wait for a lock, or all of some tasks are done."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(4):
        while not (unless_done and all(task.done() for task in unless_done)):
            found = await history.database.read(lambda connection: connection.execute(waiting).scalar_one())
            if found >= count:
                return
            await asyncio.sleep(0.01)
