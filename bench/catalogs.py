"""Catalogs of any size, written through the adapters that a sync uses, into an embedded Redis of their own."""

import asyncio
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context

from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.leases import RedisLeases
from app.adapters.outbound.redis.plan_catalog import RedisPlanCatalog
from app.domain.reconciliation import ChangeKind
from bench.plans import PROVIDERS, SEEN_AT, changes

BATCH = 20_000
TIMEOUT = 30.0


def fill(redis_url: str, plans: int) -> None:
    """Write a catalog of `plans`, each provider's by a process of its own."""
    with ProcessPoolExecutor(len(PROVIDERS), get_context("spawn")) as pool:
        for written in [pool.submit(write, redis_url, provider, plans) for provider in PROVIDERS]:
            written.result()


def write(redis_url: str, provider: str, plans: int) -> None:
    """Write one provider's part."""
    asyncio.run(_write(redis_url, provider, plans))


async def _write(redis_url: str, provider: str, plans: int) -> None:
    client = connect(redis_url, timeout=TIMEOUT)
    remaining = changes(provider, plans)
    try:
        catalog = RedisPlanCatalog(client)
        async with RedisLeases(client).hold(provider) as lease:
            while batch := list(islice(remaining, BATCH)):
                update = catalog.update(lease, "bench", SEEN_AT)
                try:
                    await update.stage(batch)
                    await update.commit(list(ChangeKind))
                finally:
                    await update.aclose()
    finally:
        await client.aclose()
