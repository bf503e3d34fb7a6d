"""Imports in SQL: a row for each import, and a mark for each file; and what the store notes of an import."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, case, delete, literal_column, or_, select, update
from sqlalchemy.sql.functions import coalesce

from app.adapters.outbound.sql.counters import inserting
from app.adapters.outbound.sql.database import SqlStore
from app.adapters.outbound.sql.places import DAY
from app.adapters.outbound.sql.rows import microseconds, read_as
from app.adapters.outbound.sql.schema import import_marks, imports
from app.application.ports.imports import (
    BegunImport,
    Import,
    ImportBeingUndoneError,
    ImportId,
    Imports,
    ImportState,
    ImportUndoneError,
    NewImport,
    UndoneImports,
)
from app.domain.activity_columns import ActivityColumns

_has_mark = imports.c.state != literal_column(f"'{ImportState.UNDONE.value}'")
"""Whether its file is still this import; as the index says it."""
_is_open = imports.c.state.in_((ImportState.BEGUN.value, ImportState.FINISHED.value))
"""Whether an import may take more."""


class SqlImports(SqlStore, Imports, UndoneImports):
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

    async def find(self, import_id: ImportId) -> Import | None:
        """Read its row."""
        rows = await self._rows(select(imports).where(imports.c.import_id == import_id))
        return read_as(Import, rows[0]) if rows else None

    async def begin_undo(self, import_id: ImportId) -> None:
        """Write its state; who stores in its name has written this row too, so we wait for them."""
        begun = update(imports).where(_is(import_id)).values(state=ImportState.UNDOING.value)
        await self._database.write(lambda connection: connection.execute(begun))

    async def end_undo(self, import_id: ImportId) -> None:
        """Write its state, and delete the mark."""
        ended = update(imports).where(imports.c.import_id == import_id).values(state=ImportState.UNDONE.value)

        def work(connection: Connection) -> None:
            mark = connection.execute(ended.returning(imports.c.mark)).scalar()
            connection.execute(delete(import_marks).where(import_marks.c.digest == mark))

        await self._database.write(work)


def _begun(connection: Connection, new: NewImport, at: datetime) -> ImportId:
    """Find the row of an import or make it; of two that make it at once one goes on with that of the other.

    Raises:
        ImportBeingUndoneError: it may take nothing more.
    """
    again = {"state": ImportState.BEGUN.value, "ended_at": None}
    is_it = (imports.c.mark == new.mark) & _has_mark
    in_the_way = connection.execute(select(imports.c.import_id).where(is_it, ~_is_open)).scalar()
    if in_the_way is not None:
        raise ImportBeingUndoneError(int(in_the_way))
    known = connection.execute(update(imports).where(is_it).values(again).returning(imports.c.import_id)).scalar()
    if known is not None:
        return int(known)
    first = {"begun_at": microseconds(at), "rows": 0, "stored": 0, **again}
    made = inserting(connection, imports).values(new._asdict() | first)
    either = made.on_conflict_do_update(index_elements=["mark"], index_where=_has_mark, set_=again)
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
