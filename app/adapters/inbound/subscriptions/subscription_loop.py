"""Reads a subscription for ever: what comes goes through the door, and only what is safe there is settled."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from app.adapters.inbound.subscriptions.message_door import MessageDoor
from app.adapters.inbound.subscriptions.reader_report import ReaderReport, end_if_told
from app.adapters.inbound.subscriptions.subscription import (
    Fate,
    Message,
    OpenSubscription,
    Subscription,
    SubscriptionUnavailableError,
)
from app.application.ports.activities import QueueFullError
from app.application.ports.system import LiveStateUnavailableError
from app.domain.backoff import Backoff

log = structlog.get_logger()

RETRY = Backoff(first=0.5, longest=10.0)
"""Between two attempts while the broker is away, or the queue."""
BUG_PAUSE = 30.0
"""Seconds of rest after an error of ours outside any message."""
REMEMBERED = 10_000
"""Messages that were refused."""
GRACE = 3.0
"""Seconds that what is in hand has when the process is to end; what is cut off comes again."""


@dataclass(slots=True, kw_only=True)
class SubscriptionLoop:
    """Any number of processes may read the same subscription: the broker gives each message to one of them at a time.

    While the queue takes nothing, messages in hand are held and nothing more is asked for. They are not given back: a
    broker counts how often it delivers, and lays aside what it delivered too often.
    """

    name: str
    open: OpenSubscription
    door: MessageDoor
    report: ReaderReport
    retry: Backoff = RETRY
    bug_pause: float = BUG_PAUSE
    grace: float = GRACE
    _failures: int = field(default=0, init=False)
    _refused: dict[str, None] = field(default_factory=dict, init=False)
    """The last messages that were refused, the oldest first: a broker may deliver one some more times."""

    async def __call__(self) -> None:
        """Run until cancelled; then let what is in hand end for a moment."""
        while True:
            try:
                async with self.open() as subscription:
                    await self._read(subscription)
            except SubscriptionUnavailableError as error:
                self._failures += 1
                self.report.broker(str(error))
                await asyncio.sleep(self.retry.delay(self._failures))
            except Exception:
                log.exception("a subscription met an error of ours and rests", subscription=self.name)
                await asyncio.sleep(self.bug_pause)

    async def _read(self, subscription: Subscription) -> None:
        counting = asyncio.create_task(self.report.count_backlog(subscription))
        try:
            while True:
                messages = await subscription.take()
                end_if_told()
                self._failures = 0
                self.report.broker(None)
                if messages:
                    await self._to_the_end(asyncio.create_task(self._see_to(subscription, messages)))
        finally:
            counting.cancel()

    async def _to_the_end(self, work: "asyncio.Task[None]") -> None:
        """Wait for what is in hand; when told to end, for no longer than the grace."""
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait({work}, timeout=self.grace)
            work.cancel()
            await asyncio.wait({work}, timeout=self.grace)  # to give back what is left; the broker may not answer
            raise

    async def _see_to(self, subscription: Subscription, messages: Sequence[Message]) -> None:
        fates: dict[int, Fate] = {}
        holding = asyncio.create_task(self._hold(subscription, messages))
        try:
            await asyncio.gather(*(self._decide(number, message, fates) for number, message in enumerate(messages)))
        finally:
            holding.cancel()
            for fate in Fate:
                found = [one for number, one in enumerate(messages) if fates.get(number, Fate.GIVEN_BACK) is fate]
                if found:
                    await subscription.settle(found, fate)
                    self._tell(fate, found)

    def _tell(self, fate: Fate, messages: Sequence[Message]) -> None:
        """Tell what became of them, but no refusal twice."""
        if fate is Fate.REFUSED:
            messages = [message for message in messages if message.identity not in self._refused]
            self._refused |= dict.fromkeys(message.identity for message in messages)
            while len(self._refused) > REMEMBERED:
                del self._refused[next(iter(self._refused))]
        if messages:
            self.report.settled(fate, len(messages))

    async def _decide(self, number: int, message: Message, fates: dict[int, Fate]) -> None:
        failures = 0
        if message.identity in self._refused:
            fates[number] = Fate.REFUSED
        while number not in fates:
            try:
                fates[number] = await self.door.take(message)
            except (QueueFullError, LiveStateUnavailableError) as error:
                failures += 1
                self.report.queue(str(error))
                await asyncio.sleep(self.retry.delay(failures))
            except Exception:
                log.exception("a message met an error of ours and comes again", subscription=self.name)
                fates[number] = Fate.PUT_OFF
        if failures:
            self.report.queue(None)

    async def _hold(self, subscription: Subscription, messages: Sequence[Message]) -> None:
        """Say again and again that they are in hand. A broker that is away is met again when they are settled."""
        try:
            while True:
                await asyncio.sleep(subscription.ack_timeout / 3)
                await subscription.hold(messages)
                end_if_told()
        except SubscriptionUnavailableError:
            return
