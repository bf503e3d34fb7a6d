"""One step of `bench.journal`, by whichever build's Python runs it: `fill URL CHANGES PROVIDERS`, or `run CONFIG`."""

import asyncio
import sys
from dataclasses import fields, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import uvloop

from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.leases import RedisLeases
from app.adapters.outbound.redis.plan_catalog import RedisPlanCatalog
from app.domain.reconciliation import ChangeKind, KnownPlan, PlanChange
from bench.plans import PROVIDERS as SELLERS
from bench.plans import SEEN_AT, changes


async def fill(redis_url: str, number: int, providers: int) -> None:
    """Write the logs: of each provider a listing of its plans, then a change of each."""
    client = connect(redis_url, timeout=30)
    each = number // providers // 2
    for one in range(providers):
        name = f"provider-{one}"
        listed = [of_provider(change, name) for seller in SELLERS for change in changes(seller, each)][:each]
        async with RedisLeases(client).hold(name) as lease:
            for run_id, batch in (("run-1", listed), ("run-2", [*map(changed, listed)])):
                update = RedisPlanCatalog(client).update(lease, run_id, SEEN_AT)
                await update.stage(batch)
                await update.commit(list(ChangeKind))
                await update.aclose()
    await client.aclose()


def of_provider(change: PlanChange, name: str) -> PlanChange:
    """Give a plan to another provider, with the offsets that a sync notes, if the build does."""
    assert change.plan is not None  # noqa: S101 - all of them list one
    key = change.plan.key
    plan = replace(change.plan, key=key._replace(provider=name, base_id=f"{key.provider} {key.base_id}"))
    known = change.known
    if any(field.name == "offsets" for field in fields(KnownPlan)):
        known = replace(known, offsets=import_module("app.domain.plans").utc_offsets(plan, "2026a"))
    return replace(change, plan_id=plan.key.plan_id, plan=plan, known=known)


def changed(change: PlanChange) -> PlanChange:
    """Change a plan."""
    assert change.plan is not None  # noqa: S101 - all of them list one
    plan = replace(change.plan, title=f"{change.plan.title}, changed")
    known = replace(change.known, digest=change.known.digest[::-1])
    return PlanChange(change.plan_id, (ChangeKind.CHANGED,), known, plan)


async def run(config: Path) -> None:
    """Run the journal's loop for ever, as a worker does."""
    if find_spec("app.infrastructure.opening") is not None:  # the build is an older one
        opening, settings = map(import_module, ("app.infrastructure.opening", "app.infrastructure.configuration"))
        import_module("app.infrastructure.memory").settle_memory()
    else:
        opening = import_module("app.infrastructure.wiring.open_container")
        settings = import_module("app.infrastructure.settings.configuration")
        import_module("app.infrastructure.processes.garbage_collection").freeze_loaded_objects()
    async with opening.open_container(settings.load_settings(config), "worker") as container:
        await container.journal_loop()()


if __name__ == "__main__":
    if sys.argv[1] == "fill":
        asyncio.run(fill(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
    else:
        uvloop.run(run(Path(sys.argv[2])))
