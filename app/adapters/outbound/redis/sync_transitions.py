"""TransitionLog in Redis, which is the log of these domain events too: one stream for all providers."""

from collections.abc import Mapping, Sequence

import msgspec

from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import PREFIX
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.publishing import DomainEventLog, LoggedFact
from app.application.ports.syncs import TransitionLog
from app.domain.domain_events import sync_fact_of
from app.domain.sync_transitions import SyncTransition

STREAM = f"{PREFIX}:{{sync-transitions}}:stream"
"""A stream: `provider`, and `said`, a SyncTransition as JSON."""

KEPT = 10_000
"""Entries, about: who publishes is told once a second."""

_IN_ONE_MS = 4096
"""Entries that may have one millisecond in their ids: a position is a number, and grows although Redis was emptied."""

_APPEND = load_script("append_transitions")

_transition = msgspec.json.Decoder(SyncTransition)


class RedisTransitionLog(TransitionLog, DomainEventLog):
    """Keeps the newest of all providers."""

    name = "syncs"

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    async def append(self, provider: str, transitions: Sequence[SyncTransition]) -> None:
        """Write them in one step."""
        await self._client.run(_APPEND, [STREAM], [KEPT, provider, *map(msgspec.json.encode, transitions)])

    async def read(self, after: int, limit: int) -> Sequence[LoggedFact]:
        """Read the entries that follow."""
        if limit <= 0:
            return []
        begin = "({}-{}".format(*divmod(after, _IN_ONE_MS))
        return [_logged(*entry) for entry in await self._client.command("XRANGE", STREAM, begin, "+", "COUNT", limit)]

    async def head(self) -> int:
        """Look at the stream's end."""
        last = await self._client.command("XREVRANGE", STREAM, "+", "-", "COUNT", 1)
        return _position(last[0][0]) if last else 0


def _logged(entry_id: bytes, fields: Mapping[bytes, bytes]) -> LoggedFact:
    fact = sync_fact_of(fields[b"provider"].decode(), _transition.decode(fields[b"said"]))
    return LoggedFact(_position(entry_id), fact)


def _position(entry_id: bytes) -> int:
    milliseconds, number = map(int, entry_id.split(b"-"))
    return milliseconds * _IN_ONE_MS + number
