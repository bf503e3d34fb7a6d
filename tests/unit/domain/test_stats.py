"""The rules of the stats, against an oracle that knows none of our code."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, Inexact
from itertools import accumulate, pairwise, product
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.activities import Activity
from app.domain.activity_columns import microseconds
from app.domain.column_fold import Fold
from app.domain.identities import ANONYMOUS
from app.domain.rollups import LocalClock, add, added_up, negated
from app.domain.stats import (
    Cell,
    DailyUsers,
    Granularity,
    date_of,
    day_number,
    days_of,
    every_day,
    monday_of,
    month_of,
    month_start,
    period_of,
    retention,
    start_of,
    today,
    union,
    visits_on,
    week_of,
    without,
)
from app.domain.user_days import ALL, UserDays, days_with, together
from app.domain.user_figures import Active, UserFigures
from tests.support.folding import fold
from tests.support.oracle import Oracle

MADRID, KATHMANDU = ZoneInfo("Europe/Madrid"), ZoneInfo("Asia/Kathmandu")
NEW_YEAR = datetime(2026, 12, 25, tzinfo=UTC)
"""Three weeks from here on cross the end of a year with 53 ISO weeks."""
SPRING, AUTUMN = datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 10, 23, tzinfo=UTC)
"""A few days before Madrid's clocks change."""

TYPES = ["view", "click", "purchase"]
DAYS = st.sets(st.integers(-40, 40), min_size=1)
ZONES = st.sampled_from([ZoneInfo("UTC"), MADRID, KATHMANDU])


def activities_around(begin: datetime) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Draw activities of few users within three weeks, at minutes that matter to zones; some ids occur twice."""
    one = st.fixed_dictionaries(
        {
            "id": st.integers(1, 60),
            "type": st.sampled_from(TYPES),
            "occurred_at": st.integers(0, 21 * 24 * 4).map(lambda quarters: begin + timedelta(minutes=15 * quarters)),
            "user_id": st.sampled_from(["ana", "bob", "eve", None]),
            "value": st.sampled_from([None, "0.1", "0.20", "-7", "999999999999999999.000000000000000000000001"]),
        }
    )
    return st.lists(one, max_size=40)


ACTIVITIES = st.sampled_from([NEW_YEAR, SPRING, AUTUMN]).flatmap(activities_around)


def an_activity(drawn: dict[str, Any]) -> Activity:
    value = None if drawn["value"] is None else Decimal(drawn["value"])
    return Activity(UUID(int=drawn["id"]), drawn["type"], drawn["occurred_at"], user_id=drawn["user_id"], value=value)


class Rollups:
    """What a store does with the rules, one batch after another."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.known: set[UUID] = set()
        self.totals: dict[str, tuple[int, Decimal]] = {}
        self.visits: dict[str, UserDays] = {}
        self.figures = UserFigures(TYPES)

    def store(self, batch: list[dict[str, Any]]) -> None:
        new: dict[UUID, Activity] = {}
        for activity in map(an_activity, batch):
            if activity.activity_id not in self.known:
                new.setdefault(activity.activity_id, activity)
        self.known |= new.keys()
        found = fold(new.values(), self.zone)
        for (_, type_), (count, sum_) in found.totals.items():
            before = self.totals.get(type_, (0, Decimal()))
            self.totals[type_] = (before[0] + count, add(before[1], sum_))
        for user_id, visits in found.visits.items():
            before_visits = self.visits.get(user_id)
            after = together(before_visits, visits) if before_visits else visits
            self.figures.move(before_visits, after)
            self.visits[user_id] = after

    def said(self, first: date, last: date, today_: date) -> dict[str, Any]:
        said: dict[str, Any] = {
            "totals": [{"type": t, "count": c, "sum": s} for t, (c, s) in sorted(self.totals.items())],
            "dau": [{"date": d.isoformat(), "users": n} for d, n in every_day(first, last, self.active())],
        }
        for granularity, type_ in product(Granularity, (ALL, *TYPES)):
            cells = {Cell(*cell[:3]): users for cell, users in self.figures.cells.items() if cell.type == type_}
            cohorts = retention(granularity, period_of(granularity, first), 30, cells, today_)
            said[f"{granularity} {type_}"] = [
                {"start": c.start.isoformat(), "size": c.size, "active": c.active} for c in cohorts
            ]
            users = self.active(type_, granularity)
            said[f"users {granularity} {type_}"] = {start_of(granularity, period): n for period, n in users.items()}
        return said

    def active(self, type_: str = ALL, granularity: Granularity = Granularity.DAY) -> dict[int, int]:
        active = self.figures.active.items()
        return {key.period: users for key, users in active if users and key[:2] == (type_, granularity)}


