"""Presence in Redis: a hash of signs of life, by the server's clock."""

from collections.abc import Sequence

import msgspec

from app.adapters.outbound.redis.connection import RedisClient, Script
from app.adapters.outbound.redis.keys import SERVICE
from app.application.ports.figures import Presence, RunningProcess

PROCESSES = f"{SERVICE}:processes"
"""A hash by process id: when it gave its last sign of life (Unix time of the server, ms), a space, the process as
JSON. Those that gave none for too long go with the next sign of somebody else."""

_NOW = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local function is_alive(said, ttl) return now - tonumber(string.match(said, '^%d+')) <= tonumber(ttl) end
"""

_ANNOUNCE = Script(f"""{_NOW}
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f ', now) .. ARGV[2])
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if not is_alive(all[i + 1], ARGV[3]) then redis.call('HDEL', KEYS[1], all[i]) end
end
return 1
""")

_RUNNING = Script(f"""{_NOW}
local found = {{}}
for _, said in ipairs(redis.call('HVALS', KEYS[1])) do
  if is_alive(said, ARGV[1]) then found[#found + 1] = string.match(said, ' (.*)$') end
end
return found
""")

_process = msgspec.json.Decoder(RunningProcess)


class RedisPresence(Presence):
    """A process that gave no sign of life for `ttl` seconds has ended."""

    def __init__(self, client: RedisClient, *, ttl: float = 5.0) -> None:
        self._client = client
        self._ttl_ms = round(ttl * 1000)

    async def announce(self, process: RunningProcess) -> None:
        """Write it down, and forget those that have ended."""
        said = msgspec.json.encode(process)
        await self._client.run(_ANNOUNCE, [PROCESSES], [process.process_id, said, self._ttl_ms])

    async def leave(self, process: RunningProcess) -> None:
        """Forget it."""
        await self._client.command("HDEL", PROCESSES, process.process_id)

    async def running(self) -> Sequence[RunningProcess]:
        """Read the hash."""
        found = [_process.decode(process) for process in await self._client.run(_RUNNING, [PROCESSES], [self._ttl_ms])]
        return sorted(found, key=lambda process: (process.role, process.started_at, process.process_id))
