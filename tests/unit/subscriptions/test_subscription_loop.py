"""How a subscription is read: what is settled when, and what is said of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters.inbound.intake.intake import Intake, Most
from app.adapters.inbound.subscriptions.message_door import MessageDoor, by_headers
from app.adapters.inbound.subscriptions.reader_report import ReaderReport
from app.adapters.inbound.subscriptions.subscription import Fate, Message, Subscription, SubscriptionUnavailableError
from app.adapters.inbound.subscriptions.subscription_loop import SubscriptionLoop
from app.application.ports.activities import QueueFullError
from app.application.ports.subscriptions import SubscriptionReader
from app.application.ports.system import LiveStateUnavailableError
from app.application.record_activities import RecordActivities
from app.domain.activities import Activity, ActivityRules
from app.domain.backoff import Backoff
from app.domain.senders import Sender
from tests.fakes.store import MemoryStore
from tests.fakes.subscription import MemoryBroker
from tests.fakes.subscription_readers import MemorySubscriptionReaders
from tests.support.builders import NOW
from tests.support.fixed_clock import FixedClock
from tests.support.remembering_queue import RememberingQueue
from tests.support.waiting import eventually

VIEW = b'{"type": "view"}'
AT_ONCE = Backoff(first=0.001, longest=0.001)


class Wrapped(Subscription):
    """A subscription of which a test does one thing differently."""

    def __init__(self, inner: Subscription, settle: Callable[[Sequence[Message], Fate], Awaitable[None]]) -> None:
        self._inner, self._settle = inner, settle
        self.ack_timeout = inner.ack_timeout

    async def take(self) -> Sequence[Message]:
        return await self._inner.take()

    async def hold(self, messages: Sequence[Message]) -> None:
        await self._inner.hold(messages)

    async def settle(self, messages: Sequence[Message], fate: Fate) -> None:
        await self._settle(messages, fate)

    async def backlog(self) -> int | None:
        return await self._inner.backlog()


class SlowQueue(RememberingQueue):
    """Takes nothing until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.let = asyncio.Event(), asyncio.Event()

    async def append(self, activities: Sequence[Activity]) -> Collection[int]:
        self.entered.set()
        await self.let.wait()
        return await super().append(activities)


class World:
    """A broker in memory before a queue that remembers."""

    def __init__(self, broker: MemoryBroker | None = None, queue: RememberingQueue | None = None) -> None:
        self.broker = broker or MemoryBroker(wait=0.005)
        self.queue = queue or RememberingQueue()
        self.readers = MemorySubscriptionReaders(MemoryStore())
        self.counted: list[tuple[Fate, int]] = []
        self.opened = 0
        ids = count(1)
        record = RecordActivities(self.queue, FixedClock(), ActivityRules(), lambda: UUID(int=next(ids) << 64))
        self.loop = SubscriptionLoop(
            name="shop",
            open=self.open,
            door=MessageDoor(Intake(record, Most(20, 10)), Sender("subscription:shop"), by_headers, most_bytes=100_000),
            report=ReaderReport(
                reader=SubscriptionReader("shop", "worker-1", None, None, None, None),
                readers=self.readers,
                clock=FixedClock(),
                count=lambda fate, number: self.counted.append((fate, number)),
                note_every=0.005,
                count_every=0.005,
            ),
            retry=AT_ONCE,
            bug_pause=0.001,
            grace=0.2,
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Subscription]:
        self.opened += 1
        async with self.broker.open() as subscription:
            yield subscription

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.loop()), group.create_task(self.loop.report())]
            yield
            for task in tasks:
                task.cancel()

    @property
    def taken(self) -> list[str]:
        return [activity.type for activity in self.queue.appended]

    def is_empty(self) -> bool:
        return not self.broker.kept


async def test_what_comes_is_taken_and_then_settled():
    world = World()
    world.broker.publish(VIEW)
    world.broker.publish(b'[{"type": "view"}, {"type": "buy"}]')

    async with world.reading():
        await eventually(world.is_empty)

    assert sorted(world.taken) == ["buy", "view", "view"]
    assert world.broker.fates == [Fate.TAKEN] * 2


