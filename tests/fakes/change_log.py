"""ChangeLog in memory."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress

from app.application.ports.catalog import Behind, ChangeLog, LoggedChange, LogPage, LogPosition
from app.domain.plans import SearchablePlan
from tests.fakes.store import MemoryStore

_ENTRIES_PER_READ = 100


class MemoryChangeLog(ChangeLog):
    """Follows the logs of a MemoryStore; looks at them at least every `block` seconds."""

    def __init__(self, store: MemoryStore, *, block: float = 1.0) -> None:
        self._store = store
        self._block = block

    async def searchable(self, provider: str) -> AsyncIterator[Sequence[SearchablePlan]]:
        """Hand out the summaries, in one batch."""
        summaries = list(self._store.shelf(provider).summaries.values())
        if summaries:
            yield summaries

    async def heads(self) -> AsyncIterator[Mapping[str, LogPosition | None]]:
        """Compare all heads with those told, after every write."""
        told: Mapping[str, LogPosition] = {}
        while True:
            now = self._store.heads
            yield {name: now.get(name) for name in sorted({*told, *now}) if now.get(name) != told.get(name)}
            told = now
            if self._store.heads == told:
                await self._wait()

    async def _wait(self) -> None:
        self._store.written.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._block):
                await self._store.written.wait()

    async def read(self, after: Mapping[str, LogPosition]) -> Mapping[str, LogPage[LoggedChange] | Behind]:
        """Cut it out of each log."""
        return {name: self._page(name, position) for name, position in after.items()}

    def _page(self, provider: str, after: LogPosition) -> LogPage[LoggedChange] | Behind:
        shelf = self._store.shelf(provider)
        if behind := shelf.behind(provider, after):
            return behind
        found = [logged.told for logged in shelf.log if logged.told.sequence > after.sequence][:_ENTRIES_PER_READ]
        end = shelf.position(after.sequence + len(found))
        return LogPage(found, end, more=end.sequence != shelf.sequence)
