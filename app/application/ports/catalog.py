"""The ports to the catalog: where plans are kept, and the log of their changes."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from app.application.ports.providers import FeedMark
from app.application.ports.system import Lease
from app.domain.known_plans import KnownPlans
from app.domain.plans import Plan, PlanId, PlanSummary, SearchablePlan, instants, offsets_between
from app.domain.reconciliation import ChangeKind, KnownPlan, PlanChange
from app.domain.sync_runs import SyncReport
from app.domain.sync_transitions import ProviderHealth, SyncTransition
from app.domain.time_window import TimeWindow

Entry = TypeVar("Entry")


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
    health: ProviderHealth = field(default_factory=ProviderHealth)
    """How its syncs fare, as it was told last."""
    untold: tuple[SyncTransition, ...] = ()
    """What has changed of that and may not have been told yet, because a process ended: the next run tells it."""
    settling: int = 0
    """How many plans are absent and wait until that counts (`Absences`)."""
    rejections: int = 0
    """How many rejections stand, as far as they are kept (`RejectionLists`)."""
    full_at: datetime | None = None
    """When the whole feed was last brought, and not only its server's word that nothing has changed."""


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
    async def known(self, provider: str) -> KnownPlans:
        """Load what a sync needs to know of each plan of a provider; empty for one never seen."""

    @abstractmethod
    async def states(self, providers: Sequence[str]) -> Sequence[ProviderState]:
        """Say it of many providers at once, in their order."""

    @abstractmethod
    async def counts(self, providers: Sequence[str]) -> Sequence[int]:
        """Count the plans of each of these providers, at no cost worth speaking of."""

    @abstractmethod
    async def told(self, provider: str, plan_ids: Collection[PlanId]) -> Mapping[PlanId, SearchablePlan]:
        """Say what stands of some plans of a provider, searchable or not; without those that it does not know."""

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
class LogPosition:
    """A place in the change log of one provider: of which log, after how many of its entries, and behind which one."""

    epoch: int
    sequence: int
    entry: str = ""
    """Names the entry at that place: a log that was set back has others at the same numbers. Sixteen hexadecimal
    digits in Redis; empty where there is none, or nobody noted it, and then the numbers alone are believed."""


@dataclass(frozen=True, slots=True)
class LogPage(Generic[Entry]):
    """Some entries of a log, in order and without gaps."""

    entries: Sequence[Entry]
    end: LogPosition
    """Where to read on."""
    more: bool
    """Whether there may be more by now; if not, `end` is where the log ended when it was read."""


@dataclass(frozen=True, slots=True)
class Behind:
    """The log does not lead on from a position: load everything again, then read on from `head`."""

    provider: str
    head: LogPosition | None
    """Where the log ends now; None when there is no log."""
    oldest: LogPosition | None
    """From where the log can be read: just before the oldest entry that it has; None when it has none."""
    trimmed: bool
    """Whether it is still the log that the position is of, cut off past it; if not, it was lost or set back."""


class ChangeLog(Protocol):
    """What API processes read to keep their index fresh. One log per provider; only what was stored is trimmed."""

    @abstractmethod
    def searchable(self, provider: str) -> AsyncIterator[Sequence[SearchablePlan]]:
        """Hand out all plans of a provider that search may find, in batches, in no order.

        Raises:
            LiveStateUnavailableError: as in every method here.
        """

    @abstractmethod
    def heads(self) -> AsyncIterator[Mapping[str, LogPosition | None]]:
        """Say where logs end, for ever: first those of all providers that have plans, then those that moved.

        Within a second of a commit, however many providers there are; None for a log that is gone. Nothing at all, at
        least every few seconds, is a sign of life. A move whose news got lost, because its writer was killed in that
        instant, is told within a second for each hundred providers.

        Raises:
            LiveStateUnavailableError: ask anew later; the first item has what was missed.
        """

    @abstractmethod
    async def read(self, after: Mapping[str, LogPosition]) -> Mapping[str, LogPage[LoggedChange] | Behind]:
        """Read what follows the positions of some providers, of each about a hundred entries at the most.

        Load `searchable` after a position was taken, and no change is missed that is read from there on (some may
        be seen twice). `Behind` when entries were missed, or may have been.
        """


class SyncJournal(Protocol):
    """The reports of past runs, newest first. Bounded by the configuration."""

    @abstractmethod
    async def record(self, report: SyncReport) -> None:
        """Keep a report, and count.

        Raises:
            LiveStateUnavailableError: as in every method here.
        """

    @abstractmethod
    async def runs(self, provider: str, limit: int) -> Sequence[SyncReport]:
        """List the newest `limit` reports."""

    @abstractmethod
    async def last_runs(self, providers: Sequence[str]) -> Sequence[SyncReport | None]:
        """Find the newest report of each of these providers, in their order; None where there is none."""

    @abstractmethod
    async def totals(self, providers: Sequence[str]) -> Sequence[Mapping[str, int]]:
        """Count what happened to each since its first run: `runs.<outcome>`, `rejections.<reason>`, for metrics."""


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
