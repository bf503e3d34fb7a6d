"""Leases in Redis: a key with a time to live, and a fence that outlives it."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from app.adapters.outbound.redis.catalog_update import FENCE
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import provider_key
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.system import Lease, Leases, LeaseTakenError, LiveStateUnavailableError

LEASE = "lease"
"""A string with a time to live: the holder's random token."""

_TAKE = load_script("take_lease")
_RENEW = load_script("renew_lease")
_RELEASE = load_script("release_lease")


class RedisLeases(Leases):
    """Leases that last `ttl` seconds after the last sign of life, which is given every third of that."""

    def __init__(self, client: RedisClient, *, ttl: float = 30.0) -> None:
        self._client = client
        self._ttl = ttl
        self._ttl_ms = round(ttl * 1000)

    @asynccontextmanager
    async def hold(self, provider: str) -> AsyncIterator[Lease]:
        """Take, renew in a task of its own, give back."""
        token = secrets.token_hex(16)
        lease = await self._take(provider, token)
        heartbeat = asyncio.create_task(self._renew(provider, token))
        try:
            yield lease
        finally:
            heartbeat.cancel()
            await asyncio.gather(heartbeat, return_exceptions=True)
            with suppress(LiveStateUnavailableError):  # then the lease runs out by itself
                await self._client.run(_RELEASE, [provider_key(provider, LEASE)], [token])

    async def _take(self, provider: str, token: str) -> Lease:
        keys = [provider_key(provider, LEASE), provider_key(provider, FENCE)]
        taken, number = await self._client.run(_TAKE, keys, [token, self._ttl_ms])
        if not taken:
            raise LeaseTakenError(provider, max(number, 0) / 1000)
        return Lease(provider, int(number))

    async def _renew(self, provider: str, token: str) -> None:
        """Renew until the lease is lost: the fence will tell its holder, who may be in the middle of a fetch."""
        held = True
        while held:
            await asyncio.sleep(self._ttl / 3)
            with suppress(LiveStateUnavailableError):  # it may be back before the lease runs out
                held = bool(await self._client.run(_RENEW, [provider_key(provider, LEASE)], [token, self._ttl_ms]))
