"""The disk that activities took is given back when they leave."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from app.adapters.outbound.sql import sqlite_file
from app.adapters.outbound.sql.activity_expiry import SqlActivityExpiry
from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.database import FILE, Database, open_database
from app.adapters.outbound.sql.migrate import migrate
from app.adapters.outbound.sql.stats_keeper import SqlStatsKeeper
from app.application.ports.system import HistoryUnavailableError
from tests.support.builders import an_activity

BEGIN, COUNT = datetime(2026, 1, 1, tzinfo=UTC), 10_000


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = open_database("embedded", tmp_path, timeout=5)
    await migrate(made)
    yield made
    await made.aclose()


async def fill(database: Database) -> None:
    """Store ten days of activities."""
    properties = '{"page":"' + "x" * 200 + '"}'
    step = timedelta(days=10) / COUNT
    activities = [
        an_activity(n, at=BEGIN + n * step, user=f"user-{n % 50}", properties=properties) for n in range(COUNT)
    ]
    await SqlActivityStore(database, UTC).store(activities)


async def let_leave(database: Database, before: date) -> None:
    expiry = SqlActivityExpiry(database, UTC)
    while await expiry.remove_some(before) is not None:
        pass
    while await expiry.give_back():
        pass


def size_of(directory: Path) -> int:
    """Measure the file when all is written to it."""
    with closing(sqlite3.connect(directory / FILE)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return (directory / FILE).stat().st_size


def mode_of(directory: Path) -> int:
    with closing(sqlite3.connect(directory / FILE)) as connection:
        return int(connection.execute("PRAGMA auto_vacuum").fetchone()[0])


async def test_the_file_becomes_shorter_by_what_has_left(database: Database, tmp_path: Path) -> None:
    await fill(database)
    before = size_of(tmp_path)

    await let_leave(database, date(2026, 1, 9))

    assert before - size_of(tmp_path) > COUNT * 0.8 * 200
    assert await SqlStatsKeeper(database, UTC).verify() is None


async def test_a_file_of_an_older_version_is_rewritten_once(database: Database, tmp_path: Path) -> None:
    await fill(database)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum=NONE")
        connection.execute("VACUUM")
    assert mode_of(tmp_path) == 0
    before = size_of(tmp_path)
    await let_leave(database, date(2026, 1, 5))
    assert size_of(tmp_path) == before

    assert [await database.make_shrinkable() for _ in range(2)] == [True, False]

    assert mode_of(tmp_path) == 2
    await let_leave(database, date(2026, 1, 9))
    assert before - size_of(tmp_path) > COUNT * 0.8 * 200
    assert await SqlStatsKeeper(database, UTC).verify() is None


async def test_a_file_is_not_rewritten_where_the_disk_has_no_room(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum=NONE")
        connection.execute("VACUUM")
    monkeypatch.setattr(sqlite_file, "_ROOM", 2**60)

    with pytest.raises(HistoryUnavailableError, match="no room for rewriting"):
        await database.make_shrinkable()


@pytest.mark.usefixtures("database")
async def test_a_file_that_somebody_uses_is_not_rewritten(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum=NONE")
        connection.execute("VACUUM")
        connection.execute("BEGIN IMMEDIATE")
        impatient = open_database("embedded", tmp_path, timeout=0.1)
        with pytest.raises(HistoryUnavailableError, match="cannot be rewritten: database is locked"):
            await impatient.make_shrinkable()
        await impatient.aclose()
