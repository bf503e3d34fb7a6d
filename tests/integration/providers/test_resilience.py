"""Retries and the circuit breaker around a provider."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.outbound.memory.circuit_states import MemoryCircuitStates
from app.adapters.outbound.providers.contract import a_plan
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.adapters.outbound.providers.plan_list_xml import PlanListXmlProvider
from app.adapters.outbound.resilience.circuit_breaker import BreakerPolicy
from app.adapters.outbound.resilience.resilient_provider import ResilientProvider, RetryPolicy
from app.application.ports.providers import (
    CircuitOpenError,
    FeedMark,
    FeedRefusedError,
    FeedSnapshot,
    FeedUnavailableError,
    FeedUnchanged,
    FeedWatcher,
    Provider,
)
from app.application.ports.system import CircuitState, CircuitStates
from tests.support.feed_server import FeedServer, answer
from tests.support.feeds import a_feed
from tests.support.fixed_clock import FixedClock

ONCE = RetryPolicy(attempts=1)
AT_ONCE = RetryPolicy(attempts=3, initial=0.001)
DOWN = FeedUnavailableError("down")


@dataclass
class Fickle(Provider):
    """Fails as told, one after the other, and then answers that there is nothing new."""

    failures: list[BaseException] = field(default_factory=list)
    takes: float = 0.0
    fetches: int = 0

    async def fetch(
        self,
        since: FeedMark | None,  # noqa: ARG002 - the port's
        watcher: FeedWatcher | None = None,  # noqa: ARG002 - the same
    ) -> FeedSnapshot | None:
        self.fetches += 1
        await asyncio.sleep(self.takes)
        if self.failures:
            raise self.failures.pop(0)
        return None


def resilient(
    provider: Provider,
    states: CircuitStates | None = None,
    *,
    retry: RetryPolicy = ONCE,
    failures: int = 3,
    reset_after: float = 60,
) -> ResilientProvider:
    policy = BreakerPolicy(failures=failures, reset_after=reset_after)
    return ResilientProvider(provider, name="demo", states=states or MemoryCircuitStates(), retry=retry, breaker=policy)


async def fail(provider: Provider, times: int, kind: type[BaseException] = FeedUnavailableError) -> None:
    for _ in range(times):
        with pytest.raises(kind):
            await provider.fetch(None)


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


async def test_500s_and_then_an_answer_are_an_answer():
    with FeedServer(answer(500), answer(503), answer(200, a_feed([a_plan("1")]))) as server:
        get = PinnedGet(policy=AddressPolicy(allow_private_networks=True))
        source = PlanListXmlProvider(name="contract", url=server.url, timezone="UTC", get=get)

        snapshot = await resilient(source, retry=AT_ONCE).fetch(None)

        assert snapshot
        assert not isinstance(snapshot, FeedUnchanged)
        await snapshot.aclose()
        assert len(server.requests) == 3


async def test_after_the_last_try_the_failure_is_the_providers_own():
    source = Fickle([DOWN] * 9)

    with pytest.raises(FeedUnavailableError, match=r"^down$"):
        await resilient(source, retry=AT_ONCE, failures=99).fetch(None)

    assert source.fetches == 3


@pytest.mark.parametrize("failure", [FeedRefusedError("404"), ValueError("a bug of ours")])
async def test_what_will_not_pass_is_not_tried_again(failure: Exception):
    source = Fickle([failure])

    await fail(resilient(source, retry=AT_ONCE), 1, type(failure))

    assert source.fetches == 1


async def test_a_provider_that_asks_to_wait_is_not_asked_before():
    source = Fickle([FeedUnavailableError("busy", retry_after=0.2)])
    began = time.monotonic()

    await resilient(source, retry=AT_ONCE).fetch(None)

    assert time.monotonic() - began >= 0.2
    assert source.fetches == 2


async def test_a_provider_that_asks_for_a_long_wait_is_left_to_the_caller():
    source = Fickle([FeedUnavailableError("busy", retry_after=120)])

    with pytest.raises(FeedUnavailableError) as caught:
        await resilient(source, retry=AT_ONCE).fetch(None)

    assert caught.value.retry_after == 120
    assert source.fetches == 1


async def test_waits_grow_and_are_bounded():
    source = Fickle([DOWN] * 4)
    retry = RetryPolicy(attempts=5, initial=0.05, maximum=0.1)
    began = time.monotonic()

    await resilient(source, retry=retry, failures=99).fetch(None)

    assert 0.05 + 3 * 0.1 <= time.monotonic() - began < 3


async def test_failures_in_a_row_open_the_circuit_and_nobody_is_asked():
    source, states = Fickle([DOWN] * 9), MemoryCircuitStates()
    provider = resilient(source, states, failures=3)
    await fail(provider, 3)

    with pytest.raises(CircuitOpenError) as caught:
        await provider.fetch(None)

    assert source.fetches == 3
    assert caught.value.retry_after == pytest.approx(60, abs=2)
    assert "3 times in a row" in str(caught.value)
    assert "down" in str(caught.value)
    state = await states.load("demo")
    assert (state.state, state.failures, state.reason) == ("open", 3, "down")


async def test_the_failure_that_opens_the_circuit_says_so_and_is_not_tried_again():
    source = Fickle([DOWN] * 9)

    with pytest.raises(CircuitOpenError, match="what failed: down") as caught:
        await resilient(source, retry=RetryPolicy(attempts=5, initial=0.001), failures=2).fetch(None)

    assert source.fetches == 2
    assert caught.value.__cause__ is DOWN


async def test_every_try_counts():
    states = MemoryCircuitStates()

    await fail(resilient(Fickle([DOWN] * 9), states, retry=AT_ONCE, failures=99), 2)

    assert await states.load("demo") == CircuitState("closed", failures=6)


async def test_an_answer_in_between_begins_the_row_anew():
    source, states = Fickle([DOWN, DOWN]), MemoryCircuitStates()
    provider = resilient(source, states, failures=3)
    await fail(provider, 2)
    await provider.fetch(None)
    source.failures += [DOWN, DOWN]

    await fail(provider, 2)

    assert await states.load("demo") == CircuitState("closed", failures=2)


async def test_a_circuit_that_another_process_opened_is_open_here():
    states = MemoryCircuitStates()
    await states.save("demo", CircuitState("open", 5, ago(10), "down over there"))
    source = Fickle()

    with pytest.raises(CircuitOpenError, match="down over there") as caught:
        await resilient(source, states).fetch(None)

    assert source.fetches == 0
    assert caught.value.retry_after == pytest.approx(50, abs=2)


@pytest.mark.parametrize("ahead", [1, 7200, 10**8])
async def test_a_circuit_that_opened_in_the_future_is_tried_at_once(ahead: float):
    states, source = MemoryCircuitStates(), Fickle([DOWN])
    await states.save("demo", CircuitState("open", 3, ago(-ahead), "down"))

    await fail(resilient(source, states), 1, CircuitOpenError)

    assert source.fetches == 1
    assert (await states.load("demo")).opened_at == pytest.approx(ago(0), abs=timedelta(seconds=30))


async def test_the_breaker_goes_by_the_clock_that_it_is_given():
    states, source, clock = MemoryCircuitStates(), Fickle([DOWN] * 9), FixedClock()
    provider = ResilientProvider(
        source, name="demo", states=states, retry=ONCE, breaker=BreakerPolicy(failures=1, reset_after=60), clock=clock
    )
    await fail(provider, 1)
    assert (await states.load("demo")).opened_at == clock.now()

    clock.move(59)
    await fail(provider, 1, CircuitOpenError)
    assert source.fetches == 1
    clock.move(1)
    await fail(provider, 1)

    assert source.fetches == 2


async def test_after_the_reset_time_an_answer_closes_the_circuit():
    states = MemoryCircuitStates()
    await states.save("demo", CircuitState("open", 5, ago(61), "down"))

    await resilient(Fickle(), states).fetch(None)

    assert await states.load("demo") == CircuitState("closed")


async def test_after_the_reset_time_a_failure_opens_it_for_as_long_again():
    states = MemoryCircuitStates()
    await states.save("demo", CircuitState("open", 5, ago(61), "down"))
    source = Fickle([FeedUnavailableError("still down")])
    provider = resilient(source, states)

    await fail(provider, 1, CircuitOpenError)
    await fail(provider, 1, CircuitOpenError)

    assert source.fetches == 1
    state = await states.load("demo")
    assert (state.state, state.failures, state.reason) == ("open", 6, "still down")
    assert state.opened_at
    assert state.opened_at > ago(5)


async def test_one_call_probes_while_the_others_are_turned_away():
    states = MemoryCircuitStates()
    await states.save("demo", CircuitState("open", 5, ago(61), "down"))
    source = Fickle(takes=0.1)
    here, in_another_process = resilient(source, states), resilient(source, states)

    probe = asyncio.create_task(here.fetch(None))
    await asyncio.sleep(0.02)
    outcomes = await asyncio.gather(
        *(provider.fetch(None) for provider in [here, in_another_process] * 10), return_exceptions=True
    )

    assert await probe is None
    assert {type(outcome) for outcome in outcomes} == {CircuitOpenError}
    assert source.fetches == 1


async def test_50_calls_at_the_same_instant_are_one_probe():
    states = MemoryCircuitStates()
    await states.save("demo", CircuitState("open", 5, ago(61), "down"))
    source = Fickle(takes=0.05)
    provider = resilient(source, states)

    outcomes = await asyncio.gather(*(provider.fetch(None) for _ in range(50)), return_exceptions=True)

    assert source.fetches == 1
    assert outcomes.count(None) == 1


async def test_a_probe_whose_process_died_does_not_keep_the_circuit_half_open_for_ever():
    states = MemoryCircuitStates()
    await states.save("demo", CircuitState("half-open", 5, ago(61), "down"))

    await resilient(Fickle(), states).fetch(None)

    assert (await states.load("demo")).state == "closed"


@pytest.mark.parametrize("before", [CircuitState("closed", 2), CircuitState("open", 5, ago(61), "down")])
async def test_a_cancelled_call_says_nothing_about_the_provider(before: CircuitState):
    states = MemoryCircuitStates()
    await states.save("demo", before)
    call = asyncio.create_task(resilient(Fickle(takes=60), states).fetch(None))
    await asyncio.sleep(0.02)

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert await states.load("demo") == before


@pytest.mark.parametrize("before", [CircuitState("closed", 2), CircuitState("open", 5, ago(61), "down")])
async def test_an_error_of_our_own_says_nothing_about_the_provider(before: CircuitState):
    states = MemoryCircuitStates()
    await states.save("demo", before)

    await fail(resilient(Fickle([ValueError()]), states), 1, ValueError)

    assert await states.load("demo") == before


async def test_a_refused_feed_is_no_failure_of_the_provider():
    source, states = Fickle([FeedRefusedError("404")] * 20), MemoryCircuitStates()

    await fail(resilient(source, states, failures=3), 20, FeedRefusedError)

    assert source.fetches == 20
    assert await states.load("demo") == CircuitState("closed")


async def test_a_circuit_that_stays_closed_is_not_written():
    class Counting(MemoryCircuitStates):
        saves = 0

        async def save(self, provider: str, state: CircuitState) -> None:
            self.saves += 1
            await super().save(provider, state)

    states = Counting()
    provider = resilient(Fickle(), states)

    for _ in range(5):
        await provider.fetch(None)

    assert states.saves == 0
