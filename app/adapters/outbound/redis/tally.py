"""Tally and SharedFigures in Redis: counted in memory, handed over each second, each handing-over exactly once."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from secrets import token_hex

import msgspec

from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import SERVICE
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.figures import Figure, SharedFigures, Tally
from app.application.ports.system import LiveStateUnavailableError

COUNTS = f"{SERVICE}:figures"
"""A hash of counts since the first one ever, by name and labels as a JSON array."""
HANDED_OVER = f"{SERVICE}:handed-over"
"""Strings, `handed-over:<tally>`: the number of the last that a tally has handed over; they run out after a day."""

FLUSH_INTERVAL = 1.0
"""Seconds between two handings-over."""
_REMEMBERED = 24 * 3600

_HAND_OVER = load_script("hand_over")

_field = msgspec.json.Decoder(tuple[str, ...])


class RedisTally(Tally, SharedFigures):
    """Hands over what was counted while it runs, and once more when it is cancelled.

    What could not be handed over is kept; whether an answer was lost or the request, nothing is counted twice.
    """

    def __init__(self, client: RedisClient) -> None:
        self._client = client
        self._counting: Counter[Figure] = Counter()
        self._leaving: Counter[Figure] = Counter()
        self._number = 0
        self._handed_over = f"{HANDED_OVER}:{token_hex(8)}"
        self._one_at_a_time = asyncio.Lock()

    def add(self, figure: Figure, amount: float = 1) -> None:
        """Count in memory."""
        self._counting[figure] += amount  # type: ignore[assignment]  # a Counter takes floats, its type does not say so

    async def __call__(self) -> None:
        """Hand over each second until cancelled."""
        try:
            while True:
                await asyncio.sleep(FLUSH_INTERVAL)
                with suppress(LiveStateUnavailableError):
                    await self.flush()
        finally:
            with suppress(LiveStateUnavailableError):
                await self.flush()

    async def flush(self) -> None:
        """Hand over what was counted so far; what failed before goes first, unchanged.

        Raises:
            LiveStateUnavailableError: it is kept for the next time.
        """
        async with self._one_at_a_time:
            await self._hand_over()
            if self._counting:
                self._leaving, self._counting, self._number = self._counting, Counter(), self._number + 1
                await self._hand_over()

    async def read(self) -> Mapping[Figure, float]:
        """Read the hash."""
        flat = await self._client.command("HGETALL", COUNTS)
        return {_figure(name): float(amount) for name, amount in flat.items()}

    async def _hand_over(self) -> None:
        if not self._leaving:
            return
        pairs = [part for figure, amount in self._leaving.items() for part in (_name(figure), amount)]
        await self._client.run(_HAND_OVER, [COUNTS, self._handed_over], [self._number, _REMEMBERED, *pairs])
        self._leaving = Counter()


def _name(figure: Figure) -> bytes:
    return msgspec.json.encode((figure.name, *figure.labels))


def _figure(name: bytes) -> Figure:
    word, *labels = _field.decode(name)
    return Figure(word, tuple(labels))
