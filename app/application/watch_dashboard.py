"""Gather what the dashboard shows, once a second for all who look on, and not at all when nobody does."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle
from typing import Any

from app.application.plans_around import PlansAround, PlansNow
from app.application.ports.activities import QueueFigures, Stats, StatsKeeper
from app.application.ports.door_looks import DoorLooks
from app.application.ports.system import Clock, HistoryUnavailableError, LiveStateUnavailableError
from app.application.ports.users import Users
from app.application.read_catalog import ProviderStatus
from app.application.read_stats import DailyActiveUsers, Retention
from app.application.watch_catalog import WatchCatalog
from app.domain.activity_curve import ActivityCurve, CounterLook, LastHour
from app.domain.stats import Cohort, DailyUsers, TypeRanking
from app.domain.users import UserCounts

INTERVAL = 1.0
"""Seconds between two samples of the curve, and between two looks of somebody who looks on."""
FRESH = timedelta(seconds=0.9)
"""Whoever looks within this time after somebody else sees the same."""
IDLE = timedelta(seconds=10)
"""After so long without a look, everything is asked anew at once."""
TIMEOUT = 0.5
"""Seconds that a look waits for the history; then it goes without what is new there."""
MOST_TYPES = 8
MOST_PROVIDERS = 50
"""That are shown; the troubled come first."""

TURNS = ("types", "daily_users", "types", "cohorts", "types", "users", "types", "counting")
"""What the history is asked, one question a second: types every other second, the rest every eighth."""


@dataclass(frozen=True, slots=True)
class PastFigures:
    """What the history's database says. None: not known now, and `trouble` says why."""

    types: TypeRanking | None = None
    daily_users: Sequence[DailyUsers] | None = None
    cohorts: Sequence[Cohort] | None = None
    users: UserCounts | None = None
    counting: str | None = None
    """What is to be known of the days that were counted, and what to do; None when all is well."""
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderFigures:
    """A provider, and how many of its records could not be used since its first run."""

    status: ProviderStatus
    rejected_ever: int


@dataclass(frozen=True, slots=True)
class PageOfProviders:
    """Some of the providers, the troubled ones before the others."""

    found: int
    """How many have what was searched for in their names."""
    page: Sequence[ProviderFigures]


@dataclass(frozen=True, slots=True)
class ProviderCounts:
    """How many providers there are, shown or not."""

    total: int
    troubled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardState:
    """Everything that the dashboard shows, at one instant."""

    at: datetime
    trouble: str | None
    """Why the catalog's store cannot be reached: then queue and providers are as they were at `seen_at`."""
    seen_at: datetime | None
    queue: QueueFigures | None
    per_second: float | None
    """Activities that the door took, the mean of some seconds; None when not known."""
    last_hour: LastHour
    plans: PlansNow
    providers: Sequence[ProviderFigures]
    """The first MOST_PROVIDERS, the troubled ones before the others."""
    provider_counts: ProviderCounts
    past: PastFigures


