"""A plan that stays packed on its way from store to store, and is like any other to who asks what it says."""

import pytest

from app.adapters.formats.stored_plan import StoredPlan, pack_plan, unpack_plan
from app.domain.plans import Plan, searchable
from tests.support.builders import a_long_run, a_plan, a_zone

PLANS = (a_plan(timezone="Europe/Madrid", zones=(a_zone(), a_zone(capacity=10**30))), a_long_run())


@pytest.mark.parametrize("plan", PLANS)
def test_it_says_what_the_plan_says(plan: Plan) -> None:
    stored = StoredPlan(pack_plan(plan), None)

    assert (stored.title, stored.plan_id, stored.prices) == (plan.title, plan.plan_id, plan.prices)
    assert stored == plan
    assert plan == stored
    assert hash(stored) == hash(plan)
    assert searchable(stored) == searchable(plan)
    assert stored != a_plan("another")
    assert stored != "a plan"


def test_its_bytes_are_handed_on_as_they_are() -> None:
    packed = b"nobody looks at it"

    assert pack_plan(StoredPlan(packed, None)) is packed


def test_what_it_has_no_word_for_is_told_as_of_any_object() -> None:
    stored = StoredPlan(pack_plan(PLANS[0]), None)

    with pytest.raises(AttributeError):
        stored.weather  # noqa: B018 - that is what is asked

    assert unpack_plan(stored.packed) == PLANS[0]
