"""One provider, one catalog in memory, and the sync between them: what tests of the sync need."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from app.application.ports.catalog import PlanCatalog
from app.application.ports.providers import FeedWatcher
from app.application.ports.syncs import TransitionLog
from app.application.ports.system import Clock, Leases
from app.application.retime_plans import RetimePlans, Retiming
from app.application.sync_provider import SyncOrder, SyncProvider
from app.domain.feeds import FeedRecord
from app.domain.gate import GatePolicy
from app.domain.plans import Plan
from app.domain.sync_runs import SyncReport
from tests.fakes.absences import MemoryAbsences
from tests.fakes.activity_stream import MemoryActivityStream
from tests.fakes.change_log import MemoryChangeLog
from tests.fakes.held_plans import MemoryHeldPlans
from tests.fakes.leases import MemoryLeases
from tests.fakes.plan_catalog import MemoryPlanCatalog
from tests.fakes.queue_watch import MemoryQueueWatch
from tests.fakes.rejection_lists import MemoryRejectionLists
from tests.fakes.store import MemoryStore
from tests.fakes.sync_journal import MemorySyncJournal
from tests.fakes.sync_transitions import MemoryTransitionLog
from tests.support.fixed_clock import FixedClock
from tests.support.scripted_provider import OPEN_GATE, ScriptedProvider, configured


def a_retiming(
    catalog: PlanCatalog,
    leases: Leases,
    clock: Clock,
    rules: str = "2026a",
    on_retimed: Callable[[Retiming], None] = lambda _: None,
) -> RetimePlans:
    """Make what mends instants, in a process that has the zone rules of this version."""
    return RetimePlans(
        catalog=catalog,
        leases=leases,
        clock=clock,
        new_run_id=lambda: "retiming",
        rules=rules,
        on_retimed=on_retimed,
    )


@dataclass
class SyncWorld:
    name: str = "demo"
    gate: GatePolicy = OPEN_GATE
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: FixedClock = field(default_factory=FixedClock)
    provider: ScriptedProvider = field(default_factory=ScriptedProvider)
    bugs: list[Exception] = field(default_factory=list)
    transitions_to: TransitionLog | None = None
    """Who is told of transitions, instead of the log in the store."""

    def __post_init__(self) -> None:
        self.catalog = MemoryPlanCatalog(self.store)
        self.journal = MemorySyncJournal(self.store)
        self.rejections = MemoryRejectionLists(self.store)
        self.held = MemoryHeldPlans(self.store)
        self.transitions = MemoryTransitionLog(self.store)
        self.leases = MemoryLeases(self.store)
        self.log = MemoryChangeLog(self.store, block=0.05)
        self.configured = configured(self.provider, name=self.name, gate=self.gate)
        self._numbers = count(1)
        self.retimed: list[Retiming] = []
        self.retime = self.retiming_by("2026a")
        self.sync_provider = SyncProvider(
            catalog=self.catalog,
            journal=self.journal,
            rejections=self.rejections,
            held=self.held,
            absences=MemoryAbsences(self.store),
            transitions=self.transitions_to or self.transitions,
            leases=self.leases,
            clock=self.clock,
            retime=self.retime,
            on_bug=self.bugs.append,
        )
        self.queue = MemoryQueueWatch(MemoryActivityStream(self.store))

    def retiming_by(self, rules: str) -> RetimePlans:
        """Make what mends instants in a process that has these rules."""
        return a_retiming(self.catalog, self.leases, self.clock, rules, self.retimed.append)

    async def sync(
        self,
        *,
        approve: bool = False,
        dry_run: bool = False,
        full: bool = False,
        watcher: FeedWatcher | None = None,
    ) -> SyncReport:
        self.clock.move(60)
        order = SyncOrder(run_id=f"run-{next(self._numbers)}", approve=approve, dry_run=dry_run, full=full)
        return await self.sync_provider(self.configured, order, watcher)

    async def sync_with(self, *records: FeedRecord | Plan) -> SyncReport:
        self.provider.now_says(*records)
        return await self.sync()

    async def titles(self) -> list[str]:
        """Say what search would find."""
        return sorted([plan.summary.title async for batch in self.log.searchable(self.name) for plan in batch])
