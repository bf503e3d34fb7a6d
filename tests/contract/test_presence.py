"""What Presence promises."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from app.adapters.outbound.redis.figures import RedisPresence
from app.application.announce_process import AnnounceProcess
from app.application.ports.figures import Presence, RunningProcess
from app.application.ports.system import LiveStateUnavailableError
from tests.contract.conftest import Backend, MemoryBackend, RedisBackend
from tests.fakes.presence import MemoryPresence
from tests.support.builders import NOW
from tests.support.redis_server import RedisServer

TTL = 1.5


def a_process(process_id: str = "a", role: str = "api", started: float = 0) -> RunningProcess:
    return RunningProcess(process_id, role, NOW + timedelta(seconds=started))


@pytest.fixture
def presence(backend: Backend) -> Presence:
    if isinstance(backend, MemoryBackend):
        return MemoryPresence(backend.store, ttl=TTL)
    assert isinstance(backend, RedisBackend)
    return RedisPresence(backend.client, ttl=TTL)


async def test_nobody_runs_before_somebody_says_so(presence: Presence):
    assert list(await presence.running()) == []


async def test_those_that_run_are_listed_by_role_and_start(presence: Presence):
    processes = [a_process("c", "worker"), a_process("a", "api", 2), a_process("b", "api", 1.25)]
    for process in processes:
        await presence.announce(process)

    assert list(await presence.running()) == [processes[2], processes[1], processes[0]]


async def test_a_process_runs_once_however_often_it_says_so(presence: Presence):
    for _ in range(3):
        await presence.announce(a_process())

    assert list(await presence.running()) == [a_process()]


async def test_a_process_that_leaves_is_gone_at_once(presence: Presence):
    await presence.announce(a_process("a"))
    await presence.announce(a_process("b"))

    await presence.leave(a_process("a"))
    await presence.leave(a_process("never there"))

    assert list(await presence.running()) == [a_process("b")]


async def test_a_process_that_is_not_heard_of_has_ended_and_may_come_back(presence: Presence):
    await presence.announce(a_process("dead"))
    for _ in range(4):
        await presence.announce(a_process("alive"))
        await asyncio.sleep(TTL / 3)

    assert list(await presence.running()) == [a_process("alive")]
    await presence.announce(a_process("dead"))
    assert len(await presence.running()) == 2


async def test_whoever_announces_is_there_until_cancelled(presence: Presence):
    announcing = asyncio.create_task(AnnounceProcess(presence, a_process())())
    async with asyncio.timeout(10):
        while not await presence.running():  # noqa: ASYNC110 - what it waits for is a fact, not a signal
            await asyncio.sleep(0.01)

    announcing.cancel()
    await asyncio.gather(announcing, return_exceptions=True)

    assert list(await presence.running()) == []


@pytest.mark.redis_server
async def test_what_ended_long_ago_takes_no_room(redis: RedisBackend):
    presence = RedisPresence(redis.client, ttl=0.1)
    for number in range(20):
        await presence.announce(a_process(f"process {number}"))
    await asyncio.sleep(0.2)

    await presence.announce(a_process("the last"))

    assert await redis.client.command("HLEN", "marquee:1:{service}:processes") == 1


@pytest.mark.redis_server
@pytest.mark.parametrize("break_it", [RedisServer.kill, RedisServer.pause])
async def test_without_a_server_every_method_says_so_soon(
    server: RedisServer, redis: RedisBackend, break_it: Callable[[RedisServer], None]
):
    presence = RedisPresence(redis.client)
    break_it(server)

    for attempt in (lambda: presence.announce(a_process()), lambda: presence.leave(a_process()), presence.running):
        begun = time.monotonic()
        with pytest.raises(LiveStateUnavailableError):
            await attempt()
        assert time.monotonic() - begun < 2
