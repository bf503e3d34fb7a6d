"""An engine for a history file of SQLite, and the watch over whether the file is still the one that was opened.

Who holds a file open keeps it although its name is gone: what is written then is lost with the last process. So the
path is compared with what was opened (device and inode) before each transaction and after its end, before anybody is
told that it succeeded; and a connection never makes a file.
"""

import os
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event

from app.adapters.machine.private_files import close_to_others, make_private_directory, make_private_file
from app.application.ports.system import HistoryUnavailableError
from app.domain.rollups import add

_CACHE_KIB = 64 * 1024
_JOURNAL_BYTES = 64 * 1024 * 1024
"""A write-ahead log that grew longer, because somebody read for long, gives its room back."""
_INCREMENTAL = 2
_ROOM = 1024 * 1024
"""Bytes on the disk below which we say that it is full."""


class HistoryFile:
    """A file with the tables in it, and what of it was opened first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: tuple[int, int] | None = None

    def make(self) -> None:
        """Make it readable for us alone when it is missing: it says what people did. Its other files are alike.

        Raises:
            OSError: the directory cannot be written to.
        """
        make_private_directory(self.path.parent)
        make_private_file(self.path)
        for beside in ("-wal", "-shm"):
            close_to_others(self.path.with_name(f"{self.path.name}{beside}"))

    def check(self) -> None:
        """See that the path still leads to the file that is open.

        Raises:
            HistoryUnavailableError: it was deleted, or another one lies there. Back in its place, all goes on.
        """
        found = self._look()
        if self._opened not in (None, found):
            raise HistoryUnavailableError(
                f"the history file {self.path} was replaced under the running service: stop the service, put the right "
                "file there without the -wal and -shm of another one, and start it again"
            )

    def check_writes(self) -> None:
        """See that it can be written to.

        Raises:
            HistoryUnavailableError: its disk is full, or it is read-only.
        """
        self.check()
        status = os.statvfs(self.path)
        if status.f_bavail * status.f_frsize < _ROOM:
            raise HistoryUnavailableError(f"the database in {self.path} has no room left: free space on its disk")
        if not os.access(self.path, os.W_OK) or not os.access(self.path.parent, os.W_OK):
            raise HistoryUnavailableError(f"the database in {self.path} takes no writes: it is read-only")

    def connect(self, timeout: float) -> sqlite3.Connection:
        """Open the file that is there; the first one that was opened is the right one for ever."""
        before = self._look()
        self.check()
        where = f"file:{quote(str(self.path))}?mode=rw"
        connection = sqlite3.connect(where, uri=True, timeout=timeout, check_same_thread=False)
        if self._opened is None:
            self._opened = before
        return connection

    def _look(self) -> tuple[int, int]:
        try:
            status = self.path.stat()
        except OSError as error:
            raise HistoryUnavailableError(
                f"the history file {self.path} was deleted or moved away under the running service ({error.strerror}): "
                "put it back, and all goes on; or stop the service, restore a backup, and start it again"
            ) from None
        return status.st_dev, status.st_ino


def sqlite_engine(file: HistoryFile, *, timeout: float, connections: int) -> Engine:
    """Make an engine over a file; `timeout` is in seconds, for locks."""
    engine = create_engine(
        URL.create("sqlite", database=str(file.path)),
        creator=lambda: file.connect(timeout),
        max_overflow=connections,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say, see below
        connection.create_function("add_exactly", 2, _add_texts, deterministic=True)
        connection.create_aggregate("exact_sum", 1, _ExactSum)
        if connection.execute("PRAGMA page_count").fetchone()[0] == 0:  # of any other file it would want to write
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # what is deleted can be given back to the disk
        for pragma in (
            "journal_mode=WAL",  # readers and the writer do not wait for each other
            "synchronous=FULL",  # what is acknowledged is on the disk
            f"journal_size_limit={_JOURNAL_BYTES}",
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


def give_pages_back(connection: Connection, pages: int) -> bool:
    """Give some of the free pages at most back to the disk; tell whether there are more that can be given back."""
    if connection.exec_driver_sql("PRAGMA auto_vacuum").scalar() != _INCREMENTAL:
        return False
    for _ in range(pages):  # each is a step of the statement, of which the driver goes one
        connection.exec_driver_sql("PRAGMA incremental_vacuum(1)")
    return bool(connection.exec_driver_sql("PRAGMA freelist_count").scalar())


def made_shrinkable(engine: Engine, path: Path) -> bool:
    """Rewrite a file of an older version, so that its free pages can be given back; False: it is so already.

    Nobody else writes meanwhile, and the disk needs the room of the file twice.

    Raises:
        HistoryUnavailableError: that room is not there.
    """
    with closing(engine.raw_connection()) as connection:
        driver: Any = connection.driver_connection
        driver.execute("SELECT count(*) FROM sqlite_master").fetchone()  # else it tells what it saw last
        if driver.execute("PRAGMA auto_vacuum").fetchone()[0] == _INCREMENTAL:
            return False
        status, size = os.statvfs(path), path.stat().st_size
        if status.f_bavail * status.f_frsize < 2 * size + _ROOM:
            raise HistoryUnavailableError(
                f"the disk of {path} has no room for rewriting it, which needs {2 * size:,} B"
            )
        driver.execute("PRAGMA auto_vacuum=INCREMENTAL")
        driver.execute("VACUUM")
        return True


def _add_texts(one: str, other: str) -> str:
    return f"{add(Decimal(one), Decimal(other)):f}"


class _ExactSum:
    """An aggregate of SQLite over exact numbers, which are text; usually there is one, which is handed on as it is."""

    def __init__(self) -> None:
        self._sum: str | None = None

    def step(self, number: str) -> None:
        """Take in one more."""
        self._sum = number if self._sum is None else _add_texts(self._sum, number)

    def finalize(self) -> str | None:
        """Give what they are together."""
        return self._sum
