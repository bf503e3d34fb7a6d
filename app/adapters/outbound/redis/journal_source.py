"""JournalSource in Redis: the stream of a provider, read in order, and trimmed behind what everybody has stored."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from app.adapters.formats.stored_plan import StoredPlan, unpack_plan
from app.adapters.outbound.redis.catalog_update import HEAD, KNOWN, LOG, PLANS
from app.adapters.outbound.redis.connection import Call, RedisClient
from app.adapters.outbound.redis.keys import provider_key
from app.adapters.outbound.redis.log_entries import ENOUGH, LogEntry, LogLook, behind, entry_id, heads_of, look
from app.adapters.outbound.redis.lua import load_script
from app.adapters.outbound.redis.plan_catalog import standing
from app.adapters.outbound.redis.plan_codec import unpack_known, unpack_searchable
from app.application.ports.catalog import Behind, CatalogPlan, LogPage, LogPosition
from app.application.ports.history import JournalEntry, JournalSource

CONSUMERS = "consumers"
"""A hash: name -> EPOCH-SEQUENCE, up to where it has stored the log. What is behind all of them may be trimmed."""

_ENTRIES_PER_READ = 1_000
"""One transaction's worth, if their plans are small."""

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

    async def read(self, after: Mapping[str, LogPosition]) -> Mapping[str, LogPage[JournalEntry] | Behind]:
        """Look at all of them together; unpack in a thread."""
        most, enough = (total // max(len(after), 1) or 1 for total in (_ENTRIES_PER_READ, ENOUGH))
        seen = await look(self._client, after, ["known", "searchable", "plan"], most=most, enough=enough)
        leading = {name: found for name, found in seen.items() if found.leads_on(after[name])}
        pages = await asyncio.to_thread(lambda: {name: _page(name, after[name], leading[name]) for name in leading})
        astray = {name: found for name, found in seen.items() if name not in leading}
        return pages | {name: await behind(self._client, name, after[name], found) for name, found in astray.items()}

    async def everything(self, provider: str) -> AsyncIterator[Sequence[CatalogPlan]]:
        """Read plan and knowledge of some of them at one instant; unpack in a thread."""
        async for rows in standing(self._client, provider, KNOWN, PLANS):
            yield await asyncio.to_thread(_states, rows)

    async def stored(self, positions: Mapping[str, LogPosition]) -> None:
        """Note it, and trim, each log in one script."""
        calls: list[Call] = [
            (
                [provider_key(name, part) for part in (HEAD, LOG, CONSUMERS)],
                [self._consumer, entry_id(position), self._log_kept],
            )
            for name, position in positions.items()
        ]
        await self._client.run_many(_STORED, calls)


def _page(provider: str, after: LogPosition, seen: LogLook) -> LogPage[JournalEntry]:
    end = seen.end(after)
    return LogPage([_entry(provider, entry) for entry in seen.entries], end, more=end.sequence != seen.head.sequence)


def _entry(provider: str, entry: LogEntry) -> JournalEntry:
    logged, known = entry.logged(provider), unpack_known(entry.fields["known"])
    packed, summary = entry.fields["plan"], entry.fields["searchable"]
    told = unpack_searchable(provider, logged["plan_id"], summary) if packed and summary else None
    return JournalEntry(**logged, known=known, plan=StoredPlan(packed, told) if packed else None)


def _states(rows: Sequence[Sequence[bytes | None]]) -> list[CatalogPlan]:
    return [CatalogPlan(unpack_plan(plan), unpack_known(known)) for _, known, plan in rows if plan and known]
