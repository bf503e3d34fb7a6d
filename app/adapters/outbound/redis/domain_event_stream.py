"""A stream in Redis as a publisher: an entry for each domain event, for whoever reads streams."""

from collections.abc import Sequence

from app.adapters.formats.cloud_events import render_envelope, type_of
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import PREFIX
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.publishing import DomainEventPublisher, PublisherUnavailableError
from app.application.ports.system import LiveStateUnavailableError
from app.domain.domain_events import DomainEvent

STREAM = f"{PREFIX}:{{domain-events}}:stream"
"""A stream of the newest domain events: `id` (the same again means the same fact), `type`, `subject`, and `body`, the
envelope as JSON."""

_APPEND = load_script("append_domain_events")


class RedisStreamPublisher(DomainEventPublisher):
    """Appends to a stream that keeps about `length` entries."""

    name = "redis_stream"

    def __init__(self, client: RedisClient, source: str, *, length: int) -> None:
        self._client = client
        self._source = source
        self._length = length

    async def publish(self, facts: Sequence[DomainEvent]) -> None:
        """Append them all, or none."""
        arguments: list[bytes | str | float] = [self._length]
        for fact in facts:
            arguments += (fact.event_id, type_of(fact.name), fact.subject, render_envelope(fact, self._source))
        try:
            await self._client.run(_APPEND, [STREAM], arguments)
        except LiveStateUnavailableError as error:
            raise PublisherUnavailableError(str(error)) from error
