"""Keep the last known figures of the whole service at hand, so that asking for them costs no store anything."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from app.application.manage_webhooks import BY_HAND
from app.application.ports.activities import QueueFigures, StatsKeeper
from app.application.ports.figures import Figure, Presence, RunningProcess, SharedFigures, Verification, Verifications
from app.application.ports.history import HistoryWatch
from app.application.ports.publishing import PublishingPositions, ToldCounts
from app.application.ports.subscriptions import SubscriptionReader, SubscriptionReaders
from app.application.ports.system import Clock, HistoryUnavailableError, LiveStateUnavailableError
from app.application.ports.users import Users
from app.application.ports.webhooks import WebhookStates
from app.application.watch_catalog import WatchCatalog
from app.domain.users import UserCounts

REFRESH_INTERVAL = 1.0
"""Seconds between two looks."""
RATE_WINDOW = timedelta(seconds=10)
"""Over how long a rate is taken."""
INTEREST = timedelta(seconds=30)
"""How long the history is looked at after somebody has asked."""
TIMEOUT = 1.0
"""Seconds that the first to ask waits for a look at the history."""


@dataclass(frozen=True, slots=True)
class WebhookCounts:
    """How many webhooks there are."""

    on: int
    off: int
    """Somebody switched them off."""
    given_up: int
    """Marquee did, because they failed for too long, or were gone."""


@dataclass(slots=True)
class WatchService:
    """Look at the live state every second, for ever, and at the history while somebody asks.

    What was seen last stays when a store is away; None, or nothing, was never seen. The queue is what `catalog` sees.
    """

    own: RunningProcess
    catalog: WatchCatalog
    presence: Presence
    shared: SharedFigures
    verifications: Verifications
    users: Users
    positions: PublishingPositions
    webhooks: WebhookStates
    keeper: StatsKeeper
    clock: Clock
    history: HistoryWatch
    subscription_readers: SubscriptionReaders
    zone_rules: str = ""
    """The version of the time zone rules of this process."""
    running: Sequence[RunningProcess] = ()
    """The processes of the service; at least this one once the store was seen."""
    readers: Sequence[SubscriptionReader] = ()
    """Who reads the subscriptions."""
    counted: Mapping[Figure, float] | None = None
    """By the names of `figures.py`."""
    verification: Verification | None = None
    """The last that compared the figures with the activities; None: there was none."""
    user_counts: UserCounts | None = None
    told: Mapping[str, ToldCounts] | None = None
    """By publisher."""
    webhook_counts: WebhookCounts | None = None
    history_trouble: str | None = "not asked yet"
    """Why the history cannot be reached, or takes no writes; None when it does."""
    stats_trouble: str | None = None
    """What is to be known of the days that the stats count."""
    activities_from: date | None = None
    """The first day of which all raw activities are there; None: all are."""
    history_looked_at: datetime | None = None
    """When the last look ended, or somebody gave up waiting for one."""
    looks: int = 0
    """Grows with every look, and so with everything above."""
    _samples: deque[tuple[datetime, int]] = field(default_factory=deque)
    """When how many activities had been received, oldest first."""
    _asked_at: datetime | None = None
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)
    _seen: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while nobody has to wait for a look at the history."""

    async def __call__(self) -> None:
        """Watch until cancelled; a store that keeps us waiting does not keep us from the other."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_live_state())
            group.create_task(self._watch_history())

    async def asked(self) -> None:
        """Hear that somebody wants to know. The first after a pause waits for a look, for TIMEOUT at most."""
        self._asked_at = self.clock.now()
        self._wanted.set()
        if self._seen.is_set():
            return
        try:
            async with asyncio.timeout(TIMEOUT):
                await self._seen.wait()
        except TimeoutError:
            self.history_trouble = f"the database gave no answer within {TIMEOUT:g} s"
            self._note_history()

    async def look(self) -> None:
        """Look once at the live state."""
        self._sample()
        with suppress(LiveStateUnavailableError):
            self.running = await self.presence.running() or (self.own,)
            self.counted = await self.shared.read()
            self.readers = await self.subscription_readers.reading()
            self.verification = await self.verifications.last()
        self.looks += 1

    async def look_at_history(self) -> None:
        """Look once at the history."""
        try:
            users, told = await self.users.counts(), await self.positions.counts()
            webhooks = _webhook_counts(await self.webhooks.counts())
            self.stats_trouble = await self.keeper.trouble()
            self.activities_from = await self.keeper.frozen_before()
            self.user_counts, self.told, self.webhook_counts = users, told, webhooks
            await self.history.check_writes()
        except HistoryUnavailableError as error:
            self.history_trouble = str(error)
        else:
            self.history_trouble = None
        self._note_history()

    @property
    def activities(self) -> QueueFigures | None:
        """How the queue of activities fares."""
        return self.catalog.activities

    @property
    def received_per_second(self) -> float:
        """Activities accepted at the door, over RATE_WINDOW; 0 while nobody can tell."""
        if len(self._samples) < 2 or self.clock.now() - self._samples[-1][0] > RATE_WINDOW:  # noqa: PLR2004 - two ends
            return 0.0
        (began, before), (ended, after) = self._samples[0], self._samples[-1]
        return max(0, after - before) / (ended - began).total_seconds()

    @property
    def started_at(self) -> datetime:
        """When the oldest process began that runs."""
        return min(process.started_at for process in (self.own, *self.running))

    @property
    def uptime(self) -> float:
        """Seconds since then."""
        return max(0.0, (self.clock.now() - self.started_at).total_seconds())

    def count_running(self, role: str) -> int:
        """Count the processes of a role that run."""
        return sum(process.role == role for process in self.running)

    def _note_history(self) -> None:
        self.history_looked_at = self.clock.now()
        self.looks += 1
        self._seen.set()

    def _sample(self) -> None:
        seen_at, queue = self.catalog.seen_at, self.activities
        if queue is None or seen_at is None or (self._samples and seen_at == self._samples[-1][0]):
            return
        if self._samples and seen_at < self._samples[-1][0]:  # the clock was set back
            self._samples.clear()
        self._samples.append((seen_at, queue.received))
        while len(self._samples) > 2 and self._samples[1][0] <= seen_at - RATE_WINDOW:  # noqa: PLR2004 - two ends
            self._samples.popleft()

    async def _watch_live_state(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(REFRESH_INTERVAL)

    async def _watch_history(self) -> None:
        while True:
            await self._wanted.wait()
            await self.look_at_history()
            await asyncio.sleep(REFRESH_INTERVAL)
            if self._asked_at is None or self.clock.now() - self._asked_at > INTEREST:
                self._wanted.clear()
                self._seen.clear()


def _webhook_counts(by_why_off: Mapping[str | None, int]) -> WebhookCounts:
    on, off = by_why_off.get(None, 0), by_why_off.get(BY_HAND, 0)
    return WebhookCounts(on, off, given_up=sum(by_why_off.values()) - on - off)
