"""What readers of subscriptions say of themselves, in Redis, as processes say that they run (figures.py)."""

from collections.abc import Sequence

import msgspec

from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import SERVICE
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.subscriptions import SubscriptionReader, SubscriptionReaders

READERS = f"{SERVICE}:subscription-readers"
"""A hash by subscription and process id, a blank between them: when it gave its last sign of life (Unix time of the
server, ms), a space, the reader as JSON. Those that gave none for too long go with the next sign of somebody else."""

_ANNOUNCE = load_script("announce_process", "now_ms", "is_alive")
_RUNNING = load_script("running_processes", "now_ms", "is_alive")

_reader = msgspec.json.Decoder(SubscriptionReader)


class RedisSubscriptionReaders(SubscriptionReaders):
    """A reader that gave no sign of life for `ttl` seconds reads no more."""

    def __init__(self, client: RedisClient, *, ttl: float = 5.0) -> None:
        self._client = client
        self._ttl_ms = round(ttl * 1000)

    async def note(self, reader: SubscriptionReader) -> None:
        """Write it down, and forget those that read no more."""
        await self._client.run(_ANNOUNCE, [READERS], [_field(reader), msgspec.json.encode(reader), self._ttl_ms])

    async def leave(self, reader: SubscriptionReader) -> None:
        """Forget it."""
        await self._client.command("HDEL", READERS, _field(reader))

    async def reading(self) -> Sequence[SubscriptionReader]:
        """Read the hash."""
        found = [_reader.decode(reader) for reader in await self._client.run(_RUNNING, [READERS], [self._ttl_ms])]
        return sorted(found, key=lambda reader: (reader.subscription, reader.process_id))


def _field(reader: SubscriptionReader) -> str:
    return f"{reader.subscription} {reader.process_id}"