@dataclass(slots=True, kw_only=True)
class WatchDashboard:
    """One look a second, shared by all viewers of this process.

    What is live comes from memory: the catalog's watch and the index of search. The history is asked one question a
    second, and only while somebody looks; one that is slow or away holds up nothing else.
    """

    catalog: WatchCatalog
    plans: PlansAround
    stats: Stats
    daily_active_users: DailyActiveUsers
    retention: Retention
    users: Users
    keeper: StatsKeeper
    door_looks: DoorLooks
    clock: Clock
    timeout: float = TIMEOUT
    _curve: ActivityCurve = field(default_factory=ActivityCurve)
    _recalled: bool = False
    """Whether the curve knows what was seen before this process began."""
    _noted: int | None = None
    """The step whose first look was noted for the processes to come."""
    _turns: Iterator[str] = field(default_factory=lambda: cycle(TURNS))
    _state: DashboardState | None = None
    _past: PastFigures = field(default_factory=lambda: PastFigures(trouble="not asked yet"))
    _asked_at: datetime | None = None
    _asking: "asyncio.Task[None] | None" = None
    _began_at: datetime | None = None
    """When that was begun."""
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self) -> None:
        """Sample the door's counter every second until cancelled, so that the hour's curve is there for who comes."""
        try:
            while True:
                self.sample()
                await self.keep_curve()
                await asyncio.sleep(INTERVAL)
        finally:
            if self._asking:
                self._asking.cancel()

    def sample(self) -> None:
        """Take in what the catalog's watch saw last: no question to anybody."""
        if self.catalog.activities is not None and self.catalog.seen_at is not None:
            self._curve.note(self.catalog.seen_at, self.catalog.activities.received)

    async def keep_curve(self) -> None:
        """Recall once what was seen before this process began, and note the first look of each step for those to come.

        What fails is done again a second later, or not at all: the curve has a gap then, for those to come.
        """
        queue, seen_at = self.catalog.activities, self.catalog.seen_at
        if queue is None or seen_at is None:
            return
        newest = CounterLook(seen_at, queue.received)
        with suppress(LiveStateUnavailableError):
            if not self._recalled:
                self._curve.recall(await self.door_looks.recent())
                self._recalled = True
            if newest.step != self._noted:
                await self.door_looks.note(newest)
                self._noted = newest.step

    async def look(self) -> DashboardState:
        """See how things stand; what somebody else has just seen is good enough."""
        async with self._looking:
            now = self.clock.now()
            if self._state is None or not timedelta() <= now - self._state.at < FRESH:
                await self._ask_within_timeout(now)
                self._state = self._see(self.clock.now())
            return self._state

    def _see(self, now: datetime) -> DashboardState:
        self.sample()
        watch = self.catalog
        return DashboardState(
            at=now,
            trouble=watch.away,
            seen_at=watch.seen_at,
            queue=watch.activities,
            per_second=self._curve.rate(now),
            last_hour=self._curve.last_hour(now),
            plans=self.plans(),
            providers=self.page_of_providers("", 0, MOST_PROVIDERS).page,
            provider_counts=ProviderCounts(len(watch.providers), sum(status.is_troubled for status in watch.providers)),
            past=self._past,
        )

    def page_of_providers(self, search: str, offset: int, limit: int) -> PageOfProviders:
        """List those with `search` in their names, whatever its case, from number `offset` on; nobody is asked."""
        wanted = search.casefold()
        found = [one for one in self.catalog.providers if wanted in one.provider.name.casefold()]
        page = [ProviderFigures(one, self._rejected(one.provider.name)) for one in found[offset : offset + limit]]
        return PageOfProviders(len(found), page)

    def _rejected(self, provider: str) -> int:
        counts = self.catalog.totals.get(provider, {})
        return sum(count for name, count in counts.items() if name.startswith("rejections."))

    async def _ask_within_timeout(self, now: datetime) -> None:
        """Let one round of questions run at a time; it goes on when this look cannot wait for it."""
        if self._asking and self._asking.done() and self._began_at and now - self._began_at > IDLE:
            self._collect(self._asking)  # what it found out is old by now
        if self._asking is None:
            self._began_at = now
            self._asking = asyncio.create_task(self._ask(now))
        done, _ = await asyncio.wait({self._asking}, timeout=self.timeout)
        if done:
            self._collect(self._asking)

    def _collect(self, asked: "asyncio.Task[None]") -> None:
        self._asking = None
        asked.result()  # a bug comes to light here

    async def _ask(self, now: datetime) -> None:
        """Ask what is due: all of it after a pause or an outage."""
        idle = self._asked_at is None or now - self._asked_at > IDLE
        known = self._past.trouble is None
        due = [next(self._turns)] if known and not idle else dict.fromkeys(TURNS)
        try:
            answers = {name: await self._questions[name]() for name in due}
        except HistoryUnavailableError as error:
            self._past = PastFigures(trouble=str(error))
        else:
            self._past = replace(self._past, **answers, trouble=None)
        self._asked_at = now

    @property
    def _questions(self) -> dict[str, Callable[[], Awaitable[Any]]]:
        return {
            "types": partial(self.stats.ranking, MOST_TYPES),
            "daily_users": self.daily_active_users,
            "cohorts": self.retention,
            "users": self.users.counts,
            "counting": self.keeper.trouble,
        }
