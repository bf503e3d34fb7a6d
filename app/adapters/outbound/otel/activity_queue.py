"""ActivityQueue with a span around each append of a request that is traced."""

from collections.abc import Collection, Sequence

from opentelemetry.trace import SpanKind, Tracer, get_current_span

from app.adapters.machine.spans import failure_noted
from app.application.ports.activities import ActivityQueue
from app.domain.activities import Activity

DESTINATION = "marquee activities"
"""What spans call the queue."""


def messaging(operation: str, count: int) -> dict[str, str | int]:
    """Describe what is done with `count` activities, as OpenTelemetry's conventions for messaging have it."""
    return {
        "messaging.system": "redis",
        "messaging.operation.name": operation,
        "messaging.operation.type": "send" if operation == "publish" else operation,
        "messaging.destination.name": DESTINATION,
        "messaging.batch.message_count": count,
    }


class TracedActivityQueue(ActivityQueue):
    """Hands on to `queue`; what is current there is the span from which a worker goes on."""

    def __init__(self, queue: ActivityQueue, tracer: Tracer) -> None:
        self._queue = queue
        self._tracer = tracer

    async def append(self, activities: Sequence[Activity]) -> Collection[int]:
        """Append; a request that is not traced starts no trace here."""
        if not get_current_span().is_recording():
            return await self._queue.append(activities)
        with (
            self._tracer.start_as_current_span(
                f"publish {DESTINATION}",
                kind=SpanKind.PRODUCER,
                attributes=messaging("publish", len(activities)),
                record_exception=False,
                set_status_on_exception=False,
            ) as span,
            failure_noted(span),
        ):
            return await self._queue.append(activities)
