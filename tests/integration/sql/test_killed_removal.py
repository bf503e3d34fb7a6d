"""What is undone or forgotten goes whole, however often the process that takes it out is killed."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import func, select

from app.adapters.machine.forget_list import ForgetFile
from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.migrate import migrate
from app.adapters.outbound.sql.schema import activities as table
from app.application.ports.imports import ImportBeingUndoneError, ImportState, NewImport
from app.domain.activities import ALIAS, IDENTIFY, Activity
from tests.processes.remove import remove
from tests.support.activity_backends import SqlActivityBackend, by_definition, figures
from tests.support.builders import an_activity
from tests.support.postgres import postgres_database
from tests.support.waiting import until

pytestmark = pytest.mark.faults

KILLS = 4
BEGIN = datetime(2025, 12, 20, 12, tzinfo=UTC)
FILE = NewImport("digest", "some.csv", "csv")


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


def some(first: int, count: int, users: int = 9) -> list[Activity]:
    """Activities over some weeks, and now and then a statement."""

    def one(number: int) -> Activity:
        made = an_activity(number, at=BEGIN + timedelta(hours=number % 900), user=f"u{number % users}", value="1.5")
        if number % 40 == 0:
            return made._replace(type=IDENTIFY, anonymous_id=f"a{number % 7}", value=None)
        if number % 97 == 0:
            return made._replace(type=ALIAS, anonymous_id=f"u{number % 5}", value=None)
        return made._replace(user_id=None, anonymous_id=f"a{number % 7}") if number % 5 == 0 else made

    return [one(number) for number in range(first, first + count)]


async def kill_one(kept: Kept, *arguments: str) -> None:
    """Start a process that takes them out, and kill it as soon as some more are gone."""
    before = await kept.rows()
    command = [sys.executable, "-m", "tests.processes.remove", kept.url, str(kept.directory), *arguments]
    process = subprocess.Popen(command)  # noqa: ASYNC220 - awaited

    def some_are_gone() -> bool:
        return asyncio.run(kept.rows()) < before or process.poll() is not None

    try:
        await asyncio.to_thread(until, some_are_gone, 60)
    finally:
        process.kill()
        process.wait()


async def test_figures_are_whole_whenever_an_undo_is_killed(kept: Kept) -> None:
    """Between the kills others store, and the file has to wait."""
    backend = SqlActivityBackend(kept.database)
    store, imports = backend.store(), backend.imports()
    by_door, by_import = some(1, 600), some(10_000, 2_000)
    begun = await imports.begin(FILE, BEGIN)
    await store.store(by_door)
    await store.store(by_import, begun.import_id)
    for number in range(KILLS):
        await kill_one(kept, "undo")
        assert await backend.keeper().verify() is None
        with pytest.raises(ImportBeingUndoneError):
            await imports.begin(FILE, BEGIN)
        late = some(20_000 + 10 * number, 10)
        await store.store(late)
        by_door += late

    await remove(kept.url, kept.directory, "undo")

    assert (await imports.newest(1))[0].state is ImportState.UNDONE
    assert await figures(backend) == by_definition(by_door)
    assert await backend.keeper().verify() is None
    again = await imports.begin(FILE, BEGIN)
    assert await store.store(by_import, again.import_id) == 2_000
    assert await figures(backend) == by_definition([*by_door, *by_import])


async def test_figures_are_whole_whenever_a_forgetting_is_killed(kept: Kept) -> None:
    """What was gone before a kill is on the list, as a whole or but for one step, and does not count again."""
    backend = SqlActivityBackend(kept.database)
    everything = [one for one in some(1, 3_000, users=3) if one.type == "view" and one.user_id]
    await backend.store().store(everything)
    for _ in range(KILLS):
        await kill_one(kept, "forget", "u1")
        assert await backend.keeper().verify() is None

    await remove(kept.url, kept.directory, "forget", "u1")

    left = [one for one in everything if one.user_id != "u1"]
    assert await figures(backend) == by_definition(left)
    assert await backend.keeper().verify() is None
    assert await backend.store().store(everything) == 0
    assert len(ForgetFile(kept.directory).entries()) == KILLS + 1
