"""Absences in Redis: a string per provider, written under the lease's fence."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from app.adapters.outbound.redis.catalog_update import FENCE, lease_lost
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import provider_key
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.syncs import Absences
from app.application.ports.system import Lease
from app.domain.plans import PlanId
from app.domain.settling import Absence

ABSENCES = "absences"
"""A string: msgpack, of each plan its id, since when it is absent, and for how many runs."""

_REMEMBER = load_script("remember_state")

_rows = msgspec.msgpack.Decoder(list[tuple[bytes, datetime, int]])


class RedisAbsences(Absences):
    """What waits to be withdrawn, by provider."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    async def find(self, provider: str) -> Mapping[PlanId, Absence]:
        """Read the string."""
        found = await self._client.command("GET", provider_key(provider, ABSENCES))
        rows = [] if found is None else _rows.decode(found)
        return {PlanId(bytes=plan_id): Absence(since, runs) for plan_id, since, runs in rows}

    async def keep(self, lease: Lease, absences: Mapping[PlanId, Absence]) -> None:
        """Write or remove it, unless the fence has moved on."""
        rows = [(plan_id.bytes, absence.since, absence.runs) for plan_id, absence in absences.items()]
        keys = [provider_key(lease.provider, part) for part in (FENCE, ABSENCES)]
        if not await self._client.run(_REMEMBER, keys, [lease.fence, msgspec.msgpack.encode(rows) if rows else b""]):
            raise lease_lost(lease)
