"""Reconciliation, the one rule of the sync: what is known + a snapshot -> changes. Pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfoNotFoundError

from app.domain.plans import Plan, PlanId, SearchablePlan, SellMode, UtcOffsets, utc_offsets


class ChangeKind(StrEnum):
    """What happened to a plan; one sync may do several of them to one plan."""

    LISTED = "listed"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"
    RETURNED = "returned"
    WENT_ONLINE = "went_online"
    WENT_OFFLINE = "went_offline"
    RETIMED = "retimed"
    """It says what it said, but newer time zone rules give its wall clock other instants."""
    SUPERSEDED = "superseded"
    """Its provider uses its ids for another plan from now on, which has an id of its own (ADR 0070)."""
    RESTORED = "restored"
    """Taken over from elsewhere than a feed: from the journal into the catalog, or the other way."""


@dataclass(frozen=True, slots=True)
class KnownPlan:
    """What a sync must remember of a plan to judge its next record; small, because all of them are loaded."""

    digest: bytes
    base_id: str
    sell_mode: SellMode
    in_feed: bool
    seen_online: bool
    """Sticky: once online, searchable for ever (ADR 0007)."""
    first_seen_at: datetime
    withdrawn_at: datetime | None = None
    last_seen_at: datetime | None = None
    """Set when the plan is withdrawn; while it is in the feed, that is the provider's last complete snapshot."""
    offsets: UtcOffsets | None = None
    """From which its instants follow, as they were told; None for a plan that was written before this was noted."""
    followed_by: datetime | None = None
    """The edition that has its ids since it is over; None while they name this plan."""

    def is_like(self, other: "KnownPlan") -> bool:
        """Tell whether both say the same, be it with other instants."""
        return self.digest == other.digest and replace(self, offsets=None) == replace(other, offsets=None)

    def is_as(self, other: "KnownPlan") -> bool:
        """Tell whether both say the same with the same instants, by whichever rules these were reckoned.

        Where one has none noted, the other must be of the same age: all that is known of its rules is that, too.
        """
        ours, theirs = self.offsets, other.offsets
        if ours is None or theirs is None:
            same = not any(offsets.rules for offsets in (ours, theirs) if offsets)
        else:
            same = ours[:2] == theirs[:2]
        return same and self.is_like(other)


@dataclass(frozen=True, slots=True)
class PlanChange:
    """A plan's next state and how it differs from the one before."""

    plan_id: PlanId
    kinds: tuple[ChangeKind, ...]
    known: KnownPlan
    """What is known of the plan once the change is committed."""
    plan: Plan | None
    """The plan as the feed has it now; None when it was withdrawn: its last state stays."""


def judge(plan: Plan, digest: bytes, known: KnownPlan | None, at: datetime, rules: str = "") -> PlanChange | None:
    """Compare one record, read `at` an instant, with what is known of its plan; None when nothing is to be written.

    `rules` is the version of this process's time zone rules, by which the instants of what is written are reckoned.
    """
    kinds = tuple(_kinds(plan, digest, known))
    if not kinds:
        return None
    online = plan.sell_mode is SellMode.ONLINE
    now_known = KnownPlan(
        digest=digest,
        base_id=plan.key.base_id,
        sell_mode=plan.sell_mode,
        in_feed=True,
        seen_online=online or (known is not None and known.seen_online),
        first_seen_at=known.first_seen_at if known else at,
        offsets=utc_offsets(plan, rules),
    )
    return PlanChange(plan.plan_id, kinds, now_known, plan)


def _kinds(plan: Plan, digest: bytes, known: KnownPlan | None) -> Iterator[ChangeKind]:
    if known is None:
        yield ChangeKind.LISTED
        return
    if not known.in_feed:
        yield ChangeKind.RETURNED
    if known.digest != digest:
        yield ChangeKind.CHANGED
    if known.sell_mode is not plan.sell_mode:
        yield ChangeKind.WENT_ONLINE if plan.sell_mode is SellMode.ONLINE else ChangeKind.WENT_OFFLINE


def retimed(plan: Plan, known: KnownPlan, rules: str) -> PlanChange | None:
    """Compare the instants that were told of a plan with those of this process's rules; None when they are the same.

    Also None when nobody knows what was told, or when the rules can give no instants: what stands then stays.
    """
    try:
        offsets = utc_offsets(plan, rules)
    except (OverflowError, ZoneInfoNotFoundError):
        return None
    if known.offsets is None or known.offsets[:2] == offsets[:2]:
        return None
    return PlanChange(plan.plan_id, (ChangeKind.RETIMED,), replace(known, offsets=offsets), plan)


def withdrawals(
    absent: Iterable[tuple[PlanId, KnownPlan]],
    doubtful_bases: Collection[str],
    *,
    last_seen_at: datetime | None,
    at: datetime,
) -> Iterator[PlanChange]:
    """List the plans that left the feed, of those that are known to be in it and have no record now, be it rejected.

    A plan of a doubtful base (one with a record whose item could not be told) is left alone: its absence proves
    nothing. `last_seen_at` is when the feed was last read whole.
    """
    for plan_id, before in absent:
        if before.base_id not in doubtful_bases:
            yield withdrawal(plan_id, before, at=at, last_seen_at=last_seen_at)


def withdrawal(plan_id: PlanId, before: KnownPlan, *, at: datetime, last_seen_at: datetime | None = None) -> PlanChange:
    """Withdraw a plan that is known to be in the feed."""
    after = replace(before, in_feed=False, withdrawn_at=at, last_seen_at=last_seen_at or before.first_seen_at)
    return PlanChange(plan_id, (ChangeKind.WITHDRAWN,), after, None)


def is_over(told: SearchablePlan | None, told_from: datetime) -> bool:
    """Tell whether a plan, by what was told of it, had ended before the instant from which on a feed tells."""
    return told is not None and told.starts_at < told_from and told.ends_at <= told_from
