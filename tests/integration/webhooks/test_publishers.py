"""Those to whom domain events are told: the log, a stream in Redis, webhooks."""

from collections.abc import Iterator

import msgspec
import pytest
from structlog.testing import capture_logs

from app.adapters.formats.cloud_events import render_envelope
from app.adapters.outbound.log.publisher import LogPublisher
from app.adapters.outbound.memory.publisher import MemoryPublisher
from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.domain_event_stream import STREAM, RedisStreamPublisher
from app.adapters.outbound.webhooks.fan_out import WebhookFanOut
from app.application.ports.publishing import PublisherUnavailableError
from app.domain.domain_events import UserUpdated, sync_fact_of
from app.domain.sync_runs import SyncOutcome
from app.domain.sync_transitions import SyncTransition, TransitionKind
from tests.support.access_builders import a_user, created, deleted
from tests.support.builders import NOW
from tests.support.redis_server import RedisServer
from tests.support.webhook_world import WebhookWorld, a_plan_told, an_endpoint

USER = a_user(email="ana@example.com", full_name="Ana Garcia")
UPDATED = UserUpdated(event_id="user-2", occurred_at=NOW, user=USER, fields=("email",))
FAILED = SyncTransition(kind=TransitionKind.FAILED, run_id="run-1", at=NOW, outcome=SyncOutcome.FAILED, reason="away")
FACTS = [
    a_plan_told(1, "changed", "went_offline"),
    created(USER),
    UPDATED,
    deleted(USER),
    sync_fact_of("demo", FAILED),
]


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as started:
        yield started


async def test_the_memory_publisher_remembers_until_it_is_cleared_and_refuses_while_disabled() -> None:
    publisher = MemoryPublisher()
    await publisher.publish(FACTS[:1])
    publisher.disable()
    with pytest.raises(PublisherUnavailableError):
        await publisher.publish(FACTS[1:])
    assert publisher.get() == tuple(FACTS[:1])

    publisher.clear()
    publisher.enable()
    await publisher.publish(FACTS[1:])

    assert publisher.get() == tuple(FACTS[1:])
    assert (publisher.name, MemoryPublisher("other").name) == ("memory", "other")


async def test_the_log_has_a_line_of_each_without_personal_data() -> None:
    with capture_logs() as lines:
        await LogPublisher().publish(FACTS)

    assert [line["type"] for line in lines] == [
        "marquee.plan.changed.v1",
        "marquee.user.created.v1",
        "marquee.user.updated.v1",
        "marquee.user.deleted.v1",
        "marquee.sync.failed.v1",
    ]
    assert [line["id"] for line in lines] == [fact.event_id for fact in FACTS]
    assert lines[0]["changes"] == ["changed", "went_offline"]
    assert lines[2]["fields"] == ["email"]
    assert (lines[4]["provider"], lines[4]["run"], lines[4]["reason"]) == ("demo", "run-1", "away")
    assert not any(word in str(lines) for word in ("ana@", "Garcia", USER.username))


@pytest.mark.redis_server
async def test_the_stream_has_an_entry_of_each_in_order(server: RedisServer) -> None:
    client = connect(server.url, timeout=1)
    publisher = RedisStreamPublisher(client, "/marquee", length=1000)

    await publisher.publish(FACTS[:2])
    await publisher.publish(FACTS[2:])
    await publisher.publish([])

    with server.client() as raw:
        entries = [fields for _, fields in raw.xrange(STREAM)]
    await client.aclose()
    assert [fields[b"id"].decode() for fields in entries] == [fact.event_id for fact in FACTS]
    assert [fields[b"type"] for fields in entries][:2] == [b"marquee.plan.changed.v1", b"marquee.user.created.v1"]
    assert [fields[b"subject"].decode() for fields in entries] == [fact.subject for fact in FACTS]
    assert [fields[b"body"] for fields in entries] == [render_envelope(fact, "/marquee") for fact in FACTS]
    assert msgspec.json.decode(entries[0][b"body"])["data"]["changes"] == ["changed", "went_offline"]


@pytest.mark.redis_server
async def test_the_stream_forgets_the_oldest(server: RedisServer) -> None:
    client = connect(server.url, timeout=1)
    publisher = RedisStreamPublisher(client, "/marquee", length=100)

    for begin in range(0, 2000, 200):
        await publisher.publish([a_plan_told(number) for number in range(begin, begin + 200)])

    with server.client() as raw:
        newest = raw.xrevrange(STREAM, count=1)[0][1]
        assert 100 <= raw.xlen(STREAM) < 400
    await client.aclose()
    assert newest[b"id"] == b"plan-1999"


@pytest.mark.redis_server
async def test_a_redis_that_is_away_takes_nothing_now(server: RedisServer) -> None:
    client = connect(server.url, timeout=0.3)
    publisher = RedisStreamPublisher(client, "/marquee", length=100)
    server.kill()

    with pytest.raises(PublisherUnavailableError, match="Redis at"):
        await publisher.publish(FACTS)
    await client.aclose()


def a_fan_out(world: WebhookWorld) -> WebhookFanOut:
    return WebhookFanOut(world.endpoints, world.deliveries, world.clock, "/marquee")


async def test_each_webhook_gets_what_it_hears_of_once() -> None:
    world = WebhookWorld()
    await world.endpoints.add(an_endpoint(1, names=("plan.*",)))
    await world.endpoints.add(an_endpoint(2))
    await world.endpoints.add(an_endpoint(3).switched_off("because"))

    for _ in range(2):  # as after a crash
        await a_fan_out(world).publish(FACTS)

    told = {number: [row.delivery.message for row in await world.logged(number)] for number in (1, 2, 3)}
    assert [message.event_id for message in told[1]] == ["plan-1"]
    assert [message.event_id for message in told[2]] == [fact.event_id for fact in FACTS]
    assert told[3] == []
    first = told[1][0]
    assert first.body == render_envelope(FACTS[0], "/marquee").decode()
    assert (first.name, first.subject) == ("plan.changed", FACTS[0].subject)


async def test_without_webhooks_there_is_nothing_to_do() -> None:
    world = WebhookWorld()

    await a_fan_out(world).publish(FACTS)

    assert world.store.deliveries == {}


async def test_a_history_that_is_away_is_a_publisher_that_takes_nothing_now() -> None:
    world = WebhookWorld()
    world.store.unavailable = "gone"

    with pytest.raises(PublisherUnavailableError, match="gone"):
        await a_fan_out(world).publish(FACTS)
