"""Webhooks: put activities on their way, deliver what is due, every endpoint on its own, forget what ended long ago."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from typing import ClassVar

import structlog

from app.adapters.inbound.worker.leased_loop import LeasedLoop
from app.application.deliver_webhooks import DeliverWebhooks
from app.application.ports.system import HistoryUnavailableError
from app.application.ports.webhooks import WebhookLog
from app.application.tell_activities import TellActivities
from app.domain.webhooks import EndpointId

log = structlog.get_logger()

GRACE = 2.0
"""Seconds that attempts in hand have to end when the process is to end; what is cut off is sent again."""

BATCHES = 20
"""Of activities that one round puts on their way."""

PRUNE_EVERY = 600.0
PRUNED_TOGETHER = 1000


@dataclass(slots=True, kw_only=True)
class WebhookLoop(LeasedLoop):
    """Deliver for ever. Two at a time would send some messages twice, with the same ids."""

    lease: ClassVar[str] = ":webhooks"
    waits: ClassVar[str] = "webhooks wait; nothing is lost, the history keeps them"
    goes_on: ClassVar[str] = "webhooks are delivered again"

    tell_activities: TellActivities
    deliver: DeliverWebhooks
    log: WebhookLog
    keep: timedelta
    """How long deliveries that ended are kept."""
    grace: float = GRACE
    _running: dict[EndpointId, asyncio.Task[int]] = field(default_factory=dict)
    _left_alone: dict[EndpointId, float] = field(default_factory=dict)
    """Until when."""
    _pruned_at: float | None = None

    async def work(self, until: float) -> None:
        """Look for what is due and deliver it.

        Attempts in hand at the end of the term are waited for; while the slow ones last, the others go on.
        """
        ending = asyncio.Event()
        if put_off := await self.deliver.clamp():
            log.warning("deliveries waited because a clock had been ahead; they are due now", deliveries=put_off)
        try:
            await self._rounds(lambda: self.now() < until and not ending.is_set())
            await self._wait(self.interval)
            slow = dict(self._running)
            await self._rounds(lambda: not all(task.done() for task in slow.values()) and not ending.is_set(), slow)
            await self._wait()
        finally:
            ending.set()
            await self._end()

    async def _rounds(self, goes_on: Callable[[], bool], without: Collection[EndpointId] = ()) -> None:
        """Begin again and again with those that something is due to and that nobody is at; all stop with the rounds."""
        while goes_on():
            await self._wait(0)
            await self._tell_activities(goes_on)
            for endpoint_id in await self.deliver.ready():
                busy = endpoint_id in self._running or endpoint_id in without
                if not busy and self.now() >= self._left_alone.get(endpoint_id, -inf):
                    self._running[endpoint_id] = asyncio.create_task(self.deliver(endpoint_id, goes_on))
            await self._prune()
            self.tell(None)
            await asyncio.sleep(self.interval)

    async def _tell_activities(self, goes_on: Callable[[], bool]) -> None:
        """Put some on their way; after so many, deliveries are begun before the next ones."""
        for _ in range(BATCHES):
            if not await self.tell_activities() or not goes_on():
                return

    async def _wait(self, seconds: float | None = None) -> None:
        """Wait for what is in hand, for so long at the most, and see to what has ended."""
        if self._running:
            await asyncio.wait(self._running.values(), timeout=seconds)
        for endpoint_id, task in list(self._running.items()):
            if task.done():
                del self._running[endpoint_id]
                self._see_to(endpoint_id, task)

    def _see_to(self, endpoint_id: EndpointId, task: asyncio.Task[int]) -> None:
        """Whatever one endpoint meets must not stop the others; a store that is away for all, the next look meets."""
        try:
            task.result()
        except HistoryUnavailableError:
            self._left_alone[endpoint_id] = self.now() + self.retry.first
        except Exception:
            self._left_alone[endpoint_id] = self.now() + self.bug_pause
            log.exception("a webhook met an error of ours and is left alone for a while", id=str(endpoint_id))

    async def _end(self) -> None:
        """Let what is in hand end for a moment, then cut it off."""
        await self._wait(self.grace)
        late = list(self._running.values())
        self._running.clear()
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _prune(self) -> None:
        if self._pruned_at is not None and self.now() < self._pruned_at + PRUNE_EVERY:
            return
        if await self.log.prune(self.deliver.clock.now() - self.keep, PRUNED_TOGETHER) < PRUNED_TOGETHER:
            self._pruned_at = self.now()
