"""Activities leave whole, with what is frozen of them, however often the process that lets them leave is killed."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import func, select

from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.migrate import migrate
from app.adapters.outbound.sql.schema import activities as table
from tests.processes.expire import expire
from tests.support.activity_backends import SqlActivityBackend, by_definition, figures
from tests.support.builders import an_activity
from tests.support.postgres import postgres_database
from tests.support.waiting import until

pytestmark = pytest.mark.faults

KILLS, DAYS = 4, 400
BEGIN, CUT = datetime(2024, 12, 20, 12, tzinfo=UTC), date(2026, 1, 1)


class Kept(NamedTuple):
    """A history, and where it is."""

    url: str
    directory: Path
    database: Database

    async def rows(self) -> int:
        wanted = select(func.count()).select_from(table)
        return await self.database.read(lambda connection: connection.execute(wanted).scalar_one())


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield "embedded"
    else:
        with postgres_database() as made:
            yield made


@pytest.fixture
async def kept(url: str, tmp_path: Path) -> AsyncIterator[Kept]:
    made = open_database(url, tmp_path, timeout=5)
    await migrate(made)
    yield Kept(url, tmp_path, made)
    await made.aclose()


async def kill_one(kept: Kept) -> None:
    """Start a process that lets them leave, and kill it as soon as some more have left."""
    before = await kept.rows()
    arguments = (kept.url, str(kept.directory), CUT.isoformat())
    process = subprocess.Popen([sys.executable, "-m", "tests.processes.expire", *arguments])  # noqa: ASYNC220 - awaited

    def some_have_left() -> bool:
        return asyncio.run(kept.rows()) < before or process.poll() is not None

    try:
        await asyncio.to_thread(until, some_have_left, 60)
    finally:
        process.kill()
        process.wait()


async def test_figures_are_whole_whenever_the_process_is_killed(kept: Kept) -> None:
    """Between the kills activities come late, and the figures are made anew."""
    activities = [
        an_activity(n, at=BEGIN + timedelta(days=n % DAYS), user=f"user-{n % 9}", value="1") for n in range(4_000)
    ]
    backend = SqlActivityBackend(kept.database)
    store, keeper = backend.store(), backend.keeper()
    await store.store(activities)
    for number in range(KILLS):
        await kill_one(kept)
        assert await keeper.verify() is None
        late = [an_activity(10_000 + number, at=BEGIN + timedelta(days=380), user="ana", value="2")]
        await store.store(late)
        activities += late
        if number % 2:
            await keeper.rebuild()

    await expire(kept.url, kept.directory, CUT)

    assert await keeper.frozen_before() == CUT
    assert await kept.rows() == sum(one.occurred_at.date() >= CUT for one in activities)
    assert await figures(backend) == by_definition(activities)
    assert await keeper.verify() is None
