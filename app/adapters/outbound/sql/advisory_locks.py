"""PostgreSQL's advisory locks by name: the number is a digest of the name, so that no two purposes share one.

PLAN_LOG and USER_LOG keep the order of a log, taken before the first insert: PostgreSQL numbers rows when they are
inserted and shows them when they are committed, so a row could appear behind a reader who has passed its number.

All of them end with their transaction: one of a session would stay with whoever a pooler gives the connection to next.
SQLite has one writer at a time anyway, so there nothing is locked.
"""

from enum import Enum
from hashlib import blake2b
from random import randrange

from sqlalchemy import Connection, func, select

SLOTS = 8
"""As many workers add to the rollups at the same time without waiting for each other."""
_SLOT = 0x6D61_7271
"""Sets the locks of slots apart from all others, which have one number and not two."""


class AdvisoryLock(Enum):
    """What is locked; the value is the name, which must never change while two versions may work side by side."""

    COUNTING = "counting"
    """Shared by those who count; who replaces the rollups has it alone."""
    DIMENSIONS = "dimensions"
    """Whoever admits values of dimensions."""
    IDENTITIES = "identities"
    """Shared by those who move visits; who joins or parts visitors has it alone, so that any row may follow any."""
    MIGRATION = "migration"
    """Whoever changes the schema."""
    PARTITIONS = "partitions"
    """Whoever makes partitions of the table activities."""
    PLAN_LOG = "plan-log"
    """Whoever adds to the table plan_journal."""
    USER_LOG = "user-log"
    """Whoever adds to the table outbox."""

    @property
    def number(self) -> int:
        """The 64 bits that PostgreSQL wants, signed."""
        digest = blake2b(f"marquee:{self.value}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, signed=True)


def hold(connection: Connection, lock: AdvisoryLock, *, shared: bool = False) -> None:
    """Wait for a lock and keep it until the end of the transaction."""
    if connection.dialect.name == "postgresql":
        take = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
        connection.execute(select(take(lock.number)))


def take_slot(connection: Connection) -> int:
    """Take the first slot of the rollups that nobody has; where none is free, any. SQLite has one writer, and one slot.

    Each worker adds to rows of its own, and whoever reads adds them up (slot_sums.py): else all workers of a PostgreSQL
    would wait for each other at the few rows of today.
    """
    if connection.dialect.name != "postgresql":
        return 0
    free = "SELECT n FROM generate_series(0, %s) AS n WHERE pg_try_advisory_xact_lock(%s, n) LIMIT 1"
    found = connection.exec_driver_sql(free, (SLOTS - 1, _SLOT)).scalar()
    return randrange(SLOTS) if found is None else int(found)  # noqa: S311 - no secret
