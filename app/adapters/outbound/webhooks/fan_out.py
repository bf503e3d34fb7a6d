"""Webhooks as a publisher: whatever a webhook wants to hear of becomes a delivery to it."""

from collections.abc import Iterator, Sequence

from app.adapters.formats.cloud_events import render_envelope
from app.application.ports.publishing import DomainEventPublisher, PublisherUnavailableError
from app.application.ports.system import Clock, HistoryUnavailableError
from app.application.ports.webhooks import WebhookDeliveries, WebhookEndpoints
from app.domain.domain_events import DomainEvent
from app.domain.webhook_deliveries import Message
from app.domain.webhooks import Endpoint


class WebhookFanOut(DomainEventPublisher):
    """Writes deliveries; each domain event once for each webhook, also when it is published twice."""

    name = "webhooks"

    def __init__(self, endpoints: WebhookEndpoints, deliveries: WebhookDeliveries, clock: Clock, source: str) -> None:
        self._endpoints = endpoints
        self._deliveries = deliveries
        self._clock = clock
        self._source = source

    async def publish(self, facts: Sequence[DomainEvent]) -> None:
        """Look at the webhooks that there are now; those that are off miss what is told."""
        try:
            endpoints = await self._endpoints.all()
            messages = [message for fact in facts for message in self._messages(fact, endpoints)]
            if messages:
                await self._deliveries.add(messages)
        except HistoryUnavailableError as error:
            raise PublisherUnavailableError(str(error)) from error

    def _messages(self, event: DomainEvent, endpoints: Sequence[Endpoint]) -> Iterator[Message]:
        now = self._clock.now()
        hearing = [endpoint for endpoint in endpoints if endpoint.hears_of(event, now)]
        body = render_envelope(event, self._source).decode() if hearing else ""
        for endpoint in hearing:
            yield Message(
                endpoint_id=endpoint.endpoint_id,
                event_id=event.event_id,
                name=event.name,
                subject=event.subject,
                body=body,
                created_at=now,
            )
