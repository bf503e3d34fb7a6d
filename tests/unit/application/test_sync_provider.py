import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.application.ports.catalog import ProviderState
from app.application.ports.providers import (
    CircuitOpenError,
    FeedBrokenError,
    FeedMark,
    FeedRefusedError,
    FeedUnavailableError,
    FeedWatcher,
)
from app.domain.feeds import Rejection, RejectionReason
from app.domain.gate import GatePolicy, HoldReason
from app.domain.plans import Plan, PlanKey
from app.domain.reconciliation import ChangeKind
from app.domain.sync_runs import SyncOutcome, SyncReport
from tests.support.builders import a_plan
from tests.support.scripted_provider import a_snapshot
from tests.support.sync_world import SyncWorld

LISTED, CHANGED, WITHDRAWN, RETURNED = (
    ChangeKind.LISTED,
    ChangeKind.CHANGED,
    ChangeKind.WITHDRAWN,
    ChangeKind.RETURNED,
)


def plans(*numbers: int, title: str = "A") -> list[Plan]:
    return [a_plan(number, title=f"{title}{number}") for number in numbers]


def a_rejection(key: PlanKey | None = None, base_id: str | None = None) -> Rejection:
    return Rejection(
        reason=RejectionReason.INVALID_DATE, message="2021-09-31", line=7, source="<plan/>", key=key, base_id=base_id
    )


async def test_the_first_sync_lists_every_plan() -> None:
    world = SyncWorld()

    report = await world.sync_with(*plans(1, 2))

    assert report.outcome is SyncOutcome.APPLIED
    assert report.changes == {LISTED: 2}
    assert report.records == 2
    assert report.fetched_bytes == 100
    assert report.ignored == {"zone@colour": 2}
    assert await world.titles() == ["A1", "A2"]


async def test_a_feed_that_the_provider_calls_unchanged_writes_nothing_but_that_it_was_seen() -> None:
    world = SyncWorld()
    await world.sync_with(*plans(1))

    report = await world.sync()

    assert report.outcome is SyncOutcome.UNCHANGED
    assert world.store.shelf("demo").sequence == 1
    assert (await world.catalog.state("demo")).snapshot_at == world.clock.now()


async def test_a_feed_that_says_the_same_in_other_bytes_writes_no_plan() -> None:
    world = SyncWorld()
    await world.sync_with(*plans(1, 2))

    report = await world.sync_with(*plans(2, 1))

    assert report.outcome is SyncOutcome.UNCHANGED
    assert world.store.shelf("demo").sequence == 2


async def test_one_changed_plan_is_one_write() -> None:
    world = SyncWorld()
    await world.sync_with(*plans(1, 2, 3))

    report = await world.sync_with(*plans(1, 3), *plans(2, title="B"))

    assert report.changes == {CHANGED: 1}
    assert world.store.shelf("demo").sequence == 4
    assert await world.titles() == ["A1", "A3", "B2"]


async def test_a_plan_that_left_the_feed_stays_findable() -> None:
    world = SyncWorld()
    await world.sync_with(*plans(1, 2))

    report = await world.sync_with(*plans(1))

    assert report.changes == {WITHDRAWN: 1}
    assert await world.titles() == ["A1", "A2"]


async def test_a_plan_that_comes_back_has_returned() -> None:
    world = SyncWorld()
    await world.sync_with(*plans(1, 2))
    await world.sync_with(*plans(1))

    report = await world.sync_with(*plans(1, 2))

    assert report.changes == {RETURNED: 1}


async def test_a_plan_that_was_only_ever_offline_is_kept_and_not_found() -> None:
    world = SyncWorld()

    await world.sync_with(a_plan(1, sell_mode="offline"))

    assert await world.titles() == []
    assert await world.catalog.find(a_plan(1).key.plan_id) is not None


async def test_online_then_offline_then_online_stays_findable_with_the_latest_values() -> None:
    world = SyncWorld()

    for title, mode in (("on", "online"), ("off", "offline"), ("on again", "online")):
        await world.sync_with(a_plan(1, title=title, sell_mode=mode))

        assert await world.titles() == [title]


