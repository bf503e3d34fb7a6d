import asyncio
import time
from functools import partial
from uuid import UUID

import pytest

from app.application.figures import STORED_BATCHES
from app.application.manage_webhooks import SwitchWebhook
from app.application.ports.publishing import ToldCounts
from app.application.watch_service import TIMEOUT, WatchService, WebhookCounts
from app.domain.webhooks import Endpoint
from tests.fakes.webhook_deliveries import MemoryWebhookDeliveries
from tests.fakes.webhook_endpoints import MemoryWebhookEndpoints
from tests.support.service_world import ServiceWorld, a_process
from tests.support.waiting import eventually
from tests.support.webhook_world import an_endpoint


@pytest.fixture
async def world() -> ServiceWorld:
    return ServiceWorld()


async def run(watch: WatchService) -> "asyncio.Task[None]":
    task = asyncio.create_task(watch())
    await asyncio.sleep(0)
    return task


async def end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_before_the_first_look_nothing_is_known_but_this_process(world: ServiceWorld) -> None:
    watch = world.watch
    world.clock.move(3)

    assert (watch.activities, watch.user_counts, watch.told, watch.counted) == (None, None, None, None)
    assert (watch.received_per_second, watch.uptime, watch.running) == (0, 3, ())
    assert watch.history_trouble == "not asked yet"


async def test_the_rate_is_that_of_the_last_ten_seconds(world: ServiceWorld) -> None:
    await world.take_in(1_000)
    for _ in range(15):
        await world.look()
        await world.take_in(20)
        world.clock.move(1)
    await world.look()

    assert world.watch.received_per_second == pytest.approx(20)


async def test_without_activities_the_rate_goes_to_nothing(world: ServiceWorld) -> None:
    await world.take_in(1)
    await world.look()
    world.clock.move(1)
    await world.take_in(100)
    for _ in range(12):
        await world.look()
        world.clock.move(1)

    assert world.watch.received_per_second == 0


async def test_a_rate_that_nobody_can_tell_any_more_is_nothing(world: ServiceWorld) -> None:
    await world.look()
    world.clock.move(1)
    await world.take_in(100)
    await world.look()
    assert world.watch.received_per_second == 100
    world.store.unavailable = "away"

    world.clock.move(10.5)
    await world.look()

    assert world.watch.received_per_second == 0


async def test_two_looks_at_one_instant_are_one_sample(world: ServiceWorld) -> None:
    await world.look()
    await world.take_in(5)
    await world.look()

    assert world.watch.received_per_second == 0


async def test_a_queue_that_was_lost_and_a_clock_that_was_set_back_give_no_rate_below_nothing(
    world: ServiceWorld,
) -> None:
    await world.take_in(100)
    await world.look()
    world.stream.lose_everything()
    world.clock.move(1)
    await world.look()
    assert world.watch.received_per_second == 0

    world.clock.move(-3600)
    await world.look()
    await world.take_in(7)
    world.clock.move(1)
    await world.look()

    assert world.watch.received_per_second == 7


async def test_what_was_seen_stays_while_the_live_state_is_away(world: ServiceWorld) -> None:
    await world.presence.announce(a_process("w", "worker"))
    world.tally.add(STORED_BATCHES.of(), 3)
    await world.take_in(4)
    await world.look()
    looks = world.watch.looks

    world.store.unavailable = "away"
    await world.look()

    assert world.watch.counted == {STORED_BATCHES.of(): 3}
    assert (world.watch.count_running("worker"), world.watch.count_running("api")) == (1, 0)
    assert world.watch.activities is not None
    assert world.watch.activities.backlog == 4
    assert world.watch.looks > looks


async def test_the_service_is_up_since_its_oldest_process(world: ServiceWorld) -> None:
    for process in (a_process("w", "worker", -60), a_process("s", "scheduler", -3600), a_process("future", "api", 5)):
        await world.presence.announce(process)

    await world.look()

    assert world.watch.uptime == 3600
    assert [process.role for process in world.watch.running] == ["api", "scheduler", "worker"]


async def test_this_process_runs_even_when_nobody_has_announced_anything(world: ServiceWorld) -> None:
    await world.look()

    assert world.watch.running == (world.own,)


