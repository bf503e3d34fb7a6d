"""A subscription of the kind `nats`: a durable pull consumer of JetStream (docs.nats.io)."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, FetchTimeoutError, NotFoundError, ServiceUnavailableError

from app.adapters.inbound.subscriptions.subscription import (
    Fate,
    Message,
    Subscription,
    SubscriptionUnavailableError,
)

TIMEOUT = 5.0
"""Seconds for a connection, and for each answer."""
WAIT = 10.0
"""Seconds that a request waits for the first message."""
SIGNS = 4
"""Of life, that the server gives meanwhile."""
PING_EVERY = 10
"""Seconds; a server that leaves two pings unanswered is away."""
ACK_WAIT = 30.0
"""Seconds, of a consumer that we make."""
MESSAGE_ID = b"nats-msg-id"
"""The header by which a publisher names a message, so that the stream takes it once (within its `duplicate_window`)."""
PUT_OFF = 60.0
"""Seconds until a message comes again that met an error of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsSource:
    """What to read, and as whom."""

    servers: Sequence[str]
    stream: str
    subject: str | None
    """Only what was published there; None: the whole stream."""
    durable: str
    user: str | None = None
    password: str | None = None
    token: str | None = None
    ca_file: Path | None = None
    certificate: tuple[Path, Path | None] | None = None
    most: int = 100
    """Messages in hand at a time."""
    wait: float = WAIT

    def ssl_context(self) -> ssl.SSLContext | None:
        """Say whom to trust and who we are; None: as usual.

        Raises:
            OSError, ssl.SSLError: a file cannot be used.
        """
        if self.ca_file is None and self.certificate is None:
            return None
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.certificate:
            context.load_cert_chain(*self.certificate)
        return context


class NatsSubscription(Subscription):
    """Messages are acknowledged one by one. One that can never be taken is terminated: the stream may keep it."""

    def __init__(
        self, source: NatsSource, client: Client, consumer: ConsumerInfo, pull: JetStreamContext.PullSubscription
    ) -> None:
        self._source = source
        self._client = client
        self._pull = pull
        self.ack_timeout = consumer.config.ack_wait or ACK_WAIT
        self._most = max(1, min(source.most, consumer.config.max_ack_pending or source.most))

    async def take(self) -> Sequence[Message]:
        """Fetch. Signs of life of the server tell that nothing came from that nobody is there who could say so."""
        wait = self._source.wait
        try:
            with _troubles():
                found = await self._pull.fetch(self._most, timeout=wait, heartbeat=wait / SIGNS)
        except FetchTimeoutError:
            return []
        return [_message(one) for one in found]

    async def hold(self, messages: Sequence[Message]) -> None:
        """Say that work on them goes on."""
        with _troubles():
            for message in messages:
                await message.receipt.in_progress()
            await self._client.flush(int(TIMEOUT))

    async def settle(self, messages: Sequence[Message], fate: Fate) -> None:
        """Answer each; the flush tells whether the server is still there to hear it."""
        answers: dict[Fate, Callable[[Msg], Awaitable[None]]] = {
            Fate.TAKEN: Msg.ack,
            Fate.REFUSED: Msg.term,
            Fate.PUT_OFF: partial(Msg.nak, delay=PUT_OFF),
            Fate.GIVEN_BACK: Msg.nak,
        }
        with _troubles():
            for message in messages:
                await answers[fate](message.receipt)
            await self._client.flush(int(TIMEOUT))

    async def backlog(self) -> int | None:
        """Ask for the consumer's figures: what was not delivered, and what was and is not acknowledged."""
        with _troubles():
            info = await self._client.jetstream(timeout=TIMEOUT).consumer_info(
                self._source.stream, self._source.durable
            )
        return (info.num_pending or 0) + (info.num_ack_pending or 0)


@asynccontextmanager
async def open_nats(source: NatsSource) -> AsyncIterator[Subscription]:
    """Connect, find the consumer or make it, and read.

    Raises:
        SubscriptionUnavailableError: no server answers, it does not know us, or has no such stream.
    """
    async with _connected(source) as client:
        stream = client.jetstream(timeout=TIMEOUT)
        consumer = await _found(stream, source) or await _made(stream, source)
        with _troubles():
            pull = await stream.pull_subscribe_bind(source.durable, source.stream)
        yield NatsSubscription(source, client, consumer, pull)


