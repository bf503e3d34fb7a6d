"""The port behind which imports are remembered: what they were, and how far they have come."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

ImportId = int
"""1, 2, ...; each activity that an import stored carries it."""


class ImportState(StrEnum):
    """How an import stands."""

    BEGUN = "begun"
    """It runs, or it was cut short and goes on when the same command is given."""
    FINISHED = "finished"
    """Every row was handled."""
    UNDOING = "undoing"
    """What it stored is being taken out; nothing more is stored in its name, and its file has to wait."""
    UNDONE = "undone"
    """What it stored was taken out; the same file would be another import."""


class ImportUndoneError(Exception):
    """The import was undone while it ran: nothing more is stored in its name."""

    def __init__(self, import_id: ImportId) -> None:
        """Say which one."""
        super().__init__(f"import {import_id} was undone meanwhile")


class UndoRefusedError(Exception):
    """The root of what stands against an undo, or against an import because of one."""


class ImportBeingUndoneError(UndoRefusedError):
    """The file cannot be imported before the import that it was has been undone to the end."""

    def __init__(self, import_id: ImportId) -> None:
        """Say which one, and what to do."""
        super().__init__(f"import {import_id} of this file is being undone: `marquee imports undo {import_id}` ends it")


class UnknownImportError(UndoRefusedError):
    """There was no such import."""

    def __init__(self, import_id: ImportId) -> None:
        """Name it."""
        super().__init__(f"no import has the id {import_id}: `marquee imports list` shows them")


class ImportHasLeftError(UndoRefusedError):
    """Of days of an import, activities have left by their age: nobody can tell any more what it was counted for."""

    def __init__(self, import_id: ImportId) -> None:
        """Name it."""
        super().__init__(f"import {import_id} cannot be undone: activities of its first days have left (keep_days)")


class NewImport(NamedTuple):
    """What an import is known by before it begins."""

    mark: str
    """What it is recognised by: it follows from the file's content, and from how the content is to be read."""
    file: str
    """What the file is called; for people."""
    reading: str
    """How it is read, for people: the options that change what its rows mean."""


class BegunImport(NamedTuple):
    """An import that may go on."""

    import_id: ImportId
    rows_done: int
    """How many rows of its file are handled."""


@dataclass(frozen=True, slots=True)
class Import:
    """An import, as it is remembered for ever."""

    import_id: ImportId
    mark: str
    file: str
    reading: str
    begun_at: datetime
    ended_at: datetime | None
    """When its last row was handled; None: not yet."""
    rows: int
    """Of the file that were handled, rejected ones and duplicates too."""
    stored: int
    """Activities that carry its id; exact, also after a kill. It stays after the import was undone."""
    state: ImportState
    first_day: int | None
    """The earliest day (UTC, since 1970) of what it stored; None: it stored nothing."""
    last_day: int | None


class Imports(Protocol):
    """The imports, and the marks by which a file goes on where it stopped.

    All methods raise HistoryUnavailableError; then nothing has changed.
    """

    @abstractmethod
    async def begin(self, new: NewImport, at: datetime) -> BegunImport:
        """Go on with the import of that mark which is not undone; where there is none, begin one.

        It is begun from then on, also when it was finished before.

        Raises:
            ImportBeingUndoneError: it is being undone.
        """

    @abstractmethod
    async def mark(self, import_id: ImportId, rows: int) -> None:
        """Note that the first `rows` rows of its file are handled."""

    @abstractmethod
    async def finish(self, import_id: ImportId, at: datetime) -> None:
        """Note that every row is handled. One that was undone meanwhile stays undone."""

    @abstractmethod
    async def newest(self, limit: int) -> Sequence[Import]:
        """List the newest `limit`, the newest first."""


class UndoneImports(Protocol):
    """The imports that are taken back. All methods raise HistoryUnavailableError; then nothing has changed."""

    @abstractmethod
    async def find(self, import_id: ImportId) -> Import | None:
        """Find an import; None: there was none of that id."""

    @abstractmethod
    async def begin_undo(self, import_id: ImportId) -> None:
        """Note that an import is being undone: nothing more is stored in its name."""

    @abstractmethod
    async def end_undo(self, import_id: ImportId) -> None:
        """Note that it is undone, and forget its mark: the same file would be another import."""
