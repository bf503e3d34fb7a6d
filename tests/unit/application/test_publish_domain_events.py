import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.adapters.outbound.memory.publisher import MemoryPublisher
from app.application.ports.publishing import DomainEventPublisher, LoggedFact, PublisherUnavailableError, ToldCounts
from app.application.ports.system import HistoryUnavailableError, LiveStateUnavailableError
from app.application.publish_domain_events import BATCH, BATCHES, PublishDomainEvents
from app.domain.domain_events import DomainEvent
from tests.fakes.publishing_positions import MemoryPublishingPositions
from tests.support.access_builders import a_user, created
from tests.support.webhook_world import ListedLog, a_plan_told


class Hanging(DomainEventPublisher):
    name = "hanging"

    async def publish(self, events: Sequence[DomainEvent]) -> None:  # noqa: ARG002 - the port's
        await asyncio.sleep(3600)


class Poisoned(MemoryPublisher):
    """Breaks at one of them, in a way that its port does not know."""

    async def publish(self, events: Sequence[DomainEvent]) -> None:
        if any(event.event_id == "plan-2" for event in events):
            raise TypeError("a plan of another kind")
        await super().publish(events)


class World:
    def __init__(self, *publishers: DomainEventPublisher, plans: int = 3, users: int = 1) -> None:
        self.publisher = MemoryPublisher()
        self.plans = ListedLog("plans", *(a_plan_told(number) for number in range(1, plans + 1)))
        self.users = ListedLog("users", *(created(a_user(number)) for number in range(1, users + 1)))
        self.positions = MemoryPublishingPositions()
        self.bugs: list[tuple[str, str]] = []
        self.publish = PublishDomainEvents(
            logs=(self.plans, self.users),
            publishers=(*publishers, self.publisher),
            positions=self.positions,
            on_bug=lambda name, error: self.bugs.append((name, str(error))),
            timeout=0.05,
        )

    @property
    def told(self) -> list[str]:
        return [fact.event_id for fact in self.publisher.get() if fact.name != "user.created"]


async def test_everything_is_told_once_in_the_order_of_each_log() -> None:
    world = World()

    [first] = await world.publish()
    [second] = await world.publish()

    assert world.publisher.get() == (*world.plans.facts, *world.users.facts)
    assert (first.published, second.published) == (4, 0)
    assert await world.positions.of("memory") == {"plans": 3, "users": 1}
    assert await world.positions.counts() == {"memory": ToldCounts(4, 0)}


async def test_what_comes_later_is_told_later() -> None:
    world = World()
    await world.publish()
    world.publisher.clear()

    world.plans.facts.append(a_plan_told(4))
    await world.publish()

    assert world.told == ["plan-4"]


async def test_a_long_log_is_told_in_batches_and_over_several_rounds() -> None:
    world = World(plans=BATCH * BATCHES + 1, users=0)

    assert [(await world.publish())[0].published for _ in range(3)] == [BATCH * BATCHES, 1, 0]

    assert world.told == [fact.event_id for fact in world.plans.facts]


async def test_a_disabled_publisher_costs_nothing_but_lateness() -> None:
    world = World()
    world.publisher.disable()

    for _ in range(3):
        [done] = await world.publish()
        assert isinstance(done.trouble, PublisherUnavailableError)
    assert world.publisher.get() == ()
    assert await world.positions.counts() == {"memory": ToldCounts(0, 12)}

    world.publisher.enable()
    await world.publish()

    assert world.publisher.get() == (*world.plans.facts, *world.users.facts)
    assert await world.positions.counts() == {"memory": ToldCounts(4, 12)}


async def test_a_publisher_that_fails_does_not_hold_up_the_others() -> None:
    broken = MemoryPublisher("broken")
    broken.disable()
    world = World(broken, Hanging())

    failed, hanging, fine = await world.publish()

    assert failed.trouble
    assert "did not take 3 within 0.05 s" in str(hanging.trouble)
    assert (fine.published, fine.trouble) == (4, None)
    assert await world.positions.of("broken") == {}
    assert world.bugs == []


async def test_a_bug_of_a_publisher_is_told_and_treated_alike_and_its_other_logs_go_on() -> None:
    poisoned = Poisoned("poisoned")
    world = World(poisoned)

    done, fine = await world.publish()

    assert isinstance(done.trouble, TypeError)
    assert world.bugs == [("poisoned", "a plan of another kind")]
    assert [fact.name for fact in poisoned.get()] == ["user.created"]
    assert fine.trouble is None


async def test_after_a_crash_between_telling_and_writing_down_the_same_comes_again() -> None:
    world = World()
    await world.publish()
    forgotten = PublishDomainEvents(
        logs=world.publish.logs, publishers=world.publish.publishers, positions=MemoryPublishingPositions()
    )

    await forgotten()

    assert world.told == ["plan-1", "plan-2", "plan-3"] * 2


async def test_a_bug_without_anybody_to_tell_is_still_a_trouble() -> None:
    world = World()
    publish = PublishDomainEvents(logs=(world.plans,), publishers=(Poisoned(),), positions=world.positions)

    assert isinstance((await publish())[0].trouble, TypeError)


async def test_a_history_that_is_away_is_told() -> None:
    world = World()
    world.plans.unavailable = "gone"

    with pytest.raises(HistoryUnavailableError):
        await world.publish()


class Away(ListedLog):
    """Lies in a live state that cannot be reached."""

    async def read(self, after: int, limit: int) -> Sequence[LoggedFact]:  # noqa: ARG002 - the port's
        raise LiveStateUnavailableError("no Redis")


async def test_a_live_state_that_is_away_keeps_only_its_own_log_from_being_told() -> None:
    world = World()
    world.publish = replace(world.publish, logs=(Away("syncs"), world.plans, world.users))

    [done] = await world.publish()

    assert (done.published, str(done.trouble)) == (4, "no Redis")
    assert world.publisher.get() == (*world.plans.facts, *world.users.facts)
