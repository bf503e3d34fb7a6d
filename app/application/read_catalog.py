"""What people ask of the catalog: one plan, the providers, their runs, their rejections."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.application.ports.catalog import CatalogPlan, PlanCatalog, SyncJournal
from app.application.ports.providers import ConfiguredProvider, ProviderDirectory
from app.application.ports.syncs import HeldPlans, RejectionLists
from app.application.ports.system import CircuitState, CircuitStates
from app.domain.errors import UnknownPlanError
from app.domain.plans import PlanId
from app.domain.proposed_changes import HeldChanges
from app.domain.rejection_list import StandingRejection
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
    rejections: int = 0
    """How many records, or parts of some, cannot be used now."""

    @property
    def is_troubled(self) -> bool:
        """Whether somebody should look: it cannot be made, fails, waits for an approval, or its circuit is open."""
        failing = self.last_run is not None and self.last_run.outcome in _TROUBLED
        return bool(self.provider.trouble) or self.waiting or failing or self.circuit.state != "closed"


_TROUBLED = frozenset({SyncOutcome.FAILED, SyncOutcome.HELD, SyncOutcome.INCOMPLETE, SyncOutcome.UNUSABLE})


def troubled_first(statuses: Iterable[ProviderStatus]) -> Sequence[ProviderStatus]:
    """Put those first that somebody should look at; else the order stays."""
    return sorted(statuses, key=lambda status: not status.is_troubled)


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
        return troubled_first(await self.some(self.directory.all()))

    async def some(self, providers: Sequence[ConfiguredProvider]) -> Sequence[ProviderStatus]:
        """Say it of some providers, in their order, with one question for all.

        Raises:
            LiveStateUnavailableError: nobody can tell now.
        """
        names = [provider.name for provider in providers]
        states, runs = await self.catalog.states(names), await self.journal.last_runs(names)
        return [
            ProviderStatus(provider, state.snapshot_at, state.proposed is not None, last_run, circuit, state.rejections)
            for provider, state, last_run, circuit in zip(
                providers, states, runs, await self.circuits.load_all(names), strict=True
            )
        ]


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
    """List the rejections of a provider: what cannot be used of its feed now, or what has been mended."""

    directory: ProviderDirectory
    rejections: RejectionLists

    async def __call__(self, provider: str, limit: int, *, mended: bool = False) -> Sequence[StandingRejection]:
        """List at most `limit`: those that the newest run met first, in the feed's order; the newest of the mended.

        Raises:
            UnknownProviderError: it is not configured.
            LiveStateUnavailableError: nobody can tell now.
        """
        found = self.rejections.mended if mended else self.rejections.standing
        return await found(self.directory.get(provider).name, limit)


@dataclass(frozen=True, slots=True)
class DescribeHeld:
    """Say what the gate holds of a provider, plan by plan."""

    directory: ProviderDirectory
    held: HeldPlans

    async def __call__(self, provider: str) -> HeldChanges | None:
        """Describe it; None when nothing is held.

        Raises:
            UnknownProviderError: it is not configured.
            LiveStateUnavailableError: nobody can tell now.
        """
        return await self.held.find(self.directory.get(provider).name)
