"""Read a snapshot against what is known: the part of a sync that decides nothing but what changed."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, islice

from app.application.ports.catalog import CatalogUpdate
from app.application.ports.providers import FeedBrokenError, FeedError, FeedMark, FeedSnapshot
from app.domain.editions import begins_edition, current_edition, new_edition, superseded
from app.domain.feeds import FeedRecord, PlanRecord, Rejection, RejectionReason, RememberedRecord, Tombstone
from app.domain.known_plans import KnownPlans
from app.domain.plans import PlanId, PlanKey, SearchablePlan
from app.domain.proposed_changes import MOST_SHOWN, ProposedChange, propose
from app.domain.reconciliation import ChangeKind, KnownPlan, PlanChange, is_over, judge, withdrawal, withdrawals
from app.domain.settling import Settling

NEVER_HELD = frozenset({ChangeKind.LISTED, ChangeKind.RETURNED, ChangeKind.SUPERSEDED})

STAGED_TOGETHER = 1000
"""Withdrawals."""

_Known = tuple[PlanId, KnownPlan]
_ReadRecord = PlanRecord | Rejection | Tombstone

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


@dataclass(slots=True, kw_only=True)
class SnapshotReading:
    """What a snapshot says, tallied while it is read; the changes themselves go to the update."""

    known: KnownPlans
    update: CatalogUpdate | None
    """None in a dry run: changes are counted and forgotten."""
    at: datetime
    told: Callable[[Sequence[PlanId]], Awaitable[Mapping[PlanId, SearchablePlan]]]
    """As PlanCatalog says it of the provider's plans."""
    max_plans: int
    """How many records are read, with the rejected ones; whoever sends more decides nothing by what is missing."""
    rules: str = ""
    """As `judge` takes it."""
    last_seen_at: datetime | None = None
    """When the feed was last read whole."""
    settling: Settling | None = None
    """Where a withdrawal is to settle first."""
    assumed: int = 0
    """Plans of a feed that was not read again, and has them still."""
    watched: Mapping[PlanId, PlanKey] = field(default_factory=dict)
    """Plans of which a rejection stands."""
    read_well: set[PlanKey] = field(default_factory=set)
    """Those of them that had a usable record."""
    records: int = 0
    usable: int = 0
    """Those of them that could be used."""
    unknown: int = 0
    """Elements that nobody knows, in the place of records."""
    rejected_for: Counter[RejectionReason] = field(default_factory=Counter)
    unplaced: int = 0
    """Rejected records that name neither a plan nor a base: with one of them, absence proves nothing."""
    rejections: list[Rejection] = field(default_factory=list)
    broken: FeedError | None = None
    """Why it was not read to its end."""
    mark: FeedMark | None = None
    """Up to where all of it was read: the whole of it, or of an incremental feed that broke what came before."""
    withdrawn: list[PlanId] = field(default_factory=list)
    is_whole: bool = False
    """Whether all that the feed says was read: then it met every rejection that stands."""
    _proposed: dict[tuple[ChangeKind, ...], list[ProposedChange]] = field(default_factory=dict)
    _tally: Counter[tuple[ChangeKind, ...]] = field(default_factory=Counter)
    _present: bytearray = field(init=False)
    """A byte for each place of `known`: 1 for a plan with a record, be it rejected."""
    _doubtful_bases: set[str] = field(default_factory=set)
    _moved_on: dict[PlanId, KnownPlan] | None = None
    """Of an incremental feed, where a plan may occur twice: what is known of those that this run has changed."""

    def __post_init__(self) -> None:
        self._present = bytearray(len(self.known))

    async def read(self, snapshot: FeedSnapshot) -> None:
        """Read it to its end, or to where it breaks; only a whole snapshot tells what was withdrawn."""
        self._moved_on = {} if snapshot.incremental else None
        try:
            async for batch in snapshot.records():
                await self._take(batch)
                if snapshot.incremental:
                    self.mark = snapshot.mark.unsettled()
        except (FeedBrokenError, TooManyPlansError) as error:
            self.broken = error
        else:
            self.mark = snapshot.mark
            self.is_whole = not snapshot.incremental and self.rejected_for.total() == len(self.rejections)
        finally:
            self.unknown = snapshot.unknown_records
        if not (self.broken or snapshot.incremental or self.unplaced or self._is_all_rejected):
            await self._withdraw_absent(snapshot.told_from)
        elif self.settling:
            self.settling.waiting = dict(self.settling.before)

    @property
    def _is_all_rejected(self) -> bool:
        return self.records > 0 and not self.usable

    async def go_on(self, mark: FeedMark | None) -> None:
        """Take note that the feed says what it said: what was absent from it is so still."""
        self.mark = mark
        waiting = self.settling.before if self.settling else {}
        self._present = bytearray(b"\x01" * len(self.known))
        for plan_id in waiting:
            place = self.known.place(plan_id)
            if place is not None:
                self._present[place] = 0
        self.assumed = self.known.in_feed - sum(1 for _ in self.known.absent(self._present))
        await self._withdraw_absent(None)

    async def _withdraw_absent(self, told_from: datetime | None) -> None:
        absent = self.known.absent(self._present)
        while some := list(islice(absent, STAGED_TOGETHER)):
            left = some if told_from is None else await self._not_over(some, told_from)
            gone = [(plan_id, known) for plan_id, known in left if self._counts(plan_id, known)]
            changes = list(withdrawals(gone, self._doubtful_bases, last_seen_at=self.last_seen_at, at=self.at))
            self.withdrawn += [change.plan_id for change in changes]
            await self._stage(changes)

    async def _not_over(self, absent: Sequence[_Known], told_from: datetime) -> Sequence[_Known]:
        """Leave out the plans that ended before the snapshot begins to tell: they are over, and have not left it."""
        told = await self.told([plan_id for plan_id, _ in absent])
        return [(plan_id, known) for plan_id, known in absent if not is_over(told.get(plan_id), told_from)]

    def _counts(self, plan_id: PlanId, known: KnownPlan) -> bool:
        """Tell whether an absence counts by now, where it is to settle first."""
        if self.settling is None:
            return True
        if known.base_id in self._doubtful_bases:
            self.settling.leave(plan_id)
            return False
        return self.settling.counts(plan_id, self.at)

    @property
    def is_useless(self) -> bool:
        """Whether it says something, and not one record can be used."""
        return not self.usable and bool(self.records or self.unknown)

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

    def count_plans(self, committed: frozenset[ChangeKind]) -> int:
        """Count the changes that `committed` does not let through."""
        return sum(plans for kinds, plans in self._tally.items() if committed.isdisjoint(kinds))

    def proposed(self, committed: frozenset[ChangeKind]) -> list[ProposedChange]:
        """List the first MOST_SHOWN of the changes that `committed` does not let through."""
        groups = (changes for kinds, changes in self._proposed.items() if committed.isdisjoint(kinds))
        return list(islice(chain.from_iterable(groups), MOST_SHOWN))

    async def _take(self, batch: Sequence[FeedRecord]) -> None:
        room = self.max_plans - self.records
        records = await _read([record for record in batch[:room] if not self._is_told(record)])
        before = await self._what_was_told(records)
        await self._stage([change for record in records for change in self._judge(record, before)])
        if len(batch) > room:
            raise TooManyPlansError(self.max_plans)

    def _is_told(self, record: FeedRecord) -> bool:
        """Tell whether the catalog says what a record says, as it does of nearly all: then that is all there is to do.

        Not in an increment, where this run may have changed the plan.
        """
        if not isinstance(record, PlanRecord | RememberedRecord) or self._moved_on is not None:
            return False
        plan_id = record.plan_id
        place = self.known.place(plan_id)
        if place is None or not self.known.says(place, record.digest):
            return False
        self._present[place] = 1
        self._count_usable(plan_id)
        return True

    async def _what_was_told(self, records: Sequence[_ReadRecord]) -> Mapping[PlanId, SearchablePlan]:
        """Ask what stood of the plans that say something else now: of one that is over its ids may name another."""
        differing = [
            plan_id
            for record in records
            if isinstance(record, PlanRecord)
            and (known := self._known_of(plan_id := self._current_id(record.plan.key)))
            and known.digest != record.digest
        ]
        return await self.told(differing) if differing else {}

    def _judge(self, record: _ReadRecord, before: Mapping[PlanId, SearchablePlan]) -> Iterable[PlanChange]:
        if isinstance(record, Rejection):
            self._note(record)
            return ()
        self._count_usable(record.key.plan_id if isinstance(record, Tombstone) else record.plan_id)
        changes = self._bury(record) if isinstance(record, Tombstone) else self._compare(record, before)
        if self._moved_on is not None:
            self._moved_on |= {change.plan_id: change.known for change in changes}
        return changes

    def _compare(self, record: PlanRecord, before: Mapping[PlanId, SearchablePlan]) -> Sequence[PlanChange]:
        key, plan = record.plan.key, record.plan
        edition = current_edition(key, self._known_of)
        plan_id, changes = key.id_of(edition), list[PlanChange]()
        known, told = self._known_of(plan_id), before.get(plan_id)
        if known and told and begins_edition(plan, told, self.at):
            edition = new_edition(plan, self._known_of)
            changes.append(superseded(plan_id, known, edition, at=self.at, last_seen_at=self.last_seen_at))
        self._mark_present(plan_id, key.id_of(edition))
        if edition is not None:
            plan = replace(plan, edition=edition)
            known = self._known_of(plan.plan_id)
        change = judge(plan, record.digest, known, self.at, self.rules)
        return [*changes, change] if change else changes

    def _bury(self, record: Tombstone) -> Sequence[PlanChange]:
        plan_id = self._current_id(record.key)
        known = self._known_of(plan_id)
        self._mark_present(plan_id)
        if known is None or not known.in_feed:
            return ()
        self.withdrawn.append(plan_id)
        return [withdrawal(plan_id, known, at=self.at, last_seen_at=self.last_seen_at)]

    def _current_id(self, key: PlanKey) -> PlanId:
        return key.id_of(current_edition(key, self._known_of))

    def _known_of(self, plan_id: PlanId) -> KnownPlan | None:
        return (self._moved_on and self._moved_on.get(plan_id)) or self.known.get(plan_id)

    def _mark_present(self, *plan_ids: PlanId) -> None:
        for plan_id in plan_ids:
            place = self.known.place(plan_id)
            if place is not None:
                self._present[place] = 1

    def _count_usable(self, plan_id: PlanId) -> None:
        self.records += 1
        self.usable += 1
        if plan_id in self.watched:
            self.read_well.add(self.watched[plan_id])

    def _note(self, rejection: Rejection) -> None:
        self.rejected_for[rejection.reason] += 1
        self.records += rejection.part is None
        if len(self.rejections) < REJECTIONS_KEPT:
            self.rejections.append(rejection)
        if rejection.part is not None:
            return
        if rejection.key is not None:
            self._mark_present(self._current_id(rejection.key))
        elif rejection.base_id is not None:
            self._doubtful_bases.add(rejection.base_id)
        else:
            self.unplaced += 1

    async def _stage(self, changes: list[PlanChange]) -> None:
        self._tally.update(change.kinds for change in changes)
        for change in changes:
            self._show(change)
        if changes and self.update is not None:
            await self.update.stage(changes)

    def _show(self, change: PlanChange) -> None:
        """Keep the first of each kind for whoever is to judge them: what is never held, only for a dry run."""
        if self.update is not None and not NEVER_HELD.isdisjoint(change.kinds):
            return
        shown = self._proposed.setdefault(change.kinds, [])
        if len(shown) < MOST_SHOWN:
            shown.append(propose(change))


async def _read(records: Sequence[FeedRecord]) -> Sequence[_ReadRecord]:
    """Read after all what is remembered; in a thread, since an emptied catalog has all of it read."""
    if any(isinstance(record, RememberedRecord) for record in records):
        return await asyncio.to_thread(_read_here, records)
    return _read_here(records)


def _read_here(records: Sequence[FeedRecord]) -> Sequence[_ReadRecord]:
    return [record.read() if isinstance(record, RememberedRecord) else record for record in records]