def expected(oracle: Oracle, first: date, last: date, today_: date) -> dict[str, Any]:
    said: dict[str, Any] = {"totals": oracle.totals(), "dau": oracle.dau(first, last)}
    for granularity, type_ in product(Granularity, (ALL, *TYPES)):
        said[f"{granularity} {type_}"] = oracle.retention(first, 30, granularity, today_, type_)["cohorts"]
        users = oracle.users_by_period(granularity, type_)
        said[f"users {granularity} {type_}"] = {period: len(found) for period, found in users.items()}
    return said


@settings(deadline=None)
@given(ACTIVITIES, ZONES, st.data())
def test_any_order_splitting_and_repetition_gives_what_the_oracle_says(
    drawn: list[dict[str, Any]], zone: ZoneInfo, data: st.DataObject
) -> None:
    distinct = list({activity["id"]: activity for activity in drawn}.values())
    again = data.draw(st.lists(st.sampled_from(distinct), max_size=10)) if distinct else []
    shuffled = data.draw(st.permutations(distinct + again))
    sizes = data.draw(st.lists(st.integers(1, 10), min_size=len(shuffled), max_size=len(shuffled)))
    ends = list(accumulate(sizes, initial=0))
    begin = min((activity["occurred_at"] for activity in drawn), default=NEW_YEAR)
    first = begin.date() - timedelta(days=1)
    last = first + timedelta(days=25)
    today_ = first + timedelta(days=data.draw(st.integers(0, 60)))

    rollups = Rollups(zone)
    for begin_of_batch, end in pairwise(ends):
        rollups.store(shuffled[begin_of_batch:end])

    assert rollups.said(first, last, today_) == expected(Oracle(distinct, zone), first, last, today_)


@settings(deadline=None)
@given(ACTIVITIES, ZONES)
def test_of_equal_ids_the_first_counts(drawn: list[dict[str, Any]], zone: ZoneInfo) -> None:
    rollups = Rollups(zone)
    rollups.store(drawn)

    day = date(2026, 1, 1)
    assert rollups.said(day, day, day)["totals"] == Oracle(drawn, zone).totals()


@given(st.lists(DAYS, min_size=1, max_size=5))
def test_figures_moved_step_by_step_are_those_of_the_last_state(steps: list[set[int]]) -> None:
    figures = UserFigures()
    before: UserDays | None = None
    for days in steps:
        after = together(before, days_with({"view": days})) if before else days_with({"view": days})
        figures.move(before, after)
        before = after

    days = set[int]().union(*steps)
    weeks, months = {week_of(day) for day in days}, {month_of(day) for day in days}
    periods = {Granularity.DAY: days, Granularity.WEEK: weeks, Granularity.MONTH: months}
    assert +figures.active == Counter(
        Active(type_, length, period) for type_ in (ALL, "view") for length, all_ in periods.items() for period in all_
    )
    assert +figures.cells == Counter(
        Cell(length, min(all_), period - min(all_)) for length, all_ in periods.items() for period in all_
    )
    assert min([*figures.active.values(), *figures.cells.values()]) >= 0


@given(DAYS, DAYS)
def test_visits_are_sets(one: set[int], other: set[int]) -> None:
    joined = union(visits_on(one), visits_on(other))

    assert list(days_of(joined)) == sorted(one | other)
    assert joined == union(visits_on(other), visits_on(one)) == visits_on(one | other)
    assert joined.days & 1


