"""What Tally and SharedFigures promise together."""

import asyncio
from collections.abc import Callable

import pytest

from app.adapters.outbound.redis.figures import RedisTally
from app.application.ports.figures import Figure
from app.application.ports.system import LiveStateUnavailableError
from tests.contract.conftest import Backend, MemoryBackend, RedisBackend
from tests.fakes.tally import MemoryTally
from tests.support.redis_server import RedisServer

STORED = Figure("stored_batches")
SENT = Figure("webhook_deliveries", ("sent",))
ODD = Figure("webhook_deliveries", ('ñ "and" [so],\non', ""))

AnyTally = MemoryTally | RedisTally


@pytest.fixture
def tallies(backend: Backend) -> tuple[AnyTally, AnyTally]:
    """Those of two processes."""
    if isinstance(backend, MemoryBackend):
        shared = MemoryTally(backend.store)
        return shared, shared
    assert isinstance(backend, RedisBackend)
    return RedisTally(backend.client), RedisTally(backend.client)


async def test_nothing_is_counted_before_the_first(tallies: tuple[AnyTally, AnyTally]):
    assert await tallies[0].read() == {}


async def test_what_several_processes_count_adds_up(tallies: tuple[AnyTally, AnyTally]):
    for number in range(1, 4):
        for tally in tallies:
            tally.add(STORED)
            tally.add(SENT, number)
            tally.add(ODD, 0.25)
            await tally.flush()

    assert await tallies[1].read() == {STORED: 6, SENT: 12, ODD: 1.5}


async def test_handing_over_nothing_changes_nothing(tallies: tuple[AnyTally, AnyTally]):
    tallies[0].add(STORED)
    for _ in range(3):
        await tallies[0].flush()
        await tallies[1].flush()

    assert await tallies[0].read() == {STORED: 1}


async def test_a_thousand_at_the_same_time_are_a_thousand(tallies: tuple[AnyTally, AnyTally]):
    async def count(tally: AnyTally) -> None:
        for _ in range(500):
            tally.add(STORED)
            if tally is tallies[0]:
                await asyncio.sleep(0)
        await tally.flush()

    await asyncio.gather(*(count(tally) for tally in tallies), *(tally.flush() for tally in tallies * 5))

    assert await tallies[0].read() == {STORED: 1000}


@pytest.mark.redis_server
async def test_a_tally_hands_over_by_itself_and_what_is_left_when_it_is_cancelled(redis: RedisBackend):
    tally, reader = RedisTally(redis.client), RedisTally(redis.client)
    running = asyncio.create_task(tally())
    tally.add(STORED)
    async with asyncio.timeout(10):
        while await reader.read() != {STORED: 1}:  # noqa: ASYNC110 - what it waits for is a fact, not a signal
            await asyncio.sleep(0.05)

    tally.add(STORED, 2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert await reader.read() == {STORED: 3}


@pytest.mark.redis_server
@pytest.mark.parametrize("break_it", [RedisServer.kill, RedisServer.pause])
async def test_what_a_server_that_is_away_does_not_take_is_kept(
    server: RedisServer, redis: RedisBackend, break_it: Callable[[RedisServer], None]
):
    tally = RedisTally(redis.client)
    break_it(server)
    for _ in range(2):
        tally.add(STORED)
        with pytest.raises(LiveStateUnavailableError):
            await tally.flush()
    with pytest.raises(LiveStateUnavailableError):
        await tally.read()

    server.resume()
    if break_it is RedisServer.kill:
        server.start()
    await tally.flush()

    assert await tally.read() == {STORED: 2}
