"""A SyncWorld with a journal behind it: what tests of the journal need."""

from dataclasses import dataclass, field
from itertools import count

from app.application.journal_changes import JournalChanges
from app.application.ports.catalog import CatalogPlan
from app.application.ports.history import JournalSource, PastState
from app.application.restore_catalog import Restoration, RestoreCatalog
from app.domain.plans import Plan, PlanId
from tests.fakes.journal_source import MemoryJournalSource
from tests.fakes.plan_journal import MemoryPlanJournal
from tests.support.sync_world import SyncWorld


@dataclass
class JournalWorld(SyncWorld):
    plan_journal: MemoryPlanJournal = field(default_factory=MemoryPlanJournal)
    log_kept: int = 100_000
    restored: list[Restoration] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        numbers = count(1)
        self.source: JournalSource = MemoryJournalSource(self.store, log_kept=self.log_kept)
        self.restore = RestoreCatalog(
            catalog=self.catalog,
            source=self.source,
            journal=self.plan_journal,
            leases=self.leases,
            clock=self.clock,
            retime=self.retime,
            new_run_id=lambda: f"restore-{next(numbers)}",
        )
        self.journaling = self.journaling_from(self.source)

    def journaling_from(self, source: JournalSource) -> JournalChanges:
        return JournalChanges(
            source=source,
            journal=self.plan_journal,
            restore=self.restore,
            clock=self.clock,
            new_run_id=lambda: "take-over",
            on_restored=self.restored.append,
        )

    async def journal_changes(self, journaling: JournalChanges | None = None) -> int:
        """Journal what all logs have; return the number of entries."""
        return await (journaling or self.journaling)(dict(self.store.heads))

    async def states(self, plan: Plan) -> list[PastState]:
        """Say how a plan was known, the oldest first."""
        return list(reversed(await self.plan_journal.states(plan.plan_id, 1000)))

    async def kinds(self, plan: Plan) -> list[str]:
        return [",".join(state.kinds) for state in await self.states(plan)]

    async def everything(self) -> dict[PlanId, CatalogPlan]:
        """Say all that the catalog knows of all providers."""
        return {
            plan.plan.plan_id: plan
            for provider in await self.catalog.providers()
            async for batch in self.source.everything(provider)
            for plan in batch
        }