@pytest.mark.parametrize(
    "body",
    [b"no JSON", b"17", b"[]", b'{"type": 17}', b"[" + b",".join([VIEW] * 21) + b"]", b'"' + b"x" * 100_000 + b'"'],
)
async def test_what_can_never_be_taken_is_refused_once_and_keeps_nothing_waiting(body: bytes):
    world = World()
    world.broker.publish(body)
    world.broker.publish(VIEW)

    async with world.reading():
        await eventually(world.is_empty)

    assert world.taken == ["view"]
    assert sorted(world.counted) == [(Fate.REFUSED, 1), (Fate.TAKEN, 1)]


async def test_a_message_of_another_media_type_is_refused():
    world = World()
    world.broker.publish(b"<view/>", {b"content-type": b"application/xml"})

    async with world.reading():
        await eventually(world.is_empty)

    assert world.broker.fates == [Fate.REFUSED]


async def test_a_record_that_is_refused_costs_the_others_of_its_message_nothing():
    world = World()
    world.broker.publish(b'[{"type": 17}, {"type": "view"}]')

    async with world.reading():
        await eventually(world.is_empty)

    assert (world.taken, world.broker.fates) == (["view"], [Fate.TAKEN])


async def test_a_cloud_event_may_stand_in_the_headers_of_a_message():
    world = World()
    event = {b"ce-specversion": b"1.0", b"ce-id": b"17", b"ce-source": b"/shop", b"ce-type": b"view"}
    world.broker.publish(b'{"page": "/"}', {**event, b"content-type": b"application/json"})

    async with world.reading():
        await eventually(world.is_empty)

    (activity,) = world.queue.appended
    assert (activity.type, activity.source, activity.properties) == ("view", "/shop", '{"page":"/"}')


@pytest.mark.parametrize("trouble", [QueueFullError("full"), LiveStateUnavailableError("away")])
async def test_while_the_queue_takes_nothing_messages_are_held_and_no_others_asked_for(trouble: Exception):
    world = World(MemoryBroker(ack_timeout=0.03, wait=0.005))
    world.queue.trouble = trouble
    world.broker.publish(VIEW)

    async with world.reading():
        await eventually(lambda: world.broker.holds > 3)
        world.broker.publish(VIEW)
        await asyncio.sleep(0.05)
        assert [kept.deliveries for kept in world.broker.kept.values()] == [1, 0]
        await eventually(lambda: _trouble_of(world) is not None)

        world.queue.trouble = None
        await eventually(world.is_empty)
        await eventually(lambda: _trouble_of(world) is None)

    assert world.taken == ["view", "view"]
    assert world.broker.fates == [Fate.TAKEN] * 2


async def test_a_broker_that_is_away_is_asked_again_and_what_it_had_comes_again():
    world = World()
    async with world.reading():
        await eventually(lambda: world.opened)
        world.broker.away = "cannot connect"
        await eventually(lambda: world.opened > 2)
        await eventually(lambda: _trouble_of(world) == "cannot connect")
        world.broker.publish(VIEW)

        world.broker.away = None
        await eventually(world.is_empty)

    assert world.taken == ["view"]
    reader = world.loop.report.reader
    assert (reader.trouble, reader.last_trouble, reader.last_trouble_at) == (None, "cannot connect", NOW)


async def test_an_error_of_ours_puts_one_message_off_and_takes_the_others():
    world = World()
    world.queue.trouble = ZeroDivisionError("a bug")
    world.broker.publish(VIEW)

    async with world.reading():
        await eventually(lambda: world.broker.fates)
        world.queue.trouble = None
        world.broker.publish(b'{"type": "buy"}')
        await eventually(lambda: world.taken)

    assert (world.taken, world.broker.fates) == (["buy"], [Fate.PUT_OFF, Fate.TAKEN])


