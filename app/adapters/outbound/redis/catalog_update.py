"""The changes of one run, written to Redis in batches: plan state, change-log entry and fence check in one script."""

import asyncio
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime

from app.adapters.outbound.redis.catalog_news import tell_news
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import PREFIX, provider_key
from app.adapters.outbound.redis.lua import load_script
from app.adapters.outbound.redis.staged_changes import PackedChange, StagedChanges
from app.application.ports.catalog import CatalogUpdate, LeaseLostError
from app.application.ports.system import Lease
from app.domain.reconciliation import ChangeKind, PlanChange

PROVIDERS = f"{PREFIX}:providers"
"""A set of names. No provider's hash tag, so it is written before the first change and read with care."""

PLANS = "plans"
"""A hash: plan id -> the whole plan."""
KNOWN = "known"
"""A hash: plan id -> what a sync must remember."""
SUMMARIES = "summaries"
"""A hash: plan id -> what search needs, of plans that were online once."""
LOG = "log"
"""A stream: the change log. An entry's id is EPOCH-SEQUENCE: a log that was replaced has other epochs.

It is never trimmed here: journal_source.py does it, behind what every consumer has stored.
"""
HEAD = "head"
"""A hash: `epoch`, a random number of the log, and `sequence`, that of its last entry."""
FENCE = "fence"
"""The fence of the newest lease (leases.py writes it)."""

# Packing this many zones takes about 10 ms; beyond, the event loop is left alone.
_ZONES_TO_PACK_IN_THE_LOOP = 1_000

_COMMIT = load_script("commit_changes")


class RedisCatalogUpdate(CatalogUpdate):
    """Stages in a temporary file, commits with one script call in flight, so that a crash leaves a prefix written."""

    def __init__(self, client: RedisClient, lease: Lease, run_id: str, at: datetime) -> None:
        self._client = client
        self._lease = lease
        self._run_id = run_id
        self._at = at
        self._staged = StagedChanges()

    async def stage(self, changes: Sequence[PlanChange]) -> None:
        """Pack the changes and put them aside; many of them in a thread."""
        if sum(len(change.plan.zones) + 10 for change in changes if change.plan) > _ZONES_TO_PACK_IN_THE_LOOP:
            await asyncio.to_thread(self._staged.add, changes)
        else:
            self._staged.add(changes)

    async def commit(self, kinds: Collection[ChangeKind]) -> None:
        """Write what was staged, in order, in batches of at most about 1 MB."""
        for number, batch in enumerate(self._staged.batches(kinds)):
            if number == 0:
                await self._client.command("SADD", PROVIDERS, self._lease.provider)
            await self._write(batch)
        self._staged.clear()

    async def _write(self, batch: Sequence[PackedChange]) -> None:
        keys = [provider_key(self._lease.provider, part) for part in (FENCE, HEAD, LOG, PLANS, KNOWN, SUMMARIES)]
        arguments: list[bytes | str | float] = [
            self._lease.fence,
            secrets.randbits(48) + 1,
            self._run_id,
            self._at.isoformat(),
        ]
        for change in batch:
            arguments += (change.plan_id, ",".join(change.kinds), change.known, change.searchable, change.plan)
        if not await self._client.run(_COMMIT, keys, arguments):
            raise lease_lost(self._lease)
        await tell_news(self._client, self._lease.provider)

    async def aclose(self) -> None:
        """Close the temporary file."""
        self._staged.close()


def lease_lost(lease: Lease) -> LeaseLostError:
    """Say that a write was refused by its fence."""
    return LeaseLostError(
        f"the lease on {lease.provider!r} (fence {lease.fence}) was taken by another process, or Redis lost it: "
        "what was not written yet was refused, the next sync completes it"
    )
