"""ActivityOutbox in memory: the reference."""

from collections.abc import Mapping, Sequence

from app.application.ports.webhooks import MOST_NOTED, ActivityOutbox, NotedActivity
from app.domain.activities import Activity
from app.domain.webhook_deliveries import Message
from app.domain.webhooks import Endpoint
from tests.fakes.webhook_deliveries import MemoryWebhookDeliveries
from tests.fakes.webhook_endpoints import MemoryWebhooks


class MemoryActivityOutbox(ActivityOutbox):
    """A list, and the endpoints that ask."""

    def __init__(self, store: MemoryWebhooks, most: int = MOST_NOTED) -> None:
        self._store = store
        self._most = most
        self._noted: list[NotedActivity] = []
        self._last = 0

    def note(self, activities: Sequence[Activity]) -> None:
        """Do what a store does with activities that are new to it."""
        asked = [one for one in activities if any(e.hears_of_activities(one.type) for e in self._endpoints())]
        if len(self._noted) + len(asked) > self._most:
            for endpoint in self._endpoints():
                skipped = sum(endpoint.hears_of_activities(one.type) for one in asked)
                self._store.endpoints[endpoint.endpoint_id] = endpoint.with_skipped(skipped)
            return
        for activity in asked:
            self._last += 1
            self._noted.append(NotedActivity(self._last, activity))

    async def first(self, limit: int) -> Sequence[NotedActivity]:
        """Cut."""
        self._store.check()
        return self._noted[: max(limit, 0)]

    async def tell(self, messages: Mapping[int, Sequence[Message]]) -> None:
        """Leave out, and add."""
        self._store.check()
        there = [one.position for one in self._noted if one.position in messages]
        self._noted = [one for one in self._noted if one.position not in messages]
        told = [message for position in there for message in messages[position]]
        if told:
            await MemoryWebhookDeliveries(self._store).add(told)

    def _endpoints(self) -> Sequence[Endpoint]:
        return list(self._store.endpoints.values())
