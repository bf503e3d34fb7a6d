"""Import the activities of a file: by the rules of the door, but straight into the store.

Safe to run twice and to continue after a kill: the store knows every id, a mark knows how many rows are stored.
"""

import asyncio
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from app.application.ports.activities import ActivityStore, NotStorableError, TypeBound
from app.application.ports.imports import ImportId, Imports, ImportUndoneError, NewImport
from app.application.ports.system import Clock, HistoryUnavailableError
from app.domain.activities import STATEMENTS, Activity, one_type_too_many
from app.domain.activity_columns import ActivityColumns


class ImportedRow(NamedTuple):
    """A row that brings an activity."""

    line: int
    """On which line of the file it begins: 1, 2, ..."""
    text: str
    """The row as it stands there."""
    activity: Activity


class RejectedRow(NamedTuple):
    """A row that cannot be used, and why."""

    line: int
    text: str
    code: str
    """A stable word for programs."""
    reason: str


@dataclass(frozen=True, slots=True)
class ImportedRows:
    """Rows that bring an activity each, as columns of one length."""

    lines: Sequence[int]
    texts: Sequence[str]
    activities: ActivityColumns

    @staticmethod
    def of(rows: Sequence[ImportedRow]) -> "ImportedRows":
        """Lay out some rows."""
        lines, texts, activities = zip(*rows, strict=True) if rows else ((), (), ())
        return ImportedRows(lines, texts, ActivityColumns.of(activities))

    @staticmethod
    def joined(parts: Sequence["ImportedRows"]) -> "ImportedRows":
        """Put some behind each other, at least one."""
        lines = [line for part in parts for line in part.lines]
        texts = [text for part in parts for text in part.texts]
        return ImportedRows(lines, texts, ActivityColumns.joined([part.activities for part in parts]))

    def chosen(self, positions: Sequence[int]) -> "ImportedRows":
        """Take those at some positions, in that order."""
        lines, texts = [self.lines[place] for place in positions], [self.texts[place] for place in positions]
        return ImportedRows(lines, texts, self.activities.chosen(positions))

    def __len__(self) -> int:
        """Count them."""
        return len(self.lines)

    def __iter__(self) -> Iterator[ImportedRow]:
        """Make one after the other."""
        return map(ImportedRow, self.lines, self.texts, self.activities)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a file that follow each other, each in one of the two. Never without any."""

    first_line: int
    rows: ImportedRows
    rejected: Sequence[RejectedRow]
    rows_done: int
    """How many rows the file has from its beginning to the end of this chunk."""
    share: float
    """The same as a share of the whole file, 0 to 1; about."""


class ActivityFileError(Exception):
    """A file cannot be read, or what belongs to it not be written; the message says what to do."""


class ActivityFile(Protocol):
    """A file of activities."""

    @property
    @abstractmethod
    def import_(self) -> NewImport:
        """What it is remembered by."""

    @abstractmethod
    def chunks(self, after: int) -> Iterator[Chunk]:
        """Hand out the rows behind the first `after`, in order. Blocks while it reads.

        A row without an id gets one that follows from the content of the file and the row's place in it.

        Raises:
            ActivityFileError: the file is damaged, or has changed since it was opened.
        """


class Rejects(Protocol):
    """Where rows go that cannot be used. Both methods return when the rows are safe from the end of this process."""

    @abstractmethod
    def forget_from(self, line: int) -> None:
        """Forget what an earlier run has put there for this line and later ones.

        Raises:
            ActivityFileError: as in every method here.
        """

    @abstractmethod
    def add(self, rows: Sequence[RejectedRow]) -> None:
        """Put rows there, behind those that are there already."""


class ImportWatcher(Protocol):
    """Is told how an import gets on."""

    @abstractmethod
    def handled(self, rows: int, share: float) -> None:
        """So many rows were handled by this run, and so much of the file is behind it (0 to 1)."""


@dataclass(slots=True)
class ImportReport:
    """What a run of an import did."""

    import_id: ImportId
    continued_after: int = 0
    """Rows that earlier runs have handled; this one did not look at them."""
    stored: int = 0
    duplicates: int = 0
    """Whose id was known, from wherever."""
    rejected_for: Counter[str] = field(default_factory=Counter)
    """Rows by the code of their reason."""
    trouble: str | None = None
    """Why it was cut short; the same import again goes on from there."""

    @property
    def rejected(self) -> int:
        """Rows that could not be used."""
        return self.rejected_for.total()

    @property
    def rows(self) -> int:
        """Rows that this run has handled."""
        return self.stored + self.duplicates + self.rejected

    @property
    def is_useless(self) -> bool:
        """Whether there were rows, and none of them could be used."""
        return 0 < self.rows == self.rejected


@dataclass(frozen=True, slots=True)
class ImportActivities:
    """Import a file. While one chunk is stored the next one is read: the store works in a thread of its own."""

    store: ActivityStore
    imports: Imports
    clock: Clock
    types: TypeBound | None = None
    """How many kinds of activities there may be; None: any number."""

    async def __call__(
        self, file: ActivityFile, rejects: Rejects, watcher: ImportWatcher | None = None, *, again: bool = False
    ) -> ImportReport:
        """Import the rows that no earlier run has handled; with `again` all, which is safe and slower.

        Each row is stored, known already or rejected once the report counts it.

        Raises:
            HistoryUnavailableError: before anything was done; later it cuts the import short, as the report says.
        """
        begun = await self.imports.begin(file.import_, self.clock.now())
        report = ImportReport(begun.import_id, 0 if again else begun.rows_done)
        try:
            await self._import(file, rejects, report, watcher)
            await self.imports.finish(report.import_id, self.clock.now())
        except (ActivityFileError, HistoryUnavailableError, ImportUndoneError) as error:
            report.trouble = str(error)
        return report

    async def _import(
        self, file: ActivityFile, rejects: Rejects, report: ImportReport, watcher: ImportWatcher | None
    ) -> None:
        chunks = file.chunks(report.continued_after)
        chunk = await asyncio.to_thread(next, chunks, None)
        if chunk:
            await asyncio.to_thread(rejects.forget_from, chunk.first_line)
        while chunk:
            following = asyncio.create_task(asyncio.to_thread(next, chunks, None))
            try:
                await self._handle(chunk, rejects, report)
                await self.imports.mark(report.import_id, chunk.rows_done)
            except BaseException:
                with suppress(ActivityFileError):
                    await following
                raise
            if watcher:
                watcher.handled(report.rows, chunk.share)
            chunk = await following

    async def _handle(self, chunk: Chunk, rejects: Rejects, report: ImportReport) -> None:
        """Store a chunk; its rejects are written before its mark, so that none is ever missing."""
        rows, of_too_many_types = await self._within_types(chunk.rows)
        stored, not_storable = await self._store(rows, report.import_id)
        rejected = sorted([*chunk.rejected, *of_too_many_types, *not_storable])
        if rejected:
            await asyncio.to_thread(rejects.add, rejected)
        report.stored += stored
        report.duplicates += len(rows) - len(not_storable) - stored
        report.rejected_for.update(row.code for row in rejected)

    async def _within_types(self, rows: ImportedRows) -> tuple[ImportedRows, list[RejectedRow]]:
        """Put those aside whose type finds no room."""
        if not self.types:
            return rows, []
        types = dict.fromkeys(rows.activities.types)
        too_many = await self.types.refused([type_ for type_ in types if type_ not in STATEMENTS])
        if not too_many:
            return rows, []
        kept, rejected = [], []
        for place, type_ in enumerate(rows.activities.types):
            if type_ in too_many:
                error = one_type_too_many(type_, self.types.most)
                rejected.append(RejectedRow(rows.lines[place], rows.texts[place], error.code, f"type: {error}"))
            else:
                kept.append(place)
        return rows.chosen(kept), rejected

    async def _store(self, rows: ImportedRows, import_id: ImportId) -> tuple[int, list[RejectedRow]]:
        """Store rows, those that the store refuses aside: they are found by halving."""
        if not len(rows):
            return 0, []
        try:
            return await self.store.store(rows.activities, import_id), []
        except NotStorableError as error:
            if len(rows) == 1:
                return 0, [RejectedRow(rows.lines[0], rows.texts[0], "not_storable", str(error))]
        middle = len(rows) // 2
        stored, refused = await self._store(rows.chosen(range(middle)), import_id)
        stored_too, refused_too = await self._store(rows.chosen(range(middle, len(rows))), import_id)
        return stored + stored_too, refused + refused_too
