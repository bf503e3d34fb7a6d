"""What a reader of a subscription says of itself: to the log when something changes, to all processes now and then."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog

from app.adapters.inbound.subscriptions.subscription import Fate, Subscription, SubscriptionUnavailableError
from app.adapters.machine.logged_trouble import logged_trouble
from app.application.ports.subscriptions import SubscriptionReader, SubscriptionReaders
from app.application.ports.system import Clock, LiveStateUnavailableError
from app.application.trouble import Trouble

log = structlog.get_logger()

NOTE_EVERY = 1.0
"""Seconds between two signs of life."""
COUNT_EVERY = 15.0
"""Seconds between two looks at the backlog; some brokers take money for one."""


@dataclass(slots=True, kw_only=True)
class ReaderReport:
    """Hears how the broker, the queue and the messages fare; says it once each time it changes."""

    reader: SubscriptionReader
    readers: SubscriptionReaders
    clock: Clock
    count: Callable[[Fate, int], None]
    note_every: float = NOTE_EVERY
    count_every: float = COUNT_EVERY
    _broker: Trouble = field(init=False)
    _queue: Trouble = field(init=False)

    def __post_init__(self) -> None:
        name = self.reader.subscription
        waits = "the messages of a subscription wait; the broker keeps them"
        self._broker = logged_trouble(waits, "a subscription is read again", subscription=name)
        full = "messages of a subscription are held until the queue takes them; no others are asked for"
        self._queue = logged_trouble(full, "the queue takes the messages of a subscription again", subscription=name)

    async def __call__(self) -> None:
        """Give signs of life until cancelled, then take leave. While the live state is away, nobody hears them."""
        try:
            while True:
                with suppress(LiveStateUnavailableError):
                    await self.readers.note(self.reader)
                await asyncio.sleep(self.note_every)
        finally:
            with suppress(LiveStateUnavailableError):
                await self.readers.leave(self.reader)

    def broker(self, trouble: str | None) -> None:
        """Hear why nothing can be read; None: it was read."""
        self._broker.note(trouble)
        self._remember(trouble)

    def queue(self, trouble: str | None) -> None:
        """Hear why nothing is taken; None: it was taken."""
        self._queue.note(trouble)
        self._remember(trouble)

    def settled(self, fate: Fate, messages: int) -> None:
        """Count messages that are out of our hands."""
        self.count(fate, messages)
        if fate is Fate.REFUSED:
            log.warning(
                "messages of a subscription can never be taken",
                subscription=self.reader.subscription,
                messages=messages,
            )

    async def count_backlog(self, subscription: Subscription) -> None:
        """Count what waits at the broker, now and then, until cancelled or the broker is away."""
        with suppress(SubscriptionUnavailableError):
            while True:
                self.reader = replace(self.reader, backlog=await subscription.backlog())
                end_if_told()
                await asyncio.sleep(self.count_every)

    def _remember(self, trouble: str | None) -> None:
        if trouble == self.reader.trouble:
            return
        last = (
            (self.reader.last_trouble, self.reader.last_trouble_at) if trouble is None else (trouble, self.clock.now())
        )
        self.reader = replace(self.reader, trouble=trouble, last_trouble=last[0], last_trouble_at=last[1])


def end_if_told() -> None:
    """End a task that was cancelled though nobody noticed: `asyncio.wait_for` of Python 3.11 may lose that.

    Clients of brokers wait by it; what comes in the same moment is then all that they tell.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
