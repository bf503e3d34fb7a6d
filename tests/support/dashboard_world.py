"""What the dashboard looks at, in memory adapters that a test changes."""

from collections.abc import Sequence
from datetime import UTC
from uuid import UUID

from app.adapters.outbound.memory.circuit_states import MemoryCircuitStates
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.adapters.outbound.search_index.plan_calendar import IndexCalendar
from app.application.look_at_days import FiguresOfDays, TypesOfDays
from app.application.plans_around import PlansAround
from app.application.ports.providers import ConfiguredProvider, ProviderDirectory
from app.application.ports.system import Clock
from app.application.read_catalog import DescribeProviders
from app.application.read_plan_stats import PlansByFigures, WhatSells
from app.application.read_stats import DailyActiveUsers, Retention
from app.application.watch_catalog import WatchCatalog
from app.application.watch_dashboard import WatchDashboard
from app.domain.activities import Activity
from app.domain.domain_events import UserCreated
from app.domain.errors import UnknownProviderError
from app.domain.plans import Plan, searchable
from app.domain.users import User
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.fakes.activity_queue import MemoryActivityQueue
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.activity_stream import MemoryActivityStream
from tests.fakes.door_looks import MemoryDoorLooks
from tests.fakes.plan_catalog import MemoryPlanCatalog
from tests.fakes.plan_journal import MemoryPlanJournal
from tests.fakes.queue_watch import MemoryQueueWatch
from tests.fakes.store import MemoryStore
from tests.fakes.sync_journal import MemorySyncJournal
from tests.fakes.users import AccessStore, MemoryUsers
from tests.support.fixed_clock import FixedClock
from tests.support.scripted_provider import ScriptedProvider, configured


class Directory(ProviderDirectory):
    def __init__(self, providers: Sequence[ConfiguredProvider]) -> None:
        self._providers = providers

    def all(self) -> Sequence[ConfiguredProvider]:
        return self._providers

    def get(self, name: str) -> ConfiguredProvider:
        raise UnknownProviderError(name, [])


class DashboardWorld:
    """Everything that the dashboard looks at, to be changed by a test."""

    def __init__(self, clock: Clock | None = None, history: MemoryActivityStore | None = None) -> None:
        self.clock = clock or FixedClock()
        self.store = MemoryStore()
        self.stream = MemoryActivityStream(self.store)
        self.queue = MemoryActivityQueue(self.stream)
        self.history = history or MemoryActivityStore(UTC)
        self.access = AccessStore()
        self.users = MemoryUsers(self.access)
        self.journal = MemorySyncJournal(self.store)
        self.circuits = MemoryCircuitStates()
        self.index = LiveIndex(RENDERING)
        self.index.mark_ready()
        self.providers = [configured(ScriptedProvider(), name="demo")]
        describe = DescribeProviders(
            Directory(self.providers), MemoryPlanCatalog(self.store), self.journal, self.circuits
        )
        self.catalog = WatchCatalog(describe, self.journal, MemoryQueueWatch(self.stream), self.clock)
        self.looks = MemoryDoorLooks(self.store)
        self.watch = self.a_watch()
        self.days = FiguresOfDays(self.history, self.history, self.clock, UTC)
        catalog = MemoryPlanCatalog(self.store)
        self.what_sells = WhatSells(PlansByFigures(self.history, catalog, MemoryPlanJournal(), self.clock, UTC))
        self.types = TypesOfDays(self.history, self.history, self.clock, UTC)

    def a_watch(self) -> WatchDashboard:
        """Make what a process that begins now has."""
        return WatchDashboard(
            catalog=self.catalog,
            plans=PlansAround(IndexCalendar(self.index, RENDERING), self.clock, UTC),
            stats=self.history,
            daily_active_users=DailyActiveUsers(self.history, self.clock, UTC),
            retention=Retention(self.history, self.clock, UTC),
            users=self.users,
            keeper=self.history,
            door_looks=self.looks,
            clock=self.clock,
        )

    @property
    def fixed_clock(self) -> FixedClock:
        assert isinstance(self.clock, FixedClock)
        return self.clock

    def plans(self, *plans: Plan) -> None:
        self.index.put([searchable(plan) for plan in plans])

    async def happened(self, *activities: Activity) -> None:
        """Take activities in at the door, and store them at once."""
        await self.queue.append(activities)
        await self.history.store(activities)
        for token in list(self.stream.entries):
            self.stream.finish(token)

    async def user(self, number: int = 1) -> User:
        now = self.clock.now()
        name = f"user{number}"
        user = User(
            user_id=UUID(int=number), username=name, email=f"{name}@example.com", created_at=now, updated_at=now
        )
        await self.users.add(user, UserCreated(event_id=str(number), occurred_at=now, user=user))
        return user
