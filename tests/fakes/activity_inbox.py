"""ActivityInbox in memory."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic

from app.application.ports.activities import ActivityInbox, QueuedBatch
from app.domain.activities import Activity
from tests.fakes.activity_stream import Entry, MemoryActivityStream

_ENTRIES_AT_ONCE = 20


class MemoryActivityInbox(ActivityInbox):
    """One reader. `take` waits for `block` seconds; what was left alone for `takeover` seconds is taken over."""

    def __init__(self, stream: MemoryActivityStream, *, takeover: float = 30.0, block: float = 1.0) -> None:
        self._stream = stream
        self._takeover = takeover
        self._block = block

    async def take(self) -> Sequence[QueuedBatch]:
        """Take what is there, else wait for it."""
        self._stream.store.check()
        if not self._stands_there():
            self._stream.arrived.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._block):
                    await self._stream.arrived.wait()
        taken = self._stands_there()[:_ENTRIES_AT_ONCE]
        for _, entry in taken:
            entry.taken_at = monotonic()
        return [QueuedBatch(token, entry.activities, entry.trace) for token, entry in taken]

    async def settle(self, batches: Sequence[QueuedBatch]) -> None:
        """Remove them."""
        self._stream.store.check()
        for batch in batches:
            self._stream.finish(batch.token)

    async def bury(self, batch: QueuedBatch, dead: Sequence[Activity], reason: str) -> None:
        """Remove it and write a letter."""
        self._stream.store.check()
        if self._stream.finish(batch.token):
            self._stream.bury(dead, reason)

    def _stands_there(self) -> list[tuple[str, Entry]]:
        """List what nobody has, first that which somebody left behind."""
        left_before = monotonic() - self._takeover
        entries = self._stream.entries.items()
        left = [(token, entry) for token, entry in entries if entry.taken_at and entry.taken_at <= left_before]
        return left + [(token, entry) for token, entry in entries if entry.taken_at is None]
