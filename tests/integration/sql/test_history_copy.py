"""The whole history from one database to another."""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import delete, insert, select, text

from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.history_copy import SqlHistoryCopy
from app.adapters.outbound.sql.migrate import SchemaError, check_schema, migrate
from app.adapters.outbound.sql.publishing_schema import webhook_deliveries
from app.application.ports.copies import CopyError, CopyProgress
from tests.support.builders import an_activity
from tests.support.full_history import ROWS, a_keeper, contents, fill
from tests.support.pgbouncer import pgbouncer
from tests.support.postgres import postgres_database
from tests.support.service import COMMAND, REPOSITORY, Installation, started
from tests.support.waiting import until

pytestmark = pytest.mark.postgres


@pytest.fixture
def url() -> Iterator[str]:
    with postgres_database() as made:
        yield made


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    made = open_database("embedded", tmp_path, timeout=5)
    yield made
    await made.aclose()


@pytest.fixture
async def postgres(url: str) -> AsyncIterator[Database]:
    made = open_database(url, Path("/nowhere"), timeout=5)
    yield made
    await made.aclose()


@pytest.fixture
async def other(tmp_path: Path) -> AsyncIterator[Database]:
    made = open_database(f"sqlite:///{tmp_path / 'other' / 'history'}", tmp_path, timeout=5)
    yield made
    await made.aclose()


class Told(CopyProgress):
    """What was shown: of the last thing, and how far it came."""

    def __init__(self) -> None:
        self.totals: dict[str, int] = {}
        self.done: dict[str, int] = {}

    def begins(self, what: str, rows: int) -> None:
        self._what = what
        self.totals[what], self.done[what] = rows, 0

    def advances(self, rows: int) -> None:
        self.done[self._what] += rows


async def test_every_table_goes_to_postgresql_and_back_as_it_is(
    sqlite: Database, postgres: Database, other: Database
) -> None:
    await migrate(sqlite)
    await fill(sqlite, 4_500)
    told = Told()

    there = await SqlHistoryCopy(sqlite, postgres)(told)
    back = await SqlHistoryCopy(postgres, other)()

    before = await contents(sqlite)
    assert all(before.values())
    assert await contents(postgres) == before
    assert await contents(other) == before
    assert there.rows == {table: len(rows) for table, rows in before.items()} == back.rows
    assert (there.resumed, there.moved_on) == (False, False)
    assert (told.totals["activities"], told.done["activities"]) == (4_503, 4_000)
    for database in (postgres, other):
        await check_schema(database)
        assert await a_keeper(database).verify() is None


async def test_a_copy_through_a_pooler_is_no_other(sqlite: Database, url: str) -> None:
    await migrate(sqlite)
    await fill(sqlite)
    with pgbouncer(url) as through:
        target = open_database(through, Path("/nowhere"), timeout=5)
        await SqlHistoryCopy(sqlite, target)()

        assert await contents(target) == await contents(sqlite)
        await target.aclose()


async def test_no_number_is_given_twice_after_a_copy(sqlite: Database, postgres: Database, other: Database) -> None:
    await migrate(sqlite)
    await fill(sqlite)
    newest = delete(webhook_deliveries).where(webhook_deliveries.c.delivery_id == ROWS)
    await sqlite.write(lambda connection: connection.execute(newest))

    await SqlHistoryCopy(sqlite, postgres)()
    await SqlHistoryCopy(postgres, other)()

    row = dict.fromkeys(("event_id", "name", "subject", "body", "state"), "x")
    for database in (sqlite, postgres, other):
        endpoint = await database.read(lambda c: c.scalar(select(webhook_deliveries.c.endpoint_id)))
        new = insert(webhook_deliveries).values(**row, endpoint_id=endpoint, created_at=1, attempts=0)
        made = await database.write(lambda c, new=new: c.execute(new).inserted_primary_key)  # type: ignore[misc]
        assert made == (ROWS + 1,)


async def test_a_target_with_other_data_is_left_as_it_is(sqlite: Database, postgres: Database) -> None:
    for database, number in ((sqlite, 1), (postgres, 2)):
        await migrate(database)
        await SqlActivityStore(database, UTC).store([an_activity(number)])
    before = await contents(postgres)

    with pytest.raises(CopyError, match=r"holds data already \(.*activities, .*copy into an empty one"):
        await SqlHistoryCopy(sqlite, postgres)()

    assert await contents(postgres) == before
    await check_schema(postgres)


async def test_a_newer_target_and_an_older_source_are_refused(sqlite: Database, postgres: Database) -> None:
    with pytest.raises(CopyError, match="no schema yet"):
        await SqlHistoryCopy(sqlite, postgres)()
    await migrate(sqlite)
    await migrate(postgres)
    await postgres.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))

    with pytest.raises(CopyError, match="made by a newer one"):
        await SqlHistoryCopy(sqlite, postgres)()