async def test_a_record_that_cannot_be_used_costs_no_other() -> None:
    world = SyncWorld()

    report = await world.sync_with(*plans(1), a_rejection(), *plans(2))

    assert report.outcome is SyncOutcome.APPLIED
    assert report.rejected == 1
    assert report.records == 3
    assert [kept.rejection.line for kept in await world.rejections.standing("demo", 10)] == [7]


@pytest.mark.parametrize(
    "rejection", [a_rejection(key=PlanKey("demo", "2", "2")), a_rejection(base_id="2")], ids=["its own", "its base's"]
)
async def test_a_rejected_record_does_not_withdraw_its_plan(rejection: Rejection) -> None:
    world = SyncWorld()
    await world.sync_with(*plans(1, 2))

    report = await world.sync_with(*plans(1), rejection)

    assert WITHDRAWN not in report.changes


async def test_all_rejections_are_counted_and_the_first_thousand_kept() -> None:
    world = SyncWorld()

    report = await world.sync_with(*(replace(a_rejection(), source=f"<plan {n}/>") for n in range(1200)))

    assert report.rejected == 1200
    assert report.outcome is SyncOutcome.UNUSABLE
    assert len(await world.rejections.standing("demo", 2000)) == 1000


async def test_a_document_that_breaks_in_the_middle_updates_what_was_read_and_withdraws_nothing() -> None:
    world = SyncWorld()
    await world.sync_with(*plans(1, 2, 3))
    world.provider.now_says(*plans(1, title="B"), broken=FeedBrokenError("ends at line 9", line=9))

    report = await world.sync()

    assert report.outcome is SyncOutcome.INCOMPLETE
    assert report.reason == "ends at line 9; nothing was withdrawn"
    assert report.changes == {CHANGED: 1}
    assert (await world.catalog.state("demo")).mark is None


async def test_a_feed_of_more_than_its_limit_is_read_up_to_it_and_withdraws_nothing() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(item="gone", title="Gone"))
    world.configured = replace(world.configured, max_plans=4)

    report = await world.sync_with(*(a_plan(item=f"{number}", title=f"{number}") for number in range(6)))

    assert report.outcome is SyncOutcome.INCOMPLETE
    assert report.reason is not None
    assert "more than 4 records" in report.reason
    assert "limits.max_plans" in report.reason
    assert report.records == 4
    assert await world.titles() == ["0", "1", "2", "3", "Gone"]
    known = await world.catalog.known("demo")
    assert all(plan.in_feed for plan in known.values())


async def test_a_feed_of_exactly_its_limit_is_whole() -> None:
    world = SyncWorld()
    world.configured = replace(world.configured, max_plans=4)

    report = await world.sync_with(*(a_plan(item=f"{number}") for number in range(4)))

    assert (report.outcome, report.records) == (SyncOutcome.APPLIED, 4)


async def test_a_source_with_a_list_of_snapshots_goes_on_from_the_last_that_was_settled() -> None:
    world = SyncWorld()
    await world.sync_with(*plans(1, 2, 3))
    world.provider.now_says(*plans(1), broken=FeedBrokenError("cut", line=9))
    async with world.leases.hold("demo") as lease:
        settled = FeedMark(content="abc", position="1/3")
        await world.catalog.remember(lease, ProviderState(mark=settled))

    await world.sync()

    assert (await world.catalog.state("demo")).mark == FeedMark(position="1/3")


async def test_with_a_record_that_nobody_can_place_nothing_is_withdrawn() -> None:
    world = SyncWorld()
    await world.sync_with(*plans(1, 2))

    report = await world.sync_with(*plans(1), a_rejection())

    assert report.outcome is SyncOutcome.UNCHANGED
    assert report.reason == "nothing was withdrawn, because nobody can tell whose 1 of the rejected records are"


