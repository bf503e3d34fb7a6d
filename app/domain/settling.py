"""A withdrawal may settle first: a plan that leaves a feed and comes back at once was never withdrawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.plans import PlanId


@dataclass(frozen=True, slots=True)
class Absence:
    """Since when a plan is not in the feed."""

    since: datetime
    """The first run that missed it."""
    runs: int
    """How many runs in a row have missed it."""


@dataclass(frozen=True, slots=True)
class SettlePolicy:
    """How long a plan must be absent until it counts as withdrawn. Tombstones do not wait."""

    seconds: float = 0.0
    runs: int = 1
    """In a row; the first one counts."""

    def is_settled(self, absence: Absence, at: datetime) -> bool:
        """Tell whether an absence, noted again `at` an instant, counts."""
        return absence.runs >= self.runs and at - absence.since >= timedelta(seconds=self.seconds)


@dataclass(slots=True)
class Settling:
    """The absences of one provider's plans during a run."""

    policy: SettlePolicy
    before: Mapping[PlanId, Absence]
    waiting: dict[PlanId, Absence] = field(default_factory=dict)
    """Those that wait on."""
    settled: dict[PlanId, Absence] = field(default_factory=dict)
    """Those that count."""

    def counts(self, plan_id: PlanId, at: datetime) -> bool:
        """Note that a plan is absent, and tell whether it is withdrawn by that."""
        before = self.before.get(plan_id)
        absence = Absence(before.since, before.runs + 1) if before else Absence(at, 1)
        counts = self.policy.is_settled(absence, at)
        (self.settled if counts else self.waiting)[plan_id] = absence
        return counts

    def leave(self, plan_id: PlanId) -> None:
        """Leave an absence as it was: nobody can tell now."""
        if plan_id in self.before:
            self.waiting[plan_id] = self.before[plan_id]
