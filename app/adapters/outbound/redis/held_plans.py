"""HeldPlans in Redis: a string per provider, written under the lease's fence."""

import msgspec

from app.adapters.outbound.redis.catalog_update import FENCE, lease_lost
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import provider_key
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.syncs import HeldPlans
from app.application.ports.system import Lease
from app.domain.proposed_changes import HeldChanges

HELD = "held"
"""A string: HeldChanges as JSON."""

_REMEMBER = load_script("remember_state")

_held = msgspec.json.Decoder(HeldChanges)


class RedisHeldPlans(HeldPlans):
    """What is held, by provider."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    async def find(self, provider: str) -> HeldChanges | None:
        """Read the string."""
        found = await self._client.command("GET", provider_key(provider, HELD))
        return None if found is None else _held.decode(found)

    async def keep(self, lease: Lease, held: HeldChanges | None) -> None:
        """Write or remove it, unless the fence has moved on."""
        keys = [provider_key(lease.provider, part) for part in (FENCE, HELD)]
        if not await self._client.run(_REMEMBER, keys, [lease.fence, msgspec.json.encode(held) if held else b""]):
            raise lease_lost(lease)
