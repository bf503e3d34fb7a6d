"""Cuts between days of which the activities have left and days of which they are there."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from app.domain.activity_columns import instant_of
from app.domain.rollups import Cut, LocalClock, cut_behind
from app.domain.stats import Visits, before, date_of, day_number, visits_on

MADRID, GOOSE_BAY = ZoneInfo("Europe/Madrid"), ZoneInfo("America/Goose_Bay")
"""The clock of Goose Bay was set back at 00:01, until 2011."""
HOUR = 3_600_000_000


def at(*when: int, zone: tzinfo = UTC) -> int:
    return round(datetime(*when, tzinfo=zone).timestamp()) * 1_000_000  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("zone", "instant", "day", "begins"),
    [
        (UTC, at(2026, 1, 1), date(2026, 1, 1), at(2026, 1, 1)),
        (UTC, at(2026, 1, 1) + 1, date(2026, 1, 2), at(2026, 1, 2)),
        (MADRID, at(2026, 1, 1), date(2026, 1, 2), at(2026, 1, 1, 23)),
        (MADRID, at(2026, 3, 29), date(2026, 3, 30), at(2026, 3, 29, 22)),
        (ZoneInfo("America/Los_Angeles"), at(2026, 1, 1), date(2026, 1, 1), at(2026, 1, 1, 8)),
        (ZoneInfo("Asia/Beirut"), at(2026, 3, 28), date(2026, 3, 29), at(2026, 3, 28, 22)),  # midnight is left out
        (GOOSE_BAY, at(2010, 11, 7), date(2010, 11, 8), at(2010, 11, 8, 4)),  # midnight came twice
    ],
)
def test_a_cut_lies_where_the_next_day_begins(zone: tzinfo, instant: int, day: date, begins: int) -> None:
    assert cut_behind(instant, zone) == Cut(day_number(day), begins)


@pytest.mark.parametrize("other", [UTC, MADRID, ZoneInfo("Asia/Kathmandu"), ZoneInfo("Pacific/Kiritimati")])
def test_what_occurred_before_a_cut_is_frozen_and_all_else_is_not_by_any_rules(other: tzinfo) -> None:
    cut = cut_behind(at(2026, 1, 1), MADRID)
    instants = [cut.instant + minutes * HOUR // 60 + more for minutes in range(-2_000, 2_000, 25) for more in (-1, 0)]

    hours, days = LocalClock(other, cut).read(instants)

    for instant, hour, day in zip(instants, hours, days, strict=True):
        assert (day < cut.day) == (hour < cut.hour) == (instant < cut.instant)
        assert abs(date_of(day) - instant_of(instant).date()) <= timedelta(days=2)


def test_the_days_before_one_are_chosen() -> None:
    visits = visits_on([10, 12, 15])

    assert before(10, visits) is None
    assert before(-5, visits) is None
    assert before(11, visits) == visits_on([10])
    assert before(15, visits) == Visits(10, 0b101)
    assert before(100, visits) == visits
