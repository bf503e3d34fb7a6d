"""Deliver what is due to webhooks: in order of each subject, gently to those that fail."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce

from app.application.figures import WEBHOOK_DELIVERIES
from app.application.ports.figures import Tally
from app.application.ports.system import Clock
from app.application.ports.webhooks import Attempted, Send, WebhookDeliveries, WebhookEndpoints, WebhookSender
from app.domain.webhook_deliveries import Answer, Delivery, DeliveryState
from app.domain.webhooks import Endpoint, EndpointId

AT_ONCE = 256
"""Attempts at a time, to all endpoints; each has a connection. Up to so many slow endpoints hold up nobody else."""
TO_ONE = 8
"""To one endpoint that fares well, unless so many are sent to that its share is less."""


@dataclass(slots=True)
class Streak:
    """Failures in a row of one endpoint, as far as this process saw them."""

    waiting: set[int] = field(default_factory=set)
    """Deliveries that failed in it and wait for longer than the first time."""
    is_news: bool = False
    """Whether one failed that had not been brought forward. Else it says no more than the streak before."""
    failed_at: datetime | None = None
    """When the last one was settled: the endpoint's own, unless another process has sent to it since."""

    def add(self, before: Delivery, after: Delivery, now: datetime) -> None:
        """Count in what is pending after an attempt."""
        self.failed_at = now
        self.is_news = self.is_news or after.attempts > before.attempts
        if after.attempts > 1:
            self.waiting.add(after.delivery_id)


