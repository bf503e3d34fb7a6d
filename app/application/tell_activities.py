"""Put activities that were stored on their way to the webhooks that asked for them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.application.ports.system import Clock
from app.application.ports.webhooks import (
    ActivityOutbox,
    NotedActivity,
    WebhookEndpoints,
    WebhookLog,
)
from app.domain.activities import Activity
from app.domain.activity_notices import activity_name, notice_id, subject_of
from app.domain.webhook_deliveries import Message
from app.domain.webhooks import Endpoint, EndpointId

BATCH = 500
"""Activities that are told together; each is a message of its own."""


@dataclass(frozen=True, slots=True)
class TellActivities:
    """Make deliveries of what the store has noted, and forget the notes with that.

    When `max_pending` deliveries
    wait for an endpoint, it is not told any more, and that is counted: what it does not take must not fill the disk.
    """

    outbox: ActivityOutbox
    endpoints: WebhookEndpoints
    log: WebhookLog
    clock: Clock
    render: Callable[[Activity], str]
    """Makes the body of a message."""
    max_pending: int
    on_skipping: Callable[[Endpoint], None] = lambda _: None
    """Hears of an endpoint that begins to miss activities."""
    skipping: set[EndpointId] = field(default_factory=set)
    """Those that missed some when there were some for them the last time."""

    async def __call__(self) -> bool:
        """Tell the first that are noted; say whether there may be more.

        Raises:
            HistoryUnavailableError: the same again later goes on from here.
        """
        noted = await self.outbox.first(BATCH)
        if noted:
            now = self.clock.now()
            messages: dict[int, list[Message]] = {one.position: [] for one in noted}
            for endpoint in await self.endpoints.all():
                for one in await self._told(endpoint, noted):
                    messages[one.position].append(self._message(endpoint, one.activity, now))
            await self.outbox.tell(messages)
        return len(noted) == BATCH

    async def _told(self, endpoint: Endpoint, noted: Sequence[NotedActivity]) -> Sequence[NotedActivity]:
        """Choose what an endpoint asked for, as much as may wait for it."""
        heard = [one for one in noted if endpoint.hears_of_activities(one.activity.type)]
        if not heard:
            return ()
        waiting = (await self.log.backlog(endpoint.endpoint_id)).pending
        told = heard[: max(0, self.max_pending - waiting)]
        await self._note_skipped(endpoint, len(heard) - len(told))
        return told

    async def _note_skipped(self, endpoint: Endpoint, skipped: int) -> None:
        if not skipped:
            self.skipping.discard(endpoint.endpoint_id)
            return
        await self.endpoints.change(endpoint.endpoint_id, lambda found: found.with_skipped(skipped))
        if endpoint.endpoint_id not in self.skipping:
            self.skipping.add(endpoint.endpoint_id)
            self.on_skipping(endpoint)

    def _message(self, endpoint: Endpoint, activity: Activity, now: datetime) -> Message:
        return Message(
            endpoint_id=endpoint.endpoint_id,
            event_id=notice_id(activity.activity_id),
            name=activity_name(activity.type),
            subject=subject_of(activity),
            body=self.render(activity),
            created_at=now,
        )
