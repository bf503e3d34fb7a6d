"""Syncs of a file:// feed into the Redis at SOCKET, each in a process forked off this one, which has imported all.

For each word on the standard input: `start` forks a sync and answers with its process id; `wait` waits for its end and
answers with its exit code (minus the signal that killed it). A sync ends with 0 when it was applied, with 3 when
another still had the lease, else with 1.
"""

import asyncio
import os
import sys
from uuid import uuid4

from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.providers.plan_list_xml import PlanListXmlProvider
from app.adapters.outbound.redis.absences import RedisAbsences
from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.held_plans import RedisHeldPlans
from app.adapters.outbound.redis.leases import RedisLeases
from app.adapters.outbound.redis.plan_catalog import RedisPlanCatalog
from app.adapters.outbound.redis.rejection_lists import RedisRejectionLists
from app.adapters.outbound.redis.sync_journal import RedisSyncJournal
from app.adapters.outbound.redis.sync_transitions import RedisTransitionLog
from app.application.sync_provider import SyncOrder, SyncProvider
from app.domain.sync_runs import SyncOutcome
from tests.support.scripted_provider import configured
from tests.support.sync_world import a_retiming

LEASE_SECONDS = 0.05
"""Short, so that the next sync need not wait for long for what a killed one left."""

EXIT_CODES = {SyncOutcome.APPLIED: 0, SyncOutcome.UNCHANGED: 0, SyncOutcome.SKIPPED: 3}


async def sync(socket: str, feed: str) -> int:
    client = connect(f"unix://{socket}", timeout=5)
    catalog, leases, clock = RedisPlanCatalog(client), RedisLeases(client, ttl=LEASE_SECONDS), SystemClock()
    use_case = SyncProvider(
        catalog=catalog,
        journal=RedisSyncJournal(client),
        rejections=RedisRejectionLists(client),
        held=RedisHeldPlans(client),
        absences=RedisAbsences(client),
        transitions=RedisTransitionLog(client),
        leases=leases,
        clock=clock,
        retime=a_retiming(catalog, leases, clock),
    )
    provider = configured(PlanListXmlProvider(name="acme", url=feed, timezone="Europe/Madrid"), name="acme")
    report = await use_case(provider, SyncOrder(run_id=str(uuid4())))
    await client.aclose()
    return EXIT_CODES.get(report.outcome, 1)


def start(socket: str, feed: str) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        code = asyncio.run(sync(socket, feed))
    finally:
        os._exit(code)


def main() -> None:
    socket, feed = sys.argv[1:]
    child = 0
    for line in sys.stdin:
        if line.strip() == "start":
            child = answer = start(socket, feed)
        else:
            answer = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(answer, flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