async def test_a_copy_that_was_cut_off_keeps_everybody_out_and_goes_on(sqlite: Database, postgres: Database) -> None:
    await migrate(sqlite)
    await fill(sqlite, 9_000)
    copy = SqlHistoryCopy(sqlite, postgres)

    class CutOff(Told):
        def advances(self, rows: int) -> None:
            super().advances(rows)
            if self.done.get("activities") == 6_000:
                raise CopyError("as if it were killed")

    with pytest.raises(CopyError, match="as if"):
        await copy(CutOff())
    for attempt in (check_schema, migrate):
        with pytest.raises(SchemaError, match="`marquee history copy` that has not ended: run the same command again"):
            await attempt(postgres)
    there = await postgres.read(lambda c: c.execute(text("SELECT count(*) FROM activities")).scalar_one())
    done = await SqlHistoryCopy(sqlite, postgres)()

    assert 0 < there < 9_000
    assert done.resumed
    assert await contents(postgres) == await contents(sqlite)


async def test_a_source_that_has_changed_since_a_copy_was_cut_off_is_copied_anew(
    sqlite: Database, postgres: Database
) -> None:
    await migrate(sqlite)
    await fill(sqlite, 3_000)
    told = Told()

    class CutOff(Told):
        def begins(self, what: str, rows: int) -> None:
            super().begins(what, rows)
            if what.startswith("users"):
                raise CopyError("as if it were killed")

    with pytest.raises(CopyError, match="as if"):
        await SqlHistoryCopy(sqlite, postgres)(CutOff())
    await SqlActivityStore(sqlite, UTC).store([an_activity(number) for number in range(3_000, 3_100)])
    await sqlite.write(lambda c: c.execute(text("UPDATE users SET full_name = 'else'")))
    await SqlHistoryCopy(sqlite, postgres)(told)

    assert await contents(postgres) == await contents(sqlite)


async def test_what_is_stored_while_it_runs_is_told_and_not_half_copied(sqlite: Database, postgres: Database) -> None:
    await migrate(sqlite)
    await fill(sqlite)
    before = await contents(sqlite)
    source = SqlActivityStore(sqlite, UTC)

    class Meanwhile(Told):
        def begins(self, what: str, rows: int) -> None:
            super().begins(what, rows)
            if what == "activities":
                asyncio.run(source.store([an_activity(1_000)]))

    done = await SqlHistoryCopy(sqlite, postgres)(Meanwhile())

    assert done.moved_on
    assert await contents(postgres) == before


def test_a_copy_that_is_killed_goes_on_with_the_same_command(url: str) -> None:
    with Installation() as installation:
        source = open_database("embedded", installation.data, timeout=5)

        async def prepare() -> None:
            await migrate(source)
            await fill(source, 16_000)
            await source.aclose()

        asyncio.run(prepare())
        arguments = ("history", "copy", "--to", url)
        killed = started((*COMMAND, "--config", str(installation.config), *arguments), cwd=REPOSITORY)
        try:
            with psycopg.connect(url, autocommit=True) as watch:
                until(lambda: watch.execute("SELECT to_regclass('activities')").fetchone() != (None,))
                until(lambda: (watch.execute("SELECT count(*) FROM activities").fetchone() or (0,))[0] > 2_000)
                killed.send_signal(signal.SIGKILL)
                killed.wait()
                begun = watch.execute("SELECT count(*) FROM activities").fetchone()
        finally:
            killed.kill()
            killed.wait()

        refused = installation.command("worker", MARQUEE__DATABASE__URL=url)
        done = installation.command(*arguments, "--json")
        verified = installation.command("stats", "verify", MARQUEE__DATABASE__URL=url)

        assert begun is not None
        assert begun[0] < 16_000
        assert (refused.returncode, refused.stderr.count("has not ended")) == (78, 1)
        assert done.returncode == 0, done.stderr
        assert '"activities": 16003' in done.stdout
        assert verified.returncode == 0
        with closing(sqlite3.connect(installation.data / "history.sqlite3")) as database:
            assert database.execute("SELECT count(*) FROM activities").fetchone() == (16_003,)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--to", "embedded"), 1, "name one database"),
        (("--to", "mysql://x/y"), 78, "expected postgresql://"),
        (("--from", "sqlite:////nowhere/x", "--to", "embedded"), 1, "there is no history in /nowhere/x"),
    ],
)
def test_what_cannot_be_copied_is_told_in_a_line(arguments: tuple[str, ...], code: int, said: str) -> None:
    with Installation() as installation:
        installation.command("migrate")
        done = installation.command("history", "copy", *arguments)

        assert done.returncode == code
        (line,) = done.stderr.splitlines()
        assert said in line
