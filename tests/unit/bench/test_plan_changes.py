"""The changes that a measured catalog goes through."""

from app.domain.plans import SellMode, searchable
from bench.plan_changes import changed, mark_of
from bench.plans import PROVIDERS, changes

PLANS = 2_000


def test_ten_turns_change_each_plan_of_a_catalog_once() -> None:
    catalog = [change.plan_id for change in changes(PROVIDERS[0], PLANS)]

    turns = [[change.plan_id for change in changed(PROVIDERS[0], PLANS, turn)] for turn in range(10)]

    assert {len(turn) for turn in turns} == {len(catalog) // 10}
    assert sorted(plan_id for turn in turns for plan_id in turn) == sorted(catalog)


def test_a_changed_plan_is_found_by_its_mark() -> None:
    plans = [change.plan for change in changed(PROVIDERS[1], PLANS, 3) if change.plan]

    mark = mark_of(plans)

    [found] = [searchable(plan) for plan in plans if plan.title == mark.title]
    window = dict(part.split("=") for part in mark.query.split("&"))
    assert window["starts_at"] == found.starts_at.isoformat().replace("+00:00", "Z")
    assert window["ends_at"] == found.ends_at.isoformat().replace("+00:00", "Z")
    assert {plan.sell_mode for plan in plans} == {SellMode.ONLINE}