async def test_the_next_whole_snapshot_completes_what_a_broken_one_left() -> None:
    world = SyncWorld()
    await world.sync_with(*plans(1, 2, 3))
    world.provider.now_says(*plans(1), broken=FeedBrokenError("cut", line=9))
    await world.sync()

    report = await world.sync_with(*plans(1))

    assert report.outcome is SyncOutcome.APPLIED
    assert report.changes == {WITHDRAWN: 2}


async def test_a_feed_that_is_refused_while_it_is_read_applies_nothing() -> None:
    world = SyncWorld()
    snapshot = a_snapshot(plans(1), broken=FeedRefusedError("a DOCTYPE at line 3"))
    world.provider.says = snapshot

    report = await world.sync()

    assert report.outcome is SyncOutcome.FAILED
    assert report.reason == "a DOCTYPE at line 3"
    assert await world.titles() == []
    assert snapshot.closed


async def test_a_provider_that_does_not_answer_fails_the_run_with_its_reason_and_its_wish() -> None:
    world = SyncWorld()
    world.provider.says = FeedUnavailableError("https://x answered 503", retry_after=120)

    report = await world.sync()

    assert (report.outcome, report.reason, report.retry_after) == (SyncOutcome.FAILED, "https://x answered 503", 120)
    assert await world.journal.runs("demo", 1) == [report]


async def test_a_provider_whose_circuit_is_open_is_skipped() -> None:
    world = SyncWorld()
    world.provider.says = CircuitOpenError("the circuit of demo is open", retry_after=12)

    report = await world.sync()

    assert (report.outcome, report.retry_after) == (SyncOutcome.SKIPPED, 12)


async def test_a_run_whose_failure_opened_the_circuit_has_failed() -> None:
    world = SyncWorld()
    world.provider.says = CircuitOpenError("demo failed 5 times in a row", retry_after=60, tried=True)

    assert (await world.sync()).outcome is SyncOutcome.FAILED


async def test_a_provider_that_another_process_syncs_is_skipped() -> None:
    world = SyncWorld()
    async with world.leases.hold("demo"):
        report = await world.sync_with(*plans(1))

    assert report.outcome is SyncOutcome.SKIPPED
    assert "another process is syncing 'demo'" in str(report.reason)


async def test_a_process_that_lost_its_lease_while_it_read_writes_nothing() -> None:
    world = SyncWorld()

    class Slow(FeedWatcher):
        def fetched(self, received: int, total: int | None) -> None:  # noqa: ARG002
            world.store.new_fence("demo")  # while this one was fetching, its lease ran out and another took it

        def read(self, records: int) -> None: ...

    world.provider.now_says(*plans(1))
    report = await world.sync(watcher=Slow())

    assert report.outcome is SyncOutcome.FAILED
    assert "was taken by another process" in str(report.reason)
    assert await world.titles() == []


async def test_a_store_that_is_away_fails_the_run_and_says_so() -> None:
    world = SyncWorld()
    world.store.unavailable = "Redis at unix:///x cannot be reached"

    report = await world.sync_with(*plans(1))

    assert (report.outcome, report.reason) == (SyncOutcome.FAILED, "Redis at unix:///x cannot be reached")


async def test_a_kind_with_a_bug_fails_its_own_run_and_the_bug_is_told() -> None:
    world = SyncWorld()
    world.provider.says = ZeroDivisionError("in somebody's kind")

    report = await world.sync()

    assert (report.outcome, report.reason) == (
        SyncOutcome.FAILED,
        "unexpected ZeroDivisionError: in somebody's kind",
    )
    assert [type(bug) for bug in world.bugs] == [ZeroDivisionError]


async def test_a_dry_run_says_what_would_change_and_writes_nothing() -> None:
    world = SyncWorld()
    await world.sync_with(*plans(1, 2))
    before = await world.catalog.state("demo")
    world.provider.now_says(*plans(2, title="B"), *plans(3))

    report = await world.sync(dry_run=True)

    assert report.dry_run
    assert report.changes == {CHANGED: 1, LISTED: 1, WITHDRAWN: 1}
    assert await world.titles() == ["A1", "A2"]
    assert await world.catalog.state("demo") == before
    assert len(await world.journal.runs("demo", 10)) == 1


