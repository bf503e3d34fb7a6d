"""Plans are mended once each, however often the process that does it is killed."""

import subprocess
import sys
from collections import Counter
from contextlib import aclosing
from dataclasses import replace

import pytest

from app.adapters.outbound.redis.change_log import RedisChangeLog
from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.leases import RedisLeases
from app.adapters.outbound.redis.plan_catalog import RedisPlanCatalog
from app.domain.plans import UtcOffsets
from app.domain.reconciliation import ChangeKind
from app.infrastructure.time_zones.zone_rules import ZONE_RULES
from tests.processes.retime import LEASE_SECONDS, retime
from tests.support.builders import NOW, a_change, a_plan
from tests.support.redis_server import RedisServer, require_server
from tests.support.waiting import until
from tests.support.zone_files import VANCOUVER

pytestmark = [pytest.mark.redis_server, pytest.mark.faults]

PLANS, KILLS = 4000, 3
LOG = "marquee:1:{p:demo}:log"
OLD = UtcOffsets(-28_800, -28_800, "2025b")


async def fill(url: str) -> None:
    """Write plans as a process of 2025 did."""
    client = connect(url, timeout=10)
    plans = [a_plan(number, starts="2026-12-05T21:00", timezone=VANCOUVER) for number in range(PLANS)]
    changes = [replace(change, known=replace(change.known, offsets=OLD)) for change in map(a_change, plans)]
    async with (
        RedisLeases(client).hold("demo") as lease,
        aclosing(RedisPlanCatalog(client).update(lease, "before", NOW)) as update,
    ):
        await update.stage(changes)
        await update.commit([ChangeKind.LISTED])
    await client.aclose()


def kill_one(server: RedisServer) -> None:
    """Start a process that mends, and kill it as soon as it has written something more."""
    with server.client() as client:
        before = client.xlen(LOG)
        process = subprocess.Popen([sys.executable, "-m", "tests.processes.retime", server.url])
        try:
            until(lambda: client.xlen(LOG) > before or process.poll() is not None, 60)
        finally:
            process.kill()
            process.wait()
        until(lambda: not client.exists("marquee:1:{p:demo}:lease"), LEASE_SECONDS + 10)


async def test_each_plan_is_mended_once_whenever_the_process_is_killed() -> None:
    require_server()
    with RedisServer() as server:
        await fill(server.url)
        for _ in range(KILLS):
            kill_one(server)

        await retime(server.url)

        client = connect(server.url, timeout=10)
        found = [plan async for batch in RedisPlanCatalog(client).everything("demo") for plan in batch]
        told = [plan async for batch in RedisChangeLog(client, client).searchable("demo") for plan in batch]
        state = await RedisPlanCatalog(client).state("demo")
        await client.aclose()
        with server.client() as operator:
            entries = operator.xrange(LOG)
    assert {plan.known.offsets for plan in found} == {UtcOffsets(-25_200, -25_200, ZONE_RULES)}
    assert {plan.starts_at.hour for plan in told} == {4}
    assert state.settled_rules == ZONE_RULES
    mended = Counter(fields[b"id"] for _, fields in entries if fields[b"kinds"] == b"retimed")
    assert (len(mended), set(mended.values())) == (PLANS, {1})