async def test_an_error_of_ours_outside_a_message_costs_a_rest():
    world = World()

    class Broken(MemoryBroker):
        def check(self) -> None:
            if world.opened < 3:
                raise ZeroDivisionError("a bug")

    world.broker = Broken(wait=0.005)
    world.broker.publish(VIEW)

    async with world.reading():
        await eventually(world.is_empty)

    assert world.taken == ["view"]


async def test_whoever_is_told_to_end_settles_what_is_in_the_queue_already():
    queue = SlowQueue()
    world = World(queue=queue)
    world.broker.publish(VIEW)

    async with world.reading():
        await queue.entered.wait()
        asyncio.get_running_loop().call_later(0.02, queue.let.set)

    assert world.broker.fates == [Fate.TAKEN]


async def test_whoever_is_told_to_end_gives_back_what_the_queue_did_not_take():
    world = World()
    world.queue.trouble = QueueFullError("full")
    world.broker.publish(VIEW)

    async with world.reading():
        await eventually(lambda: _trouble_of(world))

    assert world.broker.fates == [Fate.GIVEN_BACK]
    assert list(await world.readers.reading()) == []


async def test_whoever_is_told_to_end_ends_though_a_client_of_a_broker_loses_that():
    world = World()

    class Deaf(MemoryBroker):
        async def something(self) -> None:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(10)

    world.broker = Deaf()

    async with asyncio.timeout(5), world.reading():
        await eventually(lambda: world.opened)
        await asyncio.sleep(0.01)


async def test_what_a_broker_delivers_again_after_a_refusal_is_told_once():
    world = World()

    class Insistent(MemoryBroker):
        """Lays aside what it has delivered three times, as SQS does."""

        def due(self) -> list[int]:
            return [number for number in super().due() if self.kept[number].deliveries < 3]

    broker = Insistent(wait=0.005)
    world.broker = broker

    @asynccontextmanager
    async def open_() -> AsyncIterator[Subscription]:
        async with broker.open() as subscription:
            settle = subscription.settle
            yield Wrapped(subscription, lambda ones, _fate: settle(ones, Fate.GIVEN_BACK))

    world.loop.open = open_
    broker.publish(b"no JSON")

    async with world.reading():
        await eventually(lambda: len(broker.fates) == 3)

    assert world.counted == [(Fate.REFUSED, 1)]


record = st.builds(lambda number: {"type": "view", "id": str(UUID(int=number))}, st.integers(1, 20))
message = st.one_of(record, st.just({"type": "view"}), st.lists(record, min_size=1, max_size=3))


@settings(max_examples=25, deadline=None)
@given(
    messages=st.lists(message, max_size=8), breaks=st.lists(st.sampled_from(["broker", "queue", "settle"]), max_size=4)
)
async def test_whatever_breaks_each_activity_is_taken_once(messages: list[Any], breaks: list[str]):
    world = World(MemoryBroker(wait=0.001, ack_timeout=0.02))
    for one in messages:
        world.broker.publish(json.dumps(one).encode())
    never_settled = "settle" in breaks

    @asynccontextmanager
    async def open_() -> AsyncIterator[Subscription]:
        nonlocal never_settled
        async with world.broker.open() as subscription:
            broken, never_settled = never_settled, False
            yield Wrapped(subscription, _unavailable) if broken else subscription

    world.loop.open = open_
    async with world.reading():
        for broken in breaks:
            world.broker.away = "away" if broken == "broker" else None
            world.queue.trouble = LiveStateUnavailableError("away") if broken == "queue" else None
            await asyncio.sleep(0.003)
        world.broker.away = world.queue.trouble = None
        await eventually(world.is_empty)

    records: list[dict[str, str]] = [one for many in messages for one in (many if isinstance(many, list) else [many])]
    without_id = sum("id" not in one for one in records)
    assert len(world.taken) == len({one["id"] for one in records if "id" in one}) + without_id


async def _unavailable(*_: object) -> None:
    raise SubscriptionUnavailableError("gone")


def _trouble_of(world: World) -> str | None:
    with suppress(StopIteration):
        return next(said.trouble for _, said in world.readers._said.values())
    return None
