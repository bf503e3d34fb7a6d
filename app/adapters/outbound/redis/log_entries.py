"""Entries of a change log: how one is named, where logs end, and what a position's own entry is now."""

from collections.abc import Sequence
from hashlib import sha1

from app.adapters.outbound.redis.catalog_update import HEAD, KNOWN, LOG
from app.adapters.outbound.redis.connection import RedisClient, Script
from app.adapters.outbound.redis.keys import provider_key
from app.application.ports.catalog import Behind, LogPosition

# A name follows from what an entry has always had, so older logs have names too. The place is in it, because a run that
# goes on after a failover may write the same plan to another place.
NAME_ENTRY = """
local function name_entry(log, id)
  local found = redis.call('XRANGE', log, id, id)
  if #found == 0 then return '' end
  local run, plan, fields = '', '', found[1][2]
  for i = 1, #fields, 2 do
    if fields[i] == 'run' then run = fields[i + 1] elseif fields[i] == 'id' then plan = fields[i + 1] end
  end
  return string.sub(redis.sha1hex(id .. ' ' .. run .. ' ' .. plan), 1, 16)
end
"""
"""Lua: the name of the entry with this id; empty when it is not there."""

_HEAD = Script(
    NAME_ENTRY
    + """
local head = redis.call('HMGET', KEYS[1], 'epoch', 'sequence')
if not head[1] then return redis.call('EXISTS', KEYS[3]) == 1 and {'0', '0', ''} end
local sequence = head[2] or '0'
return {head[1], sequence, name_entry(KEYS[2], head[1] .. '-' .. sequence)}
"""
)

_OLDEST = Script("""
local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
return #oldest > 0 and oldest[1][1]
""")

_Reply = tuple[bytes, bytes, bytes] | None


async def heads_of(client: RedisClient, providers: Sequence[str]) -> list[LogPosition | None]:
    """Say where the logs of these providers end; None for one without a log, and without plans."""
    calls = [([provider_key(name, part) for part in (HEAD, LOG, KNOWN)], ()) for name in providers]
    return [position_of(reply) if reply else None for reply in await client.run_many(_HEAD, calls)]


def position_of(reply: Sequence[bytes]) -> LogPosition:
    """Read epoch, sequence and name."""
    epoch, sequence, entry = reply
    return LogPosition(int(epoch), int(sequence), entry.decode())


def entry_id(position: LogPosition) -> str:
    """Write a position as the stream has it."""
    return f"{position.epoch}-{position.sequence}"


def entry_name(stream_id: bytes, run: bytes, plan_id: bytes) -> str:
    """Name an entry as NAME_ENTRY does."""
    return sha1(stream_id + b" " + run + b" " + plan_id, usedforsecurity=False).hexdigest()[:16]


def leads_on(after: LogPosition, head: LogPosition, stands_there: bytes, ids: Sequence[bytes]) -> bool:
    """Tell whether `ids` follow a position without a gap, or it is the log's end; and it still names its entry."""
    if after.epoch != head.epoch or (after.entry and after.entry != stands_there.decode()):
        return False
    if not ids:
        return after.sequence == head.sequence
    return list(ids) == [f"{after.epoch}-{after.sequence + number}".encode() for number in range(1, len(ids) + 1)]


async def behind(
    client: RedisClient, provider: str, after: LogPosition, head: LogPosition, stands_there: bytes
) -> Behind:
    """Say why a log does not lead on from a position, and from where it may be read."""
    oldest = await client.run(_OLDEST, [provider_key(provider, LOG)])
    return Behind(
        provider,
        head if head.epoch else None,
        _before(oldest) if oldest else None,
        trimmed=after.epoch == head.epoch
        and after.sequence <= head.sequence
        and (not after.entry or stands_there.decode() in ("", after.entry)),
    )


def _before(stream_id: bytes) -> LogPosition:
    epoch, _, sequence = stream_id.partition(b"-")
    return LogPosition(int(epoch), int(sequence) - 1)
