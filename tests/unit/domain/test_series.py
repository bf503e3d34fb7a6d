"""A figure for every period of a range, against the calendar."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.series import (
    Metric,
    hours_between,
    periods_between,
    points_by_day,
    points_by_hour,
    total_of,
)
from app.domain.stats import Granularity, TypeTotal, date_of, day_number
from tests.support.oracle import Periods

MADRID, KATHMANDU, LORD_HOWE = ZoneInfo("Europe/Madrid"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("Australia/Lord_Howe")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (MADRID, "2026-03-28", 24),
        (MADRID, "2026-03-29", 23),
        (MADRID, "2026-10-25", 25),
        (KATHMANDU, "2026-03-29", 24),
        (ZoneInfo("America/Havana"), "2026-03-08", 23),  # midnight is skipped
        (LORD_HOWE, "2026-04-05", 25),  # half an hour comes twice: 1:30 begins anew
        (LORD_HOWE, "2026-10-04", 24),  # half an hour is skipped
    ],
)
def test_a_day_has_its_real_hours(zone: ZoneInfo, day: str, hours: int) -> None:
    found = hours_between(date.fromisoformat(day), date.fromisoformat(day), zone)

    assert len(found) == hours
    assert sorted(set(found)) == list(found)


def test_the_two_hours_that_a_clock_shows_alike_are_two_points() -> None:
    hours = hours_between(date(2026, 10, 25), date(2026, 10, 25), MADRID)

    points = points_by_hour(hours, {hours[2]: (3, Decimal()), hours[3]: (4, Decimal())}, Metric.COUNT, MADRID)

    starts = [point.start.isoformat() for point in points[2:4]]
    assert starts == ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]
    assert [point.figure for point in points[1:5]] == [0, 3, 4, 0]


DATES = st.dates(date(2020, 1, 1), date(2030, 1, 1))


@given(first=DATES, length=st.integers(0, 100), granularity=st.sampled_from(Granularity))
def test_periods_have_every_day_of_the_range_once(first: date, length: int, granularity: Granularity) -> None:
    last = first + timedelta(days=length)

    periods = periods_between(granularity, first, last)

    days = [day for period in periods for day in range(period.first, period.last + 1)]
    assert days == list(range(day_number(first), day_number(last) + 1))
    calendar = Periods(granularity)
    for period in periods:
        begin = calendar.begin(date_of(period.first))
        end = calendar.later(begin, 1) - timedelta(days=1)
        assert begin == calendar.begin(date_of(period.last))
        assert period.is_whole == (first <= begin and end <= last)


def test_points_add_up_days_and_show_periods_without_any() -> None:
    days = {day_number(date(2026, 1, day)): (2, Decimal("0.10")) for day in (4, 5, 18)}  # the 5th is a Monday
    periods = periods_between(Granularity.WEEK, date(2026, 1, 4), date(2026, 1, 18))

    assert [
        (str(point.start), point.figure) for point in points_by_day(Granularity.WEEK, periods, days, Metric.COUNT)
    ] == [("2025-12-29", 2), ("2026-01-05", 2), ("2026-01-12", 2)]
    sums = points_by_day(Granularity.MONTH, periods_between(Granularity.MONTH, *_MONTH), days, Metric.SUM)
    assert [(str(point.start), str(point.figure)) for point in sums] == [("2026-01-01", "0.30")]


_MONTH = (date(2026, 1, 1), date(2026, 1, 31))


def test_totals_of_one_type_are_added_up() -> None:
    assert total_of("buy", [(1, Decimal("0.1")), (2, Decimal("0.2"))]) == TypeTotal("buy", 3, Decimal("0.3"))
    assert total_of("buy", []) == TypeTotal("buy", 0, Decimal())


def test_hours_of_several_days_follow_each_other() -> None:
    found = hours_between(date(2026, 1, 5), date(2026, 1, 6), UTC)

    assert [datetime.fromtimestamp(hour, UTC).hour for hour in found] == [*range(24), *range(24)]
