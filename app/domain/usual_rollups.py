"""The rollups that an installation keeps."""

from collections.abc import Collection, Sequence

from app.domain.plan_totals import PURCHASE_TYPES, VIEW_TYPES, PlanTotals
from app.domain.rollups import HourlyTotals, Rollup


def rollups_of(
    view_types: Collection[str] = VIEW_TYPES, purchase_types: Collection[str] = PURCHASE_TYPES
) -> Sequence[Rollup]:
    """List them; which types are looks at a plan, and which are purchases of one, is configured."""
    return (HourlyTotals(), PlanTotals(frozenset(view_types), frozenset(purchase_types)))


ROLLUPS = rollups_of()
