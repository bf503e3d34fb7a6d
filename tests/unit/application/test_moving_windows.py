"""Feeds that tell from an instant on, such as calendars: what falls behind it is over, not withdrawn."""

from datetime import UTC, datetime, timedelta

import pytest

from app.application.read_snapshot import STAGED_TOGETHER
from app.domain.plans import Plan
from app.domain.reconciliation import ChangeKind
from app.domain.sync_runs import SyncReport
from tests.support.builders import a_plan
from tests.support.scripted_provider import a_snapshot
from tests.support.sync_world import SyncWorld

PAST = a_plan(1, starts="2026-01-01T20:00", ends="2026-01-01T22:00")
NEXT = a_plan(2, starts="2026-02-01T20:00", ends="2026-02-01T22:00")
LATER = a_plan(3, starts="2026-03-01T20:00", ends="2026-03-01T22:00")


async def sync_told_from(world: SyncWorld, told_from: datetime, *plans: Plan) -> SyncReport:
    snapshot = a_snapshot(plans)
    snapshot.told_from = told_from
    world.provider.says = snapshot
    return await world.sync()


async def in_feed(world: SyncWorld) -> set[object]:
    return {plan_id for plan_id, known in (await world.catalog.known(world.name)).items() if known.in_feed}


async def test_a_plan_that_ended_before_is_over_and_one_that_did_not_has_left() -> None:
    world = SyncWorld()
    await world.sync_with(PAST, NEXT, LATER)

    report = await sync_told_from(world, datetime(2026, 1, 10, tzinfo=UTC), LATER)

    assert report.changes == {ChangeKind.WITHDRAWN: 1}
    assert await in_feed(world) == {PAST.plan_id, LATER.plan_id}


@pytest.mark.parametrize(("seconds", "withdrawn"), [(-1, 1), (0, 0)])
async def test_a_plan_is_over_with_its_end(seconds: int, withdrawn: int) -> None:
    world = SyncWorld()
    await world.sync_with(PAST, LATER)

    report = await sync_told_from(world, PAST.ends_at + timedelta(seconds=seconds), LATER)

    assert report.changes.get(ChangeKind.WITHDRAWN, 0) == withdrawn


async def test_a_plan_without_an_end_is_over_after_its_start() -> None:
    world = SyncWorld()
    endless = a_plan(1, starts="2026-01-01T20:00", ends=None)
    await world.sync_with(endless, LATER)

    at_its_start = await sync_told_from(world, endless.starts_at, LATER)
    assert at_its_start.changes == {ChangeKind.WITHDRAWN: 1}


async def test_many_plans_are_asked_for_in_several_goes() -> None:
    world = SyncWorld()
    past = [a_plan(number, starts="2026-01-01T20:00") for number in range(STAGED_TOGETHER + 1)]
    await world.sync_with(*past, LATER)

    report = await sync_told_from(world, datetime(2026, 1, 10, tzinfo=UTC), LATER)

    assert report.changes == {}
