"""A service that reads brokers: what is published is counted once, whoever is killed meanwhile."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

import pytest
from nats.errors import Error
from nats.js.api import AckPolicy, ConsumerConfig

from tests.support.nats_server import STREAM, NatsServer, nats_server
from tests.support.service import Installation, Service
from tests.support.service_activities import counted
from tests.support.sqs_server import KEYS, REGION, SqsServer, sqs_server
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.timeout(180)]

WINDOW = 0.1
"""Seconds in which the stream itself knows a message again by the id that its publisher gave it."""
PASSWORD = "password-of-a-test"
WAITS, READ_AGAIN = "the messages of a subscription wait", "a subscription is read again"


@dataclass(frozen=True)
class Brokers:
    nats: NatsServer
    sqs: SqsServer
    orders: str
    dead: str
    fifo: str

    @property
    def subscriptions(self) -> list[dict[str, object]]:
        shop = {"servers": [self.nats.url], "stream": STREAM, "user": "shop", "password": "${SHOP_PASSWORD}"}
        known = {"region": REGION, **KEYS}
        return [
            {"name": "shop", "nats": shop},
            {"name": "orders", "types": ["view"], "sqs": {"queue_url": self.orders, **known}},
            {"name": "orders-fifo", "sqs": {"queue_url": self.fifo, **known}},
        ]

    def publish(self, *bodies: bytes, headers: dict[str, str] | None = None) -> None:
        asyncio.run(self._publish(bodies, headers))

    async def _publish(self, bodies: tuple[bytes, ...], headers: dict[str, str] | None) -> None:
        async with self.nats.jetstream(user="shop", password=PASSWORD) as stream:
            for body in bodies:
                await stream.publish("shop.events", body, headers=headers)

    async def prepare(self) -> None:
        config = ConsumerConfig(durable_name="marquee", ack_policy=AckPolicy.EXPLICIT, ack_wait=2)
        async with self.nats.jetstream(user="shop", password=PASSWORD) as stream:
            await stream.add_stream(name=STREAM, subjects=["shop.>"], duplicate_window=WINDOW)
            await stream.add_consumer(STREAM, config)

    def send(self, queue: str, *bodies: bytes, headers: dict[bytes, bytes] | None = None, **said: str) -> None:
        asyncio.run(self.sqs.send(queue, bodies, headers, **said))

    def dead_letters(self) -> list[str]:
        answer = self.sqs.ask("receive_message", QueueUrl=self.dead, VisibilityTimeout=0)
        return [message["Body"] for message in answer.get("Messages", [])]


@pytest.fixture(scope="module")
def brokers() -> Iterator[Brokers]:
    with nats_server("--user", "shop", "--pass", PASSWORD) as nats, sqs_server() as sqs:
        orders, dead = asyncio.run(sqs.made_with_dead_letters("orders", 2))
        brokers = Brokers(nats, sqs, orders, dead, asyncio.run(sqs.made("orders.fifo")))
        asyncio.run(brokers.prepare())
        yield brokers


@pytest.fixture(scope="module")
def installation(brokers: Brokers) -> Iterator[Installation]:
    with Installation(subscriptions=brokers.subscriptions) as installation:  # type: ignore[arg-type]  # a list is a section
        yield installation


@pytest.fixture(scope="module")
def service(installation: Installation) -> Service:
    return installation.run(SHOP_PASSWORD=PASSWORD)


def subscription(service: Service, name: str = "shop") -> dict[str, object]:
    return next(one for one in service.ask("/health").json["subscriptions"] if one["name"] == name)


def settled(service: Service, name: str, fate: str) -> float:
    return service.figure("marquee_subscription_messages_total", subscription=name, fate=fate)


def test_what_is_published_is_counted(brokers: Brokers, service: Service):
    brokers.publish(b'{"type": "view"}', b'[{"type": "view"}, {"type": "buy", "value": 2.50}]')
    brokers.send(brokers.orders, b'{"type": "view"}')
    event = {b"ce-specversion": b"1.0", b"ce-id": b"17", b"ce-source": b"/shop", b"ce-type": b"sale"}
    brokers.send(brokers.fifo, b'{"value": 4}', headers={**event, b"Content-Type": b"application/json"})

    until(lambda: counted(service) == 5)
    assert service.ask("/stats").json == [
        {"type": "buy", "count": 1, "sum": 2.5},
        {"type": "sale", "count": 1, "sum": 4},
        {"type": "view", "count": 3, "sum": 0},
    ]


def test_health_and_metrics_tell_how_a_subscription_fares(service: Service):
    until(lambda: subscription(service)["backlog"] is not None)

    assert subscription(service) == {
        "name": "shop",
        "state": "reading",
        "readers": 1,
        "reason": None,
        "backlog": subscription(service)["backlog"],
        "last_trouble": None,
        "last_trouble_at": None,
    }
    until(lambda: settled(service, "shop", "taken") == 2)
    assert service.figure("marquee_subscription_activities_total", subscription="shop", outcome="accepted") == 3
    assert service.figure("marquee_subscription_up") == 3


def test_what_can_never_be_taken_is_told_and_keeps_nothing_waiting(brokers: Brokers, service: Service):
    before = counted(service)

    brokers.publish(b"no JSON", b'{"type": 17}', b'{"type": "view"}')
    brokers.send(brokers.orders, b"no JSON", b'{"type": "view"}')
    brokers.send(brokers.fifo, b"no JSON", MessageGroupId="one")
    brokers.send(brokers.fifo, b'{"type": "view"}', MessageGroupId="one")

    until(lambda: counted(service) == before + 3)
    until(lambda: brokers.dead_letters() == ["no JSON"])
    until(lambda: [settled(service, name, "refused") for name in ("shop", "orders", "orders-fifo")] == [2, 1, 1])
    assert "messages of a subscription can never be taken" in json.dumps(service.log)


def test_what_a_publisher_repeats_under_its_own_id_is_counted_once(brokers: Brokers, service: Service):
    before, taken = counted(service), settled(service, "shop", "taken")

    for _ in range(2):
        brokers.publish(b'{"type": "view"}', headers={"Nats-Msg-Id": "order-17"})
        brokers.publish(b'{"type": "view"}')
        time.sleep(2 * WINDOW)
    brokers.send(brokers.fifo, *[b'{"type": "view"}'] * 2, MessageGroupId="g", MessageDeduplicationId="order-17")

    until(lambda: settled(service, "shop", "taken") == taken + 4)
    until(lambda: counted(service) == before + 4)


def test_a_broker_that_was_away_is_told_once_and_read_again(brokers: Brokers, service: Service):
    before = counted(service)
    brokers.nats.kill()
    until(lambda: subscription(service)["state"] == "failing")
    assert subscription(service, "orders")["state"] == "reading"

    brokers.nats.start()
    with suppress(Error):
        brokers.publish(b'{"type": "view"}')

    until(lambda: counted(service) == before + 1)
    until(lambda: subscription(service)["state"] == "reading")
    assert subscription(service)["last_trouble"]
    told = [entry["event"] for entry in service.log if entry.get("subscription") == "shop"]
    told = [event for event in told if WAITS in event or READ_AGAIN in event]
    assert WAITS in told[0]
    assert READ_AGAIN in told[-1]
    assert all((WAITS in one) != (WAITS in other) for one, other in pairwise(told)), told  # each trouble once
    assert not [e for e in service.log if WAITS in e["event"] and e["subscription"] != "shop"]


def test_no_secret_of_a_broker_is_told(service: Service):
    told = service.log_file.read_text() + service.ask("/health").body.decode()

    assert PASSWORD not in told
    assert KEYS["secret_access_key"] not in told


def test_check_says_of_each_subscription_whether_it_can_be_read(service: Service, installation: Installation):
    assert service.runs
    said = json.loads(installation.command("check", "--json", SHOP_PASSWORD="another").stdout)["findings"]
    found = {one["subject"]: one for one in said}

    assert found["subscriptions.shop"]["verdict"] == "problem"
    assert "uthorization" in found["subscriptions.shop"]["found"]
    assert found["subscriptions.orders"] == {
        "subject": "subscriptions.orders",
        "verdict": "ok",
        "found": "can be read; 0 messages wait",
        "remedy": "",
    }
