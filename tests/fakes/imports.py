"""Imports in memory. What SQL is compared with."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

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
from app.domain.activities import Activity
from app.domain.stats import day_number

_OPEN = {ImportState.BEGUN, ImportState.FINISHED}


class MemoryImports(Imports, UndoneImports):
    """Keeps imports in a list; `check` raises what a database that is away would."""

    def __init__(self, check: Callable[[], None] = lambda: None) -> None:
        self._check = check
        self._all: list[Import] = []
        self.marks: dict[str, int] = {}
        """Rows that are handled, by mark."""

    async def begin(self, new: NewImport, at: datetime) -> BegunImport:
        """Find the open one, else add one."""
        self._check()
        for one in self._all:
            if one.mark == new.mark and one.state is not ImportState.UNDONE:
                if one.state is ImportState.UNDOING:
                    raise ImportBeingUndoneError(one.import_id)
                self._replace(one, state=ImportState.BEGUN, ended_at=None)
                return BegunImport(one.import_id, self.marks.get(new.mark, 0))
        begun = Import(len(self._all) + 1, *new, at, None, 0, 0, ImportState.BEGUN, None, None)
        self._all.append(begun)
        return BegunImport(begun.import_id, self.marks.get(new.mark, 0))

    async def mark(self, import_id: ImportId, rows: int) -> None:
        """Move the mark."""
        self._check()
        one = self._all[import_id - 1]
        if one.state in _OPEN:
            self.marks[one.mark] = rows
            self._replace(one, rows=rows)

    async def finish(self, import_id: ImportId, at: datetime) -> None:
        """Close it."""
        self._check()
        one = self._all[import_id - 1]
        if one.state in _OPEN:
            self._replace(one, state=ImportState.FINISHED, ended_at=at)

    async def newest(self, limit: int) -> Sequence[Import]:
        """Count from the end."""
        self._check()
        return self._all[::-1][:limit]

    def note_stored(self, import_id: ImportId, new: Sequence[Activity]) -> None:
        """Count what was stored, at least one."""
        one = self._all[import_id - 1]
        if one.state not in _OPEN:
            raise ImportUndoneError(import_id)
        days = [day_number(activity.occurred_at.date()) for activity in new]
        days += [day for day in (one.first_day, one.last_day) if day is not None]
        self._replace(one, stored=one.stored + len(new), first_day=min(days), last_day=max(days))

    async def find(self, import_id: ImportId) -> Import | None:
        """Look it up."""
        self._check()
        return self._all[import_id - 1] if 0 < import_id <= len(self._all) else None

    async def begin_undo(self, import_id: ImportId) -> None:
        """Call it so."""
        self._check()
        one = self._all[import_id - 1]
        if one.state in _OPEN:
            self._replace(one, state=ImportState.UNDOING)

    async def end_undo(self, import_id: ImportId) -> None:
        """Call it undone, and free its mark."""
        self._check()
        self.undo(import_id)

    def undo(self, import_id: ImportId) -> None:
        """Do both at once."""
        one = self._all[import_id - 1]
        self._replace(one, state=ImportState.UNDONE)
        self.marks.pop(one.mark, None)

    def _replace(self, one: Import, **changes: object) -> None:
        self._all[one.import_id - 1] = replace(one, **changes)  # type: ignore[arg-type]  # as replace takes them
