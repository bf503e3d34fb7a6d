"""The order of a log: whoever reads its rows by number never finds one later before those that were read."""

from sqlalchemy import Connection, func, select

PLANS = 0x6D61727175656502
"""The advisory lock of PostgreSQL that whoever adds to the table plan_journal holds."""
USERS = 0x6D61727175656503
"""That of the table outbox."""


def hold_log(connection: Connection, lock: int) -> None:
    """Keep others from adding to a log until the end of this transaction; call it before the first insert.

    PostgreSQL numbers rows when they are inserted and shows them when they are committed, so a row could appear behind
    a reader who has passed its number already. The lock is released after the commit is visible. SQLite has one
    writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(lock)))
