"""QueueWatch in Redis: the counters that door and workers keep, and whether Redis takes writes."""

from app.adapters.outbound.redis.activity_inbox import GROUP
from app.adapters.outbound.redis.activity_queue import FIGURES, STREAM
from app.adapters.outbound.redis.connection import RedisClient, Script
from app.adapters.outbound.redis.dead_letters import DEAD
from app.application.ports.activities import QueueFigures, QueueWatch
from app.application.ports.system import LiveStateUnavailableError

# It reads first and writes last, so that a Redis that refuses to write still tells its figures.
_LOOK = Script("""
local figures, dead, stream, group = KEYS[1], KEYS[2], KEYS[3], ARGV[1]

local function first_behind(last_delivered)
  return redis.call('XRANGE', stream, last_delivered and '(' .. last_delivered or '-', '+', 'COUNT', 1)[1]
end

local function last_delivered()
  for _, facts in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local of = {}
    for i = 1, #facts, 2 do of[facts[i]] = facts[i + 1] end
    if of.name == group then return of['last-delivered-id'] end
  end
end

local function oldest_id()
  local pending = redis.pcall('XPENDING', stream, group)
  if not pending.err and pending[1] > 0 then return pending[2] end
  local entry = first_behind(not pending.err and last_delivered() or nil)
  return entry and entry[1]
end

local counts = redis.call('HMGET', figures, 'accepted', 'duplicates', 'settled', 'accepted_bytes', 'settled_bytes',
  'buried', 'retried', 'waited_ms', 'timed')
for i = 1, 9 do counts[i] = counts[i] or '0' end
counts[10] = redis.call('XLEN', dead)
local id, time = oldest_id(), redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
counts[11] = id and math.max(0, now - tonumber(string.match(id, '%d+'))) or 0
local written = redis.pcall('HSET', figures, 'looked_at', string.format('%.0f', now))
counts[12] = type(written) == 'table' and written.err or ''
return counts
""")


_TOUCH = Script("return redis.call('HSET', KEYS[1], 'looked_at', redis.call('TIME')[1] .. '000')")


class RedisQueueWatch(QueueWatch):
    """Costs the same however long the queue is: a few reads, and one small write that shows whether any are taken.

    Where `replicas` have to confirm what is promised, they are asked for as well.
    """

    def __init__(self, client: RedisClient, *, replicas: int = 0) -> None:
        self._client = client
        self._replicas = replicas

    async def figures(self) -> QueueFigures:
        """Read all counters in one script."""
        *counts, refusal = await self._client.run(_LOOK, [FIGURES, DEAD, STREAM], [GROUP])
        accepted, duplicates, settled, accepted_bytes, settled_bytes, *others = map(int, counts)
        buried, retried, waited_ms, timed, dead_letters, oldest_ms = others
        return QueueFigures(
            accepted=accepted,
            duplicates=duplicates,
            settled=settled,
            dead_letters=dead_letters,
            backlog=accepted - settled,
            backlog_bytes=accepted_bytes - settled_bytes,
            buried=buried,
            retried=retried,
            waited=waited_ms / 1000,
            timed=timed,
            oldest_age=oldest_ms / 1000,
            refusal=self._client.refusal(refusal.decode()) if refusal else await self._unconfirmed(),
        )

    async def _unconfirmed(self) -> str | None:
        """Say why the replicas that a promise needs do not come; None when they do, or it needs none."""
        if self._replicas:
            try:
                await self._client.run(_TOUCH, [FIGURES], replicas=self._replicas)
            except LiveStateUnavailableError as error:
                return str(error)
        return None
