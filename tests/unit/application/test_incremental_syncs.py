"""Feeds that tell what has changed: tombstones, positions, and plans that occur twice."""

import threading
from dataclasses import replace
from itertools import count

from app.application.ports.catalog import ProviderState
from app.application.ports.providers import FeedBrokenError, FeedError, FeedMark
from app.domain.feeds import FeedRecord, PlanRecord, RememberedRecord, Tombstone
from app.domain.gate import GatePolicy
from app.domain.plans import Plan
from app.domain.reconciliation import ChangeKind
from app.domain.sync_runs import SyncOutcome, SyncReport
from tests.support.builders import a_plan
from tests.support.scripted_provider import ScriptedSnapshot, a_record, a_snapshot
from tests.support.sync_world import SyncWorld

CHANGED, LISTED, RETURNED, WITHDRAWN = (
    ChangeKind.CHANGED,
    ChangeKind.LISTED,
    ChangeKind.RETURNED,
    ChangeKind.WITHDRAWN,
)


def gone(plan: Plan) -> Tombstone:
    return Tombstone(plan.key)


def an_increment(*records: FeedRecord | Plan, size: int = 1, broken: FeedError | None = None) -> ScriptedSnapshot:
    snapshot = a_snapshot(records, broken=broken, size=size)
    snapshot.incremental = True
    return snapshot


async def told(world: SyncWorld, *records: FeedRecord | Plan, broken: FeedError | None = None) -> SyncReport:
    world.provider.says = an_increment(*records, broken=broken)
    return await world.sync()


def in_log(world: SyncWorld) -> list[tuple[ChangeKind, ...]]:
    return [logged.told.kinds for logged in world.store.shelf("demo").log]


async def test_absence_means_nothing_and_a_tombstone_withdraws() -> None:
    world = SyncWorld()
    await told(world, a_plan(1), a_plan(2))

    assert (await told(world, a_plan(3))).changes == {LISTED: 1}
    assert (await told(world, gone(a_plan(1)))).changes == {WITHDRAWN: 1}
    assert await world.titles() == ["Camela en concierto"] * 3


async def test_a_tombstone_of_an_unknown_plan_or_of_one_that_left_says_nothing() -> None:
    world = SyncWorld()
    await told(world, a_plan(1), gone(a_plan(1)))

    report = await told(world, gone(a_plan(1)), gone(a_plan("never seen")))

    assert (report.outcome, report.changes, report.records) == (SyncOutcome.UNCHANGED, {}, 2)


async def test_of_two_states_of_a_plan_in_one_run_the_later_counts_and_both_are_told() -> None:
    world = SyncWorld()
    await told(world, a_plan(1, title="A"))

    await told(world, a_plan(1, title="B"), gone(a_plan(1)), a_plan(1, title="C"), a_plan(1, title="C"))

    assert in_log(world) == [(LISTED,), (CHANGED,), (WITHDRAWN,), (RETURNED, CHANGED)]
    assert await world.titles() == ["C"]


async def test_an_increment_that_breaks_goes_on_behind_what_was_read() -> None:
    world = SyncWorld()

    report = await told(world, a_plan(1), a_plan(2), gone(a_plan(1)), broken=FeedBrokenError("page 4", line=1))

    assert (report.outcome, report.reason) == (SyncOutcome.INCOMPLETE, "page 4")
    assert report.changes == {LISTED: 2, WITHDRAWN: 1}
    assert (await world.catalog.state("demo")).mark == FeedMark(position="3")


async def test_an_increment_that_breaks_before_its_first_page_stays_where_it_was() -> None:
    world = SyncWorld()
    async with world.leases.hold("demo") as lease:
        await world.catalog.remember(lease, ProviderState(mark=FeedMark(etag="x", position="41")))

    await told(world, broken=FeedBrokenError("page 42", line=1))

    assert (await world.catalog.state("demo")).mark == FeedMark(position="41")


async def test_an_increment_beyond_its_limit_goes_on_behind_the_last_page_that_was_read_whole() -> None:
    world = SyncWorld()
    world.configured = replace(world.configured, max_plans=3)
    world.provider.says = an_increment(*(a_plan(number) for number in range(6)), size=2)

    report = await world.sync()

    assert (report.outcome, report.records) == (SyncOutcome.INCOMPLETE, 3)
    assert (await world.catalog.state("demo")).mark == FeedMark(position="1")


async def test_an_increment_that_was_read_whole_is_remembered_whole() -> None:
    world = SyncWorld()

    await told(world, a_plan(1))

    mark = (await world.catalog.state("demo")).mark
    assert mark is not None
    assert (mark.position, bool(mark.content)) == ("1", True)


async def test_many_tombstones_look_like_an_accident_and_are_read_again() -> None:
    world = SyncWorld(gate=GatePolicy())
    plans = [a_plan(number) for number in range(20)]
    await told(world, *plans)

    report = await told(world, *map(gone, plans), broken=FeedBrokenError("page 21", line=1))

    assert report.waiting == {WITHDRAWN: 20}
    assert (await world.catalog.state("demo")).mark == FeedMark(position="20")
    assert (await told(world, *map(gone, plans))).changes == {WITHDRAWN: 20}


async def test_remembered_records_are_read_beside_the_loop_that_others_wait_for() -> None:
    record, threads = a_record(a_plan(1)), set[int]()

    def read() -> PlanRecord:
        threads.add(threading.get_ident())
        return record

    report = await SyncWorld().sync_with(RememberedRecord(record.plan_id, record.digest, read))

    assert report.changes == {LISTED: 1}
    assert threads.isdisjoint({threading.get_ident()})
    assert threads


async def test_a_remembered_record_is_read_only_for_a_catalog_that_says_something_else() -> None:
    world = SyncWorld()
    record, reads = a_record(a_plan(1)), count()

    def read() -> PlanRecord:
        next(reads)
        return record

    def remembered() -> RememberedRecord:
        return RememberedRecord(record.plan_id, record.digest, read)

    await world.sync_with(remembered())
    await world.sync_with(remembered(), a_plan(2))
    assert next(reads) == 1

    await world.sync_with(a_plan(2))
    report = await world.sync_with(remembered(), a_plan(2))
    assert report.changes == {RETURNED: 1}
