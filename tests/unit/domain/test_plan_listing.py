"""Which plans belong to the window of a list, and which pass a filter."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from app.domain.errors import ListEndsBeforeItStartsError
from app.domain.plan_listing import Bound, ListWindow, Match, PlanFilter
from app.domain.plans import PlanStatus, SearchablePlan, searchable
from tests.support.builders import a_plan

DAY = date(2026, 6, 1)


def a_state(starts: str, ends: str | None = None, timezone: str = "UTC") -> SearchablePlan:
    return searchable(a_plan(starts=starts, ends=ends, timezone=timezone))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def matches(plan: SearchablePlan, begins: Bound | None, ends: Bound | None) -> tuple[bool, bool]:
    """Tell whether a plan lies inside a window, and whether it overlaps it."""
    inside, overlapping = (ListWindow(begins=begins, ends=ends, match=match).holds(plan) for match in Match)
    return inside, overlapping


@pytest.mark.parametrize(
    ("begins", "ends", "expected"),
    [
        ("2026-06-01T20:00", "2026-06-01T22:00", (True, True)),
        ("2026-06-01T20:01", "2026-06-01T22:00", (False, True)),
        ("2026-06-01T20:00", "2026-06-01T21:59", (False, True)),
        ("2026-06-01T22:00", "2026-06-02T00:00", (False, True)),
        ("2026-06-01T22:01", "2026-06-02T00:00", (False, False)),
        ("2026-06-01T00:00", "2026-06-01T20:00", (False, True)),
        ("2026-06-01T00:00", "2026-06-01T19:59", (False, False)),
        (None, "2026-06-01T22:00", (True, True)),
        ("2026-06-01T20:00", None, (True, True)),
        (None, None, (True, True)),
    ],
)
def test_both_bounds_of_instants_are_included(
    begins: str | None, ends: str | None, expected: tuple[bool, bool]
) -> None:
    plan = a_state("2026-06-01T20:00", "2026-06-01T22:00")

    assert matches(plan, at(begins) if begins else None, at(ends) if ends else None) == expected


@pytest.mark.parametrize("timezone", ["Pacific/Kiritimati", "UTC", "Pacific/Pago_Pago"])
@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        ("2026-06-01T00:00", "2026-06-01T23:59:59", (True, True)),
        ("2026-06-01T20:00", "2026-06-02T00:00", (False, True)),
        ("2026-05-31T23:00", "2026-06-01T00:00", (False, True)),
        ("2026-05-31T23:00", "2026-05-31T23:59:59", (False, False)),
        ("2026-06-02T00:00", "2026-06-02T01:00", (False, False)),
        ("2026-05-01T10:00", "2026-07-31T18:00", (False, True)),
    ],
)
def test_a_date_is_a_whole_day_on_the_plans_own_clock(
    starts: str, ends: str, expected: tuple[bool, bool], timezone: str
) -> None:
    assert matches(a_state(starts, ends, timezone), DAY, DAY) == expected


def test_a_plan_of_whole_days_is_on_them() -> None:
    days = a_plan(starts="2026-06-01T00:00", ends="2026-06-02T23:59:59", timezone="Asia/Tokyo")
    plan = searchable(replace(days, start_has_time=False, end_has_time=False))

    assert matches(plan, DAY, date(2026, 6, 2)) == (True, True)
    assert matches(plan, date(2026, 6, 2), date(2026, 6, 2)) == (False, True)


def test_a_plan_whose_end_nobody_knows_ends_when_it_starts() -> None:
    plan = searchable(replace(a_plan(starts="2026-06-01T20:00"), ends=None))

    assert matches(plan, DAY, DAY) == (True, True)
    assert matches(plan, date(2026, 6, 2), None) == (False, False)
    assert matches(plan, at("2026-06-01T20:00"), at("2026-06-01T20:00")) == (True, True)


@pytest.mark.parametrize(
    ("begins", "ends"), [(date(2026, 6, 2), DAY), (at("2026-06-01T20:00"), at("2026-06-01T19:59:59"))]
)
def test_a_window_does_not_end_before_it_begins(begins: Bound, ends: Bound) -> None:
    with pytest.raises(ListEndsBeforeItStartsError, match="is after to"):
        ListWindow(begins=begins, ends=ends)


def test_a_date_and_an_instant_are_not_compared() -> None:
    assert ListWindow(begins=date(2026, 6, 2), ends=at("2026-06-01T00:00")).begins == date(2026, 6, 2)


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        (PlanFilter(), True),
        (PlanFilter(providers=frozenset({"demo", "other"})), True),
        (PlanFilter(providers=frozenset({"other"})), False),
        (PlanFilter(statuses=frozenset({PlanStatus.SCHEDULED})), True),
        (PlanFilter(statuses=frozenset({PlanStatus.CANCELLED})), False),
        (PlanFilter(categories=frozenset({"Music"})), True),
        (PlanFilter(categories=frozenset({"music"})), False),
        (PlanFilter(providers=frozenset({"demo"}), categories=frozenset({"Art"})), False),
    ],
)
def test_every_filter_that_is_set_has_to_be_passed(wanted: PlanFilter, passes: bool) -> None:
    assert wanted.takes("demo", PlanStatus.SCHEDULED, "Music") is passes
    assert wanted.is_open is (wanted == PlanFilter())


def test_a_plan_without_a_category_passes_no_filter_of_categories() -> None:
    assert not PlanFilter(categories=frozenset({"Music"})).takes("demo", PlanStatus.SCHEDULED, None)
