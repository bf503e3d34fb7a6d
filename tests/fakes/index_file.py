"""IndexFile in memory: the index is a number of changes, and a file says how many of them it has."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from app.application.ports.catalog import LogPosition
from app.application.ports.index_file import IndexFile, IndexFileError, IndexFileFacts

WRITTEN_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class MemoryIndexFile(IndexFile):
    """A list of what was written; `trouble` is why nothing can be, `seconds` what a write takes."""

    def __init__(self, in_use: IndexFileFacts | None = None) -> None:
        self._in_use = in_use
        self.changes = 0
        self.written: list[tuple[int, Mapping[str, LogPosition]]] = []
        """Of each file: how many changes it has, and up to where."""
        self.trouble: str | None = None
        self.seconds = 0.0

    @property
    def in_use(self) -> IndexFileFacts | None:
        """See IndexFile."""
        return self._in_use

    @property
    def is_behind(self) -> bool:
        """See IndexFile."""
        return self.changes > (self.written[-1][0] if self.written else 0)

    def change(self) -> None:
        """Let the index have something more."""
        self.changes += 1

    async def write(self, at: Mapping[str, LogPosition]) -> IndexFileFacts:
        """See IndexFile."""
        snapshot = self.changes, dict(at)
        await asyncio.sleep(self.seconds)
        if self.trouble:
            raise IndexFileError(self.trouble)
        self.written.append(snapshot)
        self._in_use = IndexFileFacts(written_at=WRITTEN_AT, plans=snapshot[0], size=100 * snapshot[0])
        return self._in_use

    async def renew(self, at: Mapping[str, LogPosition]) -> Mapping[str, LogPosition] | None:  # noqa: ARG002
        """Do nothing: there is one process."""
        return None
