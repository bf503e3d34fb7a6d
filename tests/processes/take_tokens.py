"""Take tokens of one caller's bucket, and print how many were granted."""

import asyncio
import sys
from functools import partial

from app.adapters.outbound.limits.shared_rate_limiter import SharedRateLimiter
from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.lua import Script
from app.application.ports.limits import Bucket, Rate


async def take(url: str, count: int, rate: Rate) -> int:
    client = connect(url, timeout=5)
    limiter = SharedRateLimiter(
        {Bucket.READS: rate},
        lambda source: partial(client.run, Script(source)),
        sys.exit,
        timeout=5,  # a busy machine must not look like a Redis that is down
    )
    quotas = [await limiter.take(Bucket.READS, "ana") for _ in range(count)]
    await client.aclose()
    return sum(quota is not None and quota.allowed for quota in quotas)


if __name__ == "__main__":
    url, count, per_second, burst = sys.argv[1:]
    sys.stdout.write(str(asyncio.run(take(url, int(count), Rate(float(per_second), int(burst))))))
