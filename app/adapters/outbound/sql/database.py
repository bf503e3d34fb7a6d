"""The connection to the history: one engine, SQLite or PostgreSQL, whose every failure is told as the ports want it.

SQLAlchemy's synchronous engine in threads: the drivers release the interpreter while the database works, and SQLite has
no asynchronous interface at all.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.adapters.private_files import close_to_others, make_private_directory, make_private_file
from app.application.ports.system import HistoryUnavailableError
from app.domain.stats import add

T = TypeVar("T")

FILE = "history.sqlite3"
"""The embedded database, in the data directory."""


class Lane(Enum):
    """Threads for one purpose: nobody waits behind the questions of another lane."""

    HISTORY = "history"
    KEYS = "keys"
    """What requests ask about keys."""
    KEY_WATCH = "key-watch"
    """What the watch over keys asks: one question at a time, more only when one before got no answer."""


_THREADS = {Lane.HISTORY: 8, Lane.KEYS: 2, Lane.KEY_WATCH: 4}
_ALL_THREADS = sum(_THREADS.values())
"""Each uses one connection at a time, so that none waits for a connection either."""
_SLOW_READ, _SLOW_WRITE = 10.0, 60.0
"""Seconds beyond the timeout for a lock that a question, and a transaction of a worker, may take."""
_CACHE_KIB = 64 * 1024


class Database:
    """A database and the threads that talk with it. Whoever opens it closes it; nothing is opened before the first use.

    `name` says where it is, without a password: fit for messages.
    """

    def __init__(self, engine: Engine, name: str, timeout: float) -> None:
        self.engine = engine
        self.name = name
        self._timeout = timeout
        self._threads = {
            lane: ThreadPoolExecutor(number, thread_name_prefix=lane.value) for lane, number in _THREADS.items()
        }

    @property
    def is_sqlite(self) -> bool:
        """Whether it is the embedded one."""
        return self.engine.dialect.name == "sqlite"

    async def read(self, work: Callable[[Connection], T], *, patient: bool = False, lane: Lane = Lane.HISTORY) -> T:
        """Do some reading in a transaction of its own, in a thread: all of it sees one instant.

        A server that has fallen silent is given up after a while, unless `patient`: then the work may take hours.

        Raises:
            HistoryUnavailableError: not reached, no answer in time, no room on the disk.
        """
        return await self._in_thread(lane, self.read_now, work, None if patient else self._timeout + _SLOW_READ)

    async def write(self, work: Callable[[Connection], T], *, patient: bool = False) -> T:
        """Do some writing in one transaction, in a thread; all of it is there after, or nothing.

        Raises:
            HistoryUnavailableError: as in `read`. Whether the transaction was committed is then unknown.
        """
        limit = None if patient else self._timeout + _SLOW_WRITE
        return await self._in_thread(Lane.HISTORY, self.write_now, work, limit)

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

    async def _in_thread(
        self,
        lane: Lane,
        do: Callable[[Callable[[Connection], T]], T],
        work: Callable[[Connection], T],
        limit: float | None,
    ) -> T:
        try:
            async with asyncio.timeout(limit):
                return await asyncio.get_running_loop().run_in_executor(self._threads[lane], do, work)
        except TimeoutError:  # the thread waits on; nobody waits for it any more
            raise HistoryUnavailableError(f"the database {self.name} gave no answer within {limit:g} s") from None

    async def aclose(self) -> None:
        """Wait a while for what is in hand, close every connection. Safe to call twice."""
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeout):
                for threads in self._threads.values():
                    await asyncio.to_thread(threads.shutdown)
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
            if is_about_the_data(error):
                raise
            raise HistoryUnavailableError(f"the database {self.name} {_advice(error)}") from error


def is_about_the_data(error: DBAPIError) -> bool:
    """Tell whether a database refuses what it was given, and will for ever: PostgreSQL by the class of its code."""
    code = getattr(error.orig, "sqlstate", None)
    if code is not None:
        return str(code).startswith(("22", "23", "54"))
    return type(error).__name__ in {"DataError", "IntegrityError"}


_ADVICE = (
    (r"\b(?:password|role|authentication)\b", "refused us: correct the user and password of database.url"),
    (r"disk is full|DiskFull|No space left|disk I/O", "has no room left: free space on its disk"),
    (r"locked|LockNotAvailable", "is locked by somebody else: try again when that has ended"),
    (r"database \S+ does not exist", "does not exist: create it, then run `marquee migrate`"),
    (r"no such table|UndefinedTable|does not exist|no such column", "has not our schema: run `marquee migrate`"),
    (r"readonly|read-only|ReadOnly", "takes no writes: it is read-only"),
    (r"malformed|not a database", "is damaged: restore a backup"),
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
        return Database(_sqlite(_own_file(data_dir), timeout), f"in {data_dir / FILE}", timeout)
    parsed = _parsed(url)
    engine = create_engine(
        parsed,
        connect_args={
            "connect_timeout": max(1, round(timeout)),
            "application_name": "marquee",
            "options": f"-c lock_timeout={round(timeout * 1000)}",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": round((timeout + _SLOW_WRITE) * 1000),
        },
        pool_size=_ALL_THREADS,
        max_overflow=0,
        pool_timeout=timeout,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    return Database(engine, f"{parsed.host or 'localhost'}:{parsed.port or 5432}/{parsed.database}", timeout)


def _parsed(url: str) -> URL:
    """Read a URL; one whose password was not encoded would show its parts as host and name, so it is refused."""
    mistake = ValueError(
        "database.url is not understood: expected postgresql://user:password@host:port/name, with / : @ # ? in a "
        "password written as %2F %3A %40 %23 %3F"
    )
    try:
        parsed = make_url(url).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        raise mistake from None
    if not parsed.host or not parsed.database or any(mark in parsed.host + parsed.database for mark in "@/:"):
        raise mistake
    return parsed


def _own_file(data_dir: Path) -> Path:
    """Make the file readable for us alone: it says what people did. SQLite gives its other new files the same mode.

    Raises:
        ValueError: the directory cannot be written to.
    """
    try:
        make_private_directory(data_dir)
        make_private_file(data_dir / FILE)
        for beside in ("-wal", "-shm"):
            close_to_others(data_dir / f"{FILE}{beside}")
    except OSError as error:
        raise ValueError(f"service.data_dir: {data_dir} cannot hold the history: {error.strerror}") from None
    return data_dir / FILE


def _sqlite(file: Path, timeout: float) -> Engine:
    engine = create_engine(
        f"sqlite:///{file}", connect_args={"timeout": timeout}, max_overflow=_ALL_THREADS, hide_parameters=True
    )

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
