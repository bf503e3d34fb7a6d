"""The order of a log: whoever reads its rows by number never finds one later before those that were read."""

from sqlalchemy import Connection

from app.adapters.outbound.sql.advisory_locks import AdvisoryLock, hold


def hold_log(connection: Connection, lock: AdvisoryLock) -> None:
    """Keep others from adding to a log until the end of this transaction; call it before the first insert.

    PostgreSQL numbers rows when they are inserted and shows them when they are committed, so a row could appear behind
    a reader who has passed its number already. The lock is released after the commit is visible. SQLite has one
    writer at a time anyway.
    """
    hold(connection, lock)
