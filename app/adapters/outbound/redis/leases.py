"""Leases in Redis: a key with a time to live, and a fence that outlives it."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from app.adapters.outbound.redis.catalog_update import FENCE
from app.adapters.outbound.redis.connection import RedisClient, Script
from app.adapters.outbound.redis.keys import provider_key
from app.application.ports.system import Lease, Leases, LeaseTakenError, LiveStateUnavailableError

LEASE = "lease"
"""A string with a time to live: the holder's random token."""

# The fence is at least the server's time in us, so that it grows on when Redis lost it together with its data.
_TAKE = Script("""
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return {0, redis.call('PTTL', KEYS[1])}
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local fence = string.format('%.0f', math.max(tonumber(redis.call('GET', KEYS[2]) or 0) + 1, now))
redis.call('SET', KEYS[2], fence)
return {1, fence}
""")

_RENEW = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
""")

_RELEASE = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
""")


class RedisLeases(Leases):
    """Leases that last `ttl` seconds after the last sign of life, which is given every third of that."""

    def __init__(self, client: RedisClient, *, ttl: float = 30.0) -> None:
        self._client = client
        self._ttl = ttl

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

    @property
    def _ttl_ms(self) -> int:
        return round(self._ttl * 1000)