@given(one=st.sets(st.integers(0, 60), min_size=1), other=st.sets(st.integers(0, 60)))
def test_days_are_taken_out_of_visits_as_out_of_sets(one: set[int], other: set[int]) -> None:
    rest = without(visits_on(one), other)

    assert rest == (visits_on(one - other) if one - other else None)


def test_what_is_negated_takes_away_to_the_last_digit() -> None:
    sums = {("view",): (2, Decimal("0.1234567890123456789012345678901234567890")), ("buy",): (1, Decimal())}

    taken = added_up((sums, negated(sums)))

    assert taken == {("view",): (0, Decimal()), ("buy",): (0, Decimal())}


def test_a_late_activity_takes_its_user_from_one_cohort_to_an_earlier_one() -> None:
    friday, monday = days_with({"view": [11]}), days_with({"view": [7, 11]})
    figures = UserFigures()
    figures.move(None, friday)

    figures.move(friday, monday)

    assert {key.period for key in +figures.active if key.granularity is Granularity.DAY} == {7, 11}
    assert +figures.cells == Counter(
        [
            Cell(Granularity.DAY, 7, 0),
            Cell(Granularity.DAY, 7, 4),
            Cell(Granularity.WEEK, week_of(7), 0),
            Cell(Granularity.WEEK, week_of(7), 1),
            Cell(Granularity.MONTH, month_of(7), 0),
        ]
    )
    assert figures.cells[Cell(Granularity.DAY, 11, 0)] == 0


def test_a_second_day_in_a_week_counts_once_in_that_week() -> None:
    tuesday, later = days_with({"view": [5]}), days_with({"view": [5, 14, 15]})
    figures = UserFigures()

    figures.move(None, tuesday)
    figures.move(tuesday, later)

    assert figures.cells[Cell(Granularity.WEEK, week_of(5), week_of(14) - week_of(5))] == 1


@given(st.dates())
def test_days_and_weeks_are_those_of_the_calendar(day: date) -> None:
    number = day_number(day)
    monday = monday_of(week_of(number))

    assert date_of(number) == day
    assert period_of(Granularity.DAY, day) == number
    assert start_of(Granularity.DAY, number) == day
    assert date_of(monday).isocalendar()[:2] == day.isocalendar()[:2]
    assert start_of(Granularity.WEEK, period_of(Granularity.WEEK, day)).isoweekday() == 1
    assert start_of(Granularity.MONTH, period_of(Granularity.MONTH, day)) == day.replace(day=1)
    assert month_start(month_of(number)) <= number < month_start(month_of(number) + 1)


@pytest.mark.parametrize(
    ("day", "monday"),
    [
        ("2026-12-31", "2026-12-28"),
        ("2027-01-03", "2026-12-28"),
        ("2027-01-04", "2027-01-04"),
        ("2025-01-01", "2024-12-30"),
    ],
)
def test_a_week_over_the_end_of_a_year_is_one_week(day: str, monday: str) -> None:
    period = period_of(Granularity.WEEK, date.fromisoformat(day))

    assert start_of(Granularity.WEEK, period) == date.fromisoformat(monday)


@pytest.mark.parametrize(
    ("zone", "instant", "day"),
    [
        (MADRID, "2026-03-28T22:59:59Z", "2026-03-28"),
        (MADRID, "2026-03-28T23:00:00Z", "2026-03-29"),  # the day that has 23 hours
        (MADRID, "2026-03-29T21:59:59Z", "2026-03-29"),
        (MADRID, "2026-03-29T22:00:00Z", "2026-03-30"),
        (MADRID, "2026-10-24T22:00:00Z", "2026-10-25"),  # the day that has 25
        (MADRID, "2026-10-25T22:59:59Z", "2026-10-25"),
        (MADRID, "2026-10-25T23:00:00Z", "2026-10-26"),
        (KATHMANDU, "2026-03-29T18:14:59Z", "2026-03-29"),
        (KATHMANDU, "2026-03-29T18:15:00Z", "2026-03-30"),
    ],
)
def test_a_day_is_one_in_the_zone(zone: ZoneInfo, instant: str, day: str) -> None:
    at = datetime.fromisoformat(instant)

    _, (found,) = LocalClock(zone).read([microseconds(at)])

    assert date_of(found) == today(at, zone) == date.fromisoformat(day)


