"""A Redis that answers and takes no writes, one that becomes a replica, one that is asked by very many at once."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from app.adapters.outbound.redis.activity_inbox import RedisActivityInbox
from app.adapters.outbound.redis.activity_queue import RedisActivityQueue
from app.adapters.outbound.redis.connection import RedisClient, connect
from app.adapters.outbound.redis.queue_watch import RedisQueueWatch
from app.application.ports.system import LiveStateUnavailableError
from tests.support.builders import an_activity
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.redis_server

AT_ONCE = 300
Breaker = Callable[[Redis], None]
BLOCK = 2.0


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer("--dbfilename", "in-the-way") as started:
        yield started


@pytest.fixture
async def client(server: RedisServer) -> AsyncIterator[RedisClient]:
    client = connect(server.url, timeout=5)
    yield client
    await client.aclose()


@pytest.fixture
def operator(server: RedisServer) -> Iterator[Redis]:
    with server.client() as client:
        yield client


def fill(operator: Redis) -> None:
    operator.config_set("maxmemory", 1)


def demote(operator: Redis) -> None:
    operator.replicaof("127.0.0.1", "1")


def ask_for_replicas(operator: Redis) -> None:
    operator.config_set("min-replicas-to-write", 1)


def fail_to_save(operator: Redis) -> None:
    (Path(str(operator.config_get("dir")["dir"])) / "in-the-way").mkdir()
    operator.config_set("save", "3600 1")
    operator.set("something", "to save")
    operator.bgsave()
    while operator.info("persistence")["rdb_last_bgsave_status"] == "ok":
        time.sleep(0.01)


def mend(operator: Redis) -> None:
    operator.config_set("maxmemory", 0)
    operator.config_set("min-replicas-to-write", 0)
    operator.config_set("save", "")
    operator.replicaof("NO", "ONE")


@pytest.mark.parametrize(
    ("break_it", "advice"),
    [
        (fill, "its memory is full"),
        (demote, "it is a replica"),
        (ask_for_replicas, "too few replicas"),
        (fail_to_save, "cannot save to disk"),
    ],
)
async def test_a_redis_that_refuses_writes_says_why_with_its_figures(
    server: RedisServer, operator: Redis, client: RedisClient, break_it: Breaker, advice: str
):
    watch, queue = RedisQueueWatch(client), RedisActivityQueue(client)
    await queue.append([an_activity(1)])

    break_it(operator)
    refusing = await watch.figures()
    with pytest.raises(LiveStateUnavailableError, match=advice):
        await queue.append([an_activity(2)])
    mend(operator)
    mended = await watch.figures()

    assert refusing.refusal is not None
    assert advice in refusing.refusal
    assert server.url in refusing.refusal
    assert (refusing.accepted, mended.accepted, mended.refusal) == (1, 1, None)


async def test_a_blocking_read_whose_server_becomes_a_replica_finds_it_away(
    server: RedisServer, operator: Redis, client: RedisClient
):
    blocking = connect(server.url, timeout=2 + BLOCK)
    inbox = RedisActivityInbox(client, blocking, block=BLOCK)
    reading = [asyncio.create_task(inbox.take()), asyncio.create_task(blocking.command("BLPOP", "list", BLOCK))]
    async with asyncio.timeout(5):
        while operator.info("clients")["blocked_clients"] < len(reading):  # noqa: ASYNC110 - another process's fact
            await asyncio.sleep(0.01)

    demote(operator)
    told = await asyncio.gather(*reading, return_exceptions=True)
    await blocking.aclose()

    assert [type(error) for error in told] == [LiveStateUnavailableError] * 2
    assert all("replica" in str(error) for error in told)


async def test_very_many_at_once_wait_for_each_other_and_open_few_connections(operator: Redis, client: RedisClient):
    answers = await asyncio.gather(*(client.command("INCR", "counter") for _ in range(AT_ONCE)))

    assert sorted(answers) == list(range(1, AT_ONCE + 1))
    assert operator.info("stats")["total_connections_received"] < 50


async def test_who_finds_no_connection_in_time_is_told_that_redis_is_away(server: RedisServer):
    narrow = connect(server.url, timeout=0.3, max_connections=1)
    await narrow.command("PING")
    server.pause()
    try:
        told = await asyncio.gather(*(narrow.command("PING") for _ in range(3)), return_exceptions=True)
    finally:
        server.resume()
    recovered = await narrow.command("PING")
    await narrow.aclose()

    assert [type(error) for error in told] == [LiveStateUnavailableError] * 3
    assert recovered is True


async def test_a_command_that_is_cancelled_ends_so_at_any_moment_and_leaves_its_answer_to_nobody(client: RedisClient):
    await client.command("SET", "own", "mine")
    for number in range(300):
        running = asyncio.create_task(client.command("INCR", "counter"))
        await asyncio.sleep(number * 1e-6)
        asked = running.cancel()
        await asyncio.wait([running])

        assert running.cancelled() or not asked
        assert await client.command("GET", "own") == b"mine"
