"""Periods around today."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from app.domain.timeline import Unit, midnight, period_starts

TODAY = date(2026, 1, 31)


@pytest.mark.parametrize(
    ("unit", "first", "current", "beyond"),
    [
        (Unit.DAY, date(2026, 1, 17), TODAY, date(2026, 2, 15)),
        (Unit.MONTH, date(2025, 1, 1), date(2026, 1, 1), date(2027, 2, 1)),
        (Unit.YEAR, date(2018, 1, 1), date(2026, 1, 1), date(2035, 1, 1)),
    ],
)
def test_as_many_periods_lie_before_the_current_one_as_after_it(
    unit: Unit, first: date, current: date, beyond: date
) -> None:
    starts = period_starts(unit, TODAY)

    assert (starts[0], starts[unit.reach], starts[-1]) == (first, current, beyond)
    assert len(starts) == 2 * unit.reach + 2
    assert starts == sorted(set(starts))


def test_a_day_begins_at_midnight_of_its_zone() -> None:
    assert midnight(date(2026, 7, 1), ZoneInfo("Europe/Madrid")) == datetime(2026, 6, 30, 22, tzinfo=UTC)