def test_cohorts_have_a_cell_for_every_window_and_none_for_periods_that_have_not_ended() -> None:
    cells = {
        Cell(Granularity.DAY, 0, 0): 5,
        Cell(Granularity.DAY, 0, 2): 3,
        Cell(Granularity.DAY, 2, 0): 1,
        Cell(Granularity.WEEK, 0, 1): 9,
    }

    first, second, third = retention(Granularity.DAY, 0, 3, cells, date(1970, 1, 3))

    assert (first.start, first.size, first.active) == (date(1970, 1, 1), 5, [5, 0, None])
    assert (second.start, second.size, second.active) == (date(1970, 1, 2), 0, [0, None, None])
    assert (third.start, third.size, third.active) == (date(1970, 1, 3), 1, [None, None, None])


def test_the_current_week_has_not_ended_before_its_monday_comes() -> None:
    sunday, monday = date(2027, 1, 3), date(2027, 1, 4)
    week = period_of(Granularity.WEEK, sunday)

    (on_sunday,) = retention(Granularity.WEEK, week, 1, {}, sunday)
    (on_monday,) = retention(Granularity.WEEK, week, 1, {}, monday)

    assert (on_sunday.start, on_sunday.active) == (date(2026, 12, 28), [None])
    assert on_monday.active == [0]


def test_every_day_is_listed_also_one_without_users() -> None:
    last = date(9999, 12, 31)

    assert every_day(last - timedelta(days=1), last, {day_number(last): 4}) == [
        DailyUsers(date(9999, 12, 30), 0),
        DailyUsers(last, 4),
    ]


def test_sums_keep_every_digit() -> None:
    large, small = Decimal(999999999999999999), Decimal("0.000000000000000000000001")

    assert str(add(large, small)) == "999999999999999999.000000000000000000000001"
    assert str(add(Decimal("0.1"), Decimal("0.20"))) == "0.30"


def test_a_sum_that_would_round_is_an_error() -> None:
    with pytest.raises(Inexact):
        add(Decimal("1e59"), Decimal("0.01"))


def test_an_anonymous_visitor_is_counted_and_none_of_the_users() -> None:
    did = [
        Activity(UUID(int=1), "view", NEW_YEAR, anonymous_id="x"),
        Activity(UUID(int=2), "view", NEW_YEAR, user_id="x"),
    ]

    assert fold(did, ZoneInfo("UTC")).visits.keys() == {"x", f"{ANONYMOUS}x"}


def test_statements_are_kept_apart_and_count_nothing() -> None:
    said = Activity(UUID(int=1), "$identify", NEW_YEAR, user_id="ana", anonymous_id="x")

    assert fold([said], ZoneInfo("UTC")) == Fold(statements=[said])


def test_activities_without_a_user_count_in_the_totals_only() -> None:
    nobody = Activity(UUID(int=1), "view", NEW_YEAR, value=Decimal("2.50"))

    found = fold([nobody, nobody], ZoneInfo("UTC"))

    assert found.totals == {(day_number(NEW_YEAR.date()), "view"): (2, Decimal("5.00"))}
    assert found.visits == {}


@given(days=st.lists(st.integers(0, 40), min_size=1, max_size=5), number=st.integers(1, 3))
def test_several_who_arrive_count_as_each_alone(days: list[int], number: int) -> None:
    at_once, apart = UserFigures(["view"]), UserFigures(["view"])

    at_once.arrive(days_with({"view": days, "buy": [7]}), number)
    for _ in range(number):
        apart.move(None, days_with({"view": days, "buy": [7]}))

    assert (at_once.active, at_once.cells) == (apart.active, apart.cells)
