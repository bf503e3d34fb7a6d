"""`python -m bench.workers`: how fast a backlog is stored in PostgreSQL by one worker, and by two.

For each number a new database on the given server and a new embedded Redis; the queue is filled first, then the workers
start, and nobody else works. The rate is taken from the first activities that are settled to the last, in turns.
"""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import psycopg
from sqlalchemy.engine import make_url

from app.adapters.outbound.redis.activity_queue import RedisActivityQueue
from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.queue_watch import RedisQueueWatch
from app.adapters.outbound.sql.database import open_database
from app.adapters.outbound.sql.migrate import migrate
from app.adapters.outbound.sql.stats import SqlStats
from app.infrastructure.embedded_redis.embedded_redis import EmbeddedRedis
from bench.activities import activities
from bench.load import cpu_seconds
from bench.processes import python_process
from bench.stats import verdict

BATCH = 100
TARGET = 1.5
USERS = 20_000
SERVER = "postgresql://root@127.0.0.1:5432/postgres"
LONGEST = 300.0
"""Seconds for a backlog."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", default=SERVER, help="PostgreSQL; a database is made there, and dropped")
    parser.add_argument("--activities", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rates: dict[int, list[float]] = {1: [], 2: []}
    for number in range(given.rounds):
        for workers, found in rates.items():
            found.append(asyncio.run(measure(given.server, workers, given.activities)))
            print(f"round {number + 1}: {workers} worker(s) {found[-1]:,.0f}/s", flush=True)
    ratio = median(rates[2]) / median(rates[1])
    print(f"two workers / one: {ratio:.2f} (target: at least {TARGET}) {verdict(ratio >= TARGET)}")


async def measure(server: str, workers: int, count: int) -> float:
    """Say how many activities a second were stored and counted."""
    with TemporaryDirectory(prefix="mq-") as folder, ExitStack() as stack:
        data = Path(folder) / "data"
        redis = await asyncio.to_thread(stack.enter_context, EmbeddedRedis(data))
        client = connect(redis.url, timeout=10)
        queue = RedisActivityQueue(client)
        made = list(activities(count, users=USERS, days=1))
        for first in range(0, count, BATCH):
            await queue.append(made[first : first + BATCH])
        async with new_database(server) as url:
            database = open_database(url, data, timeout=30)
            await migrate(database)
            config = Path(folder) / "config.yaml"
            settings = {"service": {"data_dir": str(data)}, "database": {"url": url}, "logging": {"level": "warning"}}
            config.write_text(json.dumps(settings))
            command = ["app.infrastructure.main", "--config", str(config), "worker"]
            with ExitStack() as running:
                logs = [Path(folder) / f"log-{number}" for number in range(workers)]
                pids = [running.enter_context(python_process(command, log)) for log in logs]
                rate = await drained(RedisQueueWatch(client), count, pids)
            counted = sum(total.count for total in await SqlStats(database).totals())
            await database.aclose()
        await client.aclose()
    if counted != count:
        raise RuntimeError(f"{count} were appended, {counted} are counted")
    return rate


async def drained(watch: RedisQueueWatch, count: int, pids: Sequence[int]) -> float:
    """Wait until everything is settled; say the rate since the first was."""
    began, first = 0.0, 0
    async with asyncio.timeout(LONGEST):
        while (settled := (await watch.figures()).settled) < count:
            if settled and not first:
                began, first = perf_counter(), settled
            await asyncio.sleep(0.02)
    seconds = perf_counter() - began
    spent = sum(cpu_seconds(pid) or 0.0 for pid in pids)
    print(f"  CPU of the workers: {spent / count * 1e6:.1f} us an activity, their starts included")
    return (count - first) / seconds


@asynccontextmanager
async def new_database(server: str) -> AsyncIterator[str]:
    """Make a database, and drop it."""
    name = f"marquee_bench_{id(object()):x}"
    async with await psycopg.AsyncConnection.connect(server, autocommit=True) as connection:
        await connection.execute(f"CREATE DATABASE {name}")
        try:
            yield make_url(server).set(database=name).render_as_string(hide_password=False)
        finally:
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


if __name__ == "__main__":
    main()
