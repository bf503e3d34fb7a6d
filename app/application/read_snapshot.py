"""Read a snapshot against what is known: the part of a sync that decides nothing but what changed."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.application.ports.catalog import CatalogUpdate
from app.application.ports.providers import FeedBrokenError, FeedSnapshot
from app.domain.feeds import FeedRecord, Rejection, RejectionReason
from app.domain.plans import PlanId
from app.domain.reconciliation import ChangeKind, KnownPlan, PlanChange, judge, withdrawals

REJECTIONS_KEPT = 1000
"""Per run; all are counted."""


@dataclass(slots=True)
class SnapshotReading:
    """What a snapshot says, tallied while it is read; the changes themselves go to the update."""

    provider: str
    known: Mapping[PlanId, KnownPlan]
    update: CatalogUpdate | None
    """None in a dry run: changes are counted and forgotten."""
    at: datetime
    rules: str = ""
    """As `judge` takes it."""
    records: int = 0
    rejected_for: Counter[RejectionReason] = field(default_factory=Counter)
    unplaced: int = 0
    """Rejected records that name neither a plan nor a base: with one of them, absence proves nothing."""
    rejections: list[Rejection] = field(default_factory=list)
    broken: FeedBrokenError | None = None
    withdrawn: list[PlanId] = field(default_factory=list)
    _tally: Counter[tuple[ChangeKind, ...]] = field(default_factory=Counter)
    _present: set[PlanId] = field(default_factory=set)
    _doubtful_bases: set[str] = field(default_factory=set)

    async def read(self, snapshot: FeedSnapshot, last_seen_at: datetime | None) -> None:
        """Read it to its end, or to where it breaks; only a whole snapshot tells what was withdrawn."""
        try:
            async for batch in snapshot.records():
                await self._stage([change for record in batch if (change := self._judge(record))])
        except FeedBrokenError as error:
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
