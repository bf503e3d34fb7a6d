"""Runs that read a feed and can use nothing of it."""

import pytest

from app.application.ports.providers import FeedMark
from app.domain.feeds import FeedRecord, Rejection, RejectionReason
from app.domain.gate import GatePolicy, HoldReason
from app.domain.plans import Plan, PlanKey
from app.domain.reconciliation import ChangeKind
from app.domain.sync_runs import SyncOutcome
from tests.support.builders import a_plan
from tests.support.scripted_provider import ScriptedSnapshot, a_snapshot
from tests.support.sync_world import SyncWorld


def a_rejection(item: str = "1", part: str | None = None) -> Rejection:
    key = PlanKey("demo", item, item)
    return Rejection(reason=RejectionReason.INVALID_DATE, message="no", line=7, source="<plan/>", key=key, part=part)


def unknown(count: int, *records: FeedRecord | Plan) -> ScriptedSnapshot:
    snapshot = a_snapshot(records)
    snapshot.unknown_records = count
    return snapshot


async def test_a_run_whose_records_are_all_rejected_is_not_good_and_the_next_one_reads_again() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(1), a_plan(2))
    before = await world.catalog.state("demo")

    report = await world.sync_with(a_rejection("1"))

    assert report.outcome is SyncOutcome.UNUSABLE
    assert not report.outcome.is_good
    assert report.reason == (
        "nothing of the feed could be used: 1 records, all of them rejected, and 0 unknown elements in the place of "
        "records; nothing was withdrawn, and the next run reads it again"
    )
    assert report.changes == {}
    state = await world.catalog.state("demo")
    assert (state.mark, state.snapshot_at) == (None, before.snapshot_at)
    assert (await world.sync()).outcome is SyncOutcome.UNUSABLE


async def test_a_part_that_is_rejected_leaves_its_record_usable() -> None:
    report = await SyncWorld().sync_with(a_plan(1), a_rejection("1", part="sell_to"))

    assert report.outcome is SyncOutcome.APPLIED
    assert (report.records, report.rejected) == (1, 1)


async def test_a_feed_of_unknown_elements_alone_is_of_no_use_where_no_plan_is_known() -> None:
    world = SyncWorld()
    world.provider.says = unknown(3)

    assert (await world.sync()).outcome is SyncOutcome.UNUSABLE


async def test_unknown_elements_in_the_place_of_records_agree_with_nobody_until_somebody_approves() -> None:
    world = SyncWorld(gate=GatePolicy())
    await world.sync_with(a_plan(1), a_plan(2))
    world.provider.says = unknown(3)

    for _ in range(3):
        report = await world.sync()
        assert report.outcome is SyncOutcome.HELD
        assert report.held_for == (HoldReason.UNKNOWN_ELEMENTS,)
        assert report.reason == "3 unknown elements stand where 0 records were found; waits for an approval"

    assert (await world.sync(approve=True)).changes == {ChangeKind.WITHDRAWN: 2}


async def test_a_feed_of_which_most_has_become_unknown_is_held_and_what_is_known_of_it_applies() -> None:
    world = SyncWorld(gate=GatePolicy())
    await world.sync_with(a_plan(1), a_plan(2))
    world.provider.says = unknown(2, a_plan(3))

    report = await world.sync()

    assert report.outcome is SyncOutcome.HELD
    assert report.changes == {ChangeKind.LISTED: 1}
    assert report.waiting == {ChangeKind.WITHDRAWN: 2}


async def test_where_an_approval_is_required_no_second_run_decides() -> None:
    world = SyncWorld(gate=GatePolicy(approval_required=True))
    await world.sync_with(*(a_plan(number) for number in range(20)))

    reports = [await world.sync_with(a_plan(1)), await world.sync(), await world.sync()]

    assert [report.outcome for report in reports] == [SyncOutcome.HELD] * 3
    assert (await world.sync(approve=True)).outcome is SyncOutcome.APPLIED


@pytest.mark.parametrize("count", [0, 4])
async def test_a_run_counts_the_records_that_were_passed_over(count: int) -> None:
    world = SyncWorld()
    world.provider.now_says(a_plan(1))
    assert isinstance(world.provider.says, ScriptedSnapshot)
    world.provider.says.passed_over = count

    assert (await world.sync()).passed_over == count


async def test_an_increment_of_rejections_alone_is_read_again_from_where_the_last_one_ended() -> None:
    world = SyncWorld()
    world.provider.says = ScriptedSnapshot([[a_rejection()]], "page", incremental=True)
    async with world.leases.hold("demo") as lease:
        state = await world.catalog.state("demo")
        await world.catalog.remember(lease, state.__class__(mark=FeedMark(content="x", position="41")))

    assert (await world.sync()).outcome is SyncOutcome.UNUSABLE
    assert (await world.catalog.state("demo")).mark == FeedMark(position="41")
