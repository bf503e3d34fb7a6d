"""The fold of activities as most tests want it: of any sequence of them, by the hours and days of a zone."""

from collections.abc import Iterable
from datetime import tzinfo

from app.domain.activities import Activity
from app.domain.activity_columns import ActivityColumns
from app.domain.column_fold import Fold, fold_columns
from app.domain.rollups import LocalClock


def fold(activities: Iterable[Activity], zone: tzinfo) -> Fold:
    """Add up activities, without any rollup."""
    return fold_columns(ActivityColumns.of(list(activities)), LocalClock(zone))
