"""What ActivityTypes promises: the same types for all doors, and never more than so many."""

import asyncio
from collections.abc import Callable
from itertools import count

import pytest

from app.adapters.outbound.redis.activity_types import REMEMBERED, RedisActivityTypes
from app.application.ports.activities import ActivityTypes
from app.application.ports.system import LiveStateUnavailableError
from tests.contract.conftest import Backend, MemoryBackend, RedisBackend
from tests.fakes.activity_types import MemoryActivityTypes
from tests.support.redis_server import RedisServer

Doors = Callable[[int], tuple[ActivityTypes, ActivityTypes]]


@pytest.fixture
def doors(backend: Backend) -> Doors:
    """Those of two processes, for a bound."""

    def made(most: int) -> tuple[ActivityTypes, ActivityTypes]:
        if isinstance(backend, MemoryBackend):
            shared = MemoryActivityTypes(most, backend.store)
            return shared, shared
        assert isinstance(backend, RedisBackend)
        return RedisActivityTypes(backend.client, most), RedisActivityTypes(backend.client, most)

    return made


async def test_types_are_admitted_while_there_is_room_and_stay(doors: Doors):
    one, other = doors(3)

    assert set(await one.refused(["a", "b"])) == set()
    assert len(await other.refused(["c", "d", "e"])) == 2
    assert set(await one.refused(["a", "b", "f"])) == {"f"}
    assert set(await other.refused(["a", "b"])) == set()
    assert await other.size() == 3


async def test_nothing_is_asked_of_nothing(doors: Doors):
    assert set(await doors(1)[0].refused([])) == set()


async def test_doors_that_admit_at_the_same_time_keep_the_bound(doors: Doors):
    names = (f"t{number}" for number in count())
    both = doors(50)

    async def post(door: ActivityTypes) -> int:
        return len(await door.refused([next(names) for _ in range(3)]))

    refused = await asyncio.gather(*(post(both[turn % 2]) for turn in range(40)))

    assert sum(refused) == 120 - 50
    assert await both[0].size() == 50


async def test_very_many_are_asked_in_portions(doors: Doors):
    one, other = doors(2500)
    many = [f"t{number}" for number in range(9000)]

    assert len(await one.refused(many)) == 9000 - 2500
    assert len(await other.refused(many)) == 9000 - 2500


async def test_what_was_noted_is_admitted_whatever_the_bound_and_leaves_no_room(doors: Doors):
    one, other = doors(2)
    await one.note([f"t{number}" for number in range(3000)])

    assert set(await other.refused(["t0", "t2999", "new"])) == {"new"}
    assert await one.size() == 3000


@pytest.mark.redis_server
async def test_a_process_asks_for_what_it_knows_once_a_minute(server: RedisServer):
    now = [0.0]
    backend = RedisBackend(server.url, [server])
    try:
        types = RedisActivityTypes(backend.client, 10, lambda: now[0])
        await types.refused(["view"])
        server.kill()

        assert set(await types.refused(["view"])) == set()
        with pytest.raises(LiveStateUnavailableError):
            await types.refused(["view", "new"])
        now[0] = REMEMBERED
        with pytest.raises(LiveStateUnavailableError):
            await types.refused(["view"])
    finally:
        await backend.aclose()
