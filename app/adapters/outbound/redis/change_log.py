"""ChangeLog in Redis: a stream per provider, whose entry ids say which log they are of and where in it."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from struct import iter_unpack
from typing import Any

from app.adapters.outbound.redis.catalog_update import HEAD, LOG, SUMMARIES
from app.adapters.outbound.redis.connection import Call, RedisClient, Script
from app.adapters.outbound.redis.keys import provider_key
from app.adapters.outbound.redis.log_entries import NAME_ENTRY, behind, entry_id, entry_name, leads_on, position_of
from app.adapters.outbound.redis.log_heads import LogHeads
from app.adapters.outbound.redis.plan_codec import unpack_searchable
from app.application.ports.catalog import Behind, ChangeLog, LoggedChange, LogPage, LogPosition
from app.domain.plans import PlanId, SearchablePlan
from app.domain.reconciliation import ChangeKind

_ENTRIES_PER_READ = 100
_PLANS_PER_SCAN = 1_000
"""Redis stands still for a millisecond."""

# Head and entries at one instant: between two commands a commit could look like a gap. Whole plans stay where they are.
_READ = Script(
    NAME_ENTRY
    + """
local head = redis.call('HMGET', KEYS[1], 'epoch', 'sequence')
local epoch, sequence = head[1] or '0', head[2] or '0'
local told = {}
for number, entry in ipairs(redis.call('XRANGE', KEYS[2], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])) do
  local kept = {}
  for i = 1, #entry[2], 2 do
    if entry[2][i] ~= 'plan' and entry[2][i] ~= 'known' then
      table.insert(kept, entry[2][i])
      table.insert(kept, entry[2][i + 1])
    end
  end
  told[number] = {entry[1], kept}
end
return {{epoch, sequence, name_entry(KEYS[2], epoch .. '-' .. sequence)}, name_entry(KEYS[2], ARGV[1]), told}
"""
)

# The ids, 16 bytes each, the sizes of the values, 4 bytes each, and the values, all in one order.
_SCAN = Script("""
local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local ids, sizes, values = {}, {}, {}
for at = 1, #found[2], 2 do
  local value = found[2][at + 1]
  ids[#ids + 1] = found[2][at]
  sizes[#sizes + 1] = struct.pack('<I4', #value)
  values[#values + 1] = value
end
return {found[1], table.concat(ids), table.concat(sizes), table.concat(values)}
""")


class RedisChangeLog(ChangeLog):
    """Waits in blocking reads of at most `block` seconds.

    `blocking` is a client of its own, whose timeout is longer than that: whoever watches keeps one of its connections.
    """

    def __init__(self, client: RedisClient, blocking: RedisClient, *, block: float = 1.0) -> None:
        self._client = client
        self._blocking = blocking
        self._block = block

    async def searchable(self, provider: str) -> AsyncIterator[Sequence[SearchablePlan]]:
        """Scan the summaries, a batch as one answer: redis-py takes as long to read a value as all else takes."""
        cursor = b"0"
        while True:
            cursor, ids, sizes, joined = await self._client.run(
                _SCAN, [provider_key(provider, SUMMARIES)], [cursor, _PLANS_PER_SCAN]
            )
            if ids:
                yield list(_unjoined(ids, sizes, joined))
            if cursor == b"0":
                return

    def heads(self) -> AsyncIterator[Mapping[str, LogPosition | None]]:
        """Watch with a memory of its own."""
        return LogHeads(self._client, self._blocking, self._block)()

    async def read(self, after: Mapping[str, LogPosition]) -> Mapping[str, LogPage[LoggedChange] | Behind]:
        """Look at all of them together, at each at one instant."""
        calls: list[Call] = [
            ([provider_key(name, HEAD), provider_key(name, LOG)], [entry_id(position), _ENTRIES_PER_READ])
            for name, position in after.items()
        ]
        replies = await self._client.run_many(_READ, calls)
        return {
            name: await self._page(name, position, *reply)
            for (name, position), reply in zip(after.items(), replies, strict=True)
        }

    async def _page(
        self, provider: str, after: LogPosition, at_head: Sequence[bytes], stands_there: bytes, found: Sequence[Any]
    ) -> LogPage[LoggedChange] | Behind:
        head = position_of(at_head)
        if not leads_on(after, head, stands_there, [stream_id for stream_id, _ in found]):
            return await behind(self._client, provider, after, head, stands_there)
        entries = [(stream_id, dict(zip(fields[::2], fields[1::2], strict=True))) for stream_id, fields in found]
        told = [_told(provider, after.sequence + number, fields) for number, (_, fields) in enumerate(entries, start=1)]
        if not entries:
            return LogPage((), head, more=False)
        stream_id, last = entries[-1]
        end = LogPosition(after.epoch, told[-1].sequence, entry_name(stream_id, last[b"run"], last[b"id"]))
        return LogPage(told, end, more=end.sequence != head.sequence)


def _unjoined(ids: bytes, sizes: bytes, joined: bytes) -> Iterator[SearchablePlan]:
    """Read what `_SCAN` answered."""
    begin = 0
    for at, (size,) in enumerate(iter_unpack("<I", sizes)):
        end = begin + size
        yield unpack_searchable(PlanId(bytes=ids[at * 16 : at * 16 + 16]), joined[begin:end])
        begin = end


def _told(provider: str, sequence: int, fields: Mapping[bytes, bytes]) -> LoggedChange:
    plan_id = PlanId(bytes=fields[b"id"])
    summary = fields.get(b"searchable")
    return LoggedChange(
        provider=provider,
        sequence=sequence,
        plan_id=plan_id,
        kinds=tuple(ChangeKind(kind) for kind in fields[b"kinds"].decode().split(",")),
        run_id=fields[b"run"].decode(),
        at=datetime.fromisoformat(fields[b"at"].decode()),
        searchable=None if summary is None else unpack_searchable(plan_id, summary),
    )
