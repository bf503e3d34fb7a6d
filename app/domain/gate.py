"""The gate: a snapshot that looks like an accident waits until it is confirmed."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

from app.domain.plans import PlanId


class HoldReason(StrEnum):
    """Why a snapshot is held."""

    EMPTY_FEED = "empty_feed"
    MASS_WITHDRAWAL = "mass_withdrawal"
    MASS_CHANGE = "mass_change"
    UNKNOWN_ELEMENTS = "unknown_elements"
    """What nobody knows stands where records are expected: a feed of another shape, not one without plans."""


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """When a snapshot is held. Shares are of the plans that the feed held before (0 to 1)."""

    min_plans: int = 10
    """A feed with at most this many plans may change at will; only an empty one is held."""
    max_withdrawn_share: float = 0.30
    max_changed_share: float = 0.50
    approval_required: bool = False
    """Whether only a person lets pass what is held; else a second run that proposes the same does, too."""


@dataclass(frozen=True, slots=True)
class SnapshotCounts:
    """What the gate looks at, in plans."""

    known: int
    """Plans that the feed held before."""
    records: int
    """Records of this snapshot, rejected ones included."""
    withdrawn: int
    changed: int
    unknown: int = 0
    """Elements that nobody knows, in the place of records."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What waits, and why in words for the report."""

    reasons: tuple[HoldReason, ...]
    explanation: str

    @property
    def withdrawals(self) -> bool:
        """Whether withdrawals wait."""
        return not _OF_WITHDRAWALS.isdisjoint(self.reasons)

    @property
    def changes(self) -> bool:
        """Whether changes of known plans wait."""
        return HoldReason.MASS_CHANGE in self.reasons

    def may_agree(self, policy: GatePolicy) -> bool:
        """Whether a second run that proposes the same lets it pass; else only a person does."""
        return not policy.approval_required and HoldReason.UNKNOWN_ELEMENTS not in self.reasons


_OF_WITHDRAWALS = frozenset({HoldReason.EMPTY_FEED, HoldReason.MASS_WITHDRAWAL, HoldReason.UNKNOWN_ELEMENTS})


def inspect(policy: GatePolicy, counts: SnapshotCounts) -> Hold | None:
    """Decide whether a snapshot must be confirmed; None lets it pass whole.

    New and returned plans never wait: adding them destroys nothing.
    """
    reasons: list[HoldReason] = []
    words: list[str] = []
    if counts.withdrawn and counts.unknown > counts.records:
        reasons.append(HoldReason.UNKNOWN_ELEMENTS)
        words.append(f"{counts.unknown} unknown elements stand where {counts.records} records were found")
    elif counts.records == 0 and counts.withdrawn:
        reasons.append(HoldReason.EMPTY_FEED)
        words.append(f"the feed is empty, it held {counts.known} plans before")
    elif _too_many(counts.withdrawn, counts.known, policy.min_plans, policy.max_withdrawn_share):
        reasons.append(HoldReason.MASS_WITHDRAWAL)
        words.append(_share("are gone from the feed", counts.withdrawn, counts.known, policy.max_withdrawn_share))
    if _too_many(counts.changed, counts.known, policy.min_plans, policy.max_changed_share):
        reasons.append(HoldReason.MASS_CHANGE)
        words.append(_share("changed at once", counts.changed, counts.known, policy.max_changed_share))
    return Hold(tuple(reasons), "; ".join(words)) if reasons else None


def signature(reasons: Iterable[HoldReason], withdrawn: Iterable[PlanId]) -> str:
    """Name what a run proposes, so that the next one can agree: same reasons, same withdrawals.

    Changed values are not part of it: a feed whose stock moves every minute could never agree with itself.
    """
    digest = blake2b(digest_size=16)
    digest.update(",".join(sorted(reasons)).encode())
    for plan_id in sorted(withdrawn):
        digest.update(plan_id.bytes)
    return digest.hexdigest()


def _too_many(count: int, known: int, min_plans: int, share: float) -> bool:
    return known > min_plans and count > known * share


def _share(what: str, count: int, known: int, limit: float) -> str:
    return f"{count} of {known} plans ({count / known:.0%}) {what}, more than the {limit:.0%} that pass unasked"
