"""The ports to the catalog: where plans are kept, and the log of their changes."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from app.application.ports.providers import FeedMark
from app.application.ports.system import Lease
from app.domain.feeds import Rejection
from app.domain.plans import Plan, PlanId, PlanSummary, SearchablePlan, instants, offsets_between
from app.domain.reconciliation import ChangeKind, KnownPlan, PlanChange
from app.domain.sync_runs import SyncReport
from app.domain.time_window import TimeWindow


class LeaseLostError(Exception):
    """Another process has taken the provider's lease since: what this one wanted to write was refused."""


@dataclass(frozen=True, slots=True)
class ProviderState:
    """What the catalog remembers of a provider between runs."""

    mark: FeedMark | None = None
    """The snapshot that was committed last; of one that was held or incomplete, no more than where it stood."""
    snapshot_at: datetime | None = None
    """When a snapshot was last read whole (an unchanged one counts)."""
    proposed: str | None = None
    """The signature of what the last run proposed and the gate held (`gate.signature`)."""
    newest_rules: str | None = None
    """The newest version of the time zone rules by which instants of its plans were reckoned, as far as is noted."""
    settled_rules: str | None = None
    """The version whose instants all of its plans have; None when others may have written since."""


@dataclass(frozen=True, slots=True)
class CatalogPlan:
    """Everything known of one plan."""

    plan: Plan
    known: KnownPlan

    @property
    def instants(self) -> tuple[datetime, datetime]:
        """Start and end as they were told (aware, UTC)."""
        return instants(self.plan, self.known.offsets)


def with_offsets(found: CatalogPlan, starts_at: datetime, ends_at: datetime) -> CatalogPlan:
    """Fill in the offsets of a plan that was written before they were noted, from the instants that stand with it."""
    if found.known.offsets is not None:
        return found
    offsets = offsets_between(found.plan, starts_at, ends_at)
    return CatalogPlan(found.plan, replace(found.known, offsets=offsets))


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """One entry of the change log."""

    provider: str
    sequence: int
    """1, 2, 3, ... per provider, without gaps."""
    plan_id: PlanId
    kinds: tuple[ChangeKind, ...]
    run_id: str
    at: datetime
    searchable: SearchablePlan | None
    """What search is to say from now on; None when search is not touched (a withdrawal, a plan never online)."""


class CatalogUpdate(Protocol):
    """The changes of one run, staged until the gate has spoken. Memory does not grow with their number."""

    @abstractmethod
    async def stage(self, changes: Sequence[PlanChange]) -> None:
        """Put changes aside. Nothing is visible to anybody yet."""

    @abstractmethod
    async def commit(self, kinds: Collection[ChangeKind]) -> None:
        """Write the staged changes that have at least one of `kinds`, in the order they were staged; forget the others.

        Atomic per change: a plan's state and its change-log entry are written together or not at all; a crash leaves
        a prefix of the changes written.

        Raises:
            LeaseLostError: the lease was taken by another; what is not written yet will not be.
            LiveStateUnavailableError: as in PlanCatalog; the last changes before it may have been written or not.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Drop what is staged. Safe to call twice."""


class PlanCatalog(Protocol):
    """The live state of all plans, by provider. Plans are never removed."""

    @abstractmethod
    async def providers(self) -> Sequence[str]:
        """Name every provider that ever committed a plan, sorted, configured still or not.

        Raises:
            LiveStateUnavailableError: as in every method here.
        """

    @abstractmethod
    async def state(self, provider: str) -> ProviderState:
        """Say what is remembered of a provider; the empty state for one never seen."""

    @abstractmethod
    async def remember(self, lease: Lease, state: ProviderState) -> None:
        """Replace the state of the lease's provider.

        Raises:
            LeaseLostError: as in `CatalogUpdate.commit`.
        """

    @abstractmethod
    async def known(self, provider: str) -> Mapping[PlanId, KnownPlan]:
        """Load what a sync needs to know of each plan of a provider; empty for one never seen."""

    @abstractmethod
    async def count(self, provider: str) -> int:
        """Count the plans of a provider, at no cost worth speaking of."""

    @abstractmethod
    async def find(self, plan_id: PlanId) -> CatalogPlan | None:
        """Find one plan, in the feed or not; None when it was never seen."""

    @abstractmethod
    def everything(self, provider: str) -> AsyncIterator[Sequence[CatalogPlan]]:
        """Hand out every plan of a provider as it stands, in batches of a bounded size, in no order, some twice.

        Of one that was written before offsets were noted they are those of what search says of it, if it says anything.
        """

    @abstractmethod
    def update(self, lease: Lease, run_id: str, at: datetime) -> CatalogUpdate:
        """Begin the changes of one run, fenced by its lease. Close it when done."""


@dataclass(frozen=True, slots=True)
class Behind:
    """The follower cannot go on from where it was: the log was trimmed, emptied or replaced. Load again."""

    provider: str


class ChangeLog(Protocol):
    """What API processes read to keep their index fresh. One log per provider; only what was stored is trimmed."""

    @abstractmethod
    def searchable(self, provider: str) -> AsyncIterator[Sequence[SearchablePlan]]:
        """Hand out all plans of a provider that search may find, in batches, in no order.

        Raises:
            LiveStateUnavailableError: as in every method here.
        """

    @abstractmethod
    def follow(self, provider: str) -> AsyncIterator[Sequence[LoggedChange] | Behind]:
        """Follow a provider's log from now on, for ever: every entry written after the first item was handed out.

        The first item is always an empty sequence, handed out once the position is taken: load `searchable` after it,
        and no change is missed (some may be seen twice). Then the changes, in their order, within a second of their
        commit; an empty sequence at least every few seconds as a sign of life. `Behind` when entries were or may have
        been missed: load again, then go on with the same iterator.

        Raises:
            LiveStateUnavailableError: follow anew later, and load again.
        """


class SyncJournal(Protocol):
    """The reports of past runs, newest first, and the rejections that they met. Bounded by the configuration."""

    @abstractmethod
    async def record(self, report: SyncReport, rejections: Sequence[Rejection]) -> None:
        """Keep a report and the rejections that came with it.

        Raises:
            LiveStateUnavailableError: as in every method here.
        """

    @abstractmethod
    async def runs(self, provider: str, limit: int) -> Sequence[SyncReport]:
        """List the newest `limit` reports."""

    @abstractmethod
    async def rejections(self, provider: str, limit: int) -> Sequence[Rejection]:
        """List the newest `limit` rejections: those of the latest run first, in the feed's order within a run."""

    @abstractmethod
    async def totals(self, provider: str) -> Mapping[str, int]:
        """Count what happened since the first run: `runs.<outcome>` and `rejections.<reason>`, for metrics."""


class PlanFinder(Protocol):
    """Search over what is in memory."""

    @abstractmethod
    def find(self, window: TimeWindow) -> Sequence[PlanSummary]:
        """Find the plans that lie wholly inside the window, by start, then by id. Never waits, never fails."""


class SearchIndex(PlanFinder, Protocol):
    """What search finds in this process. Plans are added and replaced, never removed."""

    @abstractmethod
    async def load(self, batches: AsyncIterator[Sequence[SearchablePlan]]) -> None:
        """Add or replace many plans; none when the batches fail. Searches may see some of them before others."""

    @abstractmethod
    def put(self, plans: Sequence[SearchablePlan]) -> None:
        """Add or replace a few plans at once; of two states of one plan, the later counts."""

    @abstractmethod
    def mark_ready(self) -> None:
        """Note that the whole catalog has been loaded once."""
