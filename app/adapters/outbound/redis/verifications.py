"""Verifications in Redis: the last one, as JSON."""

import msgspec

from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import SERVICE
from app.application.ports.figures import Verification, Verifications

LAST = f"{SERVICE}:verification"

_verification = msgspec.json.Decoder(Verification)


class RedisVerifications(Verifications):
    """One string."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    async def note(self, verification: Verification) -> None:
        """Write it over the one before."""
        await self._client.command("SET", LAST, msgspec.json.encode(verification))

    async def last(self) -> Verification | None:
        """Read it."""
        found = await self._client.command("GET", LAST)
        return _verification.decode(found) if found else None
