"""What the processes of the service say of themselves, in Redis: their figures, that they run, what they verified.

Figures are counted in memory and handed over each second, each handing-over exactly once.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from secrets import token_hex

import msgspec

from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import SERVICE
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.figures import (
    Figure,
    Presence,
    RunningProcess,
    SharedFigures,
    Tally,
    Verification,
    Verifications,
)
from app.application.ports.system import LiveStateUnavailableError

COUNTS = f"{SERVICE}:figures"
"""A hash of counts since the first one ever, by name and labels as a JSON array."""
HANDED_OVER = f"{SERVICE}:handed-over"
"""Strings, `handed-over:<tally>`: the number of the last that a tally has handed over; they run out after a day."""
PROCESSES = f"{SERVICE}:processes"
"""A hash by process id: when it gave its last sign of life (Unix time of the server, ms), a space, the process as
JSON. Those that gave none for too long go with the next sign of somebody else."""
LAST_VERIFICATION = f"{SERVICE}:verification"
"""A string: the last one, as JSON."""

FLUSH_INTERVAL = 1.0
"""Seconds between two handings-over."""
_REMEMBERED = 24 * 3600

_HAND_OVER = load_script("hand_over")
_ANNOUNCE = load_script("announce_process", "now_ms", "is_alive")
_RUNNING = load_script("running_processes", "now_ms", "is_alive")

_field = msgspec.json.Decoder(tuple[str, ...])
_process = msgspec.json.Decoder(RunningProcess)
_verification = msgspec.json.Decoder(Verification)


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


class RedisVerifications(Verifications):
    """One string."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    async def note(self, verification: Verification) -> None:
        """Write it over the one before."""
        await self._client.command("SET", LAST_VERIFICATION, msgspec.json.encode(verification))

    async def last(self) -> Verification | None:
        """Read it."""
        found = await self._client.command("GET", LAST_VERIFICATION)
        return _verification.decode(found) if found else None
