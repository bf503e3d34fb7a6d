import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.application.deliver_webhooks import AT_ONCE, TO_ONE, DeliverWebhooks
from app.application.ports.figures import Figure
from app.application.ports.system import HistoryUnavailableError
from app.domain.webhook_deliveries import SCHEDULE, Answer, Delivery
from app.domain.webhooks import FIRST_PAUSE, LONGEST_PAUSE, PAUSE_AFTER, EndpointId
from tests.fakes.webhook_deliveries import MemoryWebhookDeliveries
from tests.support.builders import NOW
from tests.support.webhook_world import BROKEN, FINE, GONE, WebhookWorld, a_secret


@pytest.fixture
async def world() -> WebhookWorld:
    made = WebhookWorld()
    await made.with_endpoint()
    return made


async def fail_for_seconds(world: WebhookWorld) -> None:
    """Let the first one fail until its next attempt is minutes away."""
    world.sender.always = BROKEN
    await world.round()
    world.clock.move(SCHEDULE[0])
    await world.round()
    world.sender.always = FINE
    assert await world.states() == ["pending"] * len(await world.states())


async def test_what_is_due_is_delivered_once(world: WebhookWorld) -> None:
    await world.tell("a", "b", "c")

    assert [await world.round(), await world.round()] == [3, 0]

    assert sorted(world.sender.ids) == ["plan-1", "plan-2", "plan-3"]
    assert await world.states() == ["delivered"] * 3


async def test_of_a_subject_one_is_under_way_at_a_time_in_their_order(world: WebhookWorld) -> None:
    await world.tell(*["a", "b"] * 20)
    world.sender.takes = 0.001

    await world.round()

    for subject in "ab":
        ids = [int(message.event_id[5:]) for message in world.sender.sent if message.subject == subject]
        assert ids == sorted(ids)
    assert world.sender.most_at_once == 2


async def test_a_failure_holds_up_its_subject_alone_and_is_tried_again_on_schedule(world: WebhookWorld) -> None:
    await world.tell("a", "a", "b", "b")
    world.sender.by_event["plan-1"] = BROKEN

    await world.round()

    assert await world.states() == ["pending", "pending", "delivered", "delivered"]
    world.clock.move(SCHEDULE[0] - 1)
    assert await world.round() == 0
    world.clock.move(1)
    del world.sender.by_event["plan-1"]
    await world.round()
    assert await world.states() == ["delivered"] * 4
    assert world.sender.ids[-2:] == ["plan-1", "plan-2"]


async def test_one_that_never_succeeds_is_given_up_and_the_next_of_its_subject_goes_on(world: WebhookWorld) -> None:
    await world.tell("a", "a")
    await world.tell(*(f"other-{number}" for number in range(len(SCHEDULE))))
    world.sender.by_event["plan-1"] = BROKEN

    for wait in (0.0, *SCHEDULE, LONGEST_PAUSE):
        world.clock.move(wait)
        await world.round()

    assert (await world.states())[:2] == ["given_up", "delivered"]
    assert world.sender.ids.count("plan-1") == len(SCHEDULE) + 1
    assert await world.tally.read() == {
        Figure("webhook_deliveries", ("delivered",)): 1 + len(SCHEDULE),
        Figure("webhook_deliveries", ("failed",)): len(SCHEDULE),
        Figure("webhook_deliveries", ("given_up",)): 1,
    }


async def test_a_broken_endpoint_is_not_hammered(world: WebhookWorld) -> None:
    await world.tell(*(f"{number}" for number in range(100)))
    world.sender.always = BROKEN

    await world.round()

    assert len(world.sender.sent) == TO_ONE
    endpoint = await world.endpoint()
    assert endpoint.is_failing
    assert endpoint.paused_until
    for probe in range(3):
        world.clock.move((endpoint.paused_until - world.clock.now()).total_seconds())
        await world.round()
        assert len(world.sender.sent) == TO_ONE + probe + 1
        endpoint = await world.endpoint()
        assert endpoint.paused_until


async def test_a_success_ends_the_pause_and_makes_what_waits_due_at_once(world: WebhookWorld) -> None:
    await world.tell(*(f"{number}" for number in range(30)))
    world.sender.always = BROKEN
    await world.round()

    world.sender.always = FINE
    world.clock.move(300)
    await world.round()

    assert await world.states() == ["delivered"] * 30
    assert not (await world.endpoint()).failures
    assert world.turned == [True, False]


