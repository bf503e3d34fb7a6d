"""What SubscriptionReaders promises."""

import asyncio
from dataclasses import replace

import pytest

from app.adapters.outbound.redis.subscription_readers import RedisSubscriptionReaders
from app.application.ports.subscriptions import SubscriptionReader, SubscriptionReaders
from app.application.ports.system import LiveStateUnavailableError
from tests.contract.conftest import Backend, MemoryBackend, RedisBackend
from tests.fakes.subscription_readers import MemorySubscriptionReaders
from tests.support.builders import NOW
from tests.support.redis_server import RedisServer

TTL = 1.5
AWAY = SubscriptionReader("shop", "worker-1", "cannot connect", "cannot connect", NOW, None)


@pytest.fixture
def readers(backend: Backend) -> SubscriptionReaders:
    if isinstance(backend, MemoryBackend):
        return MemorySubscriptionReaders(backend.store, ttl=TTL)
    assert isinstance(backend, RedisBackend)
    return RedisSubscriptionReaders(backend.client, ttl=TTL)


async def test_nobody_reads_before_somebody_says_so(readers: SubscriptionReaders):
    assert list(await readers.reading()) == []


async def test_what_a_process_says_takes_the_place_of_what_it_said_before(readers: SubscriptionReaders):
    await readers.note(AWAY)
    await readers.note(replace(AWAY, trouble=None, backlog=17))

    assert list(await readers.reading()) == [replace(AWAY, trouble=None, backlog=17)]


async def test_readers_are_listed_by_subscription_and_process(readers: SubscriptionReaders):
    others = [replace(AWAY, subscription=name, process_id=process) for name in ("b", "a") for process in ("2", "1")]
    for one in others:
        await readers.note(one)

    assert list(await readers.reading()) == others[::-1]


async def test_who_leaves_one_subscription_may_read_another(readers: SubscriptionReaders):
    await readers.note(AWAY)
    await readers.note(replace(AWAY, subscription="other"))

    await readers.leave(AWAY)

    assert [one.subscription for one in await readers.reading()] == ["other"]


async def test_a_reader_that_is_not_heard_of_reads_no_more(readers: SubscriptionReaders):
    await readers.note(AWAY)
    await asyncio.sleep(TTL + 0.2)

    assert list(await readers.reading()) == []


@pytest.mark.redis_server
async def test_without_a_server_every_method_says_so(server: RedisServer, redis: RedisBackend):
    readers = RedisSubscriptionReaders(redis.client)
    server.kill()

    for attempt in (lambda: readers.note(AWAY), lambda: readers.leave(AWAY), readers.reading):
        with pytest.raises(LiveStateUnavailableError):
            await attempt()
