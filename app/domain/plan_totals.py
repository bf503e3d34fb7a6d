"""How often a plan is looked at and bought: the rollup by day and plan, and what is told of it. Pure."""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.domain.rollups import DatedActivities, Day, Rollup, Sums, sums_by
from app.domain.stats import date_of

VIEW_TYPES = ("view", "page_view")
PURCHASE_TYPES = ("purchase",)
VIEW, PURCHASE = "view", "purchase"
"""What an activity counts as, in the key of the rollup."""

_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_is_uuid = re.compile(_UUID, re.ASCII).fullmatch
_member = re.compile(rf'"plan(?:_id|Id)":\s*"({_UUID})"', re.ASCII).search


class PlanOrder(StrEnum):
    """What comes first in a list of plans."""

    VIEWS = "views"
    PURCHASES = "purchases"
    CONVERSION = "conversion"


@dataclass(frozen=True, slots=True)
class PlanFigures:
    """How often a plan was looked at and bought, and the exact sum of what was paid."""

    plan_id: str
    """A UUID, in small letters."""
    views: int
    purchases: int
    sum: Decimal

    @property
    def conversion(self) -> float | None:
        """Purchases over views; None without any view. It may be above 1: not everybody who buys looks."""
        return self.purchases / self.views if self.views else None


@dataclass(frozen=True, slots=True)
class PlanDay:
    """The same of one day."""

    date: date
    views: int
    purchases: int
    sum: Decimal


def plan_id_in(properties: str) -> str | None:
    """Find which plan an activity is about: the UUID `plan_id`, else `planId`, of its properties (a JSON object)."""
    has_id = '"plan_id"' in properties
    if not has_id and '"planId"' not in properties:
        return None
    if properties.count("{") == 1 and "[" not in properties and "\\" not in properties and '"planId"' not in properties:
        found = _member(properties)  # in such a text it stands nowhere else
        return found[1].lower() if found else None
    known = json.loads(properties)
    value = known.get("plan_id", known.get("planId"))
    return value.lower() if isinstance(value, str) and _is_uuid(value) else None


@dataclass(frozen=True, slots=True)
class PlanTotals(Rollup):
    """Count views and purchases by day and plan."""

    views: Collection[str] = frozenset(VIEW_TYPES)
    """The types that count as a view."""
    purchases: Collection[str] = frozenset(PURCHASE_TYPES)
    name: str = "plan_totals"

    @property
    def counts_by(self) -> str:
        """Name the types, by what they count as."""
        return ",".join(
            [f"{VIEW} {type_}" for type_ in sorted(self.views)]
            + [f"{PURCHASE} {type_}" for type_ in sorted(self.purchases)]
        )

    def sums(self, dated: DatedActivities) -> Sums:
        """Count them; what names no plan, or is neither a view nor a purchase, counts nothing."""
        counted = dict.fromkeys(self.views, VIEW) | dict.fromkeys(self.purchases, PURCHASE)
        given, keys, values = dated.activities, [], []
        rows = zip(dated.days, given.types, given.properties, given.values, strict=True)
        for day, type_, properties, value in rows:
            if properties is not None and type_ in counted and (plan_id := plan_id_in(properties)) is not None:
                keys.append((day, plan_id, counted[type_]))
                values.append(value)
        return sums_by(keys, values)

    def told(self, key: Any) -> str:
        """Name the plan and the day."""
        return f"{key[2]}s of the plan {key[1]} on {date_of(key[0])}"


def days_of_plan(sums: Sums) -> Sequence[PlanDay]:
    """List the days of one plan on which something was counted, ascending."""
    found: dict[Day, dict[str, tuple[int, Decimal]]] = {}
    for (day, _, kind), figures in sums.items():
        found.setdefault(day, {})[kind] = figures
    nothing = (0, Decimal())
    return [
        PlanDay(date_of(day), kinds.get(VIEW, nothing)[0], *kinds.get(PURCHASE, nothing))
        for day, kinds in sorted(found.items())
    ]
