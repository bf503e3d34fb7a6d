"""The ports of whole copies of what Marquee keeps: of a database, an installation, the index file."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.application.ports.index_file import IndexFileFacts


class CopyError(Exception):
    """A copy cannot be made, or is not what it was made of; the message says why, and what to do."""


class CopyProgress(Protocol):
    """Who wants to see how a long copy fares."""

    @abstractmethod
    def begins(self, what: str, rows: int) -> None:
        """Hear what is worked on from now on, and how many rows it has."""

    @abstractmethod
    def advances(self, rows: int) -> None:
        """Hear that so many more are done."""


@dataclass(frozen=True, slots=True)
class CopiedHistory:
    """What a copy of the history turned out to be."""

    source: str
    """Where it comes from, without a password; so `target`."""
    target: str
    rows: Mapping[str, int]
    """By table: found equal on both sides, in number and content."""
    resumed: bool
    """An earlier run had copied a part of it."""
    moved_on: bool
    """The source has changed since the instant that was copied."""


class HistoryCopy(Protocol):
    """The way from one database of the history to another."""

    @abstractmethod
    async def __call__(self, progress: CopyProgress | None = None) -> CopiedHistory:
        """Copy everything as it is at one instant, and compare both; one that was cut off goes on.

        Until the end nobody can work with the target.

        Raises:
            CopyError: the target holds something else, or what was copied differs.
            HistoryUnavailableError: one of the two is away.
        """


@dataclass(frozen=True, slots=True)
class BackupPart:
    """A store's part in a backup."""

    name: str
    """`redis` or `history`."""
    note: str
    """What it holds, or why it is not there and what to do instead."""
    is_there: bool


class Backups(Protocol):
    """The way of an installation into a directory, and back."""

    @abstractmethod
    async def back_up(self, folder: Path) -> Sequence[BackupPart]:
        """Copy what is, then what has been, into a folder that is empty or not there, while all goes on; check it.

        Raises:
            CopyError: the folder is in use, or the copy is not whole.
            HistoryUnavailableError: the database is away.
        """

    @abstractmethod
    async def restore(self, folder: Path, *, keep_webhooks: bool, force: bool) -> Sequence[BackupPart]:
        """Put a backup where the installation is; webhooks are switched off unless they are kept.

        What lies there is in the way, unless `force`: then it is moved aside.

        Raises:
            CopyError: the backup is not whole, something is in the way, or a service runs.
            HistoryUnavailableError: the database is away.
        """


class IndexCopies(Protocol):
    """The way of the index file to another machine, while the service runs or not."""

    @abstractmethod
    async def export_to(self, target: Path) -> IndexFileFacts:
        """Copy the index file, and check the copy; it appears when it is whole.

        Raises:
            IndexFileError: there is none, or it is damaged or of another version.
            CopyError: something lies there, or the copy cannot be written.
        """

    @abstractmethod
    async def import_from(self, source: Path) -> IndexFileFacts:
        """Check a file and put a copy in the place of the index file, in one step.

        Raises:
            IndexFileError: it is damaged, of another version, or no index file.
            CopyError: it cannot be read, or the copy cannot be written.
        """
