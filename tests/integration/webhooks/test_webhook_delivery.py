"""From what happened to a receiver's door: the log, the fan-out, the embedded database, real HTTP."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.egress.pinned_request import PinnedRequest
from app.adapters.formats.cloud_events import render_envelope
from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.sql.all_tables import metadata
from app.adapters.outbound.sql.database import open_database
from app.adapters.outbound.sql.webhook_deliveries import SqlWebhookDeliveries
from app.adapters.outbound.sql.webhook_endpoints import SqlWebhookEndpoints
from app.adapters.outbound.sql.webhook_log import SqlWebhookLog
from app.adapters.outbound.webhooks.fan_out import WebhookFanOut
from app.adapters.outbound.webhooks.sender import HttpWebhookSender
from app.application.deliver_webhooks import TO_ONE, DeliverWebhooks
from app.application.publish_domain_events import PublishDomainEvents
from app.domain.webhooks import Endpoint
from tests.fakes.publishing_positions import MemoryPublishingPositions
from tests.support.builders import NOW
from tests.support.feed_server import answer
from tests.support.fixed_clock import FixedClock
from tests.support.waiting import eventually
from tests.support.webhook_receiver import Received, Receiver, hung_up, kept
from tests.support.webhook_world import ListedLog, a_plan_told, a_secret, an_endpoint

SOURCE = "/marquee"


class World:
    def __init__(self, directory: Path) -> None:
        self.database = open_database("embedded", directory, timeout=5)
        metadata.create_all(self.database.engine)
        self.clock = FixedClock()
        self.endpoints = SqlWebhookEndpoints(self.database)
        self.deliveries = SqlWebhookDeliveries(self.database)
        self.log = SqlWebhookLog(self.database)
        self.plans = ListedLog("plans")
        self.publish = PublishDomainEvents(
            logs=(self.plans,),
            publishers=(WebhookFanOut(self.endpoints, self.deliveries, self.clock, SOURCE),),
            positions=MemoryPublishingPositions(),
        )
        request = PinnedRequest(policy=AddressPolicy(allow_private_networks=True))
        self.deliver = DeliverWebhooks(
            endpoints=self.endpoints,
            deliveries=self.deliveries,
            sender=HttpWebhookSender(request, SystemClock(), timeout=1),
            clock=self.clock,
            chance=lambda: 0.5,
            disable_after=timedelta(days=5),
        )

    async def add(self, server: Receiver, *names: str) -> Endpoint:
        endpoint = an_endpoint(url=server.url, names=names, at=NOW)
        await self.endpoints.add(endpoint)
        return endpoint

    async def round(self) -> None:
        await self.publish()
        for endpoint_id in await self.deliver.ready():
            await self.deliver(endpoint_id)

    async def states(self, endpoint: Endpoint) -> list[str]:
        return [str(row.delivery.state) for row in reversed(await self.log.newest(endpoint.endpoint_id, 100))]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    yield made
    await made.database.aclose()


async def test_what_is_told_arrives_signed_and_as_it_was_said(world: World) -> None:
    world.plans.facts += [a_plan_told(1, "listed"), a_plan_told(2, "changed", "went_offline")]
    with Receiver() as server:
        endpoint = await world.add(server, "plan.went_offline")
        await world.round()

        [got] = server.diary.received
    assert got.body == render_envelope(world.plans.facts[1], SOURCE)
    assert got.is_signed_with(a_secret(1).text)
    assert got.message_id == got.envelope["id"] == "plan-2"
    assert await world.states(endpoint) == ["delivered"]


async def test_a_receiver_that_answers_500_for_a_while_gets_each_subject_in_order(world: World) -> None:
    world.plans.facts += [a_plan_told(number, item=number % 4) for number in range(1, 41)]
    attempts: Counter[str] = Counter()

    def choose(one: Received) -> object:
        attempts[one.message_id] += 1
        return answer(500 if attempts[one.message_id] % 3 else 204)

    with Receiver(choose=choose) as server:  # type: ignore[arg-type] # the answers are plain functions
        endpoint = await world.add(server)
        while len(server.diary.received) == 0 or set(await world.states(endpoint)) != {"delivered"}:
            await world.round()
            world.clock.move(7200)
        diary = server.diary

    assert set(diary.ids) == {f"plan-{number}" for number in range(1, 41)}
    expected: dict[str, list[str]] = {}
    for fact in world.plans.facts:
        expected.setdefault(fact.subject, []).append(fact.event_id)
    assert diary.by_subject() == expected
    for number in range(1, 41):
        bodies = {one.body for one in diary.received if one.message_id == f"plan-{number}"}
        assert bodies == {render_envelope(world.plans.facts[number - 1], SOURCE)}


async def test_one_drain_makes_no_more_connections_than_attempts_at_a_time(world: World) -> None:
    world.plans.facts += [a_plan_told(number, item=number) for number in range(1, 41)]
    with Receiver(keeps=True) as server:
        endpoint = await world.add(server)
        await world.round()

        assert set(await world.states(endpoint)) == {"delivered"}
        assert server.diary.connections <= TO_ONE
        await eventually(lambda: not server.open_connections)
    assert sorted(server.diary.ids) == sorted(fact.event_id for fact in world.plans.facts)


async def test_a_receiver_that_ends_connections_without_a_word_costs_no_attempt(world: World) -> None:
    world.plans.facts += [a_plan_told(number, item=number) for number in range(1, 41)]
    over: Counter[int] = Counter()

    def choose(one: Received) -> object:
        over[one.connection] += 1
        return hung_up() if over[one.connection] == 3 else kept()

    with Receiver(choose=choose, keeps=True) as server:  # type: ignore[arg-type] # the answers are plain functions
        endpoint = await world.add(server)
        await world.publish()
        attempts = await world.deliver(endpoint.endpoint_id)

    assert attempts == 40
    assert set(await world.states(endpoint)) == {"delivered"}
    assert max(Counter(server.diary.ids).values()) == 2


async def test_410_ends_it_until_somebody_switches_it_on(world: World) -> None:
    world.plans.facts += [a_plan_told(1), a_plan_told(2)]
    with Receiver(answer(410), answer(204)) as server:
        endpoint = await world.add(server)
        await world.round()
        world.clock.move(86_400)
        await world.round()
        assert server.diary.ids == ["plan-1"]
        gone = await world.endpoints.find(endpoint.endpoint_id)
        assert gone
        assert gone.why_off == "it answered 410 Gone"

        await world.endpoints.change(endpoint.endpoint_id, lambda found: found.switched_on())
        await world.round()

        assert server.diary.ids == ["plan-1", "plan-1", "plan-2"]
    assert await world.states(endpoint) == ["delivered"] * 2


async def test_retry_after_is_honoured(world: World) -> None:
    world.plans.facts += [a_plan_told(1, item=1), a_plan_told(2, item=2)]
    with Receiver(answer(429, Retry_After="600"), answer(429, Retry_After="600"), answer(204)) as server:
        await world.add(server)
        await world.round()
        world.clock.move(599)
        await world.round()
        assert len(server.diary.ids) == 2

        world.clock.move(1)
        await world.round()

        assert sorted(server.diary.ids) == ["plan-1", "plan-1", "plan-2", "plan-2"]


async def test_the_log_says_what_the_receiver_answered(world: World) -> None:
    world.plans.facts.append(a_plan_told(1))
    with Receiver(answer(503)) as server:
        endpoint = await world.add(server)
        await world.round()

    [row] = await world.log.newest(endpoint.endpoint_id, 10)
    assert row.last
    assert (row.last.status, row.last.error) == (503, "answered 503 Service Unavailable")
    assert row.last_at == NOW