async def test_a_clock_that_is_behind_the_start_gives_no_uptime_below_nothing(world: ServiceWorld) -> None:
    world.clock.move(-5)

    assert world.watch.uptime == 0


async def test_the_first_to_ask_waits_for_a_look_at_the_history(world: ServiceWorld) -> None:
    await world.add_user(1)
    await world.positions.move("log", "users", 5, 4)
    await world.positions.note_failure("stream", "users", 2)
    watching = await run(world.watch)
    before = world.watch.user_counts

    await world.watch.asked()

    assert before is None
    assert world.watch.user_counts is not None
    assert world.watch.user_counts.active == 1
    assert world.watch.told == {"log": ToldCounts(4, 0), "stream": ToldCounts(0, 2)}
    assert world.watch.history_trouble is None
    await end(watching)


async def test_webhooks_that_went_off_by_themselves_are_told_from_those_that_somebody_switched_off(
    world: ServiceWorld,
) -> None:
    endpoints = MemoryWebhookEndpoints(world.webhooks)
    for number in range(1, 5):
        await endpoints.add(an_endpoint(number))
    await SwitchWebhook(endpoints, MemoryWebhookDeliveries(world.webhooks), world.clock).off("hook-2")
    for number, why in ((3, "it answered 410 Gone"), (4, "it has failed for days")):
        await endpoints.change(UUID(int=number), partial(Endpoint.switched_off, why=why))

    await world.watch.look_at_history()

    assert world.watch.webhook_counts == WebhookCounts(on=1, off=1, given_up=2)


async def test_a_thousand_who_ask_cost_the_history_one_question(world: ServiceWorld) -> None:
    watching = await run(world.watch)

    await asyncio.gather(*(world.watch.asked() for _ in range(1000)))
    for _ in range(1000):
        await world.watch.asked()

    assert world.users.asked == 1
    await end(watching)


async def test_the_history_is_asked_again_while_somebody_asks_and_left_alone_after(world: ServiceWorld) -> None:
    watching = await run(world.watch)
    await asyncio.sleep(0.05)
    assert world.users.asked == 0
    await world.watch.asked()
    await eventually(lambda: world.users.asked == 2)

    world.clock.move(31)
    await asyncio.sleep(1.2)
    idle = world.users.asked
    await asyncio.sleep(1.2)
    assert world.users.asked == idle
    await world.add_user(1)
    await world.watch.asked()

    assert world.watch.user_counts is not None
    assert world.watch.user_counts.total == 1
    await end(watching)


async def test_a_history_that_is_away_leaves_the_last_known_figures(world: ServiceWorld) -> None:
    await world.add_user(1)
    await world.watch.look_at_history()
    world.access.unavailable = "the database is down"

    await world.watch.look_at_history()
    await world.watch.asked()

    assert world.watch.user_counts is not None
    assert world.watch.history_trouble == "the database is down"


async def test_a_history_that_comes_back_is_told_of(world: ServiceWorld) -> None:
    world.access.unavailable = "the database is down"
    await world.watch.look_at_history()
    world.access.unavailable = None
    await world.watch.look_at_history()

    assert world.watch.history_trouble is None


async def test_a_history_that_can_be_read_and_takes_no_writes_is_a_trouble(world: ServiceWorld) -> None:
    await world.add_user(1)
    world.history.trouble = "it is read-only"

    await world.watch.look_at_history()

    assert world.watch.user_counts is not None
    assert world.watch.history_trouble == "it is read-only"


async def test_a_history_that_is_silent_is_waited_for_by_the_first_alone_and_not_for_long(world: ServiceWorld) -> None:
    begun = time.monotonic()
    await asyncio.gather(*(world.watch.asked() for _ in range(10)))
    first = time.monotonic() - begun
    await world.watch.asked()

    assert TIMEOUT * 0.9 < first < TIMEOUT + 1
    assert time.monotonic() - begun < first + TIMEOUT * 0.8
    assert world.watch.history_trouble == "the database gave no answer within 1 s"


async def test_the_watch_looks_at_the_live_state_again_and_again(world: ServiceWorld) -> None:
    watching = await run(world.watch)

    await eventually(lambda: world.watch.looks >= 2)

    await end(watching)