async def probe_nats(source: NatsSource) -> int:
    """Count what waits, and change nothing: where there is no consumer yet, all that the stream has waits.

    Raises:
        SubscriptionUnavailableError: as `open_nats`.
    """
    async with _connected(source) as client:
        stream = client.jetstream(timeout=TIMEOUT)
        consumer = await _found(stream, source)
        if consumer:
            return consumer.num_pending or 0
        try:
            with _troubles():
                about = await stream.stream_info(source.stream)
        except NotFoundError:
            raise SubscriptionUnavailableError(f"there is no stream {source.stream!r}") from None
        return about.state.messages


@asynccontextmanager
async def _connected(source: NatsSource) -> AsyncIterator[Client]:
    client = Client()
    try:
        await _connect(client, source)
        yield client
    finally:
        with suppress(Error, OSError, TimeoutError):
            async with asyncio.timeout(TIMEOUT):
                await client.close()


async def _connect(client: Client, source: NatsSource) -> None:
    """Try each server; whoever reads opens anew, so the client need not know how to come back."""
    said: list[Exception] = []

    async def on_error(error: Exception) -> None:
        said.append(error)

    known: dict[str, Any] = {"user": source.user, "password": source.password, "token": source.token}
    try:
        async with asyncio.timeout(TIMEOUT * (1 + len(source.servers))):
            await client.connect(
                list(source.servers),
                name="marquee",
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=int(TIMEOUT),
                ping_interval=PING_EVERY,
                error_cb=on_error,
                tls=source.ssl_context(),
                **{name: value for name, value in known.items() if value is not None},
            )
    except (Error, OSError, TimeoutError, ValueError) as error:
        raise SubscriptionUnavailableError(f"cannot connect: {_words((said or [error])[-1])}") from None


async def _found(stream: JetStreamContext, source: NatsSource) -> ConsumerInfo | None:
    """Find the consumer; None: there is none. It keeps its settings, if they can be worked with."""
    try:
        with _troubles():
            found: ConsumerInfo = await stream.consumer_info(source.stream, source.durable)
    except NotFoundError:
        return None
    config = found.config
    if config.deliver_subject:
        raise SubscriptionUnavailableError(
            f"the consumer {source.durable!r} is a push consumer; expected a pull consumer"
        )
    if config.ack_policy != AckPolicy.EXPLICIT:
        raise SubscriptionUnavailableError(f"the consumer {source.durable!r} has not the ack policy `explicit`")
    if source.subject is not None and config.filter_subject != source.subject:
        told = config.filter_subject or "everything"
        raise SubscriptionUnavailableError(f"the consumer {source.durable!r} is there and filters {told}: name another")
    return found


async def _made(stream: JetStreamContext, source: NatsSource) -> ConsumerInfo:
    config = ConsumerConfig(
        durable_name=source.durable,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT,
        filter_subject=source.subject,
        max_ack_pending=max(1000, 10 * source.most),
    )
    try:
        with _troubles():
            made: ConsumerInfo = await stream.add_consumer(source.stream, config)
    except NotFoundError:
        raise SubscriptionUnavailableError(f"there is no stream {source.stream!r}") from None
    return made


@contextmanager
def _troubles() -> Iterator[None]:
    """Say by our error that the server is away, or refuses; that nothing came, or is there, the caller says."""
    try:
        yield
    except (NotFoundError, FetchTimeoutError):
        raise
    except (Error, OSError, TimeoutError) as error:
        raise SubscriptionUnavailableError(_words(error)) from None


def _words(error: Exception) -> str:
    if isinstance(error, ServiceUnavailableError):
        return "JetStream is not there, or has no such consumer any more"
    if isinstance(error, TimeoutError):
        return "the server gives no sign of life"
    if isinstance(error, APIError) and error.description:
        return error.description
    return f"{error}".removeprefix("nats: ").strip() or type(error).__name__


def _message(found: Msg) -> Message:
    about = found.metadata
    headers = {name.lower().encode(): value.encode() for name, value in (found.headers or {}).items()}
    own = headers.get(MESSAGE_ID)
    stored = f"{about.stream}:{about.sequence.stream}:{about.timestamp.isoformat()}"  # a stream made anew begins at 1
    identity = f"id:{own.decode()}" if own else stored
    return Message(found.data, headers, identity, about.timestamp, found)