async def test_a_success_after_few_failures_makes_what_failed_in_them_due_at_once(world: WebhookWorld) -> None:
    await world.tell(*["a"] * 9)
    await fail_for_seconds(world)

    world.clock.move(15)
    await world.tell("b")
    await world.round()

    assert await world.states() == ["delivered"] * 10


async def test_what_a_process_before_saw_fail_is_due_at_once_too(world: WebhookWorld) -> None:
    await world.tell("a")
    await fail_for_seconds(world)
    world.deliver.streaks.clear()

    await world.tell("b")
    await world.round()

    assert await world.states() == ["delivered"] * 2


@pytest.mark.parametrize("ended_by_the_other", [True, False])
async def test_failures_that_another_process_saw_meanwhile_are_made_good_too(
    world: WebhookWorld, *, ended_by_the_other: bool
) -> None:
    mine, others = world.deliver, replace(world.deliver, busy=set(), streaks={})
    world.sender.answers = [BROKEN]
    await world.tell("old")
    await world.round()

    world.deliver = others
    world.clock.move(6)
    if ended_by_the_other:
        await world.round()
    world.sender.always = BROKEN
    await world.tell("a")
    await world.round()
    world.clock.move(5)
    await world.round()
    world.deliver, world.sender.always = mine, FINE
    await world.tell("b")
    await world.round()
    await world.round()

    assert await world.states() == ["delivered"] * 3


async def test_of_an_endpoint_that_was_removed_nothing_is_remembered(world: WebhookWorld) -> None:
    await world.tell("a")
    world.sender.always = BROKEN
    await world.round()
    assert world.deliver.streaks

    endpoint = await world.endpoint()
    await world.endpoints.remove(endpoint.endpoint_id)
    await world.deliver(endpoint.endpoint_id)

    assert not world.deliver.streaks


async def test_a_message_that_is_refused_while_others_are_taken_is_tried_twice_as_often_at_the_most(
    world: WebhookWorld,
) -> None:
    world.sender.by_event["plan-1"] = BROKEN
    await world.tell("a")

    for _ in range(4 * 24 * 4):
        await world.round()
        world.clock.move(900)
        await world.tell("b")

    refused = world.sender.ids.count("plan-1")
    assert (await world.states())[0] == "given_up"
    assert len(SCHEDULE) + 1 < refused <= 2 * len(SCHEDULE) + 1
    assert not world.turned


async def test_one_that_refuses_every_tenth_message_is_neither_paused_nor_asked_much_more(world: WebhookWorld) -> None:
    world.sender.by_event = {f"plan-{number}": BROKEN for number in range(10, 301, 10)}

    for number in range(300):
        await world.tell(f"{number}")
        await world.round()
        world.clock.move(1)

    assert not world.turned
    assert len(world.sender.sent) <= 300 + 30 * 4
    assert (await world.states()).count("delivered") == 300 - 30


async def test_one_that_fails_every_second_time_gets_all_and_no_schedule_is_used_up(world: WebhookWorld) -> None:
    world.sender.answers = [FINE, BROKEN] * 1000
    await world.tell(*(f"{number}" for number in range(200)))

    for wait in (0.0, *SCHEDULE):
        world.clock.move(wait * 1.1)
        await world.round()

    assert await world.states() == ["delivered"] * 200
    assert len(world.sender.sent) <= 401
    assert not world.turned


async def test_what_failed_once_waits_its_seconds(world: WebhookWorld) -> None:
    world.sender.answers = [BROKEN]
    await world.tell("a", "a", "b", "c")

    await world.round()

    assert (await world.states())[0] == "pending"
    assert world.sender.ids.count("plan-1") == 1


async def test_retry_after_is_waited_for(world: WebhookWorld) -> None:
    await world.tell("a")
    world.sender.answers = [Answer(status=429, took=0, error="answered 429", retry_after=120)]

    await world.round()
    await world.tell("b")

    world.clock.move(119)
    assert await world.round() == 0
    world.clock.move(1)
    await world.round()
    assert await world.states() == ["delivered"] * 2


async def test_410_switches_it_off_and_switched_on_again_what_is_pending_goes_on(world: WebhookWorld) -> None:
    await world.tell("a", "a", "b")
    world.sender.answers = [GONE, FINE]

    await world.round()

    assert [endpoint.why_off for endpoint in world.switched_off] == ["it answered 410 Gone"]
    assert sorted(await world.states()) == ["delivered", "pending", "pending"]
    world.clock.move(86_400)
    assert await world.round() == 0

    await world.endpoints.change((await world.endpoint()).endpoint_id, lambda endpoint: endpoint.switched_on())
    await world.round()
    assert await world.states() == ["delivered"] * 3


