"""The calendar over the index says what a linear scan says."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.adapters.outbound.search_index.live_index import LiveIndex
from app.adapters.outbound.search_index.plan_calendar import IndexCalendar
from app.domain.plans import SearchablePlan, searchable
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.support.builders import a_plan

BEGIN = datetime(2021, 6, 30, tzinfo=UTC)
MANY = 1500
"""Plans that fill several chunks."""


def a_state(item: int, hour: float, hours: float) -> SearchablePlan:
    start = BEGIN + timedelta(hours=hour)
    wall, until = start.isoformat()[:16], (start + timedelta(hours=hours)).isoformat()[:16]
    return searchable(a_plan(item, starts=wall, ends=until))


def a_calendar(*plans: SearchablePlan, ready: bool = True) -> IndexCalendar:
    index = LiveIndex(RENDERING)
    index.put(plans)
    if ready:
        index.mark_ready()
    return IndexCalendar(index, RENDERING)


def in_order(plans: list[SearchablePlan]) -> list[SearchablePlan]:
    return sorted(plans, key=lambda plan: (plan.starts_at, str(plan.summary.plan_id)))


def scan(plans: list[SearchablePlan], at: datetime, limit: int) -> tuple[list[SearchablePlan], list[SearchablePlan]]:
    past = [plan for plan in in_order(plans) if plan.starts_at <= at]
    following = [plan for plan in in_order(plans) if plan.starts_at > at]
    return past[::-1][:limit], following[:limit]


@st.composite
def catalogs(draw: st.DrawFn) -> list[SearchablePlan]:
    """Plans of all classes of duration, many at the same time."""
    spans = st.tuples(st.integers(0, 6), st.sampled_from([0, 1, 6, 7, 48, 49, 400]))
    return [a_state(item, hour, hours) for item, (hour, hours) in enumerate(draw(st.lists(spans, max_size=40)))]


@given(catalogs(), st.integers(-1, 7), st.integers(0, 10))
def test_the_nearest_are_those_that_a_linear_scan_finds(plans: list[SearchablePlan], hour: int, limit: int) -> None:
    at = BEGIN + timedelta(hours=hour)

    assert tuple(a_calendar(*plans).around(at, limit)) == scan(plans, at, limit)


@given(catalogs(), st.lists(st.integers(-1, 8), min_size=2, max_size=8))
def test_beginnings_are_counted_as_a_linear_scan_counts_them(plans: list[SearchablePlan], hours: list[int]) -> None:
    bounds = [BEGIN + timedelta(hours=hour) for hour in sorted(hours)]

    counted = a_calendar(*plans).beginning_between(bounds)

    spans = list(pairwise(bounds))
    assert counted == [sum(first <= plan.starts_at < last for plan in plans) for first, last in spans]


def test_neighbours_are_found_across_chunks() -> None:
    plans = [a_state(item, item // 3, (1, 30, 400)[item % 3]) for item in range(MANY)]
    calendar = a_calendar(*plans)

    for hour in (0, 170, 171, 256, 499, 600):
        at = BEGIN + timedelta(hours=hour)
        assert tuple(calendar.around(at, 700)) == scan(plans, at, 700)
    assert sum(calendar.beginning_between([BEGIN + timedelta(hours=hour) for hour in range(-1, 502)])) == MANY


def test_the_number_of_plans_is_not_known_before_they_are_loaded() -> None:
    assert a_calendar(a_state(1, 0, 1), ready=False).count() is None
    assert a_calendar(a_state(1, 0, 1)).count() == 1
    assert a_calendar().count() == 0
