"""Read a snapshot against what is known: the part of a sync that decides nothing but what changed."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.application.ports.catalog import CatalogUpdate
from app.application.ports.providers import FeedBrokenError, FeedError, FeedSnapshot
from app.domain.feeds import FeedRecord, Rejection, RejectionReason
from app.domain.plans import PlanId
from app.domain.reconciliation import ChangeKind, KnownPlan, PlanChange, judge, withdrawals

REJECTIONS_KEPT = 1000
"""Per run; all are counted."""


class TooManyPlansError(FeedError):
    """A feed says more than its limit allows: what came first is read, the rest is not."""

    def __init__(self, limit: int) -> None:
        """Say which setting decides."""
        super().__init__(
            f"the feed has more than {limit:,} records, and what comes after them was not read: "
            "raise limits.max_plans of this provider if that is honest"
        )


@dataclass(slots=True)
class SnapshotReading:
    """What a snapshot says, tallied while it is read; the changes themselves go to the update."""

    provider: str
    known: Mapping[PlanId, KnownPlan]
    update: CatalogUpdate | None
    """None in a dry run: changes are counted and forgotten."""
    at: datetime
    max_plans: int
    """How many records are read, with the rejected ones; whoever sends more decides nothing by what is missing."""
    rules: str = ""
    """As `judge` takes it."""
    records: int = 0
    rejected_for: Counter[RejectionReason] = field(default_factory=Counter)
    unplaced: int = 0
    """Rejected records that name neither a plan nor a base: with one of them, absence proves nothing."""
    rejections: list[Rejection] = field(default_factory=list)
    broken: FeedError | None = None
    """Why it was not read to its end."""
    withdrawn: list[PlanId] = field(default_factory=list)
    _tally: Counter[tuple[ChangeKind, ...]] = field(default_factory=Counter)
    _present: set[PlanId] = field(default_factory=set)
    _doubtful_bases: set[str] = field(default_factory=set)

    async def read(self, snapshot: FeedSnapshot, last_seen_at: datetime | None) -> None:
        """Read it to its end, or to where it breaks; only a whole snapshot tells what was withdrawn."""
        try:
            async for batch in snapshot.records():
                await self._take(batch)
        except (FeedBrokenError, TooManyPlansError) as error:
            self.broken = error
            return
        if self.unplaced:
            return
        gone = list(
            withdrawals(self.known, self._present, self._doubtful_bases, last_seen_at=last_seen_at, at=self.at),
        )
        self.withdrawn = [change.plan_id for change in gone]
        await self._stage(gone)

    @property
    def changed(self) -> int:
        """How many plans that were in the feed say something else now."""
        return sum(
            plans
            for kinds, plans in self._tally.items()
            if ChangeKind.CHANGED in kinds and ChangeKind.RETURNED not in kinds
        )

    @property
    def found_changes(self) -> bool:
        """Whether there is anything to write."""
        return bool(self._tally)

    def count(self, committed: Collection[ChangeKind], *, inside: bool) -> dict[ChangeKind, int]:
        """Count plans by kind of change: of the changes that `committed` lets through, or of the others."""
        counts: Counter[ChangeKind] = Counter()
        for kinds, plans in self._tally.items():
            if any(kind in committed for kind in kinds) is inside:
                counts.update(dict.fromkeys(kinds, plans))
        return dict(counts)

    async def _take(self, batch: Sequence[FeedRecord]) -> None:
        room = self.max_plans - self.records
        await self._stage([change for record in batch[:room] if (change := self._judge(record))])
        if len(batch) > room:
            raise TooManyPlansError(self.max_plans)

    def _judge(self, record: FeedRecord) -> PlanChange | None:
        self.records += 1
        if isinstance(record, Rejection):
            self._note(record)
            return None
        plan_id = record.plan.key.plan_id
        self._present.add(plan_id)
        return judge(record.plan, record.digest, self.known.get(plan_id), self.at, self.rules)

    def _note(self, rejection: Rejection) -> None:
        self.rejected_for[rejection.reason] += 1
        if len(self.rejections) < REJECTIONS_KEPT:
            self.rejections.append(rejection)
        if rejection.key is not None:
            self._present.add(rejection.key.plan_id)
        elif rejection.base_id is not None:
            self._doubtful_bases.add(rejection.base_id)
        else:
            self.unplaced += 1

    async def _stage(self, changes: list[PlanChange]) -> None:
        self._tally.update(change.kinds for change in changes)
        if changes and self.update is not None:
            await self.update.stage(changes)
