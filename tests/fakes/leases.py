"""Leases in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from app.application.ports.system import Lease, Leases, LeaseTakenError
from tests.fakes.store import MemoryStore


class MemoryLeases(Leases):
    """Leases that last `ttl` seconds after the last sign of life, for all who share the store."""

    def __init__(self, store: MemoryStore, *, ttl: float = 30.0) -> None:
        self._store = store
        self._ttl = ttl

    @asynccontextmanager
    async def hold(self, provider: str) -> AsyncIterator[Lease]:
        """Take, renew in a task of its own, give back."""
        lease = self._take(provider)
        heartbeat = asyncio.create_task(self._renew(lease))
        try:
            yield lease
        finally:
            heartbeat.cancel()
            await asyncio.gather(heartbeat, return_exceptions=True)
            self._store.leases.pop(lease, None)

    def _take(self, provider: str) -> Lease:
        self._store.check()
        held_until = [until for lease, until in self._store.leases.items() if lease.provider == provider]
        left = max(held_until, default=0.0) - monotonic()
        if left > 0:
            raise LeaseTakenError(provider, left)
        lease = Lease(provider, self._store.new_fence(provider))
        self._store.leases[lease] = monotonic() + self._ttl
        return lease

    async def _renew(self, lease: Lease) -> None:
        while self._store.leases.get(lease, 0.0) > monotonic():
            self._store.leases[lease] = monotonic() + self._ttl
            await asyncio.sleep(self._ttl / 3)
