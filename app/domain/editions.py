"""Ids that a provider uses again for another show: the old one stays findable, the new one has an id of its own."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from app.domain.plans import Plan, PlanId, PlanKey, SearchablePlan
from app.domain.reconciliation import ChangeKind, KnownPlan, PlanChange


def current_edition(key: PlanKey, known_of: Callable[[PlanId], KnownPlan | None]) -> datetime | None:
    """Find the edition that the ids name now; None while it is the first plan of theirs."""
    edition: datetime | None = None
    while (known := known_of(key.id_of(edition))) and known.followed_by is not None:
        edition = known.followed_by
    return edition


def new_edition(plan: Plan, known_of: Callable[[PlanId], KnownPlan | None]) -> datetime:
    """Name an edition after its first start: a microsecond later when an older one, which was moved since, has that."""
    edition = plan.starts
    while known_of(plan.key.id_of(edition)):
        edition += timedelta(microseconds=1)
    return edition


def begins_edition(plan: Plan, before: SearchablePlan, at: datetime) -> bool:
    """Tell whether a plan, read `at` an instant, is another show than the one that had its ids before.

    That one is over, the new one begins behind its end, and their titles differ in more than case and white space.
    """
    if before.ends_at > at or plan.starts_at <= before.ends_at:
        return False
    return _words(plan.title) != _words(before.summary.title)


def superseded(
    plan_id: PlanId, before: KnownPlan, edition: datetime, *, at: datetime, last_seen_at: datetime | None = None
) -> PlanChange:
    """Note of a plan that its ids name another one from now on; it has left the feed if it was in it."""
    after = replace(before, followed_by=edition)
    if not before.in_feed:
        return PlanChange(plan_id, (ChangeKind.SUPERSEDED,), after, None)
    seen = last_seen_at or before.first_seen_at
    after = replace(after, in_feed=False, withdrawn_at=at, last_seen_at=seen)
    return PlanChange(plan_id, (ChangeKind.WITHDRAWN, ChangeKind.SUPERSEDED), after, None)


def _words(title: str) -> list[str]:
    return title.casefold().split()
