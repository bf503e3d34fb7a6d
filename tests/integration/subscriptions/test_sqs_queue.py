"""What Marquee does to a queue of SQS, and what it says of one that it cannot read."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from app.adapters.inbound.subscriptions.sqs_queue import SqsSource, open_sqs, probe_sqs
from app.adapters.inbound.subscriptions.subscription import Fate, SubscriptionUnavailableError
from tests.support.sqs_server import KEYS, REGION, SqsServer, sqs_server


@pytest.fixture(scope="module")
def server() -> Iterator[SqsServer]:
    with sqs_server() as server:
        yield server


def source_of(server: SqsServer, queue_url: str) -> SqsSource:
    known: dict[str, Any] = {**KEYS, "region": REGION, "endpoint": server.url, "session": server.session}
    return SqsSource(queue_url=queue_url, wait=1, **known)


async def test_a_message_of_a_fifo_queue_is_named_by_its_sender_unless_the_name_is_its_digest(server: SqsServer):
    queue = await server.made("names.fifo", ContentBasedDeduplication="true")
    said = {"QueueUrl": queue, "MessageGroupId": "g"}
    await server.asked("send_message", MessageBody="1", MessageDeduplicationId="order-17", **said)
    await server.asked("send_message", MessageBody="2", **said)

    async with open_sqs(source_of(server, queue)) as subscription:
        named, plain = await subscription.take()

    assert named.identity == "id:g:order-17"
    assert plain.identity.startswith("message:")


async def test_what_can_never_be_taken_becomes_a_dead_letter_where_there_is_a_place_for_it(server: SqsServer):
    queue, dead = await server.made_with_dead_letters("refuses.fifo", 3)
    await server.send(queue, [b"never", b"behind"], MessageGroupId="g")

    async with open_sqs(source_of(server, queue)) as subscription:
        seen: list[bytes] = []
        while b"behind" not in seen:
            for message in await subscription.take():
                seen.append(message.body)
                await subscription.settle([message], Fate.REFUSED if message.body == b"never" else Fate.TAKEN)
        while messages := await subscription.take():
            await subscription.settle(messages, Fate.REFUSED)

    found = await server.asked("receive_message", QueueUrl=dead)
    assert [message["Body"] for message in found["Messages"]] == ["never"]


async def test_a_probe_counts_what_waits(server: SqsServer):
    queue = await server.made("probed")
    await server.send(queue, [b"1", b"2"])

    assert await probe_sqs(source_of(server, queue)) == 2


async def test_what_is_not_there_is_told(server: SqsServer):
    queue = await server.made("there")
    source = source_of(server, queue)
    for wrong, words in (
        (replace(source, queue_url=f"{queue}-not"), "NonExistentQueue"),
        (replace(source, endpoint="http://127.0.0.1:1"), "SQS cannot be asked: Could not connect"),
    ):
        with pytest.raises(SubscriptionUnavailableError, match=words):
            await probe_sqs(wrong)
