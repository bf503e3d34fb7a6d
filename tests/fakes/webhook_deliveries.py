"""WebhookDeliveries and WebhookLog in memory: the reference, everything looked through every time."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from app.application.ports.webhooks import (
    Attempted,
    Backlog,
    LoggedDelivery,
    Replay,
    WebhookDeliveries,
    WebhookLog,
)
from app.domain.webhook_deliveries import Delivery, DeliveryState, Message, longest_wait
from app.domain.webhooks import EndpointId
from tests.fakes.webhook_endpoints import MemoryWebhooks


class MemoryWebhookDeliveries(WebhookDeliveries):
    """What is on its way."""

    def __init__(self, store: MemoryWebhooks) -> None:
        self._store = store

    async def add(self, messages: Sequence[Message]) -> int:
        """Add what is not there."""
        self._store.check()
        known = {(one.message.endpoint_id, one.message.event_id) for one in self._store.deliveries.values()}
        before = self._store.last_id
        for message in messages:
            key = message.endpoint_id, message.event_id
            if message.endpoint_id in self._store.endpoints and key not in known:
                known.add(key)
                self._store.last_id += 1
                self._store.deliveries[self._store.last_id] = Delivery(delivery_id=self._store.last_id, message=message)
        for endpoint_id in {message.endpoint_id for message in messages}:
            order(self._store, endpoint_id, messages[-1].created_at)
        return self._store.last_id - before

    async def ready(self, now: datetime) -> Sequence[EndpointId]:
        """Look at every endpoint."""
        self._store.check()
        return [
            endpoint_id
            for endpoint_id, endpoint in self._store.endpoints.items()
            if endpoint.may_be_sent_to(now) and await self.due(endpoint_id, now, 1)
        ]

    async def due(self, endpoint_id: EndpointId, now: datetime, limit: int) -> Sequence[Delivery]:
        """Sort."""
        self._store.check()
        found = sorted(
            (delivery.next_attempt_at, delivery.delivery_id, delivery)
            for delivery in self._store.of(endpoint_id)
            if delivery.next_attempt_at is not None and delivery.next_attempt_at <= now
        )
        return [delivery for _, _, delivery in found[: max(limit, 0)]]

    async def settle(self, endpoint_id: EndpointId, attempted: Sequence[Attempted], now: datetime) -> None:
        """Write what has not ended, then see who is up."""
        self._store.check()
        for one in attempted:
            before = self._store.deliveries.get(one.delivery.delivery_id)
            if before is None or before.message.endpoint_id != endpoint_id:
                continue
            self._store.attempts[before.delivery_id] = one
            if before.ended_at is None:
                self._store.deliveries[before.delivery_id] = one.delivery
        order(self._store, endpoint_id, now)

    async def hasten(
        self, endpoint_id: EndpointId, now: datetime, *, only: Collection[int] | None = None, afresh: bool = False
    ) -> None:
        """Change those that are up."""
        self._store.check()
        for delivery in self._store.of(endpoint_id):
            if delivery.next_attempt_at is not None and (only is None or delivery.delivery_id in only):
                changed = replace(delivery, next_attempt_at=min(delivery.next_attempt_at, now))
                begun = replace(changed, attempts=0, scheduled_at=None) if afresh else changed
                self._store.deliveries[delivery.delivery_id] = begun

    async def clamp(self, now: datetime) -> int:
        """Look at everything."""
        self._store.check()
        for endpoint_id, endpoint in self._store.endpoints.items():
            self._store.endpoints[endpoint_id] = endpoint.clamped(now)
        late = [one for one in self._store.deliveries.values() if _is_put_off(one, now)]
        for one in late:
            self._store.deliveries[one.delivery_id] = replace(one, next_attempt_at=now, scheduled_at=None)
        return len(late)


def _is_put_off(delivery: Delivery, now: datetime) -> bool:
    at = delivery.next_attempt_at
    return at is not None and at > now + longest_wait(delivery.attempts)


class MemoryWebhookLog(WebhookLog):
    """What became of deliveries."""

    def __init__(self, store: MemoryWebhooks) -> None:
        self._store = store

    async def newest(self, endpoint_id: EndpointId, limit: int) -> Sequence[LoggedDelivery]:
        """Turn around."""
        self._store.check()
        return [self._logged(delivery) for delivery in reversed(self._store.of(endpoint_id))][: max(limit, 0)]

    def _logged(self, delivery: Delivery) -> LoggedDelivery:
        last = self._store.attempts.get(delivery.delivery_id)
        return LoggedDelivery(delivery, last.answer, last.at) if last else LoggedDelivery(delivery, None, None)

    async def backlog(self, endpoint_id: EndpointId) -> Backlog:
        """Count."""
        self._store.check()
        states = [delivery.state for delivery in self._store.of(endpoint_id)]
        return Backlog(states.count(DeliveryState.PENDING), states.count(DeliveryState.GIVEN_UP))

    async def replay(self, endpoint_id: EndpointId, which: Replay, now: datetime) -> int:
        """Make them pending, then see who is up."""
        self._store.check()
        chosen = [one for one in self._store.of(endpoint_id) if one.ended_at is not None and _is_chosen(which)(one)]
        for one in chosen:
            again = replace(one, state=DeliveryState.PENDING, attempts=0, next_attempt_at=None)
            self._store.deliveries[one.delivery_id] = replace(again, scheduled_at=None, ended_at=None)
        order(self._store, endpoint_id, now)
        return len(chosen)

    async def prune(self, before: datetime, limit: int) -> int:
        """Forget the first ones."""
        self._store.check()
        old = [one.delivery_id for one in self._store.deliveries.values() if one.ended_at and one.ended_at < before]
        for delivery_id in old[:limit]:
            self._store.forget(delivery_id)
        return len(old[:limit])


def _is_chosen(which: Replay) -> Callable[[Delivery], bool]:
    if which.delivery_id is not None:
        return lambda delivery: delivery.delivery_id == which.delivery_id
    since = which.since
    if since is not None:
        return lambda delivery: delivery.message.created_at >= since
    return lambda delivery: delivery.state is DeliveryState.GIVEN_UP


def order(store: MemoryWebhooks, endpoint_id: EndpointId, now: datetime) -> None:
    """See to it that of each subject the earliest that has not ended is up, and no other one."""
    up: set[str] = set()
    for delivery in store.of(endpoint_id):
        subject = delivery.message.subject
        is_up = delivery.ended_at is None and subject not in up
        at = (delivery.next_attempt_at or now) if is_up else None
        store.deliveries[delivery.delivery_id] = replace(delivery, next_attempt_at=at)
        if is_up:
            up.add(subject)
