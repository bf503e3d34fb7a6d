"""ActivityInbox and ActivityStore with the spans of a worker: it goes on with the traces that the door began.

Each traced append has a `process` span of its own in its own trace, and in it a span for each transaction that it was
stored in, though many appends share one: whoever looks for one request finds all of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry.trace import Span, SpanKind, Tracer, set_span_in_context

from app.adapters.machine.spans import below, failure_noted, note_failure, read_traceparent
from app.adapters.outbound.otel.activity_queue import DESTINATION, messaging
from app.application.ports.activities import ActivityInbox, ActivityStore, QueuedBatch
from app.application.ports.imports import ImportId
from app.domain.activities import Activity, ActivityId

_TRACES_PER_BATCH = 16
"""More are not followed, whatever a batch says."""


@dataclass(frozen=True, slots=True)
class _Traced:
    """A batch in hand: its `process` spans, and what it is made of."""

    spans: Sequence[Span]
    ids: AbstractSet[ActivityId]


class WorkInHand:
    """The spans of what one worker has taken and not finished."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._in_hand: dict[str, _Traced] = {}
        """By the batches' tokens."""

    def begin(self, batches: Iterable[QueuedBatch]) -> None:
        """Go on with the traces of these. What was in hand before has been given up: it will come again."""
        self.give_up()
        for batch in batches:
            if batch.trace:
                ids = {activity.activity_id for activity in batch.activities}
                self._in_hand[batch.token] = _Traced(list(self._process(batch, batch.trace)), ids)

    def end(self, batches: Iterable[QueuedBatch], failure: str | None = None) -> None:
        """Note that these are finished."""
        for batch in batches:
            if traced := self._in_hand.pop(batch.token, None):
                _end(traced.spans, failure)

    def give_up(self) -> None:
        """End whatever is open."""
        for traced in self._in_hand.values():
            _end(traced.spans, "given_up")
        self._in_hand.clear()

    @contextmanager
    def storing(self, system: str, activities: Sequence[Activity]) -> Iterator[None]:
        """Make the block, a transaction, a part of the traces in hand that some of its activities came with."""
        ids = {activity.activity_id for activity in activities} if self._in_hand else set()
        attributes: dict[str, str | int] = {
            "db.system.name": system,
            "db.operation.name": "store",
            "db.operation.batch.size": len(activities),
        }
        spans = [
            self._tracer.start_span(
                "store activities", set_span_in_context(parent), SpanKind.CLIENT, attributes=attributes
            )
            for traced in self._in_hand.values()
            if not ids.isdisjoint(traced.ids)
            for parent in traced.spans
        ]
        try:
            with failure_noted(*spans):
                yield
        finally:
            _end(spans)

    def _process(self, batch: QueuedBatch, trace: str) -> Iterator[Span]:
        for traceparent in trace.split(",")[:_TRACES_PER_BATCH]:
            if parent := read_traceparent(traceparent):
                attributes = messaging("process", len(batch.activities))
                yield self._tracer.start_span(
                    f"process {DESTINATION}", below(parent), SpanKind.CONSUMER, attributes=attributes
                )


def _end(spans: Iterable[Span], failure: str | None = None) -> None:
    for span in spans:
        if failure:
            note_failure(span, failure)
        span.end()


class TracedActivityInbox(ActivityInbox):
    """Hands on to `inbox`; from `take` to `settle` or `bury` a batch is in hand."""

    def __init__(self, inbox: ActivityInbox, work: WorkInHand) -> None:
        self._inbox = inbox
        self._work = work

    async def take(self) -> Sequence[QueuedBatch]:
        """Take and begin."""
        batches = await self._inbox.take()
        self._work.begin(batches)
        return batches

    async def settle(self, batches: Sequence[QueuedBatch]) -> None:
        """Settle and end."""
        await self._inbox.settle(batches)
        self._work.end(batches)

    async def bury(self, batch: QueuedBatch, dead: Sequence[Activity], reason: str) -> None:
        """Bury and end, as a failure."""
        await self._inbox.bury(batch, dead, reason)
        self._work.end([batch], "dead_letter")


class TracedActivityStore(ActivityStore):
    """Hands on to `store`, the database `system`."""

    def __init__(self, store: ActivityStore, work: WorkInHand, system: str) -> None:
        self._store = store
        self._work = work
        self._system = system

    async def store(self, activities: Sequence[Activity], import_id: ImportId | None = None) -> int:
        """Store, within the traces in hand."""
        with self._work.storing(self._system, activities):
            return await self._store.store(activities, import_id)
