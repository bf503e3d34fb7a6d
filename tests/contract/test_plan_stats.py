"""What PlanStats promises of every store: memory, SQLite, PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from app.domain.activities import Activity
from app.domain.plan_totals import PlanFigures, PlanOrder
from app.domain.removal import ToRemove
from tests.support.activity_backends import ActivityBackend
from tests.support.oracle import Oracle

PLANS = [str(UUID(int=number)) for number in range(1, 6)]
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
JANUARY = (date(2026, 1, 1), date(2026, 1, 31))


@pytest.fixture
def backend(activity_backend: ActivityBackend) -> ActivityBackend:
    return activity_backend


def some_activities(count: int, seed: int = 1) -> list[Activity]:
    chance = Random(seed)
    found = []
    for number in range(1, count + 1):
        name = chance.choice(["plan_id", "planId", "page"])
        found.append(
            Activity(
                UUID(int=number),
                chance.choice(["view", "page_view", "purchase", "share"]),
                NOON + timedelta(hours=chance.randrange(-100, 400)),
                user_id=f"user-{chance.randrange(9)}",
                value=chance.choice([None, Decimal("10.10"), Decimal("0.01")]),
                properties=chance.choice([None, f'{{"{name}":"{chance.choice(PLANS)}"}}', '{"plan_id":"291"}']),
            )
        )
    return found


def an_oracle(activities: Sequence[Activity], zone: ZoneInfo | None = None) -> Oracle:
    return Oracle(
        [
            {
                "id": one.activity_id,
                "type": one.type,
                "occurred_at": one.occurred_at,
                "user_id": one.user_id,
                "value": one.value,
                "properties": one.properties,
            }
            for one in activities
        ],
        zone or UTC,
    )


def told(found: Sequence[PlanFigures]) -> list[dict[str, object]]:
    return [{"plan_id": one.plan_id, "views": one.views, "purchases": one.purchases, "sum": one.sum} for one in found]


@pytest.mark.parametrize("order", list(PlanOrder))
async def test_plans_are_ranked_as_the_oracle_ranks_them(backend: ActivityBackend, order: PlanOrder) -> None:
    zone = ZoneInfo("Pacific/Auckland")
    activities = some_activities(300)
    await backend.store(zone).store(activities)

    found = await backend.plan_stats().plans(*JANUARY, order, 3)

    assert told(found) == an_oracle(activities, zone).plans(*JANUARY, str(order))[:3]


async def test_a_plan_has_the_days_on_which_something_was(backend: ActivityBackend) -> None:
    activities = some_activities(200)
    await backend.store().store(activities)
    oracle = an_oracle(activities)

    for plan in PLANS:
        sums = await backend.plan_stats().plan(plan, *JANUARY)

        counted = {}
        for (day, name, kind), (count, _) in sums.items():
            assert name == plan
            counted[day, kind] = count
        assert sum(counted.values()) == sum(
            one["views"] + one["purchases"] for one in oracle.plans(*JANUARY, "views") if one["plan_id"] == plan
        )


async def test_order_and_splitting_do_not_matter_and_a_rebuild_finds_the_same(backend: ActivityBackend) -> None:
    activities = some_activities(120)
    store = backend.store()
    for one in reversed(activities):
        await store.store([one, activities[0]])
    before = await backend.plan_stats().plans(*JANUARY, PlanOrder.VIEWS, 10)

    verified = await backend.keeper().verify()
    await backend.keeper().reset()
    emptied = await backend.plan_stats().plans(*JANUARY, PlanOrder.VIEWS, 10)
    await backend.keeper().rebuild()

    assert (verified, emptied) == (None, [])
    assert told(before) == an_oracle(activities).plans(*JANUARY, "views")
    assert await backend.plan_stats().plans(*JANUARY, PlanOrder.VIEWS, 10) == before


async def test_what_is_removed_is_counted_of_no_plan(backend: ActivityBackend) -> None:
    activities = some_activities(120)
    await backend.store().store(activities)

    step = await backend.removal().remove(ToRemove(users=frozenset({"user-1"})), frees_ids=False)

    left = [one for one in activities if one.user_id != "user-1"]
    assert len(step.ids) == len(activities) - len(left)
    assert told(await backend.plan_stats().plans(*JANUARY, PlanOrder.VIEWS, 10)) == an_oracle(left).plans(
        *JANUARY, "views"
    )
    assert await backend.keeper().verify() is None
