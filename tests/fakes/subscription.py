"""A broker in memory: messages that come again until they are settled."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from time import monotonic

from app.adapters.inbound.subscriptions.subscription import Fate, Message, Subscription, SubscriptionUnavailableError
from tests.support.builders import NOW

PUT_OFF = 60.0


@dataclass(slots=True)
class Kept:
    """A message, and when it may be delivered (monotonic)."""

    body: bytes
    headers: Mapping[bytes, bytes]
    identity: str
    due: float = 0.0
    deliveries: int = 0


@dataclass(slots=True)
class MemoryBroker:
    """What is published, until it is settled. `away` says why it cannot be reached."""

    ack_timeout: float = 5.0
    wait: float = 0.05
    most: int = 100
    now: datetime = NOW
    away: str | None = None
    kept: dict[int, Kept] = field(default_factory=dict)
    fates: list[Fate] = field(default_factory=list)
    holds: int = 0
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def publish(self, body: bytes, headers: Mapping[bytes, bytes] | None = None, own_id: str | None = None) -> None:
        """Keep a message; its publisher may have an id for it."""
        number = next(self._numbers)
        self.kept[number] = Kept(body, headers or {}, f"id:{own_id}" if own_id else f"memory:{number}")
        self._came.set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Subscription]:
        """Read it."""
        self.check()
        yield MemorySubscription(self)

    def check(self) -> None:
        """Be away, or not."""
        if self.away:
            raise SubscriptionUnavailableError(self.away)

    def due(self) -> list[int]:
        """Which may be delivered now."""
        return [number for number, one in self.kept.items() if one.due <= monotonic()][: self.most]

    async def something(self) -> None:
        """Wait until something is published, or for a moment."""
        self._came.clear()
        try:
            async with asyncio.timeout(self.wait):
                await self._came.wait()
        except TimeoutError:
            return


class MemorySubscription(Subscription):
    """One reader of it."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self.ack_timeout = broker.ack_timeout

    async def take(self) -> Sequence[Message]:
        """Deliver what is due."""
        broker = self._broker
        if not broker.due():
            await broker.something()
        broker.check()
        return [self._delivered(number) for number in broker.due()]

    async def hold(self, messages: Sequence[Message]) -> None:
        """Put off when they come again."""
        self._broker.check()
        self._broker.holds += 1
        self._due_in(messages, self.ack_timeout)

    async def settle(self, messages: Sequence[Message], fate: Fate) -> None:
        """Forget them, or deliver them again."""
        self._broker.check()
        self._broker.fates += [fate] * len(messages)
        if fate in (Fate.TAKEN, Fate.REFUSED):
            for message in messages:
                self._broker.kept.pop(message.receipt, None)
        else:
            self._due_in(messages, PUT_OFF if fate is Fate.PUT_OFF else 0.0)

    async def backlog(self) -> int | None:
        """Count them."""
        self._broker.check()
        return len(self._broker.kept)

    def _delivered(self, number: int) -> Message:
        kept = self._broker.kept[number]
        kept.due, kept.deliveries = monotonic() + self.ack_timeout, kept.deliveries + 1
        return Message(kept.body, kept.headers, kept.identity, self._broker.now, number)

    def _due_in(self, messages: Sequence[Message], seconds: float) -> None:
        for message in messages:
            if kept := self._broker.kept.get(message.receipt):
                kept.due = monotonic() + seconds
