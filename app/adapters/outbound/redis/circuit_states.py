"""CircuitStates in Redis, with a memory of their own for when it is down."""

from collections.abc import Sequence
from contextlib import suppress

import msgspec
from redis.exceptions import RedisError

from app.adapters.machine.system_clock import SYSTEM_CLOCK
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import provider_key
from app.application.ports.system import CircuitState, CircuitStates, Clock, LiveStateUnavailableError

BREAKER = "breaker"
"""A string: when it was saved (Unix time, s) and the CircuitState, as JSON."""

_Saved = tuple[float, CircuitState]
_saved = msgspec.json.Decoder(_Saved)

# A breaker protects a provider and must never be what breaks a sync, whatever stands in its key.
_NO_ANSWER = (LiveStateUnavailableError, RedisError, msgspec.MsgspecError, UnicodeError)


class RedisCircuitStates(CircuitStates):
    """What Redis has counts, but for a newer state of ours that it did not take: an outage of Redis loses none.

    Such a one is offered to Redis with the next look, so that the clocks of two processes are compared once only: one
    that was ahead keeps no state for longer.
    """

    def __init__(self, client: RedisClient, clock: Clock = SYSTEM_CLOCK) -> None:
        self._client = client
        self._clock = clock
        self._remembered: dict[str, _Saved] = {}
        self._untold: set[str] = set()
        """Those whose state Redis did not take."""

    async def load(self, provider: str) -> CircuitState:
        """Ask Redis, and ourselves when it does not answer."""
        return (await self.load_all([provider]))[0]

    async def load_all(self, providers: Sequence[str]) -> Sequence[CircuitState]:
        """Ask once for all of them."""
        stored = await self._stored(providers)
        newest = [self._newest(name, _read(found)) for name, found in zip(providers, stored, strict=True)]
        await self._tell([name for name in providers if name in self._untold])
        return newest

    async def save(self, provider: str, state: CircuitState) -> None:
        """Remember here, then tell Redis."""
        saved = (self._clock.now().timestamp(), state)
        self._remembered[provider] = saved
        self._untold.add(provider)
        await self._tell([provider])

    async def _tell(self, providers: Sequence[str]) -> None:
        """Offer what we remember of them, all at once."""
        offered = {name: self._remembered[name] for name in providers}
        commands = [("SET", provider_key(name, BREAKER), msgspec.json.encode(saved)) for name, saved in offered.items()]
        if not commands:
            return
        with suppress(*_NO_ANSWER):
            await self._client.many(commands)
            self._untold -= {name for name, saved in offered.items() if self._remembered[name] is saved}

    def _newest(self, provider: str, shared: _Saved | None) -> CircuitState:
        own = self._remembered.get(provider)
        if own and provider in self._untold and (shared is None or own[0] > shared[0]):
            return own[1]
        self._untold.discard(provider)
        newest = shared or own
        if newest is None:
            return CircuitState("closed")
        self._remembered[provider] = newest
        return newest[1]

    async def _stored(self, providers: Sequence[str]) -> Sequence[bytes | None]:
        with suppress(*_NO_ANSWER):
            return await self._client.many([("GET", provider_key(name, BREAKER)) for name in providers])
        return [None] * len(providers)


def _read(stored: bytes | None) -> _Saved | None:
    with suppress(*_NO_ANSWER):
        return None if stored is None else _saved.decode(stored)
    return None
