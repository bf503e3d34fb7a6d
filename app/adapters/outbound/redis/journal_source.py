"""JournalSource in Redis: the stream of a provider, read in order, and trimmed behind what everybody has stored."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import NamedTuple

from app.adapters.outbound.redis.catalog_update import HEAD, KNOWN, LOG, PLANS
from app.adapters.outbound.redis.connection import RedisClient, Script
from app.adapters.outbound.redis.keys import provider_key
from app.adapters.outbound.redis.log_entries import (
    NAME_ENTRY,
    behind,
    entry_id,
    entry_name,
    heads_of,
    leads_on,
    position_of,
)
from app.adapters.outbound.redis.plan_catalog import scan
from app.adapters.outbound.redis.plan_codec import unpack_known, unpack_plan
from app.application.ports.catalog import Behind, CatalogPlan, LogPage, LogPosition
from app.application.ports.history import JournalEntry, JournalSource
from app.domain.plans import PlanId
from app.domain.reconciliation import ChangeKind

CONSUMERS = "consumers"
"""A hash: name -> EPOCH-SEQUENCE, up to where it has stored the log. What is behind all of them may be trimmed."""

# An entry may carry a plan of a thousand zones: few at a time, until it is enough for one transaction.
_ENTRIES_PER_LOOK = 50
_ENTRIES_PER_READ = 200
_BYTES_PER_READ = 1024 * 1024
_PLANS_PER_BATCH = 200

# Head and entries at one instant: between two commands a commit could look like a gap.
_LOOK = Script(
    NAME_ENTRY
    + """
local head = redis.call('HMGET', KEYS[1], 'epoch', 'sequence')
local epoch, sequence = head[1] or '0', head[2] or '0'
local entries = redis.call('XRANGE', KEYS[2], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
return {{epoch, sequence, name_entry(KEYS[2], epoch .. '-' .. sequence)}, name_entry(KEYS[2], ARGV[1]), entries}
"""
)

_STATES = Script("""
return {redis.call('HMGET', KEYS[1], unpack(ARGV)), redis.call('HMGET', KEYS[2], unpack(ARGV))}
""")

# A Redis that is full refuses HSET and takes XTRIM, which is what it needs then: the first may fail. The entry that a
# position names stays, so that it can be told from another one.
_STORED = Script("""
local head, log, consumers = unpack(KEYS)
local at_head = redis.call('HMGET', head, 'epoch', 'sequence')
local function sequence_of(position)
  local epoch, sequence = string.match(position, '^(%d+)-(%d+)$')
  return epoch == at_head[1] and tonumber(sequence) or 0
end
redis.pcall('HSET', consumers, ARGV[1], ARGV[2])
if not at_head[1] then return 0 end
local needless = math.min(sequence_of(ARGV[2]) - 1, tonumber(at_head[2]) - tonumber(ARGV[3]))
local stored = redis.call('HGETALL', consumers)
for i = 1, #stored, 2 do
  if stored[i] ~= ARGV[1] then needless = math.min(needless, sequence_of(stored[i + 1]) - 1) end
end
if needless < 1 then return 0 end
return redis.call('XTRIM', log, 'MINID', '~', at_head[1] .. '-' .. string.format('%.0f', needless + 1))
""")


class _Packed(NamedTuple):
    """An entry of the stream, not unpacked yet."""

    entry_id: bytes
    fields: dict[bytes, bytes]

    @property
    def size(self) -> int:
        return sum(map(len, self.fields.values()))

    @property
    def name(self) -> str:
        return entry_name(self.entry_id, self.fields[b"run"], self.fields[b"id"])


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
        found: list[_Packed] = []
        end, more = after, True
        while more and len(found) < _ENTRIES_PER_READ and sum(packed.size for packed in found) < _BYTES_PER_READ:
            head, stands_there, entries = await self._look(provider, end)
            if not leads_on(end, head, stands_there, [packed.entry_id for packed in entries]):
                return await behind(self._client, provider, end, head, stands_there)
            found += entries
            end = LogPosition(end.epoch, end.sequence + len(entries), entries[-1].name) if entries else head
            more = end.sequence != head.sequence
        unpacked = await asyncio.to_thread(lambda: [_entry(provider, packed.fields) for packed in found])
        return LogPage(unpacked, end, more)

    async def _look(self, provider: str, after: LogPosition) -> tuple[LogPosition, bytes, list[_Packed]]:
        keys = [provider_key(provider, HEAD), provider_key(provider, LOG)]
        head, stands_there, entries = await self._client.run(_LOOK, keys, [entry_id(after), _ENTRIES_PER_LOOK])
        packed = [_Packed(found_id, dict(zip(fields[::2], fields[1::2], strict=True))) for found_id, fields in entries]
        return position_of(head), stands_there, packed

    async def everything(self, provider: str) -> AsyncIterator[Sequence[CatalogPlan]]:
        """Scan the ids, then read plan and knowledge of some of them at one instant."""
        keys = [provider_key(provider, PLANS), provider_key(provider, KNOWN)]
        async for batch in scan(self._client, keys[1]):
            ids = list(batch)
            for begin in range(0, len(ids), _PLANS_PER_BATCH):
                plans, known = await self._client.run(_STATES, keys, ids[begin : begin + _PLANS_PER_BATCH])
                yield await asyncio.to_thread(_states, plans, known)

    async def stored(self, provider: str, position: LogPosition) -> None:
        """Note it, and trim, in one script."""
        keys = [provider_key(provider, part) for part in (HEAD, LOG, CONSUMERS)]
        await self._client.run(_STORED, keys, [self._consumer, entry_id(position), self._log_kept])


def _entry(provider: str, fields: dict[bytes, bytes]) -> JournalEntry:
    plan = fields.get(b"plan")
    return JournalEntry(
        provider=provider,
        plan_id=PlanId(bytes=fields[b"id"]),
        kinds=tuple(ChangeKind(kind) for kind in fields[b"kinds"].decode().split(",")),
        run_id=fields[b"run"].decode(),
        at=datetime.fromisoformat(fields[b"at"].decode()),
        known=unpack_known(fields[b"known"]),
        plan=None if plan is None else unpack_plan(plan),
    )


def _states(plans: Sequence[bytes | None], known: Sequence[bytes | None]) -> list[CatalogPlan]:
    both = zip(plans, known, strict=True)
    return [CatalogPlan(unpack_plan(plan), unpack_known(what)) for plan, what in both if plan and what]
