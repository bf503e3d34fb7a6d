"""ChangeLog in memory."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from app.adapters.outbound.memory.store import MemoryStore, Shelf
from app.application.ports.catalog import Behind, ChangeLog, LoggedChange
from app.domain.plans import SearchablePlan


class MemoryChangeLog(ChangeLog):
    """Follows the log of a MemoryStore; looks at it at least every `block` seconds."""

    def __init__(self, store: MemoryStore, *, block: float = 1.0) -> None:
        self._store = store
        self._block = block

    async def searchable(self, provider: str) -> AsyncIterator[Sequence[SearchablePlan]]:
        """Hand out the summaries, in one batch."""
        summaries = list(self._store.shelf(provider).summaries.values())
        if summaries:
            yield summaries

    async def follow(self, provider: str) -> AsyncIterator[Sequence[LoggedChange] | Behind]:
        """Compare the log with the position after every write; another shelf is another log."""
        shelf = self._store.shelf(provider)
        position = shelf.sequence
        yield ()
        while True:
            await self._wait(shelf, position)
            now = self._store.shelf(provider)
            entries = [logged.told for logged in now.log if logged.told.sequence > position]
            behind = now is not shelf or position + len(entries) != now.sequence
            shelf, position = now, now.sequence
            yield Behind(provider) if behind else entries

    async def _wait(self, shelf: Shelf, position: int) -> None:
        if shelf.sequence == position:
            shelf.written.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._block):
                    await shelf.written.wait()
