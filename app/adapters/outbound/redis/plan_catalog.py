"""PlanCatalog in Redis."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime

import msgspec

from app.adapters.formats.stored_plan import unpack_plan
from app.adapters.outbound.redis.catalog_update import (
    FENCE,
    KNOWN,
    PLANS,
    PROVIDERS,
    SUMMARIES,
    RedisCatalogUpdate,
    lease_lost,
)
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import provider_key
from app.adapters.outbound.redis.lua import load_script
from app.adapters.outbound.redis.plan_codec import unpack_known, unpack_searchable
from app.application.ports.catalog import CatalogPlan, CatalogUpdate, PlanCatalog, ProviderState, with_offsets
from app.application.ports.system import Lease
from app.domain.known_plans import KnownPlans
from app.domain.plans import PlanId, SearchablePlan, searchable

STATE = "state"
"""A string: the ProviderState as JSON."""

_SCAN_COUNT = 1_000
_PLANS_PER_BATCH = 200

_REMEMBER = load_script("remember_state")
_READ = load_script("read_fields")

_state = msgspec.json.Decoder(ProviderState)


class RedisPlanCatalog(PlanCatalog):
    """The live state of all plans."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    async def providers(self) -> Sequence[str]:
        """List the named providers that have a plan: a name is written just before its first plan, which may fail."""
        names = sorted(name.decode() for name in await self._client.command("SMEMBERS", PROVIDERS))
        have_plans = await self._client.many([("EXISTS", provider_key(name, KNOWN)) for name in names])
        return [name for name, has_plans in zip(names, have_plans, strict=True) if has_plans]

    async def state(self, provider: str) -> ProviderState:
        """Read the provider's state."""
        return (await self.states([provider]))[0]

    async def states(self, providers: Sequence[str]) -> Sequence[ProviderState]:
        """Read the states of several."""
        found = await self._client.many([("GET", provider_key(name, STATE)) for name in providers])
        return [ProviderState() if stored is None else _state.decode(stored) for stored in found]

    async def remember(self, lease: Lease, state: ProviderState) -> None:
        """Write the provider's state, unless the fence has moved on."""
        keys = [provider_key(lease.provider, FENCE), provider_key(lease.provider, STATE)]
        if not await self._client.run(_REMEMBER, keys, [lease.fence, msgspec.json.encode(state)]):
            raise lease_lost(lease)

    async def known(self, provider: str) -> KnownPlans:
        """Scan the provider's plans; only its lease holder changes them meanwhile."""
        known = KnownPlans((await self.counts([provider]))[0])
        async for batch in scan(self._client, provider_key(provider, KNOWN)):
            for plan_id, packed in batch.items():
                known.add(PlanId(bytes=plan_id), unpack_known(packed))
        return known

    async def counts(self, providers: Sequence[str]) -> Sequence[int]:
        """Ask for the lengths of hashes."""
        return [
            int(length) for length in await self._client.many([("HLEN", provider_key(p, KNOWN)) for p in providers])
        ]

    async def told(self, provider: str, plan_ids: Collection[PlanId]) -> Mapping[PlanId, SearchablePlan]:
        """Read summaries; of those that have none, as they were never online, the plans."""
        found: dict[PlanId, SearchablePlan] = {}
        async for plan_id, summary in self._fields(provider, SUMMARIES, list(plan_ids)):
            found[plan_id] = unpack_searchable(provider, plan_id, summary)
        others = [plan_id for plan_id in plan_ids if plan_id not in found]
        async for plan_id, plan in self._fields(provider, PLANS, others):
            found[plan_id] = searchable(unpack_plan(plan))
        return found

    async def _fields(self, provider: str, part: str, ids: Sequence[PlanId]) -> AsyncIterator[tuple[PlanId, bytes]]:
        for begin in range(0, len(ids), _PLANS_PER_BATCH):
            some = ids[begin : begin + _PLANS_PER_BATCH]
            values = await self._client.command("HMGET", provider_key(provider, part), *(one.bytes for one in some))
            for plan_id, value in zip(some, values, strict=True):
                if value is not None:
                    yield plan_id, value

    async def find(self, plan_id: PlanId) -> CatalogPlan | None:
        """Ask every provider: an id does not tell whose it is."""
        names = [name.decode() for name in await self._client.command("SMEMBERS", PROVIDERS)]
        calls = [([provider_key(name, PLANS), provider_key(name, KNOWN)], [plan_id.bytes]) for name in names]
        for (plan,), (known,) in await self._client.run_many(_READ, calls):
            if plan is not None and known is not None:
                return CatalogPlan(unpack_plan(plan), unpack_known(known))
        return None

    async def everything(self, provider: str) -> AsyncIterator[Sequence[CatalogPlan]]:
        """Read all that stands of some of them at one instant; unpack in a thread."""
        async for rows in standing(self._client, provider, KNOWN, PLANS, SUMMARIES):
            yield await asyncio.to_thread(_catalog_plans, rows)

    def update(self, lease: Lease, run_id: str, at: datetime) -> CatalogUpdate:
        """Begin a run's changes."""
        return RedisCatalogUpdate(self._client, lease, run_id, at)


def _catalog_plans(rows: Sequence[Sequence[bytes | None]]) -> list[CatalogPlan]:
    return [_catalog_plan(id_, plan, known, summary) for id_, known, plan, summary in rows if id_ and plan and known]


def _catalog_plan(id_: bytes, plan: bytes, known: bytes, summary: bytes | None) -> CatalogPlan:
    found = CatalogPlan(unpack_plan(plan), unpack_known(known))
    if summary is None or found.known.offsets is not None:
        return found
    told = unpack_searchable(found.plan.key.provider, PlanId(bytes=id_), summary)
    return with_offsets(found, told.starts_at, told.ends_at)


async def standing(client: RedisClient, provider: str, *parts: str) -> AsyncIterator[Sequence[Sequence[bytes | None]]]:
    """Scan the ids of the first part, then read all parts of some at one instant: rows, the id first."""
    keys = [provider_key(provider, part) for part in parts]
    async for batch in scan(client, keys[0]):
        ids = list(batch)
        for begin in range(0, len(ids), _PLANS_PER_BATCH):
            some = ids[begin : begin + _PLANS_PER_BATCH]
            yield list(zip(some, *await client.run(_READ, keys, some), strict=True))


async def scan(client: RedisClient, key: str) -> AsyncIterator[Mapping[bytes, bytes]]:
    """Read a hash batch by batch, so that neither Redis nor the event loop stands still; a field may come twice."""
    cursor = 0
    while True:
        cursor, batch = await client.command("HSCAN", key, cursor, "COUNT", _SCAN_COUNT)
        yield batch
        if not cursor:
            return
