"""What a catalog should hold after some snapshots, in as few lines as it can be said: the reference for property tests.

No digests, no staging, no gate, no log; every rule of catalog.md that a sequence of whole snapshots can show.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.domain.plans import Plan, PlanKey, SellMode


@dataclass
class Remembered:
    plan: Plan
    in_feed: bool
    searchable: bool


class ReferenceCatalog:
    def __init__(self) -> None:
        self.plans: dict[PlanKey, Remembered] = {}

    def apply(self, provider: str, feed: Iterable[Plan]) -> None:
        said = {plan.key: plan for plan in feed}
        for key, plan in said.items():
            before = self.plans.get(key)
            online = plan.sell_mode is SellMode.ONLINE
            self.plans[key] = Remembered(plan, in_feed=True, searchable=online or bool(before and before.searchable))
        for key, remembered in self.plans.items():
            if key.provider == provider and key not in said:
                remembered.in_feed = False

    def search(self, after: datetime | None, before: datetime | None) -> list[Plan]:
        found = [
            remembered.plan
            for remembered in self.plans.values()
            if remembered.searchable
            and (after is None or remembered.plan.starts_at >= after)
            and (before is None or remembered.plan.ends_at <= before)
        ]
        return sorted(found, key=lambda plan: (plan.starts_at, str(plan.key.plan_id)))
