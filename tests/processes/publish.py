"""A worker that publishes and delivers, and nothing else: from the history in DATA, with leases in the Redis at REDIS.

BEGUN is the instant (Unix time, s) from which on its clock runs HASTE times as fast, so that no test waits for minutes.
"""

import asyncio
import random
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.egress.pinned_request import PinnedRequest
from app.adapters.formats.cloud_events import render_activity
from app.adapters.inbound.worker.publish_loop import PublishLoop
from app.adapters.inbound.worker.webhook_loop import WebhookLoop
from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.domain_event_stream import RedisStreamPublisher
from app.adapters.outbound.redis.leases import RedisLeases
from app.adapters.outbound.sql.activity_outbox import SqlActivityOutbox
from app.adapters.outbound.sql.database import open_database
from app.adapters.outbound.sql.domain_event_logs import SqlPlanLog, SqlUserLog
from app.adapters.outbound.sql.publishing_positions import SqlPublishingPositions
from app.adapters.outbound.sql.webhook_deliveries import SqlWebhookDeliveries
from app.adapters.outbound.sql.webhook_endpoints import SqlWebhookEndpoints
from app.adapters.outbound.sql.webhook_log import SqlWebhookLog
from app.adapters.outbound.webhooks.fan_out import WebhookFanOut
from app.adapters.outbound.webhooks.sender import HttpWebhookSender
from app.application.deliver_webhooks import DeliverWebhooks
from app.application.ports.system import Clock
from app.application.publish_domain_events import PublishDomainEvents
from app.application.tell_activities import TellActivities
from app.domain.backoff import Backoff

HASTE = 1200
SOURCE = "/marquee"


class HastyClock(Clock):
    def __init__(self, begun: float) -> None:
        self._begun = datetime.fromtimestamp(begun, UTC)

    def now(self) -> datetime:
        return self._begun + (datetime.now(UTC) - self._begun) * HASTE


async def work(data: Path, redis_url: str, begun: float) -> None:
    database, redis, clock = (
        open_database("embedded", data, timeout=5),
        connect(redis_url, timeout=2),
        HastyClock(begun),
    )
    leases = RedisLeases(redis, ttl=0.3)
    endpoints, deliveries = SqlWebhookEndpoints(database), SqlWebhookDeliveries(database)
    request = PinnedRequest(policy=AddressPolicy(allow_private_networks=True))
    deliver = DeliverWebhooks(
        endpoints=endpoints,
        deliveries=deliveries,
        sender=HttpWebhookSender(request, SystemClock(), timeout=2),
        clock=clock,
        chance=random.random,
        disable_after=timedelta(days=30),
    )
    publish = PublishDomainEvents(
        logs=(SqlPlanLog(database), SqlUserLog(database)),
        publishers=(
            WebhookFanOut(endpoints, deliveries, clock, SOURCE),
            RedisStreamPublisher(redis, SOURCE, length=10_000),
        ),
        positions=SqlPublishingPositions(database),
    )
    log = SqlWebhookLog(database)
    tell_activities = TellActivities(
        outbox=SqlActivityOutbox(database),
        endpoints=endpoints,
        log=log,
        clock=clock,
        render=partial(render_activity, source=SOURCE),
        max_pending=100_000,
    )
    webhooks = WebhookLoop(
        tell_activities=tell_activities,
        deliver=deliver,
        log=log,
        leases=leases,
        keep=timedelta(days=30),
        interval=0.02,
        retry=Backoff(0.02, longest=10.0),
    )
    publishing = PublishLoop(publish=publish, leases=leases, interval=0.02, retry=Backoff(0.02, longest=10.0))
    print("runs", flush=True)  # noqa: T201 - what the test waits for
    async with asyncio.TaskGroup() as group:
        group.create_task(webhooks())
        group.create_task(publishing())


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
