"""What Leases promise."""

import asyncio
import time
from collections.abc import Callable

import pytest

from app.application.ports.catalog import LeaseLostError
from app.application.ports.system import LeaseTakenError, LiveStateUnavailableError
from tests.contract.conftest import Backend, RedisBackend, commit
from tests.support.builders import a_change, a_plan
from tests.support.redis_server import RedisServer


async def test_only_one_holds_a_providers_lease(backend: Backend):
    async with backend.leases(ttl=5).hold("demo"):
        begun = time.monotonic()
        with pytest.raises(LeaseTakenError) as caught:
            async with backend.leases().hold("demo"):
                pass

    assert 0 < caught.value.expires_in <= 5
    assert time.monotonic() - begun < 4


async def test_of_many_who_try_at_once_one_gets_it(backend: Backend):
    async def attempt() -> bool:
        try:
            async with backend.leases().hold("demo"):
                await asyncio.sleep(0.2)
        except LeaseTakenError:
            return False
        return True

    assert sum(await asyncio.gather(*(attempt() for _ in range(10)))) == 1


async def test_providers_do_not_wait_for_each_other(backend: Backend):
    async with backend.leases().hold("demo") as one, backend.leases().hold("other") as two:
        assert (one.provider, two.provider) == ("demo", "other")


async def test_a_lease_is_given_back_also_after_a_failure(backend: Backend):
    with pytest.raises(ZeroDivisionError):
        async with backend.leases().hold("demo"):
            raise ZeroDivisionError

    async with backend.leases().hold("demo"):
        pass


async def test_each_lease_has_a_higher_fence_also_after_everything_was_lost(backend: Backend):
    fences = []
    for _ in range(3):
        async with backend.leases().hold("demo") as lease:
            fences.append(lease.fence)
    backend.lose_everything()
    async with backend.leases().hold("demo") as lease:
        fences.append(lease.fence)

    assert fences == sorted(set(fences))


async def test_a_lease_is_kept_alive_for_as_long_as_it_is_held(backend: Backend):
    async with backend.leases(ttl=1.2).hold("demo") as lease:
        await asyncio.sleep(1.8)

        with pytest.raises(LeaseTakenError):
            async with backend.leases().hold("demo"):
                pass
        await commit(backend.plan_catalog(), lease, a_change())


async def test_a_holder_that_is_paused_for_too_long_loses_it_and_cannot_write(backend: Backend):
    catalog = backend.plan_catalog()
    async with backend.leases(ttl=0.2).hold("demo") as paused:
        time.sleep(0.4)  # noqa: ASYNC251 -- the whole process stands still, its heartbeat too

        async with backend.leases(ttl=0.5).hold("demo") as next_one:
            assert next_one.fence > paused.fence
            with pytest.raises(LeaseLostError):
                await commit(catalog, paused, a_change(a_plan("late")))
            await commit(catalog, next_one, a_change(a_plan("in time")))

    assert set(await catalog.known("demo")) == {a_plan("in time").plan_id}


async def test_a_holder_that_lost_it_takes_it_from_nobody_when_it_ends(backend: Backend):
    lost = backend.leases(ttl=0.2).hold("demo")
    await lost.__aenter__()
    time.sleep(0.4)  # noqa: ASYNC251 -- the whole process stands still, its heartbeat too
    async with backend.leases().hold("demo"):
        await asyncio.sleep(0.1)

        await lost.__aexit__(None, None, None)

        with pytest.raises(LeaseTakenError):
            async with backend.leases().hold("demo"):
                pass


@pytest.mark.redis_server
async def test_a_lease_of_a_process_that_died_runs_out(redis: RedisBackend):
    before = asyncio.all_tasks()
    dead = redis.leases(ttl=1.0).hold("demo")
    await dead.__aenter__()
    for heartbeat in asyncio.all_tasks() - before:
        heartbeat.cancel()

    with pytest.raises(LeaseTakenError) as caught:
        async with redis.leases().hold("demo"):
            pass
    await asyncio.sleep(caught.value.expires_in + 0.05)

    async with redis.leases().hold("demo"):
        pass
    await dead.__aexit__(None, None, None)  # the context manager of the dead has to be closed somewhere


@pytest.mark.redis_server
@pytest.mark.parametrize("break_it", [RedisServer.kill, RedisServer.pause])
async def test_without_a_server_there_is_no_lease(
    server: RedisServer, redis: RedisBackend, break_it: Callable[[RedisServer], None]
):
    break_it(server)
    begun = time.monotonic()

    with pytest.raises(LiveStateUnavailableError):
        async with redis.leases().hold("demo"):
            pass
    assert time.monotonic() - begun < 3


@pytest.mark.redis_server
async def test_a_server_that_goes_away_and_comes_back_in_time_costs_no_lease(server: RedisServer, redis: RedisBackend):
    async with redis.leases(ttl=3).hold("demo") as lease:
        server.kill()
        await asyncio.sleep(1.2)
        await asyncio.to_thread(server.start)
        await asyncio.sleep(2.2)

        with pytest.raises(LeaseTakenError):
            async with redis.leases().hold("demo"):
                pass
        await commit(redis.plan_catalog(), lease, a_change())


@pytest.mark.redis_server
async def test_a_server_that_goes_away_does_not_hide_what_went_wrong_in_the_block(
    server: RedisServer, redis: RedisBackend
):
    async def fail_while_holding() -> None:
        async with redis.leases().hold("demo"):
            server.kill()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_while_holding()
