"""CircuitStates in Redis, with a memory of their own for when it is down."""

from contextlib import suppress

import msgspec
from redis.exceptions import RedisError

from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import provider_key
from app.adapters.system_clock import SYSTEM_CLOCK
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
        own, shared = self._remembered.get(provider), await self._shared(provider)
        if own and provider in self._untold and (shared is None or own[0] > shared[0]):
            await self._tell(provider, own)
            return own[1]
        newest = shared or own
        if newest is None:
            return CircuitState("closed")
        self._remembered[provider] = newest
        return newest[1]

    async def save(self, provider: str, state: CircuitState) -> None:
        """Remember here, then tell Redis."""
        saved = (self._clock.now().timestamp(), state)
        self._remembered[provider] = saved
        await self._tell(provider, saved)

    async def _tell(self, provider: str, saved: _Saved) -> None:
        self._untold.add(provider)
        with suppress(*_NO_ANSWER):
            await self._client.command("SET", provider_key(provider, BREAKER), msgspec.json.encode(saved))
            self._untold.discard(provider)

    async def _shared(self, provider: str) -> _Saved | None:
        with suppress(*_NO_ANSWER):
            stored = await self._client.command("GET", provider_key(provider, BREAKER))
            return None if stored is None else _saved.decode(stored)
        return None
