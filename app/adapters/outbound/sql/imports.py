"""Imports in SQL: a row for each import, and a mark for each file; and what the store notes of an import."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, case, literal_column, or_, select, update
from sqlalchemy.sql.functions import coalesce

from app.adapters.outbound.sql.counters import inserting
from app.adapters.outbound.sql.database import SqlStore
from app.adapters.outbound.sql.places import DAY
from app.adapters.outbound.sql.rows import microseconds, read_as
from app.adapters.outbound.sql.schema import import_marks, imports
from app.application.ports.imports import (
    BegunImport,
    Import,
    ImportId,
    Imports,
    ImportState,
    ImportUndoneError,
    NewImport,
)
from app.domain.activity_columns import ActivityColumns

_is_open = imports.c.state != literal_column(f"'{ImportState.UNDONE.value}'")
"""Whether an import may take more; as the index says it."""


class SqlImports(SqlStore, Imports):
    """A mark belongs to the file and not to the import: those of earlier versions have no import."""

    async def begin(self, new: NewImport, at: datetime) -> BegunImport:
        """Find the row or make one."""

        def work(connection: Connection) -> BegunImport:
            done = select(import_marks.c.rows).where(import_marks.c.digest == new.mark)
            return BegunImport(_begun(connection, new, at), connection.execute(done).scalar() or 0)

        return await self._database.write(work)

    async def mark(self, import_id: ImportId, rows: int) -> None:
        """Write the mark; one that was undone has none any more."""

        def work(connection: Connection) -> None:
            noted = update(imports).where(_is(import_id)).values(rows=rows).returning(imports.c.mark)
            digest = connection.execute(noted).scalar()
            if digest is not None:
                new = inserting(connection, import_marks).values(digest=digest, rows=rows)
                connection.execute(new.on_conflict_do_update(index_elements=["digest"], set_={"rows": rows}))

        await self._database.write(work)

    async def finish(self, import_id: ImportId, at: datetime) -> None:
        """Write its end."""
        ended = {"state": ImportState.FINISHED.value, "ended_at": microseconds(at)}
        finished = update(imports).where(_is(import_id)).values(ended)
        await self._database.write(lambda connection: connection.execute(finished))

    async def newest(self, limit: int) -> Sequence[Import]:
        """Read the rows."""
        wanted = select(imports).order_by(imports.c.import_id.desc()).limit(limit)
        return [read_as(Import, row) for row in await self._rows(wanted)]


def _begun(connection: Connection, new: NewImport, at: datetime) -> ImportId:
    """Find the row of an import or make it; of two that make it at once one goes on with that of the other."""
    again = {"state": ImportState.BEGUN.value, "ended_at": None}
    is_it = (imports.c.mark == new.mark) & _is_open
    known = connection.execute(update(imports).where(is_it).values(again).returning(imports.c.import_id)).scalar()
    if known is not None:
        return int(known)
    first = {"begun_at": microseconds(at), "rows": 0, "stored": 0, **again}
    made = inserting(connection, imports).values(new._asdict() | first)
    either = made.on_conflict_do_update(index_elements=["mark"], index_where=_is_open, set_=again)
    return int(connection.execute(either.returning(imports.c.import_id)).scalar_one())


def note_stored(connection: Connection, import_id: ImportId, new: ActivityColumns) -> None:
    """Count what an import has stored, in the transaction that stores it.

    Raises:
        ImportUndoneError: it was undone; nothing of the transaction may stay.
    """
    first, last = min(new.occurred_at) // DAY, max(new.occurred_at) // DAY
    kept = imports.c
    noted = {
        "stored": kept.stored + len(new),
        "first_day": case((or_(kept.first_day.is_(None), kept.first_day > first), first), else_=kept.first_day),
        "last_day": case((coalesce(kept.last_day, last) <= last, last), else_=kept.last_day),
    }
    if not connection.execute(update(imports).where(_is(import_id)).values(noted)).rowcount:
        raise ImportUndoneError(import_id)


def _is(import_id: ImportId) -> ColumnElement[bool]:
    return (imports.c.import_id == import_id) & _is_open
