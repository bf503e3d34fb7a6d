"""Withdrawals that settle first."""

from dataclasses import replace

from app.application.ports.providers import FeedBrokenError
from app.domain.feeds import Rejection, RejectionReason, Tombstone
from app.domain.gate import GatePolicy, HoldReason
from app.domain.plans import Plan
from app.domain.reconciliation import ChangeKind
from app.domain.settling import SettlePolicy
from app.domain.sync_runs import SyncOutcome
from tests.support.builders import a_plan
from tests.support.scripted_provider import OPEN_GATE
from tests.support.sync_world import SyncWorld

WITHDRAWN = ChangeKind.WITHDRAWN


def plans(*numbers: int) -> list[Plan]:
    return [a_plan(number) for number in numbers]


async def a_world(*, gate: GatePolicy = OPEN_GATE, count: int = 3, **settle: float) -> SyncWorld:
    """Plans 0, 1, 2, ... are in the feed; a run is a minute after the one before."""
    world = SyncWorld(gate=gate)
    world.configured = replace(world.configured, settle=SettlePolicy(**settle))  # type: ignore[arg-type] # its fields
    await world.sync_with(*plans(*range(count)))
    return world


async def test_a_withdrawal_counts_after_so_many_runs_and_until_then_the_run_says_what_waits() -> None:
    world = await a_world(runs=3)

    first = await world.sync_with(*plans(0, 1))
    second = await world.sync_with(*plans(1, 0))
    third = await world.sync_with(*plans(0, 1))

    assert [(run.outcome, run.changes, run.settling) for run in (first, second, third)] == [
        (SyncOutcome.UNCHANGED, {}, 1),
        (SyncOutcome.UNCHANGED, {}, 1),
        (SyncOutcome.APPLIED, {WITHDRAWN: 1}, 0),
    ]
    assert (await world.catalog.state("demo")).settling == 0


async def test_a_withdrawal_counts_after_so_many_seconds() -> None:
    world = await a_world(seconds=150)

    runs = [await world.sync_with(*order) for order in (plans(0, 1), plans(1, 0), plans(0, 1), plans(1, 0))]

    assert [run.changes for run in runs] == [{}, {}, {}, {WITHDRAWN: 1}]


async def test_a_feed_that_flaps_tells_the_world_nothing() -> None:
    world = await a_world(runs=2)

    runs = [await world.sync_with(*(plans(0, 1) if minute % 2 else plans(0, 1, 2))) for minute in range(1, 20)]

    assert {run.outcome for run in runs} == {SyncOutcome.UNCHANGED}
    assert world.store.shelf("demo").sequence == 3


async def test_a_feed_that_did_not_change_since_withdraws_when_it_is_time() -> None:
    world = await a_world(runs=3)
    await world.sync_with(*plans(0, 1))

    second, third, fourth = [await world.sync() for _ in range(3)]

    assert world.provider.fetched_since[-1] == world.provider.says.mark  # type: ignore[union-attr] # a snapshot
    assert (second.settling, second.changes, second.records) == (1, {}, 0)
    assert (third.outcome, third.changes) == (SyncOutcome.APPLIED, {WITHDRAWN: 1})
    assert (fourth.outcome, fourth.settling) == (SyncOutcome.UNCHANGED, 0)
    assert (await world.catalog.state("demo")).snapshot_at == world.clock.now()


async def test_a_dry_run_says_what_would_be_withdrawn_by_now() -> None:
    world = await a_world(runs=2)
    await world.sync_with(*plans(0, 1))

    report = await world.sync(dry_run=True)

    assert report.changes == {WITHDRAWN: 1}
    assert [change.plan_id for change in report.plans] == [a_plan(2).plan_id]
    assert (await world.catalog.state("demo")).settling == 1


async def test_a_tombstone_does_not_wait() -> None:
    world = await a_world(runs=9)

    report = await world.sync_with(*plans(0, 1), Tombstone(a_plan(2).key))

    assert (report.changes, report.settling) == ({WITHDRAWN: 1}, 0)


async def test_what_nobody_can_tell_leaves_an_absence_as_it_was() -> None:
    world = await a_world(runs=2)
    doubt = Rejection(reason=RejectionReason.INVALID_ID, message="no", line=1, source="", base_id=a_plan(2).key.base_id)
    await world.sync_with(*plans(0, 1))
    world.provider.now_says(*plans(0), broken=FeedBrokenError("cut", line=1))

    broken = await world.sync()
    doubtful = await world.sync_with(*plans(0, 1), doubt)
    last = await world.sync_with(*plans(1, 0))

    assert [(run.changes, run.settling) for run in (broken, doubtful, last)] == [({}, 1), ({}, 1), ({WITHDRAWN: 1}, 0)]


async def test_the_gate_judges_what_has_settled_and_a_hold_does_not_begin_anew() -> None:
    world = await a_world(gate=GatePolicy(), count=20, runs=2)

    waits = await world.sync_with(*plans(0))
    held = await world.sync_with(*plans(0), a_plan("new"))
    agreed = await world.sync()

    assert (waits.outcome, waits.settling) == (SyncOutcome.UNCHANGED, 19)
    assert (held.outcome, held.waiting) == (SyncOutcome.HELD, {WITHDRAWN: 19})
    assert agreed.changes == {WITHDRAWN: 19}


async def test_a_feed_that_is_empty_and_unchanged_is_held_as_one_that_was_read() -> None:
    world = await a_world(gate=GatePolicy(), runs=2)
    await world.sync_with()

    report = await world.sync()

    assert report.held_for == (HoldReason.EMPTY_FEED,)


async def test_who_no_longer_lets_withdrawals_settle_gets_them_with_the_next_run() -> None:
    world = await a_world(runs=9)
    await world.sync_with(*plans(0, 1))
    world.configured = replace(world.configured, settle=None)

    assert (await world.sync()).changes == {WITHDRAWN: 1}
    assert (await world.sync()).changes == {}


async def test_a_plan_that_the_catalog_lost_meanwhile_is_forgotten() -> None:
    world = await a_world(runs=3)
    await world.sync_with(*plans(0, 1))
    del world.store.shelf("demo").known[a_plan(2).plan_id]

    assert (await world.sync()).settling == 0


async def test_absences_that_were_lost_begin_anew() -> None:
    world = await a_world(runs=3)
    await world.sync_with(*plans(0, 1))
    world.store.shelf("demo").absences.clear()
    world.configured = replace(world.configured, settle=None)

    assert ((await world.sync()).changes, (await world.catalog.state("demo")).settling) == ({}, 0)
    assert (await world.sync_with(*plans(1, 0))).changes == {WITHDRAWN: 1}
