"""Whether there is any history: in the database that is used, and in a file that is not."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import select

from app.adapters.outbound.sql.access_schema import users
from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.schema import plan_journal, type_totals


async def is_empty(database: Database) -> bool:
    """Tell whether nobody has stored, journaled or added anything yet.

    Raises:
        HistoryUnavailableError: nobody can tell now.
    """
    first = [select(table).limit(1) for table in (type_totals, plan_journal, users)]
    return await database.read(lambda connection: not any(connection.execute(row).first() for row in first))


def count_in_file(file: Path) -> int:
    """Count the activities and the states of plans in a file that nobody uses; 0 when it is none of ours."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as database:
            (activities,) = database.execute("SELECT coalesce(sum(count), 0) FROM type_totals").fetchone()
            (states,) = database.execute("SELECT count(*) FROM plan_journal").fetchone()
            return int(activities + states)
    except sqlite3.Error:
        return 0
