"""The connection to the history: one engine, SQLite or PostgreSQL, whose every failure is told as the ports want it.

SQLAlchemy's synchronous engine in threads: the drivers release the interpreter while the database works, and SQLite has
no asynchronous interface at all.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Executable
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.adapters.outbound.sql.failures import advice, is_about_the_data
from app.adapters.outbound.sql.sqlite_file import HistoryFile, made_shrinkable, sqlite_engine
from app.application.ports.history import HistoryWatch
from app.application.ports.system import HistoryUnavailableError

T = TypeVar("T")
W = TypeVar("W")

FILE = "history.sqlite3"
"""The embedded database, in the data directory."""
SQLITE = "sqlite:///"
"""How the URL of another file of SQLite begins; its path follows."""


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


class Database(HistoryWatch):
    """A database and the threads that talk with it. Whoever opens it closes it; nothing is opened before the first use.

    `name` says where it is, without a password: fit for messages.
    """

    def __init__(self, engine: Engine, name: str, timeout: float, file: HistoryFile | None = None) -> None:
        self.engine = engine
        self.name = name
        self._file = file
        self._timeout = timeout
        self._threads = {
            lane: ThreadPoolExecutor(number, thread_name_prefix=lane.value) for lane, number in _THREADS.items()
        }

    @property
    def is_sqlite(self) -> bool:
        """Whether it is the embedded one."""
        return self.engine.dialect.name == "sqlite"

    async def read(self, work: Callable[[Connection], T], *, unlimited: bool = False, lane: Lane = Lane.HISTORY) -> T:
        """Do some reading in a transaction of its own, in a thread: all of it sees one instant.

        A server that has fallen silent is given up after a while, unless `unlimited`: then the work may take hours.

        Raises:
            HistoryUnavailableError: not reached, no answer in time, no room on the disk.
        """
        return await self._in_thread(lane, self.read_now, work, None if unlimited else self._timeout + _SLOW_READ)

    async def write(self, work: Callable[[Connection], T], *, unlimited: bool = False) -> T:
        """Do some writing in one transaction, in a thread; all of it is there after, or nothing.

        Raises:
            HistoryUnavailableError: as in `read`. Whether the transaction was committed is then unknown.
        """
        limit = None if unlimited else self._timeout + _SLOW_WRITE
        return await self._in_thread(Lane.HISTORY, self.write_now, work, limit)

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """Do the reading in this thread."""
        with self._transaction(snapshot=True) as connection:
            return work(connection)

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """Do the writing in this thread."""
        with self._transaction(writes=True) as connection:
            return work(connection)

    async def check_writes(self) -> None:
        """See that it is the one that takes writes; connections to one that does not any more are dropped."""
        if self._file is not None:
            self._file.check_writes()
        elif await self.read(_is_read_only):
            self.engine.dispose()
            raise HistoryUnavailableError(f"the database {self.name} takes no writes: it is read-only, or a standby")

    async def make_shrinkable(self) -> bool:
        """Rewrite an embedded file once, if that is needed for giving room back to the disk; tell whether it was.

        Raises:
            HistoryUnavailableError: it cannot be rewritten now; all else goes on.
        """
        return self._file is not None and await self._in_thread(Lane.HISTORY, self._shrinkable, self._file.path, None)

    def _shrinkable(self, path: Path) -> bool:
        try:
            return made_shrinkable(self.engine, path)
        except sqlite3.Error as error:
            raise HistoryUnavailableError(f"the database {self.name} cannot be rewritten: {error}") from error

    async def _in_thread(
        self,
        lane: Lane,
        do: Callable[[W], T],
        work: W,
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
    def _transaction(self, **options: bool) -> Iterator[Connection]:
        """Begin one; see before, and after its end, that it was one of the file that is there.

        What a driver raises when its database does not serve becomes a HistoryUnavailableError with an advice. What the
        database has against the data themselves (DataError, IntegrityError) passes unchanged.
        """
        try:
            if self._file is not None:
                self._file.check()
            with self.engine.connect().execution_options(**options) as connection, connection.begin():
                yield connection
            if self._file is not None:
                self._file.check()
        except PoolTimeoutError as error:
            raise HistoryUnavailableError(f"the database {self.name} is busy: all connections are in use") from error
        except DisconnectionError as error:
            raise HistoryUnavailableError(f"the database {self.name} cannot be reached") from error
        except DBAPIError as error:
            if is_about_the_data(error):
                raise
            raise HistoryUnavailableError(f"the database {self.name} {advice(error)}") from error


class SqlStore:
    """Something that is kept in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def _rows(self, wanted: Executable) -> Sequence[Any]:
        """Read all rows of an answer."""
        return await self._database.read(lambda connection: connection.execute(wanted).all())


def _is_read_only(connection: Connection) -> bool:
    """Ask PostgreSQL: a standby says so too, and one whose default is to be read-only."""
    return bool(connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "on")


def open_database(url: str, data_dir: Path, *, timeout: float) -> Database:
    """Prepare the database of `database.url`; `embedded` lies in the data directory, which is made when missing.

    `timeout` is in seconds: for opening a connection and for a lock that somebody else holds.

    Raises:
        ValueError: the URL or the directory cannot be used; the URL is not repeated, for it may hold a password.
    """
    if url == "embedded" or url.startswith(SQLITE):
        file = _own_file(data_dir / FILE if url == "embedded" else Path(url.removeprefix(SQLITE)))
        engine = sqlite_engine(file, timeout=timeout, connections=_ALL_THREADS)
        return Database(engine, f"in {file.path}", timeout, file)
    from app.adapters.outbound.sql.postgres import postgres_engine  # noqa: PLC0415 - its driver is for those who use it

    silence = timeout + _SLOW_WRITE
    engine, name = postgres_engine(url, timeout=timeout, silence=silence, connections=_ALL_THREADS)
    return Database(engine, name, timeout)


def _own_file(path: Path) -> HistoryFile:
    file = HistoryFile(path)
    try:
        file.make()
    except OSError as error:
        raise ValueError(f"service.data_dir: {path.parent} cannot hold the history: {error.strerror}") from None
    return file
