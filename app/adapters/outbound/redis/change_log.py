"""ChangeLog in Redis: a stream per provider, whose entry ids say which log they are of and where in it."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from struct import iter_unpack

from app.adapters.outbound.redis.catalog_update import HEAD, LOG, SUMMARIES
from app.adapters.outbound.redis.connection import RedisClient, Script
from app.adapters.outbound.redis.keys import provider_key
from app.adapters.outbound.redis.plan_codec import unpack_searchable
from app.application.ports.catalog import Behind, ChangeLog, LoggedChange
from app.domain.plans import PlanId, SearchablePlan
from app.domain.reconciliation import ChangeKind

_ENTRIES_PER_READ = 100
_PLANS_PER_SCAN = 1_000
"""Redis stands still for a millisecond."""

# Head and next entry at one instant: between two commands a commit could look like a gap.
_LOOK = Script("""
local head = redis.call('HMGET', KEYS[1], 'epoch', 'sequence')
local following = redis.call('XRANGE', KEYS[2], '(' .. ARGV[1], '+', 'COUNT', 1)
return {head[1] or '0', head[2] or '0', #following}
""")


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


@dataclass(frozen=True, slots=True)
class _Position:
    """A place in a log; epoch 0 is that of a log without any entry yet."""

    epoch: int
    sequence: int

    @property
    def entry_id(self) -> str:
        return f"{self.epoch}-{self.sequence}"

    def precedes(self, later: "_Position") -> bool:
        """Whether `later` is the very next entry."""
        return later.sequence == self.sequence + 1 and self.epoch in (later.epoch, 0)


_Entry = tuple[_Position, LoggedChange]


class RedisChangeLog(ChangeLog):
    """Follows with blocking reads of at most `block` seconds.

    `blocking` is a client of its own, whose timeout is longer than that: each follower keeps one of its connections.
    """

    def __init__(self, client: RedisClient, blocking: RedisClient, *, block: float = 1.0) -> None:
        self._client = client
        self._blocking = blocking
        self._block_ms = max(1, round(block * 1000))

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

    async def follow(self, provider: str) -> AsyncIterator[Sequence[LoggedChange] | Behind]:
        """Read the stream from its head on; compare with the head whenever nothing came."""
        position, _ = await self._look(provider, _Position(0, 0))
        yield ()
        while True:
            entries = await self._read(provider, position)
            if _go_on_from(position, entries) if entries else await self._is_current(provider, position):
                position = entries[-1][0] if entries else position
                yield [change for _, change in entries]
            else:
                position, _ = await self._look(provider, position)
                yield Behind(provider)

    async def _read(self, provider: str, after: _Position) -> list[_Entry]:
        key = provider_key(provider, LOG)
        command = ("XREAD", "COUNT", _ENTRIES_PER_READ, "BLOCK", self._block_ms, "STREAMS", key, after.entry_id)
        reply = await self._blocking.command(*command)
        return [_entry(provider, entry_id, fields) for _, entries in reply or () for entry_id, fields in entries]

    async def _is_current(self, provider: str, position: _Position) -> bool:
        """Tell whether nothing was missed when a read came back empty."""
        head, entry_follows = await self._look(provider, position)
        if position.epoch not in (head.epoch, 0):
            return False
        return entry_follows or head.sequence == position.sequence

    async def _look(self, provider: str, position: _Position) -> tuple[_Position, bool]:
        keys = [provider_key(provider, HEAD), provider_key(provider, LOG)]
        epoch, sequence, following = await self._client.run(_LOOK, keys, [position.entry_id])
        return _Position(int(epoch), int(sequence)), bool(following)


def _unjoined(ids: bytes, sizes: bytes, joined: bytes) -> Iterator[SearchablePlan]:
    """Read what `_SCAN` answered."""
    begin = 0
    for at, (size,) in enumerate(iter_unpack("<I", sizes)):
        end = begin + size
        yield unpack_searchable(PlanId(bytes=ids[at * 16 : at * 16 + 16]), joined[begin:end])
        begin = end


def _go_on_from(position: _Position, entries: Sequence[_Entry]) -> bool:
    for place, _ in entries:
        if not position.precedes(place):
            return False
        position = place
    return True


def _entry(provider: str, entry_id: bytes, fields: Mapping[bytes, bytes]) -> _Entry:
    epoch, _, sequence = entry_id.partition(b"-")
    place = _Position(int(epoch), int(sequence))
    plan_id = PlanId(bytes=fields[b"id"])
    summary = fields.get(b"searchable")
    return place, LoggedChange(
        provider=provider,
        sequence=place.sequence,
        plan_id=plan_id,
        kinds=tuple(ChangeKind(kind) for kind in fields[b"kinds"].decode().split(",")),
        run_id=fields[b"run"].decode(),
        at=datetime.fromisoformat(fields[b"at"].decode()),
        searchable=None if summary is None else unpack_searchable(plan_id, summary),
    )
