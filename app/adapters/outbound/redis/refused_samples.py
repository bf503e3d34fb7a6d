"""Samples of what doors did not take, in Redis: each process writes the newest of its own, at most once a second."""

import asyncio
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from itertools import chain

import msgspec

from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import SERVICE
from app.application.ports.refused_samples import SAMPLES_KEPT, FoundSamples, RefusedSamples
from app.application.ports.system import LiveStateUnavailableError
from app.domain.refused_samples import RefusedSample

SAMPLES = f"{SERVICE}:refused-samples"
"""A hash by reason: the newest samples as JSON. It runs out a week after the last was written."""
INTERVAL = 1.0
"""Seconds between two writings."""
_KEPT = 7 * 24 * 3600
"""Seconds."""

_samples = msgspec.json.Decoder(list[RefusedSample])


class RedisRefusedSamples(RefusedSamples):
    """Two processes that write at once may leave the samples of one of them; they are samples."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client
        self._own: dict[str, deque[RefusedSample]] = {}
        self._unwritten: set[str] = set()
        self._writing: asyncio.Task[None] | None = None

    def note(self, sample: RefusedSample) -> None:
        """Keep it here, and write it within a second."""
        self._own.setdefault(sample.reason, deque(maxlen=SAMPLES_KEPT)).appendleft(sample)
        self._unwritten.add(sample.reason)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_later())

    async def last(self) -> FoundSamples:
        """Read the hash, and add what is not written yet."""
        try:
            found = await self._read()
        except LiveStateUnavailableError:
            return FoundSamples(_newest(chain(*self._own.values())), is_shared=False)
        return FoundSamples(_newest(chain(found, *self._own.values())), is_shared=True)

    async def forget(self, users: Collection[str]) -> int:
        """Read the hash, and write it without them."""
        for own in self._own.values():
            kept = [sample for sample in own if not sample.names(users)]
            own.clear()
            own.extend(kept)
        found = await self._read()
        gone = {sample.reason for sample in found if sample.names(users)}
        for reason in gone:
            await self._put(reason, [one for one in found if one.reason == reason and not one.names(users)])
        return sum(sample.names(users) for sample in found)

    async def _write_later(self) -> None:
        await asyncio.sleep(INTERVAL)
        with suppress(LiveStateUnavailableError):
            await self._write()

    async def _write(self) -> None:
        reasons, self._unwritten = self._unwritten, set()
        found = await self._read()
        for reason in sorted(reasons):
            others = [sample for sample in found if sample.reason == reason]
            await self._put(reason, _newest(chain(self._own[reason], others)))

    async def _put(self, reason: str, samples: Sequence[RefusedSample]) -> None:
        if samples:
            await self._client.command("HSET", SAMPLES, reason, msgspec.json.encode(samples))
            await self._client.command("EXPIRE", SAMPLES, _KEPT)
        else:
            await self._client.command("HDEL", SAMPLES, reason)

    async def _read(self) -> list[RefusedSample]:
        flat = await self._client.command("HGETALL", SAMPLES)
        return [sample for samples in flat.values() for sample in _samples.decode(samples)]


def _newest(samples: Iterable[RefusedSample]) -> list[RefusedSample]:
    """Order samples by reason, the newest first, each once, and so many of a reason as are kept."""
    by_reason: dict[str, list[RefusedSample]] = {}
    for sample in sorted(set(samples), key=lambda sample: sample.noted_at, reverse=True):
        kept = by_reason.setdefault(sample.reason, [])
        if len(kept) < SAMPLES_KEPT:
            kept.append(sample)
    return [sample for _, kept in sorted(by_reason.items()) for sample in kept]
