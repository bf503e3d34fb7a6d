"""The ports to the journal, every state that every plan was ever known in, and to the log that it is written from."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.application.ports.catalog import Behind, CatalogPlan, LogPage, LogPosition
from app.domain.plans import Plan, PlanId, PlanSummary
from app.domain.reconciliation import ChangeKind, KnownPlan
from app.domain.time_window import TimeWindow


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One change of a plan, as it is written to the journal."""

    provider: str
    plan_id: PlanId
    kinds: tuple[ChangeKind, ...]
    run_id: str
    at: datetime
    """When the run read the feed: from then on the plan was known like this."""
    known: KnownPlan
    plan: Plan | None
    """None when the change did not bring one (a withdrawal): the plan's last state stays."""

    @property
    def repeats(self) -> bool:
        """Whether it says what was known before, be it with other instants, and not what a feed says."""
        return not {ChangeKind.RESTORED, ChangeKind.RETIMED}.isdisjoint(self.kinds)

    def is_in(self, states: Sequence[tuple[str, KnownPlan]]) -> bool:
        """Tell whether it is in the journal, which has these states of its plan (run and knowledge, oldest first).

        The run tells. One that repeats is also there when its state is, with its instants, or when something else came
        after what it repeats: nobody restores or mends what is over, but in a log that was set back.
        """
        if any(run_id == self.run_id for run_id, _ in states):
            return True
        if not self.repeats:
            return False
        like = [known.is_like(self.known) for _, known in states]
        return (any(like) and not like[-1]) or any(known.is_as(self.known) for _, known in states)


@dataclass(frozen=True, slots=True)
class PastState:
    """A state that a plan was known in, and the change that brought it."""

    at: datetime
    """From when on. Never before the state that it follows, whatever the clocks said."""
    kinds: tuple[ChangeKind, ...]
    run_id: str
    found: CatalogPlan


class JournalMovedError(Exception):
    """Another process has journaled from the same position: begin again from where it stands now."""


@dataclass(frozen=True, slots=True)
class JournalStep:
    """What the journal takes from the log of one provider at once."""

    provider: str
    before: LogPosition | None
    """Up to where the log was journaled until now; None when it was not yet."""
    entries: Sequence[JournalEntry]
    after: LogPosition | None
    """Up to where it is journaled then; it may be `before` again."""


class PlanJournal(Protocol):
    """Where the states of plans are written, in the order of the change log. What is written is never changed.

    All methods raise HistoryUnavailableError; then nothing was written, or all of it: `positions` tells.
    """

    @abstractmethod
    async def positions(self) -> Mapping[str, LogPosition]:
        """Say up to where each provider's log has been journaled; without those that have not been yet."""

    @abstractmethod
    async def append(self, steps: Sequence[JournalStep]) -> None:
        """Write entries and the new positions in one transaction, in their order; each step is of another provider.

        An entry that leaves its plan as the journal knows it already (same `known`, same instants) is not written a
        second time. A withdrawal of a plan that the journal has never seen is dropped. Instants are those that the
        entry's offsets say, whatever the rules of this process.

        Raises:
            JournalMovedError: a position is not `before` any more; nothing was written.
        """

    @abstractmethod
    async def lacking(self, entries: Sequence[JournalEntry]) -> Sequence[JournalEntry]:
        """Leave out the entries that it has, as `JournalEntry.is_in` tells.

        So a log that was set back, and has changes both of before and since, can be read a second time.
        """

    @abstractmethod
    async def sizes(self) -> Mapping[str, int]:
        """Count the plans of each provider; without those that have none."""

    @abstractmethod
    def latest(self, provider: str) -> AsyncIterator[Sequence[CatalogPlan]]:
        """Hand out every plan of a provider once, in its newest state, in batches, in no order."""


class PlanHistory(Protocol):
    """What people ask of the journal. All methods raise HistoryUnavailableError."""

    @abstractmethod
    async def states(self, plan_id: PlanId, limit: int) -> Sequence[PastState]:
        """List the newest `limit` states of a plan, newest first; empty for one never seen."""

    @abstractmethod
    async def search(self, window: TimeWindow, as_of: datetime, limit: int) -> Sequence[PlanSummary]:
        """Find the first `limit` plans that a search would have found with what was known at `as_of`.

        By start, then by id. What comes later than the newest entry is known like now.
        """


class JournalSource(Protocol):
    """The change log and the catalog as the journal reads them.

    Nobody else trims the log: what a reader of this kind has not stored yet stays in it.
    """

    @abstractmethod
    async def head(self, provider: str) -> LogPosition | None:
        """Say where the provider's log ends now; None when there is no log.

        Raises:
            LiveStateUnavailableError: as in every method here.
        """

    @abstractmethod
    async def read(self, after: Mapping[str, LogPosition]) -> Mapping[str, LogPage[JournalEntry] | Behind]:
        """Read the entries that follow the positions of some providers, without gaps; none at a log's end.

        All together about a thousand, or 1 MB, of which each log has its part. `Behind` when a log does not lead on
        from there: it was trimmed past it, emptied, replaced or set back.
        """

    @abstractmethod
    def everything(self, provider: str) -> AsyncIterator[Sequence[CatalogPlan]]:
        """Hand out every plan of a provider as it is known now, in batches, in no order; a plan may come twice."""

    @abstractmethod
    async def stored(self, positions: Mapping[str, LogPosition]) -> None:
        """Tell logs up to where they have been stored, so that they may forget what nobody needs any more.

        The newest entries stay for those who follow the log, as many as the configuration says (about), and of each
        reader of this kind the entry that its position names.
        """


class HistoryWatch(Protocol):
    """Whether the history serves: not every read shows that nothing can be written."""

    @abstractmethod
    async def check_writes(self) -> None:
        """Return when it takes writes now.

        Raises:
            HistoryUnavailableError: it is away, read-only, full, or its file is gone; the message says which.
        """
