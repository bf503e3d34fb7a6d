"""What DoorLooks promises."""

from datetime import timedelta

import pytest

from app.adapters.outbound.redis.door_looks import LOOKS, RedisDoorLooks
from app.application.ports.door_looks import DoorLooks
from app.application.ports.system import LiveStateUnavailableError
from app.domain.activity_curve import STEP, STEPS, CounterLook
from tests.contract.conftest import Backend, MemoryBackend, RedisBackend
from tests.fakes.door_looks import MemoryDoorLooks
from tests.support.builders import NOW
from tests.support.redis_server import RedisServer


@pytest.fixture
def looks(backend: Backend) -> DoorLooks:
    if isinstance(backend, MemoryBackend):
        return MemoryDoorLooks(backend.store)
    assert isinstance(backend, RedisBackend)
    return RedisDoorLooks(backend.client)


def a_look(seconds: float, total: int) -> CounterLook:
    return CounterLook(NOW + timedelta(seconds=seconds), total)


async def test_before_the_first_there_is_none(looks: DoorLooks):
    assert list(await looks.recent()) == []


async def test_the_first_look_of_each_step_is_kept(looks: DoorLooks):
    for look in (a_look(0.25, 5), a_look(9, 17), a_look(STEP + 1.5, 30), a_look(0.25, 6)):
        await looks.note(look)

    assert sorted(await looks.recent()) == [a_look(0.25, 5), a_look(STEP + 1.5, 30)]


async def test_what_is_older_than_an_hour_leaves(looks: DoorLooks):
    for step in range(STEPS + 5):
        await looks.note(a_look(step * STEP, step))

    kept = await looks.recent()

    assert len(kept) == STEPS + 1
    assert min(kept) == a_look(4 * STEP, 4)


@pytest.mark.redis_server
async def test_what_a_pause_has_left_there_is_dropped_by_who_reads(server: RedisServer):
    backend = RedisBackend(server.url, [server])
    try:
        looks = RedisDoorLooks(backend.client)
        for seconds in (0, 2 * STEP * STEPS):
            await looks.note(a_look(seconds, 1))

        await looks.recent()

        assert list(await looks.recent()) == [a_look(2 * STEP * STEPS, 1)]
        assert await backend.client.command("TTL", LOOKS) > STEP * STEPS
    finally:
        await backend.aclose()


@pytest.mark.redis_server
async def test_a_server_that_is_away_is_told(server: RedisServer):
    backend = RedisBackend(server.url, [server])
    try:
        server.kill()

        with pytest.raises(LiveStateUnavailableError):
            await RedisDoorLooks(backend.client).note(a_look(0, 1))
    finally:
        await backend.aclose()
