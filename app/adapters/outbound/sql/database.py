"""The connection to the history: one engine, SQLite or PostgreSQL, whose every failure is told as the ports want it.

SQLAlchemy's synchronous engine in threads: the drivers release the interpreter while the database works, and SQLite has
no asynchronous interface at all.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.application.ports.system import HistoryUnavailableError
from app.domain.stats import add

T = TypeVar("T")

FILE = "history.sqlite3"
"""The embedded database, in the data directory."""

_THREADS = 8
_CACHE_KIB = 64 * 1024


class Database:
    """A database and the threads that talk with it. Whoever opens it closes it; nothing is opened before the first use.

    `name` says where it is, without a password: fit for messages.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="history")

    @property
    def is_sqlite(self) -> bool:
        """Whether it is the embedded one."""
        return self.engine.dialect.name == "sqlite"

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do some reading in a transaction of its own, in a thread: all of it sees one instant.

        Raises:
            HistoryUnavailableError: not reached, no answer in time, no room on the disk.
        """
        return await self._in_thread(self.read_now, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Do some writing in one transaction, in a thread; all of it is there after, or nothing.

        Raises:
            HistoryUnavailableError: as in `read`. Whether the transaction was committed is then unknown.
        """
        return await self._in_thread(self.write_now, work)

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """Do the reading in this thread."""
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with (
            self._failures_told(),
            self.engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            return work(connection)

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """Do the writing in this thread."""
        with (
            self._failures_told(),
            self.engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            return work(connection)

    async def _in_thread(self, do: Callable[[Callable[[Connection], T]], T], work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, do, work)

    async def aclose(self) -> None:
        """Wait for what is in hand, close every connection. Safe to call twice."""
        await asyncio.to_thread(self._threads.shutdown)
        self.engine.dispose()

    @contextmanager
    def _failures_told(self) -> Iterator[None]:
        """Turn what a driver raises when its database does not serve into a HistoryUnavailableError with an advice.

        What the database has against the data themselves (DataError, IntegrityError) passes unchanged.
        """
        try:
            yield
        except PoolTimeoutError as error:
            raise HistoryUnavailableError(f"the database {self.name} is busy: all connections are in use") from error
        except DisconnectionError as error:
            raise HistoryUnavailableError(f"the database {self.name} cannot be reached") from error
        except DBAPIError as error:
            if _is_about_the_data(error):
                raise
            raise HistoryUnavailableError(f"the database {self.name} {_advice(error)}") from error


def _is_about_the_data(error: StatementError) -> bool:
    return type(error).__name__ in {"DataError", "IntegrityError"}


_ADVICE = (
    (r"disk is full|DiskFull|No space left|disk I/O", "has no room left: free space on its disk"),
    (r"locked", "is locked by somebody else: it will be tried again"),
    (r"database \S+ does not exist", "does not exist: create it, then run `marquee migrate`"),
    (r"no such table|UndefinedTable|does not exist|no such column", "has not our schema: run `marquee migrate`"),
    (r"readonly|read-only|ReadOnly", "takes no writes: it is read-only"),
    (r"malformed|not a database", "is damaged: restore a backup"),
    (r"password|role|authentication", "refused us: correct the user and password of database.url"),
)


def _advice(error: DBAPIError) -> str:
    said = " ".join(f"{type(error.orig).__name__} {error.orig}".split())
    for pattern, advice in _ADVICE:
        if re.search(pattern, said, re.IGNORECASE):
            return f"{advice} ({_first_words(said)})"
    return f"cannot be used ({_first_words(said)}): start it, or correct database.url"


def _first_words(text: str) -> str:
    return text if len(text) <= 200 else text[:200] + "..."  # noqa: PLR2004 - enough to tell


def open_database(url: str, data_dir: Path, *, timeout: float) -> Database:
    """Prepare the database of `database.url`; `embedded` lies in the data directory, which is made when missing.

    `timeout` is in seconds: for opening a connection and for a lock that somebody else holds.

    Raises:
        ValueError: the URL or the directory cannot be used; the URL is not repeated, for it may hold a password.
    """
    if url == "embedded":
        return Database(_sqlite(_own_file(data_dir), timeout), f"in {data_dir / FILE}")
    try:
        parsed = make_url(url).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        raise ValueError(
            "database.url is not a URL that SQLAlchemy understands: postgresql://user:password@host/name"
        ) from None
    engine = create_engine(
        parsed,
        connect_args={"connect_timeout": max(1, round(timeout)), "application_name": "marquee"},
        pool_size=_THREADS,
        max_overflow=0,
        pool_timeout=timeout,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    return Database(engine, f"{parsed.host or 'localhost'}:{parsed.port or 5432}/{parsed.database}")


def _own_file(data_dir: Path) -> Path:
    """Make the file readable for us alone: it says what people did. SQLite gives its other files the same mode.

    Raises:
        ValueError: the directory cannot be written to.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        (data_dir / FILE).touch(mode=0o600)
    except OSError as error:
        raise ValueError(f"service.data_dir: {data_dir} cannot hold the history: {error.strerror}") from None
    return data_dir / FILE


def _sqlite(file: Path, timeout: float) -> Engine:
    engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": timeout}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say, see below
        connection.create_function("add_exactly", 2, _add_texts, deterministic=True)
        for pragma in (
            "journal_mode=WAL",  # readers and the writer do not wait for each other
            "synchronous=FULL",  # what is acknowledged is on the disk
            f"cache_size=-{_CACHE_KIB}",
            "temp_store=FILE",
            "foreign_keys=ON",
            "wal_autocheckpoint=4000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _add_texts(one: str, other: str) -> str:

    return f"{add(Decimal(one), Decimal(other)):f}"
