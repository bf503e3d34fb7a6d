"""Changes that can be judged before they are made: of a hold, and of a dry run."""

from decimal import Decimal

from app.domain.gate import GatePolicy, HoldReason
from app.domain.plans import Plan, SearchablePlan, searchable
from app.domain.proposed_changes import MOST_SHOWN, ProposedChange
from app.domain.reconciliation import ChangeKind
from tests.support.builders import a_plan, a_zone
from tests.support.sync_world import SyncWorld

CHANGED, LISTED, WITHDRAWN = ChangeKind.CHANGED, ChangeKind.LISTED, ChangeKind.WITHDRAWN


def plans(*numbers: int, title: str = "A") -> list[Plan]:
    return [a_plan(number, title=f"{title}{number}") for number in numbers]


async def a_full_world(count: int = 20) -> SyncWorld:
    world = SyncWorld(gate=GatePolicy())
    await world.sync_with(*plans(*range(count)))
    return world


def title(plan: SearchablePlan | None) -> str | None:
    return plan.summary.title if plan else None


async def test_a_hold_lists_the_plans_that_would_go_with_what_they_are() -> None:
    world = await a_full_world()

    report = await world.sync_with(*plans(0, 1), *plans(100))

    held = await world.held.find("demo")
    assert held is not None
    assert (held.run_id, held.at, held.held_for) == (report.run_id, report.started_at, (HoldReason.MASS_WITHDRAWAL,))
    assert held.reason in str(report.reason)
    assert held.total == len(held.plans) == 18
    assert {title(change.before) for change in held.plans} == {f"A{number}" for number in range(2, 20)}
    assert {(change.kinds, change.after) for change in held.plans} == {((WITHDRAWN,), None)}


async def test_a_hold_of_changes_has_before_and_after() -> None:
    world = await a_full_world()
    dearer = [a_plan(number, title=f"B{number}", zones=(a_zone(price="99"),)) for number in range(20)]

    await world.sync_with(*dearer)

    held = await world.held.find("demo")
    assert held is not None
    first = next(change for change in held.plans if title(change.before) == "A7")
    assert first == ProposedChange(dearer[7].plan_id, (CHANGED,), searchable(plans(7)[0]), searchable(dearer[7]))
    assert first.after is not None
    assert first.after.summary.max_price == Decimal(99)


async def test_what_was_held_is_forgotten_when_it_is_applied_and_when_the_feed_recovers() -> None:
    for settled in (plans(0), plans(*range(20))):
        world = await a_full_world()
        await world.sync_with(*plans(0))
        assert await world.held.find("demo")

        await world.sync_with(*settled)

        assert await world.held.find("demo") is None


async def test_a_hold_of_very_many_plans_shows_a_thousand_and_counts_all() -> None:
    world = await a_full_world(1500)

    await world.sync_with(*plans(0))

    held = await world.held.find("demo")
    assert held is not None
    assert (held.total, len(held.plans)) == (1499, MOST_SHOWN)


async def test_a_dry_run_shows_every_change_plan_by_plan() -> None:
    world = await a_full_world()
    world.provider.now_says(*plans(0, 1), *plans(2, title="B"), *plans(100))

    report = await world.sync(dry_run=True)

    shown = [(change.kinds, title(change.before), title(change.after)) for change in report.plans]
    assert shown[:2] == [((CHANGED,), "A2", "B2"), ((LISTED,), None, "A100")]
    assert sorted(shown[2:]) == sorted(((WITHDRAWN,), f"A{number}", None) for number in range(3, 20))
    assert report.changes == {CHANGED: 1, LISTED: 1}
    assert await world.held.find("demo") is None


async def test_a_run_that_writes_shows_no_plans_in_its_report() -> None:
    world = await a_full_world()

    assert (await world.sync_with(*plans(0, title="B"))).plans == ()
