"""Catalogs of any size, written through the same adapters that a sync uses, into an embedded Redis of their own."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.leases import RedisLeases
from app.adapters.outbound.redis.plan_catalog import RedisPlanCatalog
from app.domain.reconciliation import ChangeKind, PlanChange

BATCH = 20_000
TIMEOUT = 30.0


async def fill(redis_url: str, provider: str, changes: Iterable[PlanChange], at: datetime) -> None:
    """Commit all of `changes` under a lease, in large batches."""
    client = connect(redis_url, timeout=TIMEOUT)
    remaining = iter(changes)
    try:
        catalog = RedisPlanCatalog(client)
        async with RedisLeases(client).hold(provider) as lease:
            while batch := list(islice(remaining, BATCH)):
                update = catalog.update(lease, "bench", at)
                try:
                    await update.stage(batch)
                    await update.commit(list(ChangeKind))
                finally:
                    await update.aclose()
    finally:
        await client.aclose()
