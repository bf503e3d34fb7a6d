"""What a catalog should hold after some snapshots, in as few lines as it can be said: the reference for property tests.

No digests, no staging, no gate, no log; every rule of catalog.md that a sequence of whole snapshots can show, of plans
that are over already.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.domain.plans import Plan, PlanId, PlanKey, SellMode


@dataclass
class Remembered:
    plan: Plan
    in_feed: bool
    searchable: bool


class ReferenceCatalog:
    def __init__(self) -> None:
        self.plans: dict[PlanId, Remembered] = {}
        self._now: dict[PlanKey, PlanId] = {}
        """Which plan a key names now."""

    def apply(self, provider: str, feed: Iterable[Plan]) -> None:
        said = [self._edition_of(plan) for plan in feed]
        for plan in said:
            before = self.plans.get(plan.plan_id)
            online = plan.sell_mode is SellMode.ONLINE
            self.plans[plan.plan_id] = Remembered(
                plan, in_feed=True, searchable=online or bool(before and before.searchable)
            )
            self._now[plan.key] = plan.plan_id
        present = {plan.plan_id for plan in said}
        for plan_id, remembered in self.plans.items():
            if remembered.plan.key.provider == provider and plan_id not in present:
                remembered.in_feed = False

    def _edition_of(self, plan: Plan) -> Plan:
        before = self.plans.get(self._now.get(plan.key, plan.plan_id))
        if before is None:
            return plan
        if plan.starts_at <= before.plan.ends_at or plan.title == before.plan.title:
            return replace(plan, edition=before.plan.edition)
        edition = plan.starts
        while plan.key.id_of(edition) in self.plans:
            edition += timedelta(microseconds=1)
        return replace(plan, edition=edition)

    def search(self, after: datetime | None, before: datetime | None) -> list[Plan]:
        found = [
            remembered.plan
            for remembered in self.plans.values()
            if remembered.searchable
            and (after is None or remembered.plan.starts_at >= after)
            and (before is None or remembered.plan.ends_at <= before)
        ]
        return sorted(found, key=lambda plan: (plan.starts_at, str(plan.plan_id)))
