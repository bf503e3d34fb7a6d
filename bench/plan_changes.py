"""Changes of many plans of a measured catalog, written as the commits of syncs write them, at a steady pace.

A process of its own: it makes the changes and stages them, prints a line, waits for one, commits bit by bit, and
prints a Written as JSON.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import chain, zip_longest

import msgspec

from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.leases import RedisLeases
from app.adapters.outbound.redis.plan_catalog import RedisPlanCatalog
from app.application.ports.catalog import CatalogUpdate
from app.domain.plans import Plan, searchable
from app.domain.reconciliation import ChangeKind, PlanChange
from bench.catalogs import TIMEOUT
from bench.plans import PROVIDERS, SEEN_AT, changes

EVERY = 10
"""One plan of so many changes."""
MOVED = 10
"""One change of so many moves its plan by an hour; the others say something else of it at the same time."""
TOGETHER = 500
"""Changes of one commit."""


class Mark(msgspec.Struct, frozen=True):
    """A plan that was changed last: a search finds it by its window, with its new title."""

    query: str
    title: str


class Written(msgspec.Struct, frozen=True):
    """What became of it."""

    changes: int
    seconds: float
    marks: list[Mark]
    """One of each provider."""


def changed(provider: str, plans: int, turn: int) -> Iterator[PlanChange]:
    """Change every tenth plan of a provider; each of ten turns has plans of its own."""
    for number, listed in enumerate(changes(provider, plans)):
        if number % EVERY == turn and listed.plan is not None:
            yield replace(
                listed,
                kinds=(ChangeKind.CHANGED,),
                plan=_changed(listed.plan, moves=number // EVERY % MOVED == 0),
            )


def _changed(plan: Plan, *, moves: bool) -> Plan:
    by = timedelta(hours=1 if moves else 0)
    ends = None if plan.ends is None else plan.ends + by
    return replace(plan, title=f"{plan.title} (changed)", starts=plan.starts + by, ends=ends)


def mark_of(plans: Iterable[Plan]) -> Mark:
    """Say how a search finds one of these plans: one that lasts, but not for long, so that few others are found."""
    lasting = (plan for plan in plans if plan.ends is not None and plan.ends > plan.starts)
    plan = min(lasting, key=lambda plan: plan.ends_at - plan.starts_at)
    found = searchable(plan)
    starts, ends = found.starts_at.replace(tzinfo=None), found.ends_at.replace(tzinfo=None)
    return Mark(f"starts_at={starts.isoformat()}Z&ends_at={ends.isoformat()}Z", plan.title)


async def write(redis_url: str, plans: int, turn: int, seconds: float) -> Written:
    """Stage all, wait for a line, commit evenly over `seconds` or as fast as it goes."""
    listed = {provider: list(changed(provider, plans, turn)) for provider in PROVIDERS}
    client = connect(redis_url, timeout=TIMEOUT)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(client.aclose)
        catalog, leases = RedisPlanCatalog(client), RedisLeases(client)
        staged: list[list[CatalogUpdate]] = []
        for provider, all_changes in listed.items():
            lease = await stack.enter_async_context(leases.hold(provider))
            staged.append([])
            for at in range(0, len(all_changes), TOGETHER):
                update = catalog.update(lease, "bench", SEEN_AT)
                stack.push_async_callback(update.aclose)
                await update.stage(all_changes[at : at + TOGETHER])
                staged[-1].append(update)
        print("staged", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        took = await commit([one for one in chain(*zip_longest(*staged)) if one], seconds)
    marks = [mark_of(change.plan for change in own[-TOGETHER:] if change.plan) for own in listed.values()]
    return Written(sum(map(len, listed.values())), took, marks)


async def commit(updates: Sequence[CatalogUpdate], seconds: float) -> float:
    """Commit one after the other; returns the seconds."""
    began = time.monotonic()
    for number, update in enumerate(updates):
        await update.commit(list(ChangeKind))
        due = began + seconds * (number + 1) / len(updates)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--redis", required=True, help="its URL")
    parser.add_argument("--plans", type=int, required=True, help="in the catalog")
    parser.add_argument("--turn", type=int, required=True, help="which of the ten tenths changes")
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    written = asyncio.run(write(given.redis, given.plans, given.turn, given.seconds))
    print(msgspec.json.encode(written).decode())


if __name__ == "__main__":
    main()