async def test_one_that_fails_for_days_is_switched_off(world: WebhookWorld) -> None:
    world.sender.always = BROKEN
    await world.tell(*(f"{number}" for number in range(100)))

    for _ in range(6 * 24):
        await world.round()
        world.clock.move(3600)

    [off] = world.switched_off
    assert off.why_off
    assert "without one success" in off.why_off
    assert set(await world.states()) == {"pending"}


async def test_a_receiver_that_copes_with_few_at_a_time_gets_all(world: WebhookWorld) -> None:
    await world.tell(*(f"{number}" for number in range(120)))
    busy = Answer(status=429, took=0, error="answered 429")

    while "pending" in await world.states():
        world.sender.answers = [FINE, *[busy] * TO_ONE * 2]
        await world.round()
        world.clock.move(FIRST_PAUSE)

    assert set(await world.states()) == {"delivered"}


async def test_receivers_that_are_slow_hold_up_nobody_else() -> None:
    world = WebhookWorld()
    slow = [await world.with_endpoint(number) for number in range(2, 10)]
    for endpoint in slow:
        await world.tell(*(f"{number}" for number in range(50)), to=endpoint.endpoint_id.int)
    quick = await world.with_endpoint(1)
    await world.tell(*(f"{number}" for number in range(50)))
    answering = asyncio.Event()
    world.sender.waits_for = {endpoint.endpoint_id: answering for endpoint in slow}

    hanging = [asyncio.create_task(world.deliver(endpoint.endpoint_id)) for endpoint in slow]
    async with asyncio.timeout(5):
        made = await asyncio.create_task(world.deliver(quick.endpoint_id))

    assert (made, await world.states(1)) == (50, ["delivered"] * 50)
    assert len(world.sender.sent) == 50 + TO_ONE * len(slow)
    answering.set()
    assert await asyncio.gather(*hanging) == [50] * len(slow)


