"""Take an import back: what it stored is taken out, and its file can come again as another import."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from app.application.ports.activities import Progress
from app.application.ports.imports import (
    Import,
    ImportHasLeftError,
    ImportId,
    ImportState,
    UndoneImports,
    UnknownImportError,
)
from app.application.ports.removal import ActivityRemoval, RecentIds
from app.application.ports.system import LiveStateUnavailableError
from app.domain.activities import ActivityId
from app.domain.activity_spans import ActivitySpan
from app.domain.removal import ToRemove
from app.domain.stats import date_of

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo has done."""

    imported: Import
    """As it stands now."""
    removed: int
    """Activities that this run has taken out."""
    are_ids_free: bool
    """Whether the door takes these activities at once; else once the window of its deduplication has passed."""


@dataclass(frozen=True, slots=True)
class UndoImport:
    """Step by step: figures agree with what is left after each, and one that was killed goes on where it was."""

    imports: UndoneImports
    removal: ActivityRemoval
    recent_ids: RecentIds

    async def __call__(self, import_id: ImportId, progress: Progress | None = None) -> Undone:
        """Undo an import; one that is undone already stays so.

        Raises:
            UnknownImportError: there was none of that id.
            ImportHasLeftError: activities of its days have left by their age.
            FiguresIncompleteError: the figures do not count what it stored.
            HistoryUnavailableError: some of it may be taken out; the same again goes on.
        """
        found = await self._found(import_id)
        if found.state in {ImportState.BEGUN, ImportState.FINISHED}:
            if found.first_day is not None and await self.removal.have_left(found.first_day):
                raise ImportHasLeftError(import_id)
            await self.imports.begin_undo(import_id)
            found = await self._found(import_id)  # its days are known for good now
        removed, are_free, place = 0, True, ""
        while found.state is ImportState.UNDOING:
            step = await self.removal.remove(_of(found), place, frees_ids=True)
            removed += len(step.ids)
            if progress:
                progress(removed)
            are_free = await self._free(step.ids) and are_free
            if step.place is None:
                break
            place = step.place
        await self.imports.end_undo(import_id)
        return Undone(await self._found(import_id), removed, are_free)

    async def _found(self, import_id: ImportId) -> Import:
        found = await self.imports.find(import_id)
        if found is None:
            raise UnknownImportError(import_id)
        return found

    async def _free(self, ids: Sequence[ActivityId]) -> bool:
        with suppress(LiveStateUnavailableError):
            await self.recent_ids.free(ids)
            return True
        return False


def _of(found: Import) -> ToRemove:
    """Say which activities an import stored, and on which days they are."""
    if found.first_day is None or found.last_day is None:
        return ToRemove(import_id=found.import_id)
    begins, last = (datetime.combine(date_of(day), time(), UTC) for day in (found.first_day, found.last_day))
    return ToRemove(import_id=found.import_id, span=ActivitySpan(begins, last + _DAY))
