"""What CircuitStates promise."""

import time
from collections.abc import Callable

import pytest

from app.adapters.outbound.redis.circuit_states import RedisCircuitStates
from app.application.ports.system import CircuitState
from tests.contract.conftest import Backend, RedisBackend
from tests.support.builders import NOW
from tests.support.fixed_clock import FixedClock
from tests.support.redis_server import RedisServer

OPEN = CircuitState("open", 5, NOW, "demo answered 503 five times")


async def test_a_circuit_that_nobody_touched_is_closed(backend: Backend):
    assert await backend.circuit_states().load("demo") == CircuitState("closed")


async def test_what_one_saved_another_loads(backend: Backend):
    await backend.circuit_states().save("demo", OPEN)

    assert await backend.circuit_states().load("demo") == OPEN
    assert await backend.circuit_states().load("other") == CircuitState("closed")


async def test_the_last_state_counts_whoever_saved_it(backend: Backend):
    one, two = backend.circuit_states(), backend.circuit_states()
    await one.save("demo", OPEN)
    await two.save("demo", CircuitState("half-open", 5, NOW, "probing"))
    await one.load("demo")
    await two.save("demo", CircuitState("closed"))

    assert await one.load("demo") == CircuitState("closed")
    assert await two.load("demo") == CircuitState("closed")


@pytest.mark.redis_server
@pytest.mark.parametrize("break_it", [RedisServer.kill, RedisServer.pause])
async def test_without_a_server_each_process_remembers(
    server: RedisServer, redis: RedisBackend, break_it: Callable[[RedisServer], None]
):
    states = redis.circuit_states()
    await states.save("demo", OPEN)
    await states.save("other", OPEN)
    break_it(server)
    begun = time.monotonic()

    await states.save("other", CircuitState("closed"))

    assert await states.load("demo") == OPEN
    assert await states.load("other") == CircuitState("closed")
    assert await redis.circuit_states().load("demo") == CircuitState("closed")
    assert time.monotonic() - begun < 6


@pytest.mark.redis_server
async def test_what_was_learned_during_an_outage_is_not_forgotten_after_it(server: RedisServer, redis: RedisBackend):
    states = redis.circuit_states()
    await states.save("demo", CircuitState("closed"))
    server.kill()
    await states.save("demo", OPEN)
    server.start()

    assert await states.load("demo") == OPEN
    await redis.circuit_states().save("demo", CircuitState("closed"))
    assert await states.load("demo") == CircuitState("closed")


@pytest.mark.redis_server
async def test_a_state_of_a_clock_that_was_ahead_is_followed_by_that_of_one_that_is_right(redis: RedisBackend):
    ahead, right = FixedClock(), FixedClock()
    ahead.move(7200)
    theirs, ours = RedisCircuitStates(redis.client, ahead), RedisCircuitStates(redis.client, right)
    await theirs.save("demo", OPEN)
    assert await ours.load("demo") == OPEN

    await ours.save("demo", CircuitState("closed"))

    assert await theirs.load("demo") == CircuitState("closed")
    assert await ours.load("demo") == CircuitState("closed")


@pytest.mark.redis_server
@pytest.mark.parametrize("value", [b"", b"\xff", b"{}", b'[1,{"state":3}]'])
async def test_nonsense_in_its_place_is_a_closed_circuit(server: RedisServer, redis: RedisBackend, value: bytes):
    with server.client() as operator:
        operator.set("marquee:1:{p:demo}:breaker", value)
        operator.lpush("marquee:1:{p:other}:breaker", b"not even a string")

    assert await redis.circuit_states().load("demo") == CircuitState("closed")
    assert await redis.circuit_states().load("other") == CircuitState("closed")
