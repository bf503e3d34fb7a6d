"""JournalSource in Redis: the stream of a provider, read in order, and trimmed behind what everybody has stored."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from app.adapters.formats.stored_plan import unpack_plan
from app.adapters.outbound.redis.catalog_update import HEAD, KNOWN, LOG, PLANS
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import provider_key
from app.adapters.outbound.redis.log_entries import LogEntry, behind, entry_id, heads_of, look
from app.adapters.outbound.redis.lua import load_script
from app.adapters.outbound.redis.plan_catalog import standing
from app.adapters.outbound.redis.plan_codec import unpack_known
from app.application.ports.catalog import Behind, CatalogPlan, LogPage, LogPosition
from app.application.ports.history import JournalEntry, JournalSource

CONSUMERS = "consumers"
"""A hash: name -> EPOCH-SEQUENCE, up to where it has stored the log. What is behind all of them may be trimmed."""

# An entry may carry a plan of a thousand zones: few at a time, until it is enough for one transaction.
_ENTRIES_PER_LOOK = 50
_ENTRIES_PER_READ = 200
_BYTES_PER_READ = 1024 * 1024

_STORED = load_script("note_stored")


class RedisJournalSource(JournalSource):
    """Reads the logs as `consumer`; about `log_kept` entries of each stay for followers, at least.

    Who stores logs has a name of its own, and none forgets what another has yet to store.
    """

    def __init__(self, client: RedisClient, *, consumer: str = "journal", log_kept: int = 100_000) -> None:
        self._client = client
        self._consumer = consumer
        self._log_kept = log_kept

    async def head(self, provider: str) -> LogPosition | None:
        """Read the head, and what stands there."""
        return (await heads_of(self._client, [provider]))[0]

    async def read(self, provider: str, after: LogPosition) -> LogPage[JournalEntry] | Behind:
        """Look on until it is enough; unpack in a thread."""
        found: list[LogEntry] = []
        end, more = after, True
        while more and len(found) < _ENTRIES_PER_READ and sum(entry.size for entry in found) < _BYTES_PER_READ:
            seen = (await look(self._client, {provider: end}, _ENTRIES_PER_LOOK))[provider]
            if not seen.leads_on(end):
                return await behind(self._client, provider, end, seen)
            found += seen.entries
            end = seen.end(end)
            more = end.sequence != seen.head.sequence
        unpacked = await asyncio.to_thread(lambda: [_entry(provider, entry) for entry in found])
        return LogPage(unpacked, end, more)

    async def everything(self, provider: str) -> AsyncIterator[Sequence[CatalogPlan]]:
        """Read plan and knowledge of some of them at one instant; unpack in a thread."""
        async for rows in standing(self._client, provider, KNOWN, PLANS):
            yield await asyncio.to_thread(_states, rows)

    async def stored(self, provider: str, position: LogPosition) -> None:
        """Note it, and trim, in one script."""
        keys = [provider_key(provider, part) for part in (HEAD, LOG, CONSUMERS)]
        await self._client.run(_STORED, keys, [self._consumer, entry_id(position), self._log_kept])


def _entry(provider: str, entry: LogEntry) -> JournalEntry:
    plan = entry.fields.get(b"plan")
    return JournalEntry(
        **entry.logged(provider),
        known=unpack_known(entry.fields[b"known"]),
        plan=None if plan is None else unpack_plan(plan),
    )


def _states(rows: Sequence[Sequence[bytes | None]]) -> list[CatalogPlan]:
    return [CatalogPlan(unpack_plan(plan), unpack_known(known)) for _, known, plan in rows if plan and known]
