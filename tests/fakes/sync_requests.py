"""SyncRequests in memory."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic

from app.application.ports.system import SyncRequest, SyncRequests
from tests.fakes.store import MemoryStore


class MemorySyncRequests(SyncRequests):
    """A queue. `take` waits for `block` seconds; a sign of life lasts `ttl` seconds."""

    def __init__(self, store: MemoryStore, *, block: float = 1.0, ttl: float = 5.0) -> None:
        self._store = store
        self._block = block
        self._ttl = ttl
        self._alive_until = 0.0
        self._queue: asyncio.Queue[SyncRequest] = asyncio.Queue()

    async def put(self, request: SyncRequest) -> bool:
        """Append, if somebody listens."""
        self._store.check()
        if self._alive_until <= monotonic():
            return False
        self._queue.put_nowait(request)
        return True

    async def take(self) -> Sequence[SyncRequest]:
        """Wait for one, then take those that stand behind it."""
        self._store.check()
        self._alive_until = monotonic() + self._ttl
        taken: list[SyncRequest] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(self._block):
                taken.append(await self._queue.get())
        while not self._queue.empty():
            taken.append(self._queue.get_nowait())
        return taken