async def test_a_dry_run_of_an_unchanged_feed_does_not_even_note_that_it_was_seen() -> None:
    world = SyncWorld()
    await world.sync_with(*plans(1))
    before = await world.catalog.state("demo")

    report = await world.sync(dry_run=True)

    assert report.outcome is SyncOutcome.UNCHANGED
    assert await world.catalog.state("demo") == before


async def test_a_cancelled_run_closes_its_snapshot_and_gives_back_its_lease() -> None:
    world = SyncWorld()

    class Endless(type(a_snapshot([]))):  # type: ignore[misc] # the class of the builder's snapshots
        async def records(self) -> Any:
            yield []
            await asyncio.Event().wait()

    snapshot = world.provider.says = Endless((), "endless")
    task = asyncio.create_task(world.sync())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert snapshot.closed
    assert (await world.sync_with(*plans(1))).outcome is SyncOutcome.APPLIED


class TestGate:
    async def test_a_feed_that_shrank_by_90_percent_is_held_and_new_plans_apply(self) -> None:
        world = await self.full_world()

        report = await world.sync_with(*plans(1, 2), *plans(100))

        assert report.outcome is SyncOutcome.HELD
        assert report.held_for == (HoldReason.MASS_WITHDRAWAL,)
        assert report.changes == {LISTED: 1}
        assert report.waiting == {WITHDRAWN: 18}
        assert "18 of 20 plans (90%) are gone from the feed" in str(report.reason)

    async def test_a_second_run_that_agrees_applies_what_was_held(self) -> None:
        world = await self.full_world()
        await world.sync_with(*plans(1, 2))

        report = await world.sync_with(*plans(1), *plans(2, title="B"))

        assert report.outcome is SyncOutcome.APPLIED
        assert report.changes == {WITHDRAWN: 18, CHANGED: 1}

    async def test_a_second_run_that_shrank_otherwise_is_held_again(self) -> None:
        world = await self.full_world()
        await world.sync_with(*plans(1, 2))

        report = await world.sync_with(*plans(3, 4))

        assert report.outcome is SyncOutcome.HELD

    async def test_a_feed_that_recovers_forgets_what_was_held(self) -> None:
        world = await self.full_world()
        await world.sync_with(*plans(1, 2))
        await world.sync_with(*plans(*range(20)))

        report = await world.sync_with(*plans(1, 2))

        assert report.outcome is SyncOutcome.HELD

    async def test_an_approval_applies_what_is_held(self) -> None:
        world = await self.full_world()
        await world.sync_with(*plans(1, 2))

        report = await world.sync(approve=True)

        assert report.outcome is SyncOutcome.APPLIED
        assert report.changes == {WITHDRAWN: 18}
        assert (await world.catalog.state("demo")).proposed is None

    async def test_a_held_snapshot_is_fetched_again_although_it_did_not_change(self) -> None:
        world = await self.full_world()
        await world.sync_with(*plans(1, 2))

        report = await world.sync()

        assert world.provider.fetched_since[-1] is None
        assert report.outcome is SyncOutcome.APPLIED

    async def test_an_empty_feed_is_held(self) -> None:
        world = await self.full_world()

        report = await world.sync_with()

        assert report.held_for == (HoldReason.EMPTY_FEED,)

    async def test_a_mass_change_waits_while_new_plans_and_few_withdrawals_apply(self) -> None:
        world = await self.full_world()

        report = await world.sync_with(*plans(*range(1, 20), title="B"), *plans(100))

        assert report.held_for == (HoldReason.MASS_CHANGE,)
        assert report.changes == {LISTED: 1, WITHDRAWN: 1}
        assert report.waiting == {CHANGED: 19}
        assert "B1" not in await world.titles()

    async def test_a_mass_change_in_a_broken_document_waits_too(self) -> None:
        world = await self.full_world()
        world.provider.now_says(*plans(*range(20), title="B"), broken=FeedBrokenError("cut at line 9", line=9))

        report = await world.sync()

        assert report.outcome is SyncOutcome.INCOMPLETE
        assert report.waiting == {CHANGED: 20}
        assert "changed at once" in str(report.reason)

    async def full_world(self) -> SyncWorld:
        world = SyncWorld(gate=GatePolicy())
        await world.sync_with(*plans(*range(20)))
        return world


