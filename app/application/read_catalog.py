"""What people ask of the catalog: one plan, the providers, their runs, their rejections."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.application.ports.catalog import CatalogPlan, PlanCatalog, SyncJournal
from app.application.ports.providers import ConfiguredProvider, ProviderDirectory
from app.application.ports.system import CircuitState, CircuitStates
from app.domain.errors import UnknownPlanError
from app.domain.feeds import Rejection
from app.domain.plans import PlanId
from app.domain.sync_runs import SyncOutcome, SyncReport


@dataclass(frozen=True, slots=True)
class PlanDescription:
    """Everything known of one plan."""

    found: CatalogPlan
    last_seen_at: datetime | None
    """When its provider's feed was last read whole with the plan in it."""


@dataclass(frozen=True, slots=True)
class DescribePlan:
    """Find one plan and say all that is known of it."""

    catalog: PlanCatalog

    async def __call__(self, plan_id: PlanId) -> PlanDescription:
        """Find a plan, in the feed or not.

        Raises:
            UnknownPlanError: it was never seen.
            LiveStateUnavailableError: nobody can tell now.
        """
        found = await self.catalog.find(plan_id)
        if found is None:
            raise UnknownPlanError(plan_id)
        if not found.known.in_feed:
            return PlanDescription(found, found.known.last_seen_at)
        state = await self.catalog.state(found.plan.key.provider)
        return PlanDescription(found, state.snapshot_at or found.known.first_seen_at)


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """A configured provider and how it fares."""

    provider: ConfiguredProvider
    snapshot_at: datetime | None
    """When its feed was last read whole; None before the first time."""
    waiting: bool
    """Whether the gate holds something that an approval would apply."""
    last_run: SyncReport | None
    circuit: CircuitState

    @property
    def is_troubled(self) -> bool:
        """Whether somebody should look: it fails, waits for an approval, or is left alone by the breaker."""
        failing = self.last_run is not None and self.last_run.outcome in _TROUBLED
        return self.waiting or failing or self.circuit.state != "closed"


_TROUBLED = frozenset({SyncOutcome.FAILED, SyncOutcome.HELD, SyncOutcome.INCOMPLETE})


@dataclass(frozen=True, slots=True)
class DescribeProviders:
    """Say how every configured provider fares."""

    directory: ProviderDirectory
    catalog: PlanCatalog
    journal: SyncJournal
    circuits: CircuitStates

    async def __call__(self) -> Sequence[ProviderStatus]:
        """List them, the troubled ones first, else in the order of the configuration.

        Raises:
            LiveStateUnavailableError: nobody can tell now.
        """
        statuses = [await self._describe(provider) for provider in self.directory.all()]
        return sorted(statuses, key=lambda status: not status.is_troubled)

    async def _describe(self, provider: ConfiguredProvider) -> ProviderStatus:
        state = await self.catalog.state(provider.name)
        runs = await self.journal.runs(provider.name, 1)
        return ProviderStatus(
            provider=provider,
            snapshot_at=state.snapshot_at,
            waiting=state.proposed is not None,
            last_run=runs[0] if runs else None,
            circuit=await self.circuits.load(provider.name),
        )


@dataclass(frozen=True, slots=True)
class ListRuns:
    """List the newest runs of a provider."""

    directory: ProviderDirectory
    journal: SyncJournal

    async def __call__(self, provider: str, limit: int) -> Sequence[SyncReport]:
        """List at most `limit` reports, newest first.

        Raises:
            UnknownProviderError: it is not configured.
            LiveStateUnavailableError: nobody can tell now.
        """
        return await self.journal.runs(self.directory.get(provider).name, limit)


@dataclass(frozen=True, slots=True)
class ListRejections:
    """List the newest rejections of a provider."""

    directory: ProviderDirectory
    journal: SyncJournal

    async def __call__(self, provider: str, limit: int) -> Sequence[Rejection]:
        """List at most `limit` rejections, those of the newest run first.

        Raises:
            UnknownProviderError: it is not configured.
            LiveStateUnavailableError: nobody can tell now.
        """
        return await self.journal.rejections(self.directory.get(provider).name, limit)
