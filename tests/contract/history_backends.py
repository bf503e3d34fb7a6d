"""The databases that the suites of the history run over: memory (the reference), SQLite, PostgreSQL.

PostgreSQL is the server at MARQUEE_TEST_POSTGRES_URL, or one on this machine; the database is made for the tests and
dropped after them.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from app.adapters.outbound.memory.plan_journal import MemoryPlanJournal
from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.plan_journal import SqlPlanJournal
from app.adapters.outbound.sql.schema import metadata
from app.application.ports.history import PlanHistory, PlanJournal
from tests.postgres import postgres_database

TIMEOUT = 5.0


class Journal(PlanJournal, PlanHistory, Protocol):
    """Both ports of the journal, as one adapter has them."""


class HistoryBackend(Protocol):
    """One technology's adapters of the history's ports, on one store; each call makes another adapter of the same."""

    def plan_journal(self) -> Journal: ...
    def clear(self) -> None: ...


class MemoryHistory:
    def __init__(self) -> None:
        self._journal = MemoryPlanJournal()

    def plan_journal(self) -> Journal:
        return self._journal

    def clear(self) -> None:
        self._journal = MemoryPlanJournal()


class SqlHistory:
    """A fresh schema in a database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        metadata.create_all(database.engine)

    def plan_journal(self) -> Journal:
        return SqlPlanJournal(self.database)

    def clear(self) -> None:
        with self.database.engine.connect() as connection, connection.execution_options(writes=True).begin():
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())


@contextmanager
def sqlite_history(directory: Path) -> Iterator[SqlHistory]:
    """Make an embedded database in a directory."""
    with _opened("embedded", directory) as database:
        yield SqlHistory(database)


@contextmanager
def postgres_history(directory: Path) -> Iterator[SqlHistory]:
    """Make a database of the tests' own, if a server answers."""
    with postgres_database() as url, _opened(url, directory) as database:
        yield SqlHistory(database)


@contextmanager
def _opened(url: str, directory: Path) -> Iterator[Database]:
    database = open_database(url, directory, timeout=TIMEOUT)
    try:
        yield database
    finally:
        asyncio.run(database.aclose())
