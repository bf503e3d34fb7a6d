"""QueueWatch in Redis: the counters that door and workers keep."""

from app.adapters.outbound.redis.activity_queue import FIGURES
from app.adapters.outbound.redis.connection import RedisClient, Script
from app.adapters.outbound.redis.dead_letters import DEAD
from app.application.ports.activities import QueueFigures, QueueWatch

_LOOK = Script("""
local counts = redis.call('HMGET', KEYS[1], 'accepted', 'duplicates', 'settled', 'accepted_bytes', 'settled_bytes')
for i = 1, 5 do counts[i] = counts[i] or '0' end
counts[6] = redis.call('XLEN', KEYS[2])
return counts
""")


class RedisQueueWatch(QueueWatch):
    """Costs the same however long the queue is."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    async def figures(self) -> QueueFigures:
        """Read all counters in one script."""
        counts = await self._client.run(_LOOK, [FIGURES, DEAD])
        accepted, duplicates, settled, accepted_bytes, settled_bytes, dead_letters = map(int, counts)
        return QueueFigures(
            accepted=accepted,
            duplicates=duplicates,
            settled=settled,
            dead_letters=dead_letters,
            backlog=accepted - settled,
            backlog_bytes=accepted_bytes - settled_bytes,
        )
