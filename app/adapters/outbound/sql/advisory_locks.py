"""PostgreSQL's advisory locks by name: the number is a digest of the name, so that no two purposes share one.

PLAN_LOG and USER_LOG keep the order of a log, taken before the first insert: PostgreSQL numbers rows when they are
inserted and shows them when they are committed, so a row could appear behind a reader who has passed its number.

All of them end with their transaction: one of a session would stay with whoever a pooler gives the connection to next.
SQLite has one writer at a time anyway, so there nothing is locked.
"""

from enum import Enum
from hashlib import blake2b

from sqlalchemy import Connection, func, select


class AdvisoryLock(Enum):
    """What is locked; the value is the name, which must never change while two versions may work side by side."""

    COUNTING = "counting"
    """Shared by those who count; who replaces the rollups has it alone."""
    MIGRATION = "migration"
    """Whoever changes the schema."""
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
