"""What is told of a provider's syncs: when they begin to fail or to be held, and when they are good again."""

import pytest

from app.application.ports.providers import CircuitOpenError, FeedBrokenError, FeedUnavailableError
from app.application.ports.syncs import TransitionLog
from app.application.ports.system import LiveStateUnavailableError
from app.domain.domain_events import SyncFact
from app.domain.gate import GatePolicy, HoldReason
from app.domain.reconciliation import ChangeKind
from app.domain.sync_runs import SyncOutcome
from tests.support.builders import a_plan
from tests.support.sync_world import SyncWorld

AWAY = FeedUnavailableError("https://x answered 503")


async def facts(world: SyncWorld) -> list[SyncFact]:
    told = [logged.fact for logged in await world.transitions.read(0, 100)]
    return [fact for fact in told if isinstance(fact, SyncFact)]


async def names(world: SyncWorld) -> list[str]:
    return [fact.name for fact in await facts(world)]


async def fail(world: SyncWorld, error: Exception = AWAY) -> None:
    world.provider.says = error
    await world.sync()


async def test_syncs_that_are_good_from_the_first_one_on_are_not_told_of() -> None:
    world = SyncWorld()

    await world.sync_with(a_plan(1))
    await world.sync()

    assert await names(world) == []


async def test_a_failure_is_told_once_when_it_begins_and_once_when_it_has_ended() -> None:
    world = SyncWorld()
    for _ in range(3):
        await fail(world)
    assert await names(world) == ["sync.failed"]

    await world.sync_with(a_plan(1))
    await world.sync()

    failed, recovered = await facts(world)
    assert (failed.name, failed.run_id, failed.reason, failed.outcome) == ("sync.failed", "run-1", str(AWAY), "failed")
    assert (recovered.name, recovered.run_id, recovered.provider) == ("sync.recovered", "run-4", "demo")


@pytest.mark.parametrize("error", [FeedBrokenError("cut", line=1), ZeroDivisionError("a bug of a kind")])
async def test_a_feed_that_breaks_and_a_bug_are_failures(error: Exception) -> None:
    world = SyncWorld()
    if isinstance(error, FeedBrokenError):
        world.provider.now_says(a_plan(1), broken=error)
        await world.sync()
    else:
        await fail(world, error)

    assert await names(world) == ["sync.failed"]


async def test_a_feed_that_is_unchanged_after_a_failure_has_recovered() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(1))
    says = world.provider.says
    await fail(world)

    world.provider.says = says
    report = await world.sync()

    assert report.outcome is SyncOutcome.UNCHANGED
    assert await names(world) == ["sync.failed", "sync.recovered"]


async def test_a_hold_is_told_once_with_its_reasons_and_its_end() -> None:
    world = SyncWorld(gate=GatePolicy(approval_required=True))
    await world.sync_with(*(a_plan(number) for number in range(20)))
    for _ in range(3):
        await world.sync_with(a_plan(1))

    await world.sync(approve=True)

    held, recovered = await facts(world)
    assert (held.name, held.held_for, held.waiting) == (
        "sync.held",
        (HoldReason.MASS_WITHDRAWAL,),
        {ChangeKind.WITHDRAWN: 19},
    )
    assert recovered.name == "sync.recovered"


async def test_a_circuit_that_opens_is_told_once_beside_the_failure_and_again_after_it_was_closed() -> None:
    world = SyncWorld()
    opened = CircuitOpenError("five in a row", retry_after=60, tried=True)
    left_alone = CircuitOpenError("five in a row", retry_after=12)
    for error in (AWAY, opened, left_alone, left_alone, opened):
        await fail(world, error)
    assert await names(world) == ["sync.failed", "circuit.opened"]

    await world.sync_with(a_plan(1))
    await fail(world, opened)

    assert await names(world) == [
        *("sync.failed", "circuit.opened", "sync.recovered"),
        *("sync.failed", "circuit.opened"),
    ]


async def test_a_circuit_that_another_process_opened_is_told_by_who_finds_it_open() -> None:
    world = SyncWorld()

    await fail(world, CircuitOpenError("five in a row", retry_after=12))

    assert await names(world) == ["circuit.opened"]


async def test_a_run_that_another_process_kept_from_its_lease_says_nothing() -> None:
    world = SyncWorld()
    await fail(world)
    async with world.leases.hold("demo"):
        await world.sync_with(a_plan(1))

    assert await names(world) == ["sync.failed"]


async def test_a_dry_run_tells_nothing() -> None:
    world = SyncWorld()
    world.provider.says = AWAY

    await world.sync(dry_run=True)

    assert await names(world) == []


class Broken(TransitionLog):
    """Takes nothing, like a process that ends at this point."""

    async def append(self, provider: str, transitions: object) -> None:  # noqa: ARG002
        raise LiveStateUnavailableError("away")


async def test_what_could_not_be_told_is_told_by_the_next_run_in_its_order_with_the_same_ids() -> None:
    world = SyncWorld()
    untold = SyncWorld(store=world.store, transitions_to=Broken())
    untold.provider.says = AWAY
    assert (await untold.sync()).outcome is SyncOutcome.FAILED
    await untold.sync_with(a_plan(1))
    assert await names(world) == []
    waiting = (await world.catalog.state("demo")).untold

    await fail(world, CircuitOpenError("skipped, and the first that can tell", retry_after=1))

    assert await names(world) == ["sync.failed", "sync.recovered", "circuit.opened"]
    assert [fact.event_id for fact in await facts(world)][:2] == [f"sync-{one.run_id}-{one.kind}" for one in waiting]
    assert (await world.catalog.state("demo")).untold == ()
