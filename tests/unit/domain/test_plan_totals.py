"""Views and purchases are counted by day and plan, and a plan is found in properties wherever it stands."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import Activity
from app.domain.activity_columns import ActivityColumns
from app.domain.plan_totals import PlanFigures, PlanTotals, days_of_plan, plan_id_in
from app.domain.rollups import DatedActivities, Sums

PLAN = "7b8f0a52-3f0c-5d0e-9e8a-0d6a4c1f2b3d"
OTHER = "00000000-0000-4000-8000-000000000001"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MONDAY = 20_458
"""2026-01-05."""


def activity(number: int, type_: str, plan: str | None, value: str | None = None) -> Activity:
    properties = None if plan is None else json.dumps({"page": "/", "plan_id": plan}, separators=(",", ":"))
    return Activity(UUID(int=number), type_, NOON, None, "ana", value and Decimal(value), properties)  # type: ignore[arg-type] # no value is None


def sums(*activities: Activity, rollup: PlanTotals | None = None) -> Sums:
    number = len(activities)
    dated = DatedActivities(ActivityColumns.of(activities), [0] * number, [MONDAY] * number)
    return (rollup or PlanTotals()).sums(dated)


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        (f'{{"plan_id":"{PLAN}"}}', PLAN),
        (f'{{"planId": "{PLAN.upper()}","page":"/"}}', PLAN),
        (f'{{"planId":"{OTHER}","plan_id":"{PLAN}"}}', PLAN),
        (f'{{"a":{{"plan_id":"{OTHER}"}},"plan_id":"{PLAN}"}}', PLAN),
        (f'{{"a":[1],"planId":"{PLAN}"}}', PLAN),
        (f'{{"page":"{{","plan_id":"{PLAN}"}}', PLAN),
        (f'{{"a":{{"plan_id":"{PLAN}"}}}}', None),
        (f'{{"a":"\\"plan_id\\":\\"{PLAN}\\""}}', None),
        ('{"plan_id":"291"}', None),
        ('{"plan_id":291,"a":[]}', None),
        ('{"page":"/plans/291"}', None),
        ("{}", None),
    ],
)
def test_a_plan_is_named_by_a_uuid_among_the_properties(properties: str, found: str | None) -> None:
    assert plan_id_in(properties) == found


@given(
    st.dictionaries(
        st.sampled_from(["plan_id", "planId", "page", "a"]),
        st.sampled_from([PLAN, OTHER.upper(), "291", 7, None, "{", '"plan_id":"x"', {"plan_id": PLAN}, [PLAN]]),
    )
)
def test_the_quick_look_finds_what_reading_finds(properties: dict[str, object]) -> None:
    named = properties.get("plan_id", properties.get("planId"))
    expected = named.lower() if isinstance(named, str) and len(named) == len(PLAN) else None

    assert plan_id_in(json.dumps(properties, separators=(",", ":"))) == expected


def test_views_and_purchases_are_counted_with_what_was_paid() -> None:
    found = sums(
        activity(1, "view", PLAN),
        activity(2, "page_view", PLAN),
        activity(3, "purchase", PLAN, "10.50"),
        activity(4, "purchase", OTHER, "2"),
        activity(5, "share", PLAN),
        activity(6, "view", None),
    )

    assert found == {
        (MONDAY, PLAN, "view"): (2, Decimal()),
        (MONDAY, PLAN, "purchase"): (1, Decimal("10.50")),
        (MONDAY, OTHER, "purchase"): (1, Decimal(2)),
    }
    assert PlanTotals().told((MONDAY, PLAN, "view")) == f"views of the plan {PLAN} on 2026-01-05"


def test_which_types_count_is_configured() -> None:
    rollup = PlanTotals(frozenset({"look"}), frozenset({"order"}))

    found = sums(activity(1, "view", PLAN), activity(2, "look", PLAN), activity(3, "order", PLAN), rollup=rollup)

    assert found == {(MONDAY, PLAN, "view"): (1, Decimal()), (MONDAY, PLAN, "purchase"): (1, Decimal())}
    assert rollup.counts_by == "view look,purchase order"


def test_the_figures_of_a_plan_are_those_of_its_days() -> None:
    counted: Sums = {
        (MONDAY + 1, PLAN, "view"): (3, Decimal()),
        (MONDAY, PLAN, "view"): (1, Decimal()),
        (MONDAY, PLAN, "purchase"): (1, Decimal("9.90")),
    }

    first, second = days_of_plan(counted)

    assert (first.date, first.views, first.purchases, first.sum) == (date(2026, 1, 5), 1, 1, Decimal("9.90"))
    assert (second.views, second.purchases, second.sum) == (3, 0, Decimal())
    assert PlanFigures(PLAN, 4, 1, Decimal("9.90")).conversion == 0.25
    assert PlanFigures(PLAN, 0, 1, Decimal()).conversion is None
