"""The history in a backup: one file of SQLite, whole and checked."""

import sqlite3
from contextlib import closing
from pathlib import Path

from app.application.manage_webhooks import BY_HAND
from app.application.ports.copies import CopyError
from app.infrastructure.backup.manifest import own_file

FILE = "history.sqlite3"
_ALL_PAGES = -1


def save_history(source: Path, target: Path) -> None:
    """Copy the file while others write to it: one transaction reads all of it.

    Raises:
        CopyError: it cannot be read, or the copy cannot be written.
    """
    own_file(target)
    try:
        with closing(_opened(source)) as one, closing(_opened(target)) as other:
            one.backup(other, pages=_ALL_PAGES)
    except sqlite3.Error as error:
        raise CopyError(f"{source} cannot be copied to {target}: {error}") from None


def check_history(file: Path) -> tuple[str, int]:
    """Read every page of a copy; its schema's version, and how many activities it has.

    Raises:
        CopyError: it is damaged.
    """
    try:
        with closing(_opened(file)) as database:
            database.execute("PRAGMA journal_mode = DELETE")  # one file, without any beside it
            found = [row[0] for row in database.execute("PRAGMA integrity_check(3)")]
            if found != ["ok"]:
                raise CopyError(f"{file} is damaged: {'; '.join(found)}")
            (schema,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
            (activities,) = database.execute("SELECT coalesce(sum(count), 0) FROM type_totals").fetchone()
    except sqlite3.Error as error:
        raise CopyError(f"{file} is damaged: {error}") from None
    return str(schema), int(activities)


def switch_webhooks_off(file: Path) -> list[str]:
    """Switch every webhook off that is on; their names."""
    with closing(_opened(file)) as database, database:
        rows = database.execute("SELECT name FROM webhook_endpoints WHERE is_active ORDER BY name").fetchall()
        database.execute("UPDATE webhook_endpoints SET is_active = 0, why_off = ? WHERE is_active", (BY_HAND,))
    return [row[0] for row in rows]


def is_in_use(file: Path) -> bool:
    """Tell whether any process has the history open."""
    if not file.exists():
        return False
    try:
        with closing(_opened(file)) as database:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("BEGIN EXCLUSIVE")
            database.execute("ROLLBACK")
    except sqlite3.DatabaseError as error:  # what is no database is not in use: who restores wants to be rid of it
        return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
    return False


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, isolation_level="DEFERRED", timeout=1)
