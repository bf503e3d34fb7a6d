"""What Subscription promises, whichever broker it is."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Protocol

import pytest
from nats.js.api import AckPolicy, ConsumerConfig

from app.adapters.inbound.subscriptions.nats_jetstream import NatsSource, open_nats
from app.adapters.inbound.subscriptions.sqs_queue import SqsSource, open_sqs
from app.adapters.inbound.subscriptions.subscription import Fate, Message, Subscription, SubscriptionUnavailableError
from tests.fakes.subscription import MemoryBroker
from tests.support.nats_server import NatsServer, nats_server
from tests.support.relay import Relay
from tests.support.sqs_server import KEYS, REGION, SqsServer, sqs_server

pytestmark = pytest.mark.timeout(120)

ACK_TIMEOUT = 2
"""Seconds; SQS counts in whole ones."""
MOST = 15
NUMBERS = count(1)


class Broker(Protocol):
    """One of them, with a subscription to what is published."""

    async def publish(self, *bodies: bytes, headers: Mapping[bytes, bytes] | None = None) -> None: ...

    def open(self) -> AbstractAsyncContextManager[Subscription]: ...

    def break_off(self) -> None:
        """Be away from now on."""


class InMemory(Broker):
    def __init__(self) -> None:
        self.broker = MemoryBroker(ack_timeout=ACK_TIMEOUT, wait=0.5, most=MOST, now=datetime.now(UTC))

    async def publish(self, *bodies: bytes, headers: Mapping[bytes, bytes] | None = None) -> None:
        for body in bodies:
            self.broker.publish(body, headers)

    def open(self) -> AbstractAsyncContextManager[Subscription]:
        return self.broker.open()

    def break_off(self) -> None:
        self.broker.away = "away"


class Nats(Broker):
    def __init__(self, server: NatsServer, relay: Relay) -> None:
        self._server, self._relay = server, relay
        self.stream = f"S{next(NUMBERS)}"

    async def prepare(self) -> None:
        config = ConsumerConfig(durable_name="m", ack_policy=AckPolicy.EXPLICIT, ack_wait=ACK_TIMEOUT)
        async with self._server.jetstream() as stream:
            await stream.add_stream(name=self.stream, subjects=[self.stream])
            await stream.add_consumer(self.stream, config)

    async def publish(self, *bodies: bytes, headers: Mapping[bytes, bytes] | None = None) -> None:
        said = {name.decode(): value.decode() for name, value in (headers or {}).items()}
        async with self._server.jetstream() as stream:
            for body in bodies:
                await stream.publish(self.stream, body, headers=said or None)

    def open(self) -> AbstractAsyncContextManager[Subscription]:
        at = f"nats://127.0.0.1:{self._relay.port}"
        return open_nats(NatsSource(servers=[at], stream=self.stream, subject=None, durable="m", most=MOST, wait=1.0))

    def break_off(self) -> None:
        self._relay.down()


class Sqs(Broker):
    def __init__(self, server: SqsServer, relay: Relay, kind: str) -> None:
        self._server, self._relay = server, relay
        self._name = f"q{next(NUMBERS)}{kind}"

    async def prepare(self) -> None:
        self._url = await self._server.made(self._name, VisibilityTimeout=str(ACK_TIMEOUT))

    async def publish(self, *bodies: bytes, headers: Mapping[bytes, bytes] | None = None) -> None:
        await self._server.send(self._url, bodies, headers)

    def open(self) -> AbstractAsyncContextManager[Subscription]:
        at = f"http://127.0.0.1:{self._relay.port}"
        known: dict[str, Any] = {**KEYS, "region": REGION, "endpoint": at, "session": self._server.session}
        return open_sqs(SqsSource(queue_url=self._url, most=MOST, wait=1, min_visibility_timeout=1, **known))

    def break_off(self) -> None:
        self._relay.down()


@pytest.fixture(scope="module")
def nats() -> Iterator[NatsServer]:
    with nats_server() as server:
        yield server


@pytest.fixture(scope="module")
def sqs() -> Iterator[SqsServer]:
    with sqs_server() as server:
        yield server


LONG = [pytest.mark.faults]
"""The server of SQS counts in seconds; `tests/integration/subscriptions` has it in short."""


@pytest.fixture(params=["memory", "nats", pytest.param("sqs", marks=LONG), pytest.param("sqs fifo", marks=LONG)])
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    if request.param == "memory":
        yield InMemory()
        return
    server: NatsServer | SqsServer = request.getfixturevalue(request.param.split()[0])
    with Relay("127.0.0.1", server.port) as relay:
        if isinstance(server, NatsServer):
            made: Nats | Sqs = Nats(server, relay)
        else:
            made = Sqs(server, relay, ".fifo" if "fifo" in request.param else "")
        await made.prepare()
        yield made


async def all_of(subscription: Subscription, number: int) -> list[Message]:
    """Take until so many have come."""
    found: list[Message] = []
    async with asyncio.timeout(20):
        while len(found) < number:
            found += await subscription.take()
    return found


async def test_what_is_published_comes_as_it_was(broker: Broker):
    before = datetime.now(UTC) - timedelta(seconds=5)
    await broker.publish(b'{"type": "view"}', headers={b"Content-Type": b"application/json", b"ce-id": b"17"})

    async with broker.open() as subscription:
        (message,) = await subscription.take()

    assert message.body == b'{"type": "view"}'
    assert {name.lower(): value for name, value in message.headers.items()} == {
        b"content-type": b"application/json",
        b"ce-id": b"17",
    }
    assert before < message.sent_at < datetime.now(UTC) + timedelta(seconds=5)
    assert message.sent_at.utcoffset() == timedelta(0)


async def test_where_nothing_waits_an_empty_answer_comes(broker: Broker):
    async with broker.open() as subscription:
        assert list(await subscription.take()) == []


async def test_what_is_published_while_somebody_waits_comes_at_once(broker: Broker):
    async with broker.open() as subscription:
        waiting = asyncio.create_task(all_of(subscription, 1))
        await asyncio.sleep(0.1)
        await broker.publish(b"x")

        assert [message.body for message in await waiting] == [b"x"]


async def test_many_come_but_no_more_than_may_be_in_hand(broker: Broker):
    bodies = [b"%d" % number for number in range(MOST + 5)]
    await broker.publish(*bodies)

    async with broker.open() as subscription:
        first = await subscription.take()
        assert 1 <= len(first) <= MOST
        found = [*first, *await all_of(subscription, len(bodies) - len(first))]

    assert {message.body for message in found} == set(bodies)
    assert len({message.identity for message in found}) == len(bodies)


async def test_equal_messages_have_identities_of_their_own(broker: Broker):
    await broker.publish(b"same", b"same")

    async with broker.open() as subscription:
        one, other = await all_of(subscription, 2)

    assert one.identity != other.identity


async def test_what_is_settled_never_comes_again_and_keeps_nothing_waiting(broker: Broker):
    await broker.publish(b"one", b"two")
    async with broker.open() as subscription:
        for message, fate in zip(await all_of(subscription, 2), (Fate.TAKEN, Fate.REFUSED), strict=True):
            await subscription.settle([message], fate)
        await broker.publish(b"three")
        await asyncio.sleep(ACK_TIMEOUT + 0.2)

        assert [message.body for message in await all_of(subscription, 1)] == [b"three"]
        assert list(await subscription.take()) == []


async def test_what_is_given_back_comes_again_at_once_and_is_the_same(broker: Broker):
    await broker.publish(b"one")
    async with broker.open() as subscription:
        (first,) = await all_of(subscription, 1)
        await subscription.settle([first], Fate.GIVEN_BACK)

        (again,) = await subscription.take()

    assert (again.body, again.identity, again.sent_at) == (first.body, first.identity, first.sent_at)


async def test_what_is_put_off_does_not_come_at_once(broker: Broker):
    await broker.publish(b"one")
    async with broker.open() as subscription:
        await subscription.settle(await all_of(subscription, 1), Fate.PUT_OFF)

        assert list(await subscription.take()) == []


async def test_what_was_in_the_hand_of_a_reader_that_died_comes_again(broker: Broker):
    await broker.publish(b"one")
    async with broker.open() as subscription:
        (first,) = await all_of(subscription, 1)

    async with broker.open() as subscription:
        (again,) = await all_of(subscription, 1)

    assert again.identity == first.identity


async def test_what_is_held_comes_to_nobody_else(broker: Broker):
    await broker.publish(b"one")
    async with broker.open() as subscription, broker.open() as other:
        assert subscription.ack_timeout == ACK_TIMEOUT
        held = await all_of(subscription, 1)
        for _ in range(5):
            await asyncio.sleep(ACK_TIMEOUT / 4)
            await subscription.hold(held)

        assert list(await other.take()) == []
        await subscription.settle(held, Fate.TAKEN)


async def test_the_backlog_is_counted(broker: Broker):
    async with broker.open() as subscription:
        assert await subscription.backlog() == 0
        await broker.publish(b"one", b"two")

        assert await subscription.backlog() == 2


async def test_a_broker_that_goes_away_is_told_by_every_method(broker: Broker):
    await broker.publish(b"one")
    async with broker.open() as subscription:
        messages = await all_of(subscription, 1)
        broker.break_off()

        for attempt in (
            lambda: subscription.settle(messages, Fate.TAKEN),
            lambda: subscription.hold(messages),
            subscription.backlog,
            subscription.take,
        ):
            with pytest.raises(SubscriptionUnavailableError):
                await attempt()
    with pytest.raises(SubscriptionUnavailableError):
        async with broker.open():
            pass
