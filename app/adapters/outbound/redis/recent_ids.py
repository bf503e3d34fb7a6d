"""RecentIds in Redis: the sets beside the queue (activity_queue.py)."""

from collections.abc import Sequence

from app.adapters.outbound.redis.activity_queue import id_keys
from app.adapters.outbound.redis.connection import RedisClient
from app.application.ports.removal import RecentIds
from app.domain.activities import ActivityId

_AT_ONCE = 1_000


class RedisRecentIds(RecentIds):
    """Those of one window, in seconds: that of the queue."""

    def __init__(self, client: RedisClient, window: float) -> None:
        self._client = client
        self._keys = id_keys(window)

    async def free(self, ids: Sequence[ActivityId]) -> None:
        """Take them out of every set: which of them has one, nobody knows."""
        for start in range(0, len(ids), _AT_ONCE):
            some = [one.bytes for one in ids[start : start + _AT_ONCE]]
            for key in self._keys:
                await self._client.command("SREM", key, *some)
