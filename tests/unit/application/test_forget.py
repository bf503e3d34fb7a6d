"""Forgetting: nothing is left of whom it is about, wherever it was; nothing comes back; what they do later counts."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from app.application.forget import Forget, ForgetAgain, Forgotten
from app.application.ports.system import LiveStateUnavailableError
from app.domain.activities import IDENTIFY, Activity
from app.domain.refused_samples import RefusedSample
from app.domain.removal import ToRemove
from tests.fakes.activity_queue import MemoryActivityQueue
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.activity_stream import MemoryActivityStream
from tests.fakes.forgetting import (
    MemoryForgetList,
    MemoryForgottenNames,
    MemoryQueuedActivities,
    MemoryToldActivities,
)
from tests.fakes.refused_samples import MemoryRefusedSamples
from tests.support.fixed_clock import FixedClock

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
ANA = ToRemove(users=frozenset({"ana"}))
NOTHING = Forgotten(0, 0, 0, 0, 0, 0, had_frozen_days=False)


def did(number: int, user: str | None = None, *, anonymous: str | None = None, source: str | None = None) -> Activity:
    return Activity(UUID(int=number), "view", AT, source=source, user_id=user, anonymous_id=anonymous)


def identify(number: int, user: str, anonymous: str) -> Activity:
    return Activity(UUID(int=number), IDENTIFY, AT, user_id=user, anonymous_id=anonymous)


@dataclass
class World:
    store: MemoryActivityStore = field(default_factory=lambda: MemoryActivityStore(UTC))
    stream: MemoryActivityStream = field(default_factory=MemoryActivityStream)
    forget_list: MemoryForgetList = field(default_factory=MemoryForgetList)
    told: MemoryToldActivities = field(default_factory=MemoryToldActivities)

    def __post_init__(self) -> None:
        self.samples = MemoryRefusedSamples(self.stream.store)
        self.forget = Forget(
            self.forget_list,
            MemoryForgottenNames(self.store),
            MemoryQueuedActivities(self.stream),
            self.samples,
            self.told,
            self.store,
            FixedClock(AT),
            uuid4,
        )

    async def left(self) -> list[int]:
        return sorted(one.activity_id.int for one in self.store.kept())

    def set_back(self, *activities: Activity) -> "World":
        """Another database, with what an older backup has, beside the same list."""
        before = World(forget_list=self.forget_list)
        before.store._kept = {one.activity_id: one for one in activities}
        before.store._counted = list(activities)
        return before

    @property
    def forget_again(self) -> ForgetAgain:
        return ForgetAgain(self.forget_list, self.forget.names, self.store, self.store)


@pytest.fixture
def world() -> World:
    return World()


async def test_a_user_is_forgotten_with_the_anonymous_ids_that_belong_to_it(world: World) -> None:
    await world.store.store([did(1, "ana"), did(2, "eva"), did(3, anonymous="x"), did(4, anonymous="y")])
    await world.store.store([identify(5, "ana", "x"), identify(6, "eva", "y")])

    done = await world.forget(ANA)

    assert (done.activities, done.anonymous) == (3, 1)
    assert await world.left() == [2, 4, 6]


async def test_a_source_or_a_single_activity_is_forgotten(world: World) -> None:
    await world.store.store([did(1, source="shop"), did(2, source="app"), did(3, "ana")])

    done = await world.forget(ToRemove(sources=frozenset({"shop"}), ids=frozenset({UUID(int=3)})))

    assert done.activities == 2
    assert await world.left() == [2]


async def test_no_late_copy_counts_and_what_comes_new_does(world: World) -> None:
    await world.store.store([did(1, "ana")])
    await world.forget(ANA)

    assert await world.store.store([did(1, "ana"), did(2, "ana")]) == 1


async def test_an_activity_that_did_not_come_yet_is_forgotten_by_its_id(world: World) -> None:
    await world.forget(ToRemove(ids=frozenset({UUID(int=1)})))

    assert await world.store.store([did(1)]) == 0


async def test_what_waits_in_the_queue_will_not_be_stored(world: World) -> None:
    await MemoryActivityQueue(world.stream).append([did(1, "ana"), did(2, "eva")])

    assert (await world.forget(ANA)).waiting == 1

    assert await world.store.store([did(1, "ana"), did(2, "eva")]) == 1


async def test_dead_letters_keep_what_others_did(world: World) -> None:
    world.stream.bury([did(1, "ana"), did(2, "eva")], "broken")
    world.stream.bury([did(3, "ana")], "broken")

    assert (await world.forget(ANA)).dead_letters == 2

    assert [[one.activity_id.int for one in letter.activities] for letter in world.stream.letters.values()] == [[2]]


async def test_samples_and_deliveries_are_forgotten(world: World) -> None:
    world.samples.note(RefusedSample("wrong", "no", '{"user_id":"ana"}', AT))
    world.told.deliveries = 3

    done = await world.forget(ANA)

    assert (done.samples, done.deliveries) == (1, 3)
    assert (await world.samples.last()).samples == []


async def test_it_goes_step_by_step_and_tells_how_far_it_is(world: World) -> None:
    world.store.step = 2
    await world.store.store([did(number, "ana") for number in range(5)])
    told: list[int] = []

    await world.forget(ANA, told.append)

    assert told == [2, 4, 5]


async def test_forgetting_again_finds_nothing(world: World) -> None:
    await world.store.store([did(1, "ana")])
    await world.forget(ANA)

    assert await world.forget(ANA) == NOTHING


async def test_it_says_when_users_had_days_whose_activities_have_left(world: World) -> None:
    await world.store.store([did(1, "ana")])
    await world.store.remove_some(AT.date() + timedelta(days=1))

    assert (await world.forget(ANA)).had_frozen_days


async def test_without_redis_nothing_that_is_stored_is_forgotten(world: World) -> None:
    await world.store.store([did(1, "ana")])
    world.stream.store.unavailable = "Redis is away"

    with pytest.raises(LiveStateUnavailableError):
        await world.forget(ANA)

    assert await world.left() == [1]


async def test_an_older_backup_brings_nobody_back(world: World) -> None:
    everything = [did(1, "ana"), did(2, "eva"), did(3, anonymous="x"), identify(4, "ana", "x")]
    await world.store.store([*everything, did(5, "ana", source="shop")])
    await world.forget(ANA)
    await world.forget(ToRemove(sources=frozenset({"shop"})))

    before = world.set_back(*everything)

    told: list[int] = []
    assert await before.forget_again(told.append) == 3
    assert told == [3, 0]
    assert await before.left() == [2]
    assert await before.store.store([did(5, "ana"), did(6, "ana")]) == 1  # 5 came after the backup was made
    assert await before.forget_again() == 0
    assert await before.left() == [2, 6]


async def test_what_a_database_has_forgotten_already_is_left_alone(world: World) -> None:
    await world.store.store([did(1, "ana")])
    await world.forget(ANA)
    await world.store.store([did(2, "ana")])

    assert await world.forget_again() == 0
    assert await world.left() == [2]


async def test_figures_that_count_less_than_is_to_be_forgotten_are_made_anew(world: World) -> None:
    await world.store.store([did(1, "ana")])
    await world.forget(ANA)
    before = world.set_back(did(1, "ana"), did(2, "eva"))
    await before.store.reset()
    before.store.counts_exactly = True

    assert await before.forget_again() == 1

    assert [total.count for total in await before.store.totals()] == [1]
