"""What SyncRequests promise."""

import asyncio
import time
from collections.abc import Callable

import pytest

from app.application.ports.system import LiveStateUnavailableError, SyncRequest, SyncRequests
from tests.contract.conftest import Backend, RedisBackend
from tests.support.redis_server import RedisServer


def a_request(number: int = 1, *, approve: bool = False, full: bool = False) -> SyncRequest:
    return SyncRequest("demo", f"run-{number}", approve, full)


async def first_taken(requests: SyncRequests) -> list[SyncRequest]:
    """Take until something came: a slow machine may take in vain first."""
    async with asyncio.timeout(10):
        while not (found := list(await requests.take())):
            pass
    return found


async def test_a_request_is_refused_when_no_scheduler_gave_a_sign_of_life(backend: Backend):
    assert await backend.sync_requests().put(a_request()) is False
    assert await backend.sync_requests().take() in ([], ())


async def test_requests_are_taken_in_their_order_and_once(backend: Backend):
    requests = backend.sync_requests()
    await requests.take()

    for number in range(3):
        assert await requests.put(a_request(number, approve=number == 1, full=number == 2)) is True

    assert list(await requests.take()) == [a_request(0), a_request(1, approve=True), a_request(2, full=True)]
    assert list(await requests.take()) == []


async def test_a_waiting_scheduler_hears_at_once(backend: Backend):
    requests = backend.sync_requests()
    await requests.take()
    waited = []
    for number in range(5):
        waiting = asyncio.create_task(first_taken(requests))
        await asyncio.sleep(0.05)
        begun = time.monotonic()
        await requests.put(a_request(number))
        assert await waiting == [a_request(number)]
        waited.append(time.monotonic() - begun)

    assert min(waited) < 0.14  # a busy machine may make some of them wait


async def test_of_two_schedulers_each_request_is_taken_by_one(backend: Backend):
    one, two = backend.sync_requests(), backend.sync_requests()
    await one.take()
    for number in range(20):
        await one.put(a_request(number))

    taken = [*await one.take(), *await two.take()]

    assert sorted(taken, key=lambda request: int(request.run_id[4:])) == [a_request(number) for number in range(20)]


async def test_taking_waits_no_longer_than_a_second(backend: Backend):
    begun = time.monotonic()

    await backend.sync_requests().take()

    assert 0.1 < time.monotonic() - begun < 1.5


async def test_a_scheduler_that_gives_no_more_signs_is_gone(backend: Backend):
    requests = backend.sync_requests(ttl=1.5)
    await requests.take()
    assert await requests.put(a_request()) is True

    await asyncio.sleep(1.6)

    assert await requests.put(a_request()) is False


@pytest.mark.redis_server
@pytest.mark.parametrize("break_it", [RedisServer.kill, RedisServer.pause])
async def test_without_a_server_nobody_can_ask(
    server: RedisServer, redis: RedisBackend, break_it: Callable[[RedisServer], None]
):
    break_it(server)
    begun = time.monotonic()

    with pytest.raises(LiveStateUnavailableError):
        await redis.sync_requests().put(a_request())
    with pytest.raises(LiveStateUnavailableError):
        await redis.sync_requests().take()
    assert time.monotonic() - begun < 6
