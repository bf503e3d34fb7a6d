"""CircuitStates in Redis, with a memory of their own for when it is down."""

import time
from collections.abc import Sequence
from contextlib import suppress

import msgspec
from redis.exceptions import RedisError

from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import provider_key
from app.application.ports.system import CircuitState, CircuitStates, LiveStateUnavailableError

BREAKER = "breaker"
"""A string: when it was saved (Unix time, s) and the CircuitState, as JSON."""

_Saved = tuple[float, CircuitState]
_saved = msgspec.json.Decoder(_Saved)

# A breaker protects a provider and must never be what breaks a sync, whatever stands in its key.
_NO_ANSWER = (LiveStateUnavailableError, RedisError, msgspec.MsgspecError, UnicodeError)


class RedisCircuitStates(CircuitStates):
    """The newer of what Redis and this process remember counts, so that an outage of Redis loses no state of ours."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client
        self._remembered: dict[str, _Saved] = {}

    async def load(self, provider: str) -> CircuitState:
        """Ask Redis, and ourselves when it does not answer."""
        return (await self.load_all([provider]))[0]

    async def load_all(self, providers: Sequence[str]) -> Sequence[CircuitState]:
        """Ask once for all of them."""
        return [
            self._newest(name, stored) for name, stored in zip(providers, await self._stored(providers), strict=True)
        ]

    async def save(self, provider: str, state: CircuitState) -> None:
        """Remember here, then tell Redis."""
        saved = (time.time(), state)
        self._remembered[provider] = saved
        with suppress(*_NO_ANSWER):
            await self._client.command("SET", provider_key(provider, BREAKER), msgspec.json.encode(saved))

    def _newest(self, provider: str, stored: bytes | None) -> CircuitState:
        own = self._remembered.get(provider, (0.0, CircuitState("closed")))
        newest = max(own, _read(stored) or own, key=lambda saved: saved[0])
        if newest[0]:
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
