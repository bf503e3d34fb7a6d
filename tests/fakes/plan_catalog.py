"""PlanCatalog in memory."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime

from app.application.ports.catalog import (
    CatalogPlan,
    CatalogUpdate,
    LoggedChange,
    PlanCatalog,
    ProviderState,
    with_offsets,
)
from app.application.ports.history import JournalEntry
from app.application.ports.system import Lease
from app.domain.known_plans import KnownPlans
from app.domain.plans import PlanId, SearchablePlan, searchable
from app.domain.reconciliation import ChangeKind, PlanChange
from tests.fakes.store import Logged, MemoryStore, Shelf


class MemoryPlanCatalog(PlanCatalog):
    """The live state of all plans of one MemoryStore."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def providers(self) -> Sequence[str]:
        """List who has a plan."""
        self._store.check()
        return self._store.providers

    async def state(self, provider: str) -> ProviderState:
        """Read the provider's state."""
        return self._store.shelf(provider).state

    async def remember(self, lease: Lease, state: ProviderState) -> None:
        """Write the provider's state, unless the fence has moved on."""
        self._store.fenced_shelf(lease).state = state

    async def known(self, provider: str) -> KnownPlans:
        """Copy, so that a later commit does not change what a sync looks at."""
        return KnownPlans.of(self._store.shelf(provider).known)

    async def states(self, providers: Sequence[str]) -> Sequence[ProviderState]:
        """Read the states of several."""
        return [await self.state(name) for name in providers]

    async def counts(self, providers: Sequence[str]) -> Sequence[int]:
        """Count."""
        return [len(self._store.shelf(name).known) for name in providers]

    async def told(self, provider: str, plan_ids: Collection[PlanId]) -> Mapping[PlanId, SearchablePlan]:
        """Say it of the plans as they stand."""
        shelf = self._store.shelf(provider)
        return {
            plan_id: searchable(shelf.plans[plan_id], shelf.known[plan_id].offsets)
            for plan_id in plan_ids
            if plan_id in shelf.plans
        }

    async def find(self, plan_id: PlanId) -> CatalogPlan | None:
        """Ask every provider."""
        self._store.check()
        for provider in self._store.providers:
            shelf = self._store.shelf(provider)
            if plan_id in shelf.plans:
                return CatalogPlan(shelf.plans[plan_id], shelf.known[plan_id])
        return None

    async def everything(self, provider: str) -> AsyncIterator[Sequence[CatalogPlan]]:
        """Hand out all plans, in one batch."""
        shelf = self._store.shelf(provider)
        found = [CatalogPlan(plan, shelf.known[plan_id]) for plan_id, plan in shelf.plans.items()]
        yield [_completed(one, shelf.summaries.get(one.plan.plan_id)) for one in found]

    def update(self, lease: Lease, run_id: str, at: datetime) -> CatalogUpdate:
        """Begin a run's changes."""
        return MemoryCatalogUpdate(self._store, lease, run_id, at)


def _completed(found: CatalogPlan, told: SearchablePlan | None) -> CatalogPlan:
    return with_offsets(found, told.starts_at, told.ends_at) if told else found


class MemoryCatalogUpdate(CatalogUpdate):
    """Stages in a list; nobody runs between the first write of a commit and its last."""

    def __init__(self, store: MemoryStore, lease: Lease, run_id: str, at: datetime) -> None:
        self._store = store
        self._lease = lease
        self._run_id = run_id
        self._at = at
        self._staged: list[PlanChange] = []

    async def stage(self, changes: Sequence[PlanChange]) -> None:
        """Put the changes aside."""
        self._staged.extend(changes)

    async def commit(self, kinds: Collection[ChangeKind]) -> None:
        """Write what was staged, in order."""
        chosen = [change for change in self._staged if not set(kinds).isdisjoint(change.kinds)]
        if chosen:
            shelf = self._store.fenced_shelf(self._lease)
            for change in chosen:
                self._write(shelf, change)
            self._store.written.set()
        self._staged.clear()

    def _write(self, shelf: Shelf, change: PlanChange) -> None:
        shelf.known[change.plan_id] = change.known
        told = None
        if change.plan is not None:
            shelf.plans[change.plan_id] = change.plan
            if change.known.seen_online:
                told = shelf.summaries[change.plan_id] = searchable(change.plan, change.known.offsets)
        shelf.sequence += 1
        head = (change.plan_id, change.kinds, self._run_id, self._at)
        provider = self._lease.provider
        logged = LoggedChange(provider, shelf.sequence, *head, told)
        shelf.log.append(Logged(logged, JournalEntry(provider, *head, change.known, change.plan)))

    async def aclose(self) -> None:
        """Forget what is staged."""
        self._staged.clear()