@dataclass(frozen=True, slots=True)
class DeliverWebhooks:
    """Send, and write down what became of it.

    A delivery that was sent and not written down yet is sent again after a crash, with the same id.
    """

    endpoints: WebhookEndpoints
    deliveries: WebhookDeliveries
    sender: WebhookSender
    clock: Clock
    chance: Callable[[], float]
    """Between 0 and 1, for the jitter."""
    disable_after: timedelta
    """An endpoint that has failed for so long without one success is switched off."""
    tally: Tally | None = None
    on_switched_off: Callable[[Endpoint], None] = lambda _: None
    on_turned: Callable[[Endpoint], None] = lambda _: None
    """Hears of an endpoint that begins to fail, and of one that is well again."""
    on_bug: Callable[[Exception], None] = lambda _: None
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    busy: set[EndpointId] = field(default_factory=set)
    """Those that are sent to now: they share the slots."""
    streaks: dict[EndpointId, Streak] = field(default_factory=dict)
    """Of those that failed and had no success since."""

    async def ready(self) -> Sequence[EndpointId]:
        """Say to which endpoints something may be sent now.

        Raises:
            HistoryUnavailableError: as in every method here; the same again later goes on from here.
        """
        return await self.deliveries.ready(self.clock.now())

    async def clamp(self) -> int:
        """Undo what a clock that was ahead has put off; return how many deliveries are due for it."""
        return await self.deliveries.clamp(self.clock.now())

    async def __call__(self, endpoint_id: EndpointId, goes_on: Callable[[], bool] = lambda: True) -> int:
        """Deliver to one endpoint until nothing is due or `goes_on` says no; return the number of attempts.

        One call at a time for each endpoint keeps the order of its subjects.
        """
        self.busy.add(endpoint_id)
        try:
            async with self._sending() as send:
                return await self._deliver(endpoint_id, goes_on, send)
        finally:
            self.busy.discard(endpoint_id)

    def _sending(self) -> AbstractAsyncContextManager[Send]:
        """Keep connections, but not when so many are sent to that some wait for a slot and would hold theirs open."""
        return self.sender.sending() if len(self.busy) <= AT_ONCE else nullcontext(self.sender.send)

    async def _deliver(self, endpoint_id: EndpointId, goes_on: Callable[[], bool], send: Send) -> int:
        made = 0
        while goes_on():
            endpoint, now = await self.endpoints.find(endpoint_id), self.clock.now()
            self._recall(endpoint_id, endpoint)
            if endpoint is None or not endpoint.may_be_sent_to(now):
                break
            due = await self.deliveries.due(endpoint_id, now, 1 if endpoint.is_failing else self._share())
            if not due:
                break
            async with asyncio.TaskGroup() as group:  # when it is cancelled, no attempt outlives the connections
                attempts = [group.create_task(self._attempt(send, endpoint, one)) for one in due]
            await self._settle(endpoint, due, [attempt.result() for attempt in attempts])
            made += len(due)
        return made

    def _share(self) -> int:
        return max(1, min(TO_ONE, AT_ONCE // len(self.busy)))

    async def _attempt(self, send: Send, endpoint: Endpoint, delivery: Delivery) -> Attempted:
        async with self.slots:
            begun_at = self.clock.now()
            answer = await self._answer(send, endpoint, delivery)
        return Attempted(delivery.after(answer, self.clock.now(), self.chance()), answer, begun_at)

    async def _answer(self, send: Send, endpoint: Endpoint, delivery: Delivery) -> Answer:
        try:
            return await send(endpoint, delivery.message)
        except Exception as error:  # noqa: BLE001 - one message that cannot be sent must not stop all others
            self.on_bug(error)
            return Answer(took=0, error=f"an error of ours: {type(error).__name__}")

    async def _settle(self, endpoint: Endpoint, due: Sequence[Delivery], attempted: Sequence[Attempted]) -> None:
        now = self.clock.now()
        await self.deliveries.settle(endpoint.endpoint_id, attempted, now)
        self._count(attempted)
        self._note(endpoint, due, attempted, now)
        judged = self._judged(endpoint, attempted, now)
        if judged != endpoint:
            await self._change(endpoint, judged, attempted, now)
        if judged.is_active and not judged.failures:
            await self._hasten(endpoint, now)

    async def _change(
        self, endpoint: Endpoint, judged: Endpoint, attempted: Sequence[Attempted], now: datetime
    ) -> None:
        # as it is by now: somebody may have given it another secret, or switched it off
        await self.endpoints.change(endpoint.endpoint_id, lambda found: self._judged(found, attempted, now))
        if endpoint.is_failing != judged.is_failing:
            self.on_turned(judged)
        if not judged.is_active:
            self.on_switched_off(judged)

    def _recall(self, endpoint_id: EndpointId, endpoint: Endpoint | None) -> None:
        """Forget a streak that another process has ended since, or has seen more of."""
        streak = self.streaks.get(endpoint_id)
        if streak is not None and (endpoint is None or endpoint.failed_at != streak.failed_at):
            del self.streaks[endpoint_id]

    def _note(self, endpoint: Endpoint, due: Sequence[Delivery], attempted: Sequence[Attempted], now: datetime) -> None:
        for before, one in zip(due, attempted, strict=True):
            if one.delivery.state is DeliveryState.PENDING:
                self.streaks.setdefault(endpoint.endpoint_id, Streak()).add(before, one.delivery, now)

    async def _hasten(self, endpoint: Endpoint, now: datetime) -> None:
        """Bring forward what waits because of failures that have ended: after a pause everything.

        After a few failures only what failed in them, and only when they were news: a message that is refused while
        others are taken must not be tried again after each of these.
        """
        streak = self.streaks.pop(endpoint.endpoint_id, None)
        if endpoint.is_failing or (endpoint.failures and streak is None):
            await self.deliveries.hasten(endpoint.endpoint_id, now)
        elif streak is not None and streak.is_news and streak.waiting:
            await self.deliveries.hasten(endpoint.endpoint_id, now, only=streak.waiting)

    def _judged(self, endpoint: Endpoint, attempted: Sequence[Attempted], now: datetime) -> Endpoint:
        def after(so_far: Endpoint, one: Attempted) -> Endpoint:
            return so_far.after(one.answer, one.at, now, self.disable_after, self.chance())

        return reduce(after, attempted, endpoint)

    def _count(self, attempted: Sequence[Attempted]) -> None:
        if self.tally is None:
            return
        for one in attempted:
            state = one.delivery.state
            self.tally.add(WEBHOOK_DELIVERIES.of("failed" if state is DeliveryState.PENDING else state.value))
