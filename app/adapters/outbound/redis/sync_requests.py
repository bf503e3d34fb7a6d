"""SyncRequests in Redis: a list, and a sign of life of those who read it."""

from collections.abc import Sequence

import msgspec

from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import PREFIX
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.system import SyncRequest, SyncRequests

REQUESTS = f"{PREFIX}:{{scheduler}}:sync-requests"
"""A list of requests as JSON, oldest first."""
ALIVE = f"{PREFIX}:{{scheduler}}:alive"
"""There while a scheduler listens: a string with a time to live."""

_TAKEN_AT_ONCE = 100

_PUT = load_script("put_request")

_request = msgspec.json.Decoder(SyncRequest)


class RedisSyncRequests(SyncRequests):
    """Blocks for `block` seconds on a client of its own with a longer timeout; a sign of life lasts `ttl` seconds."""

    def __init__(self, client: RedisClient, blocking: RedisClient, *, block: float = 1.0, ttl: float = 5.0) -> None:
        self._client = client
        self._blocking = blocking
        self._block = block
        self._ttl_ms = round(ttl * 1000)

    async def put(self, request: SyncRequest) -> bool:
        """Append, if somebody listens."""
        return bool(await self._client.run(_PUT, [ALIVE, REQUESTS], [msgspec.json.encode(request)]))

    async def take(self) -> Sequence[SyncRequest]:
        """Wait for one, then take those that stand behind it."""
        await self._client.command("SET", ALIVE, "1", "PX", self._ttl_ms)
        first = await self._blocking.command("BLPOP", REQUESTS, self._block)
        if first is None:
            return ()
        rest = await self._client.command("LPOP", REQUESTS, _TAKEN_AT_ONCE)
        return [_request.decode(entry) for entry in (first[1], *(rest or ()))]
