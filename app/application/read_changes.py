"""Read what became of the plans, from any point on: for whoever keeps a copy of the catalog."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b

from app.application.ports.publishing import DomainEventLog, LoggedFact
from app.application.single_flight import SingleFlight
from app.domain.errors import DomainError

LOOK_INTERVAL = 1.0
"""Seconds between two looks at the log's end."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Up to where somebody has read: a position, and what stands there.

    A database that was restored from a backup writes other things to the positions that it lost; whoever has read
    those would miss them without being told.
    """

    position: int
    check: str = ""
    """Eight hexadecimal digits over what stands at the position; empty at the beginning."""


BEGINNING = Bookmark(0)


class UnknownCursorError(DomainError):
    """A bookmark is not of this log, or of one that was lost; only reading from the beginning helps."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("this history does not know the cursor, or not any more; begin again without one")


@dataclass(frozen=True, slots=True)
class ChangePage:
    """A piece of the log."""

    changes: Sequence[LoggedFact]
    end: Bookmark
    """Where to read on."""
    has_more: bool


def bookmark_of(logged: LoggedFact) -> Bookmark:
    """Make the bookmark behind a domain event."""
    told = logged.fact
    fact = f"{told.event_id}\n{told.subject}\n{told.occurred_at.isoformat()}"
    return Bookmark(logged.position, blake2b(fact.encode(), digest_size=4).hexdigest())


@dataclass(frozen=True, slots=True)
class ReadChanges:
    """Read the log piece by piece."""

    log: DomainEventLog

    async def __call__(self, after: Bookmark, limit: int) -> ChangePage:
        """Read the first `limit` that follow a bookmark, in order.

        Raises:
            UnknownCursorError: nothing of this log has that bookmark.
            HistoryUnavailableError: the log cannot be read now.
        """
        begins = after == BEGINNING
        found = await self.log.read(after.position - (not begins), limit + 1 + (not begins))
        if not begins:
            if not found or bookmark_of(found[0]) != after:
                raise UnknownCursorError
            found = found[1:]
        changes = found[:limit]
        return ChangePage(changes, bookmark_of(changes[-1]) if changes else after, len(found) > limit)


@dataclass(slots=True)
class WatchLog:
    """Wait for news of the log: one look a second for all who wait in this process, and none while nobody does."""

    log: DomainEventLog
    interval: float = LOOK_INTERVAL
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _look: SingleFlight[int | None] = field(init=False)

    def __post_init__(self) -> None:
        self._look = SingleFlight(self._next_look)

    async def head(self) -> int | None:
        """Wait for the next look and say where the log ends; None when nobody shall wait any more.

        Raises:
            HistoryUnavailableError: the log cannot be read now.
        """
        return await self._look()

    @property
    def stopped(self) -> bool:
        """Whether nobody shall wait any more."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Let nobody wait any more, now and later: for a process that is told to end."""
        self._stopping.set()

    async def _next_look(self) -> int | None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.interval):
                await self._stopping.wait()
        return None if self.stopped else await self.log.head()
