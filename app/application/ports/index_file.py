"""The port to the index file: the whole index of search on this machine's disk, there before anything else is."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.application.ports.catalog import LogPosition


class IndexFileError(Exception):
    """The index file could not be written or used; says why, and names the file."""


class SpoiltIndexError(Exception):
    """The file that this process stands on was changed where it lies: what it finds there may be wrong.

    Who meets it ends: the next process refuses that file, and loads what it holds from the live state.
    """


@dataclass(frozen=True, slots=True)
class IndexFileFacts:
    """What is known of a file that was written, or that this process reads from."""

    written_at: datetime
    plans: int
    size: int
    """Bytes."""


class IndexFile(Protocol):
    """The file that one process of a machine writes and all of its API processes read from."""

    @property
    @abstractmethod
    def in_use(self) -> IndexFileFacts | None:
        """The file that this process's index stands on; None when it was loaded from the live state alone."""

    @property
    @abstractmethod
    def is_behind(self) -> bool:
        """Whether this process's index has something that the file has not, if only because there is no file."""

    @abstractmethod
    async def write(self, at: Mapping[str, LogPosition]) -> IndexFileFacts:
        """Write this process's index as it is now. Others go on meanwhile, and the index may move on.

        `at` says up to where the index has each provider's change log. Whoever reads the file finds the one before or
        this one, whole, whatever happens; who has the one before in use may go on reading it.

        Raises:
            IndexFileError: nothing was written; the file before is still there.
            SpoiltIndexError: nothing was written; what would be copied from the file before is damaged.
        """

    @abstractmethod
    async def renew(self, at: Mapping[str, LogPosition]) -> Mapping[str, LogPosition] | None:
        """Stand on the file on disk, if it is another than the one in use.

        `at` says up to where this process's index has each change log; neither may move on meanwhile. Where the file
        knows more of a provider, its state counts, else this process's.

        Returns:
            The positions of the providers whose state is now the file's; None when there was no other file.

        Raises:
            IndexFileError: it is damaged, or of another version; told once for each file.
        """
