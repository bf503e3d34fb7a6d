"""The proof for brokers: whatever is killed, brokers too, each activity that was published is counted once."""

import asyncio
import json
import os
import random
import re
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import nats
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from nats.js.api import AckPolicy, ConsumerConfig

from tests.support.chaos import Chaos
from tests.support.nats_server import STREAM, NatsServer, nats_server
from tests.support.oracle import Oracle
from tests.support.ports import free_port
from tests.support.relay import Relay
from tests.support.service import Installation
from tests.support.service_activities import Activity, ask_exactly, counted, expected, known_activities, stats_of, wire
from tests.support.sqs_server import KEYS, REGION, SqsServer, sqs_server
from tests.support.waiting import until

KILLS = int(os.environ.get("MARQUEE_KILLS", "12"))
ZONE = ZoneInfo("Europe/Madrid")
RECOVERY_SECONDS = 240.0

pytestmark = [
    pytest.mark.redis_server,
    pytest.mark.faults,
    pytest.mark.timeout(600 + 20 * KILLS),
    # the publishers' nats-py 2.16 leaves a socket open where its server is killed while it connects
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

Publish = Callable[[bytes], Awaitable[object]]


class Publisher(threading.Thread):
    """Publishes batch after batch until told to stop; each again and again until the broker has it, some twice."""

    def __init__(self, publish: Publish, seed: int, *, mixes: bool) -> None:
        super().__init__(daemon=True)
        self._mixes = mixes
        """Whether messages have some activities of others."""
        self.published: list[Activity] = []
        self._publish = publish
        self._source = known_activities(seed)
        self._chance = random.Random(seed)
        self._stopping = threading.Event()

    def run(self) -> None:
        asyncio.run(self._run())

    def finish(self) -> Sequence[Activity]:
        self._stopping.set()
        self.join(60)
        assert not self.is_alive()
        return self.published

    async def _run(self) -> None:
        while not self._stopping.is_set():
            batch = [next(self._source) for _ in range(self._chance.choice((1, 3, 20)))]
            if self._mixes and self.published and self._chance.random() < 0.3:
                batch += self._chance.sample(self.published, min(5, len(self.published)))
            for _ in range(2 if self._chance.random() < 0.2 else 1):
                while not await self._is_published(wire(batch)):  # noqa: ASYNC110 - it publishes, and waits for no event
                    await asyncio.sleep(0.1)
            self.published += batch
            await asyncio.sleep(0.02)

    async def _is_published(self, body: bytes) -> bool:
        with suppress(nats.errors.Error, OSError, TimeoutError, BotoCoreError, ClientError):
            async with asyncio.timeout(5):
                await self._publish(body)
            return True
        return False


async def to_nats(server: NatsServer, body: bytes, message_id: str | None = None) -> None:
    client = await nats.connect(server.url, allow_reconnect=False, max_reconnect_attempts=1, error_cb=_quiet)
    try:
        await client.jetstream().publish(
            "shop.events", body, headers={"Nats-Msg-Id": message_id} if message_id else None
        )
    finally:
        with suppress(nats.errors.Error, OSError):
            await client.close()


async def without_ids(server: NatsServer, body: bytes) -> None:
    """Let the message alone tell what is the same: it is named by its first record, and the records by nothing."""
    name = json.loads(body)[0]["id"]
    await to_nats(server, re.sub(rb'"id":"[^"]*",', b"", body), name)


async def _quiet(_error: Exception) -> None:
    """A broker that is killed is no news here."""


@pytest.fixture(scope="module")
def broker() -> Iterator[NatsServer]:
    with nats_server() as server:
        asyncio.run(_prepare(server))
        yield server


async def _prepare(server: NatsServer) -> None:
    config = ConsumerConfig(durable_name="marquee", ack_policy=AckPolicy.EXPLICIT, ack_wait=2)
    async with server.jetstream() as stream:
        await stream.add_stream(name=STREAM, subjects=["shop.>"])
        await stream.add_consumer(STREAM, config)


@pytest.fixture(scope="module")
def queues() -> Iterator[SqsServer]:
    with sqs_server() as server:
        yield server


def test_each_published_activity_counts_once_whatever_is_killed(broker: NatsServer, queues: SqsServer) -> None:
    port, chance = free_port(), random.Random(KILLS)
    with ExitStack() as stack:
        relay = stack.enter_context(Relay("127.0.0.1", queues.port))
        names = ("orders", "orders.fifo")
        urls = [asyncio.run(queues.made(name, VisibilityTimeout="10")) for name in names]
        sources: list[dict[str, object]] = [{"name": "shop", "nats": {"servers": [broker.url], "stream": STREAM}}]
        for name, url in zip(("orders", "orders-fifo"), urls, strict=True):
            at = f"http://127.0.0.1:{relay.port}"
            sources.append({"name": name, "sqs": {"queue_url": url, "region": REGION, "endpoint": at, **KEYS}})
        installation = stack.enter_context(
            Installation(
                service={"port": port, "workers": 2},
                activity={"workers": 2, "takeover": 1},
                stats={"timezone": str(ZONE)},
                subscriptions=sources,  # type: ignore[arg-type]  # a list is a section, too
            )
        )

        def restart_broker() -> None:
            broker.kill()
            broker.start()

        def cut_queues() -> None:
            relay.down()
            relay.up()

        chaos = Chaos(installation, chance, {"nats": restart_broker, "sqs": cut_queues})
        to: list[Publish] = [lambda body: to_nats(broker, body), *(_sender(queues, url) for url in urls)]
        publishers = [Publisher(publish, seed, mixes=True) for seed, publish in enumerate(to)]
        publishers.append(Publisher(lambda body: without_ids(broker, body), len(to), mixes=False))
        for publisher in publishers:
            publisher.start()

        chaos.kill(KILLS)
        published = [activity for publisher in publishers for activity in publisher.finish()]

        oracle = Oracle(published, ZONE)
        until(lambda: counted(chaos.service) >= len(oracle.activities), RECOVERY_SECONDS)
        today = datetime.now(UTC).astimezone(ZONE).date()
        assert stats_of(lambda target: ask_exactly(chaos.service, target)) == expected(oracle, today)
        assert not [trace for trace in chaos.traces() if not is_of_the_client(trace)]
        assert "agree" in installation.command("stats", "verify").stdout
        assert installation.json_of("dead-letters", "list") == []


def is_of_the_client(trace: str) -> bool:
    """Tell what nats-py 2.16 meets in a task of its own: a pong that comes when nobody waits for it any more."""
    return "nats/aio/client.py" in trace and "/app/adapters/" not in trace


def _sender(server: SqsServer, url: str) -> Publish:
    return lambda body: server.send(url, [body])
