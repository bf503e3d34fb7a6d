"""A process that mends the instants of all plans in the Redis at a unix socket, once, and ends."""

import asyncio
import sys

from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.leases import RedisLeases
from app.adapters.outbound.redis.plan_catalog import RedisPlanCatalog
from app.infrastructure.time_zones.zone_rules import ZONE_RULES, use_pinned_rules
from tests.support.sync_world import a_retiming

LEASE_SECONDS = 0.2
"""Short, so that nobody waits for long for what a killed one left."""


async def retime(url: str) -> None:
    client = connect(url, timeout=10)
    leases = RedisLeases(client, ttl=LEASE_SECONDS)
    await a_retiming(RedisPlanCatalog(client), leases, SystemClock(), ZONE_RULES)()
    await client.aclose()


if __name__ == "__main__":
    use_pinned_rules()
    asyncio.run(retime(sys.argv[1]))
