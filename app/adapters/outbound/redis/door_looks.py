"""DoorLooks in Redis: a hash, which all processes fill together."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from app.adapters.outbound.redis.activity_queue import ACTIVITIES
from app.adapters.outbound.redis.connection import RedisClient
from app.application.ports.door_looks import DoorLooks
from app.domain.activity_curve import STEP, STEPS, CounterLook

LOOKS = f"{ACTIVITIES}:looks"
"""A hash: by the number of the step (10 s, since 1970) when it was looked at first (Unix time, s) and how many
activities had been received then, as JSON. It runs out when nobody has looked for two hours."""

_KEPT = 2 * STEP * STEPS
_looks = msgspec.json.Decoder(tuple[float, int])


class RedisDoorLooks(DoorLooks):
    """Costs three small commands every ten seconds, for each process."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    async def note(self, look: CounterLook) -> None:
        """Set it where there is none, and drop the one of an hour before."""
        value = msgspec.json.encode((look.at.timestamp(), look.total))
        await self._client.many(
            [
                ("HSETNX", LOOKS, str(look.step), value),
                ("HDEL", LOOKS, str(look.step - STEPS - 1)),
                ("EXPIRE", LOOKS, str(_KEPT)),
            ]
        )

    async def recent(self) -> Sequence[CounterLook]:
        """Read all, and drop what is old: a step in which nobody looked drops nothing an hour later."""
        read = [_looks.decode(value) for value in await self._client.command("HVALS", LOOKS)]
        looks = [CounterLook(datetime.fromtimestamp(at, UTC), total) for at, total in read]
        newest = max((look.step for look in looks), default=0)
        if old := [str(look.step) for look in looks if look.step < newest - STEPS]:
            await self._client.command("HDEL", LOOKS, *old)
        return looks