async def test_when_many_are_sent_to_each_gets_its_share() -> None:
    limits: list[int] = []

    class Asked(MemoryWebhookDeliveries):
        async def due(self, endpoint_id: EndpointId, now: datetime, limit: int) -> Sequence[Delivery]:
            limits.append(limit)
            return await super().due(endpoint_id, now, limit)

    world = WebhookWorld()
    for number in range(1, AT_ONCE // 2 + 1):
        await world.with_endpoint(number)
        await world.tell("a", "b", "c", to=number)
    deliver = replace(world.deliver, deliveries=Asked(world.store))

    await asyncio.gather(*(deliver(endpoint_id) for endpoint_id in await world.deliver.ready()))

    assert (max(limits), min(limits)) == (TO_ONE, 2)
    assert not deliver.busy


async def test_so_many_attempts_are_made_at_a_time_over_all_endpoints() -> None:
    world = WebhookWorld()
    numbers = range(1, AT_ONCE // TO_ONE + 3)
    for number in numbers:
        await world.with_endpoint(number)
        await world.tell(*(f"{subject}" for subject in range(10)), to=number)
    world.sender.takes = 0.01

    await asyncio.gather(*(world.deliver(endpoint_id) for endpoint_id in await world.deliver.ready()))

    assert world.sender.most_at_once == AT_ONCE
    for number in numbers:
        assert await world.states(number) == ["delivered"] * 10


async def test_one_drain_is_sent_over_the_same_connections(world: WebhookWorld) -> None:
    await world.tell(*(f"{number}" for number in range(TO_ONE * 3)))

    await world.round()

    assert world.sender.kept_for == [{(await world.endpoint()).endpoint_id}]
    await world.tell("a")
    await world.round()
    assert len(world.sender.kept_for) == 2


async def test_connections_end_when_nobody_uses_them_any_more(world: WebhookWorld) -> None:
    endpoint = await world.endpoint()
    await world.tell(*(f"{number}" for number in range(TO_ONE)))
    world.sender.waits_for = {endpoint.endpoint_id: asyncio.Event()}

    drain = asyncio.create_task(world.deliver(endpoint.endpoint_id))
    while len(world.sender.sent) < TO_ONE:  # noqa: ASYNC110 - what it waits for is a fact, not a signal
        await asyncio.sleep(0)
    drain.cancel()

    with pytest.raises(asyncio.CancelledError):
        await drain
    assert world.sender.left_behind == 0
    assert not world.deliver.busy


async def test_when_more_are_sent_to_than_there_are_slots_none_is_kept_for_those() -> None:
    world = WebhookWorld()
    for number in range(1, AT_ONCE + 4):
        await world.with_endpoint(number)
        await world.tell("a", to=number)
    world.sender.takes = 0.01

    await asyncio.gather(*(world.deliver(endpoint_id) for endpoint_id in await world.deliver.ready()))

    assert len(world.sender.kept_for) == AT_ONCE
    assert len(world.sender.sent) == AT_ONCE + 3


async def test_it_ends_between_two_batches_when_it_is_to_end(world: WebhookWorld) -> None:
    await world.tell(*(f"{number}" for number in range(TO_ONE * 3)))
    goes_on = iter([True, False])

    assert await world.deliver((await world.endpoint()).endpoint_id, lambda: next(goes_on)) == TO_ONE


async def test_what_was_changed_meanwhile_stays_changed(world: WebhookWorld) -> None:
    await world.tell("a")
    world.sender.always = BROKEN

    def rotate() -> None:
        endpoint = world.store.endpoints[next(iter(world.store.endpoints))]
        world.store.endpoints[endpoint.endpoint_id] = endpoint.rotated(a_secret(9), NOW)

    world.sender.meanwhile = rotate
    await world.round()

    endpoint = await world.endpoint()
    assert len(endpoint.secrets) == 2
    assert endpoint.failures == 1


async def test_one_that_is_removed_meanwhile_is_let_go(world: WebhookWorld) -> None:
    await world.tell("a", "b")
    world.sender.always = BROKEN
    world.sender.meanwhile = world.store.endpoints.clear

    assert await world.round() == 2
    assert await world.round() == 0
    assert await world.deliver((await WebhookWorld().with_endpoint(7)).endpoint_id) == 0


async def test_a_bug_of_the_sender_is_a_failure_like_others(world: WebhookWorld) -> None:
    await world.tell("a", "b")
    world.sender.answers = [KeyError("hidden")]

    await world.round()

    assert len(world.bugs) == 1
    assert sorted(await world.states()) == ["delivered", "pending"]
    errors = [row.last.error for row in await world.logged() if row.last]
    assert "an error of ours: KeyError" in errors


async def test_nobody_has_to_count_or_listen() -> None:
    world = WebhookWorld()
    await world.with_endpoint()
    await world.tell("a", "b")
    world.sender.answers = [GONE, KeyError()]
    deliver = DeliverWebhooks(
        endpoints=world.endpoints,
        deliveries=world.deliveries,
        sender=world.sender,
        clock=world.clock,
        chance=lambda: 0,
        disable_after=timedelta(days=5),
    )

    assert await deliver((await world.endpoint()).endpoint_id) == 2


async def test_a_history_that_is_away_is_told(world: WebhookWorld) -> None:
    world.store.unavailable = "gone"

    with pytest.raises(HistoryUnavailableError):
        await world.deliver.ready()


@given(
    subjects=st.lists(st.sampled_from("abc"), max_size=12),
    answers=st.lists(st.sampled_from([FINE, BROKEN, BROKEN, Answer(status=503, took=0, retry_after=7)]), max_size=30),
)
@settings(max_examples=60, deadline=None)
async def test_whatever_fails_a_subject_is_told_in_its_order(subjects: list[str], answers: list[Answer]) -> None:
    world = WebhookWorld(disable_after=timedelta(days=365))
    await world.with_endpoint()
    await world.tell(*subjects)
    world.sender.answers = list(answers)

    while "pending" in await world.states():
        await world.round()
        world.clock.move(86_400)

    for subject in "abc":
        ids = [int(message.event_id[5:]) for message in world.sender.sent if message.subject == subject]
        assert ids == sorted(ids)


def test_the_pause_begins_before_a_second_batch() -> None:
    assert PAUSE_AFTER <= TO_ONE


async def test_what_failed_by_a_clock_that_was_ahead_is_tried_again_at_once_and_not_hours_later(
    world: WebhookWorld,
) -> None:
    await world.tell("a", "b")
    world.sender.by_event = {"plan-1": BROKEN}
    world.clock.move(7200)
    await world.round()
    world.clock.move(-7200)
    world.sender.by_event = {}
    assert await world.round() == 0

    assert [await world.deliver.clamp(), await world.deliver.clamp()] == [1, 0]

    await world.round()
    assert await world.states() == ["delivered"] * 2