async def test_a_run_tells_how_long_it_took_and_when_it_began() -> None:
    world = SyncWorld()

    report: SyncReport = await world.sync_with(*plans(1))

    assert report.started_at == world.clock.now()
    assert report.took == timedelta(0).total_seconds()


async def test_a_source_with_more_to_say_says_so_in_the_report() -> None:
    world = SyncWorld()
    world.provider.now_says(*plans(1), more=True)

    assert (await world.sync()).more


async def test_a_new_world_remembers_nothing() -> None:
    assert await SyncWorld().catalog.state("demo") == ProviderState()


A_DAY = timedelta(days=1)


async def test_the_newest_mark_of_the_same_snapshot_is_kept() -> None:
    world = SyncWorld()
    await world.sync_with(*plans(1))
    newest = replace(world.provider.fetched_mark, etag="2")
    world.provider.newest = newest

    report = await world.sync()

    assert report.outcome is SyncOutcome.UNCHANGED
    assert (await world.catalog.state("demo")).mark == newest


async def _with_validators(world: SyncWorld) -> FeedMark:
    """Sync twice, so that the mark has a validator from then on."""
    await world.sync_with(*plans(1))
    world.provider.newest = replace(world.provider.fetched_mark, etag="1", last_modified="then")
    await world.sync()
    return world.provider.newest


async def test_a_feed_is_fetched_whole_once_a_day() -> None:
    world = SyncWorld()
    mark = await _with_validators(world)
    await world.sync()
    world.clock.move(A_DAY.total_seconds())

    await world.sync()
    await world.sync()

    assert world.provider.fetched_since[-3:] == [mark, mark.without_validators(), mark]
    assert (await world.catalog.state("demo")).full_at == world.clock.now() - timedelta(seconds=60)


async def test_a_feed_that_came_whole_by_itself_is_not_asked_for_again_that_day() -> None:
    world = SyncWorld()
    mark = await _with_validators(world)
    world.clock.move(A_DAY.total_seconds() - 600)
    await world.sync_with(*plans(1, 2))
    world.clock.move(600)
    world.provider.newest = replace(mark, content=world.provider.fetched_mark.content)
    await world.sync()

    await world.sync()

    assert world.provider.fetched_since[-1] == world.provider.newest


async def test_a_feed_is_never_fetched_whole_when_the_configuration_says_so() -> None:
    world = SyncWorld()
    world.configured = replace(world.configured, full_every=0.0)
    mark = await _with_validators(world)
    world.clock.move(10 * A_DAY.total_seconds())

    await world.sync()

    assert world.provider.fetched_since[-1] == mark


async def test_a_feed_is_fetched_whole_when_somebody_asks_for_it() -> None:
    world = SyncWorld()
    mark = await _with_validators(world)

    await world.sync(full=True)

    assert world.provider.fetched_since[-1] == mark.without_validators()


async def test_a_fetch_that_failed_is_none_of_a_whole_feed() -> None:
    world = SyncWorld()
    mark = await _with_validators(world)
    says = world.provider.says
    world.provider.says = FeedUnavailableError("away")
    await world.sync(full=True)
    world.clock.move(A_DAY.total_seconds())
    await world.sync()
    world.provider.says = says

    await world.sync()

    assert world.provider.fetched_since[-1] == mark.without_validators()


async def test_the_first_fetch_may_be_asked_for_whole() -> None:
    world = SyncWorld()
    world.provider.now_says(*plans(1))

    await world.sync(full=True)

    assert world.provider.fetched_since == [None]
