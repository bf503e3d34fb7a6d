"""What Marquee does to a NATS server, and what it says of one that it cannot work with."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.client import JetStreamContext

from app.adapters.inbound.subscriptions.nats_jetstream import NatsSource, open_nats, probe_nats
from app.adapters.inbound.subscriptions.subscription import Fate, SubscriptionUnavailableError
from tests.support.nats_server import NatsServer, nats_server

NUMBERS = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    with nats_server("--auth", "token-of-a-test") as server:
        yield server


@pytest.fixture
async def stream(server: NatsServer) -> AsyncIterator[JetStreamContext]:
    async with server.jetstream(token="token-of-a-test") as stream:
        yield stream


@pytest.fixture
async def source(server: NatsServer, stream: JetStreamContext) -> NatsSource:
    name = f"S{next(NUMBERS)}"
    await stream.add_stream(name=name, subjects=[f"{name}.*"])
    at, token = [server.url], "token-of-a-test"
    return NatsSource(servers=at, stream=name, subject=None, durable="marquee", token=token, wait=0.5)


@asynccontextmanager
async def refused(source: NatsSource, words: str) -> AsyncIterator[None]:
    with pytest.raises(SubscriptionUnavailableError, match=words):
        async with open_nats(source):
            pass
    yield


async def consumer(stream: JetStreamContext, source: NatsSource, **said: Any) -> None:
    config = ConsumerConfig(**{"durable_name": source.durable, "ack_policy": AckPolicy.EXPLICIT, **said})
    await stream.add_consumer(source.stream, config)


async def test_a_consumer_is_made_that_reads_from_the_first_message_on(stream: JetStreamContext, source: NatsSource):
    await stream.publish(f"{source.stream}.a", b"1")

    async with open_nats(source) as subscription:
        assert [message.body for message in await subscription.take()] == [b"1"]

    made = (await stream.consumer_info(source.stream, source.durable)).config
    assert (made.ack_policy, made.ack_wait, made.max_deliver) == ("explicit", 30.0, -1)


async def test_only_messages_of_the_subject_come(stream: JetStreamContext, source: NatsSource):
    await stream.publish(f"{source.stream}.a", b"1")
    await stream.publish(f"{source.stream}.b", b"2")

    async with open_nats(replace(source, subject=f"{source.stream}.b")) as subscription:
        assert [message.body for message in await subscription.take()] == [b"2"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"deliver_subject": "push"}, "push consumer"),
        ({"ack_policy": AckPolicy.ALL}, "ack policy"),
        ({"filter_subject": "other"}, "filters"),
    ],
)
async def test_a_consumer_that_cannot_be_worked_with_is_told(
    stream: JetStreamContext, source: NatsSource, said: dict[str, Any], words: str
):
    if "filter_subject" in said:
        said = {"filter_subject": f"{source.stream}.a"}
        source = replace(source, subject=f"{source.stream}.b")
    await consumer(stream, source, **said)

    async with refused(source, words):
        pass


async def test_what_is_not_there_or_not_ours_is_told(source: NatsSource):
    for wrong, words in (
        (replace(source, stream="NONE"), "there is no stream 'NONE'"),
        (replace(source, token="wrong"), "cannot connect: .*uthorization"),
        (replace(source, servers=["nats://127.0.0.1:1"]), "cannot connect: .*refused|Connect call failed"),
    ):
        async with refused(wrong, words):
            pass
        with pytest.raises(SubscriptionUnavailableError, match=words):
            await probe_nats(wrong)


async def test_another_server_of_the_list_is_tried(source: NatsSource):
    async with open_nats(replace(source, servers=["nats://127.0.0.1:1", *source.servers])) as subscription:
        assert list(await subscription.take()) == []


async def test_a_probe_counts_what_waits_and_makes_nothing(stream: JetStreamContext, source: NatsSource):
    await stream.publish(f"{source.stream}.a", b"1")

    assert await probe_nats(source) == 1
    assert list(await stream.consumers_info(source.stream)) == []

    await consumer(stream, source)
    assert await probe_nats(source) == 1


async def test_a_message_is_named_by_its_publisher_or_by_the_stream_and_its_time(
    stream: JetStreamContext, source: NatsSource
):
    subject = f"{source.stream}.a"
    await stream.publish(subject, b"1", headers={"Nats-Msg-Id": "order-17"})
    await stream.publish(subject, b"2")
    async with open_nats(source) as subscription:
        named, plain = await subscription.take()

    await stream.delete_stream(source.stream)
    await stream.add_stream(name=source.stream, subjects=[f"{source.stream}.*"])
    await stream.publish(subject, b"1", headers={"Nats-Msg-Id": "order-17"})
    await stream.publish(subject, b"2")
    async with open_nats(source) as subscription:
        named_again, plain_again = await subscription.take()

    assert named.identity == named_again.identity == "id:order-17"
    assert plain.identity.startswith(f"{source.stream}:2:")
    assert plain_again.identity.startswith(f"{source.stream}:2:")
    assert plain.identity != plain_again.identity


async def test_while_other_readers_have_in_hand_all_that_may_be_nothing_comes_and_nothing_is_wrong(
    stream: JetStreamContext, source: NatsSource
):
    await consumer(stream, source, max_ack_pending=2)
    for _ in range(3):
        await stream.publish(f"{source.stream}.a", b"1")
    async with open_nats(source) as one, open_nats(source) as other:
        first = await one.take()
        assert (len(first), list(await other.take())) == (2, [])

        await one.settle(first, Fate.TAKEN)
        assert len(await other.take()) == 1


async def test_a_consumer_that_is_taken_away_is_told(stream: JetStreamContext, source: NatsSource):
    async with open_nats(source) as subscription:
        await stream.delete_consumer(source.stream, source.durable)

        with pytest.raises(SubscriptionUnavailableError):
            await subscription.take()


async def test_a_server_that_hangs_is_told(tmp_path_factory: pytest.TempPathFactory):
    directory = tmp_path_factory.mktemp("hangs")
    server = NatsServer(directory)
    try:
        async with server.jetstream() as stream:
            await stream.add_stream(name="S", subjects=["s"])
        source = NatsSource(servers=[server.url], stream="S", subject=None, durable="m", wait=0.5)
        async with open_nats(source) as subscription:
            server.pause()
            with pytest.raises(SubscriptionUnavailableError, match="no sign of life"):
                await subscription.take()
            server.go_on()
            await asyncio.sleep(0)
    finally:
        server.close()
