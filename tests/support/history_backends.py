"""The databases that the suites of the history run over: memory (the reference), SQLite, PostgreSQL.

PostgreSQL is the server at MARQUEE_TEST_POSTGRES_URL, or one on this machine; the database is made for the tests and
dropped after them.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from app.adapters.outbound.sql.all_tables import metadata
from app.adapters.outbound.sql.api_keys import SqlApiKeys
from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.domain_event_logs import SqlPlanLog, SqlUserLog
from app.adapters.outbound.sql.plan_journal import SqlPlanJournal
from app.adapters.outbound.sql.publishing_positions import SqlPublishingPositions
from app.adapters.outbound.sql.users import SqlUsers
from app.application.ports.history import PlanHistory, PlanJournal
from app.application.ports.publishing import DomainEventLog, PublishingPositions
from app.application.ports.users import ApiKeys, Users
from tests.fakes.plan_journal import MemoryPlanJournal, MemoryPlanLog
from tests.fakes.publishing_positions import MemoryPublishingPositions
from tests.fakes.users import AccessStore, MemoryApiKeys, MemoryUserLog, MemoryUsers
from tests.support.postgres import postgres_database

TIMEOUT = 5.0


class Journal(PlanJournal, PlanHistory, Protocol):
    """Both ports of the journal, as one adapter has them."""


class HistoryBackend(Protocol):
    """One technology's adapters of the history's ports, on one store; each call makes another adapter of the same."""

    def plan_journal(self) -> Journal: ...
    def plan_log(self) -> DomainEventLog: ...
    def users(self) -> Users: ...
    def api_keys(self) -> ApiKeys: ...
    def user_log(self) -> DomainEventLog: ...
    def publishing_positions(self) -> PublishingPositions: ...
    def clear(self) -> None: ...


class MemoryHistory:
    def __init__(self) -> None:
        self.clear()

    def plan_journal(self) -> Journal:
        return self._journal

    def plan_log(self) -> DomainEventLog:
        return MemoryPlanLog(self._journal)

    def users(self) -> Users:
        return MemoryUsers(self._access)

    def api_keys(self) -> ApiKeys:
        return MemoryApiKeys(self._access)

    def user_log(self) -> DomainEventLog:
        return MemoryUserLog(self._access)

    def publishing_positions(self) -> PublishingPositions:
        return self._positions

    def clear(self) -> None:
        self._journal = MemoryPlanJournal()
        self._access = AccessStore()
        self._positions = MemoryPublishingPositions()


class SqlHistory:
    """A fresh schema in a database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        metadata.create_all(database.engine)

    def plan_journal(self) -> Journal:
        return SqlPlanJournal(self.database)

    def plan_log(self) -> DomainEventLog:
        return SqlPlanLog(self.database)

    def users(self) -> Users:
        return SqlUsers(self.database)

    def api_keys(self) -> ApiKeys:
        return SqlApiKeys(self.database)

    def user_log(self) -> DomainEventLog:
        return SqlUserLog(self.database)

    def publishing_positions(self) -> PublishingPositions:
        return SqlPublishingPositions(self.database)

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
