"""Changes that are shown before they are made: what the gate holds, what a dry run would do. Plan by plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.gate import HoldReason
from app.domain.plans import PlanId, SearchablePlan, searchable
from app.domain.reconciliation import ChangeKind, PlanChange

MOST_SHOWN = 1000
"""Plans of one run; all are counted."""


@dataclass(frozen=True, slots=True)
class ProposedChange:
    """How a plan would change."""

    plan_id: PlanId
    kinds: tuple[ChangeKind, ...]
    before: SearchablePlan | None
    """As the catalog has it; None for a plan that it does not know."""
    after: SearchablePlan | None
    """As the feed has it; None when it is gone from there."""


def propose(change: PlanChange) -> ProposedChange:
    """Say what a change would bring; what was before is not known yet."""
    after = None if change.plan is None else searchable(change.plan, change.known.offsets)
    return ProposedChange(change.plan_id, change.kinds, None, after)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldChanges:
    """What the gate holds back of a provider's changes."""

    run_id: str
    """The newest run that proposed it."""
    at: datetime
    held_for: tuple[HoldReason, ...]
    reason: str
    """In words."""
    total: int
    """How many plans would change."""
    plans: Sequence[ProposedChange]
    """The first MOST_SHOWN of them."""
