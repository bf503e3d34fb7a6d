"""Activities are told at least once, those of each visitor in order, whatever happens to who stores and who tells."""

import asyncio
import random
import signal
import socket
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC
from itertools import count
from pathlib import Path

import pytest

from app.adapters.outbound.sql.activity_outbox import SqlActivityOutbox
from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.migrate import migrate
from app.adapters.outbound.sql.webhook_endpoints import SqlWebhookEndpoints
from app.domain.activities import Activity
from tests.integration.webhooks.test_killed_publishing import SteadyReceiver, worker
from tests.support.builders import an_activity
from tests.support.redis_server import RedisServer
from tests.support.waiting import until
from tests.support.webhook_world import a_secret, an_endpoint

pytestmark = [pytest.mark.redis_server, pytest.mark.slow, pytest.mark.faults]

VISITORS, TOGETHER, BATCHES, KILLS = 7, 40, 4, 3


async def store_some(database: Database, numbers: "count[int]") -> list[Activity]:
    """Store batches, each of them twice, as a worker does that was killed before it settled."""
    stored = []
    for _ in range(BATCHES):
        some = [
            an_activity(number, type_="purchase" if number % 2 else "view", user=f"u{number % VISITORS}")
            for number, _ in zip(numbers, range(TOGETHER), strict=False)
        ]
        for _ in range(2):
            await SqlActivityStore(database, UTC).store(some)
        stored += some
    return stored


async def test_every_purchase_is_told_in_the_order_of_its_visitor(tmp_path: Path) -> None:
    begun, chance, numbers = time.time(), random.Random(5), count(1)
    database = open_database("embedded", tmp_path, timeout=5)
    await migrate(database)
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        address = stack.enter_context(socket.socket())
        address.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{address.getsockname()[1]}/in"
        endpoint = an_endpoint(url=url, names=("activity.purchase",))
        await SqlWebhookEndpoints(database).add(replace(endpoint, secrets=(a_secret(5),)))
        sink = stack.enter_context(SteadyReceiver(address))
        stored: list[Activity] = []
        for _ in range(KILLS):
            with worker(tmp_path, redis, begun) as process:
                stored += await store_some(database, numbers)
                await asyncio.sleep(0.3 * chance.random())
                process.send_signal(signal.SIGKILL)
        bought = [one for one in stored if one.type == "purchase"]
        with worker(tmp_path, redis, begun):
            await asyncio.to_thread(until, lambda: len(set(sink.diary.ids)) >= len(bought), 60)
        assert await SqlActivityOutbox(database).first(1) == []
    await database.aclose()

    in_order: dict[str, list[str]] = {}
    for one in bought:
        in_order.setdefault(f"visitors/{one.user_id}", []).append(f"activity-{one.activity_id}")
    assert sink.diary.by_subject() == in_order
    for got in sink.diary.received:
        assert got.is_signed_with(a_secret(5).text)
        assert got.envelope["type"] == "marquee.activity.purchase.v1"
