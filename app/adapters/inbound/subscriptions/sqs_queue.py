"""A subscription of the kind `sqs`: a standard or FIFO queue (Amazon SQS API Reference)."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError, ClientError

from app.adapters.inbound.subscriptions.subscription import (
    Fate,
    Message,
    Subscription,
    SubscriptionUnavailableError,
)

TOGETHER = 10
"""Messages of one request, at the most."""
WAIT = 10
"""Seconds that a request waits for the first message."""
TIMEOUT = 5
"""Seconds for a connection, and for an answer beyond what was to be waited for."""
MIN_VISIBILITY_TIMEOUT = 10
"""Seconds; a queue whose messages come again sooner is asked to wait so long."""
PUT_OFF = 60
"""Seconds until a message comes again that met an error of ours."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqsSource:
    """What to read, and as whom."""

    queue_url: str
    region: str
    endpoint: str
    access_key_id: str | None = None
    """None: whoever the tools of AWS would be."""
    secret_access_key: str | None = None
    session_token: str | None = None
    most: int = 100
    """Messages in hand at a time."""
    wait: int = WAIT
    min_visibility_timeout: int = MIN_VISIBILITY_TIMEOUT
    session: Any = field(default_factory=AioSession)
    """Keeps what it has read of AWS's own description of SQS, which takes half a second of CPU."""


class SqsSubscription(Subscription):
    """Messages are deleted by tens. One that can never be taken is left to the queue's dead-letter queue, if any.

    It is made visible at once, until SQS has counted enough deliveries: so nothing of its group waits behind it.
    """

    def __init__(self, client: Any, source: SqsSource, attributes: Mapping[str, str]) -> None:
        self._client = client
        self._source = source
        self._has_dead_letters = bool(attributes.get("RedrivePolicy"))
        self._visibility = max(int(attributes["VisibilityTimeout"]), source.min_visibility_timeout)
        self.ack_timeout = float(self._visibility)

    async def take(self) -> Sequence[Message]:
        """Wait for the first ten at the most; while there are more, ask for many tens at once."""
        found = await self._receive(min(TOGETHER, self._source.most), self._source.wait)
        while len(found) % TOGETHER == 0 and 0 < len(found) < self._source.most:
            room = self._source.most - len(found)
            asked = [min(TOGETHER, room - begun) for begun in range(0, room, TOGETHER)]
            more = [one for several in await asyncio.gather(*(self._receive(n, 0) for n in asked)) for one in several]
            found += more
            if len(more) < room:
                break
        return found

    async def hold(self, messages: Sequence[Message]) -> None:
        """Count their visibility timeout from now on."""
        await self._make_visible(messages, self._visibility)

    async def settle(self, messages: Sequence[Message], fate: Fate) -> None:
        """Delete them, or say when they come again."""
        if fate is Fate.TAKEN or (fate is Fate.REFUSED and not self._has_dead_letters):
            await self._by_tens(self._client.delete_message_batch, messages)
        else:
            await self._make_visible(messages, PUT_OFF if fate is Fate.PUT_OFF else 0)

    async def backlog(self) -> int | None:
        """Ask the queue."""
        found = await _attributes(self._client, self._source.queue_url, "ApproximateNumberOfMessages")
        return int(found["ApproximateNumberOfMessages"])

    async def _receive(self, most: int, wait: int) -> list[Message]:
        with _troubles():
            answer = await self._client.receive_message(
                QueueUrl=self._source.queue_url,
                MaxNumberOfMessages=most,
                WaitTimeSeconds=wait,
                VisibilityTimeout=self._visibility,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["SentTimestamp", "MessageDeduplicationId", "MessageGroupId"],
            )
        return [_message(found) for found in answer.get("Messages", ())]

    async def _make_visible(self, messages: Sequence[Message], seconds: int) -> None:
        await self._by_tens(self._client.change_message_visibility_batch, messages, VisibilityTimeout=seconds)

    async def _by_tens(self, ask: Any, messages: Sequence[Message], **said: Any) -> None:
        tens = [messages[begun : begun + TOGETHER] for begun in range(0, len(messages), TOGETHER)]
        await asyncio.gather(*(self._ask_for(ask, ten, said) for ten in tens))

    async def _ask_for(self, ask: Any, ten: Sequence[Message], said: Mapping[str, Any]) -> None:
        entries = [{"Id": str(n), "ReceiptHandle": one.receipt, **said} for n, one in enumerate(ten)]
        with _troubles():
            answer = await ask(QueueUrl=self._source.queue_url, Entries=entries)
        if failed := answer.get("Failed"):
            raise SubscriptionUnavailableError(f"SQS left out {len(failed)} messages: {failed[0].get('Code')}")


@asynccontextmanager
async def open_sqs(source: SqsSource) -> AsyncIterator[Subscription]:
    """Look at the queue, and read it.

    Raises:
        SubscriptionUnavailableError: it does not answer, does not let us, or is not there.
    """
    config = AioConfig(
        connect_timeout=TIMEOUT,
        read_timeout=TIMEOUT + source.wait,
        retries={"total_max_attempts": 2, "mode": "standard"},
        max_pool_connections=source.most // TOGETHER + 2,
    )
    with _troubles():
        opening = source.session.create_client(
            "sqs",
            region_name=source.region,
            endpoint_url=source.endpoint,
            aws_access_key_id=source.access_key_id,
            aws_secret_access_key=source.secret_access_key,
            aws_session_token=source.session_token,
            config=config,
        )
        client = await opening.__aenter__()
    try:
        attributes = await _attributes(client, source.queue_url, "VisibilityTimeout", "RedrivePolicy")
        yield SqsSubscription(client, source, attributes)
    finally:
        await opening.__aexit__(None, None, None)


async def probe_sqs(source: SqsSource) -> int:
    """Count what waits, and change nothing.

    Raises:
        SubscriptionUnavailableError: as `open_sqs`.
    """
    async with open_sqs(source) as queue:
        return await queue.backlog() or 0


async def _attributes(client: Any, queue_url: str, *names: str) -> Mapping[str, str]:
    with _troubles():
        answer = await client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(names))
    found: Mapping[str, str] = answer["Attributes"]
    return found


@contextmanager
def _troubles() -> Iterator[None]:
    """Say by our error that the queue cannot be asked. What AWS says names the action and who asked, never a secret."""
    try:
        yield
    except ClientError as error:
        told = error.response["Error"]
        raise SubscriptionUnavailableError(f"SQS says {told.get('Code')}: {told.get('Message')}") from None
    except (BotoCoreError, OSError, TimeoutError) as error:
        raise SubscriptionUnavailableError(f"SQS cannot be asked: {error}") from None


def _message(found: Mapping[str, Any]) -> Message:
    system, body = found["Attributes"], found["Body"].encode()
    headers = {
        name.lower().encode(): value.get("BinaryValue") or value.get("StringValue", "").encode()
        for name, value in found.get("MessageAttributes", {}).items()
    }
    sent_at = BEGINNING + timedelta(milliseconds=int(system["SentTimestamp"]))
    return Message(body, headers, _identity(found["MessageId"], body, system), sent_at, found["ReceiptHandle"])


def _identity(message_id: str, body: bytes, system: Mapping[str, str]) -> str:
    """Choose the publisher's own id, if there is one.

    A FIFO queue may make it of the body: then it says that two messages are equal, not that they are one, which SQS
    itself takes for granted for five minutes alone.
    """
    own = system.get("MessageDeduplicationId")
    if own is None or own == sha256(body).hexdigest():
        return f"message:{message_id}"
    return f"id:{system.get('MessageGroupId', '')}:{own}"
