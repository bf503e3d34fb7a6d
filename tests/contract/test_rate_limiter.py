"""RateLimiter: over memory and Redis the same promise, and what becomes of it when Redis goes away."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from time import perf_counter, time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.outbound.limits.local_rate_limiter import LocalRateLimiter
from app.adapters.outbound.limits.shared_rate_limiter import PrepareScript, SharedRateLimiter
from app.adapters.outbound.redis.connection import RedisClient, connect
from app.adapters.outbound.redis.lua import Script
from app.application.ports.limits import Bucket, Quota, Rate, RateLimiter
from tests.contract.conftest import ALL_SERVERS
from tests.support.redis_server import KINDS, ClusterNode, RedisServer

TAKE_TOKENS = Path(__file__).parents[1] / "processes" / "take_tokens.py"
READS, CHANGES, INGEST, SEARCH = Bucket.READS, Bucket.CHANGES, Bucket.INGEST, Bucket.SEARCH
SOON = 0.25
"""Seconds after which these limiters try Redis again."""

Make = Callable[[Mapping[Bucket, Rate]], RateLimiter]


class Redis:
    """Limiters on one Redis, and what they had to say."""

    def __init__(self, url: str) -> None:
        self._stack = AsyncExitStack()
        self._url = url
        self.troubles: list[str | None] = []
        self.asked = 0

    def limiter(self, rates: Mapping[Bucket, Rate], *, timeout: float = 5.0, pause: float = SOON) -> RateLimiter:
        """Make one with a connection of its own, as another process has it."""
        client = connect(self._url, timeout=5.0)
        self._stack.push_async_callback(client.aclose)
        return SharedRateLimiter(rates, self._counted(client), self.troubles.append, timeout=timeout, pause=pause)

    def _counted(self, client: RedisClient) -> PrepareScript:
        def prepare(source: str) -> Callable[[Sequence[str], Sequence[float]], Awaitable[Any]]:
            run = partial(client.run, Script(source))

            def counted(keys: Sequence[str], arguments: Sequence[float]) -> Awaitable[Any]:
                self.asked += 1
                return run(keys, arguments)

            return counted

        return prepare

    async def aclose(self) -> None:
        await self._stack.aclose()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["local", *ALL_SERVERS])
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    if request.param == "local":
        yield LocalRateLimiter
        return
    redis = Redis(_url(request))
    yield redis.limiter
    await redis.aclose()
    assert redis.troubles == []


def _url(request: pytest.FixtureRequest) -> str:
    if request.param in KINDS:
        server: RedisServer = request.getfixturevalue("servers")(request.param)
        with server.client() as client:
            client.flushall()
        return server.url
    nodes: list[ClusterNode] = request.getfixturevalue("shared_cluster")
    for node in nodes:
        with node.client() as client:
            client.flushall()
    return f"redis+cluster://127.0.0.1:{nodes[0].port}"


@pytest.fixture
async def redis(server: RedisServer) -> AsyncIterator[Redis]:
    """On a server that the test breaks."""
    made = Redis(server.url)
    yield made
    server.resume()
    await made.aclose()


async def take(limiter: RateLimiter, bucket: Bucket = READS, caller: str = "ana") -> Quota:
    quota = await limiter.take(bucket, caller)
    assert quota is not None
    return quota


async def granted(limiter: RateLimiter, count: int, caller: str = "ana") -> int:
    return sum([(await take(limiter, caller=caller)).allowed for _ in range(count)])


async def test_a_burst_passes_at_once_and_nothing_behind_it(make: Make) -> None:
    rate = Rate(0.01, 3)
    limiter = make({READS: rate})

    quotas = [await take(limiter) for _ in range(4)]

    assert [quota.allowed for quota in quotas] == [True, True, True, False]
    assert [quota.remaining for quota in quotas] == [2, 1, 0, 0]
    assert [quota.reset_after for quota in quotas] == pytest.approx([100, 200, 300, 300], abs=5)
    assert [quota.retry_after for quota in quotas] == pytest.approx([0, 0, 0, 100], abs=5)
    assert {quota.rate for quota in quotas} == {rate}


async def test_after_the_time_it_says_a_refused_request_passes(make: Make) -> None:
    limiter = make({READS: Rate(2, 1)})
    await take(limiter)

    refused = await take(limiter)
    await asyncio.sleep(refused.retry_after + 0.01)

    assert not refused.allowed
    assert 0 < refused.retry_after <= 0.5
    assert (await take(limiter)).allowed


async def test_a_bucket_that_was_left_alone_is_full_again_and_not_more_than_full(make: Make) -> None:
    limiter = make({READS: Rate(50, 2)})
    await granted(limiter, 2)

    await asyncio.sleep(0.5)

    assert (await take(limiter)).remaining == 1


async def test_no_second_of_any_clock_is_a_better_moment(make: Make) -> None:
    rate = Rate(50, 100)
    limiter = make({READS: rate})
    await asyncio.sleep((1.7 - time() % 1) % 1)

    began = perf_counter()
    passed = 0
    while (await take(limiter)).allowed:
        passed += 1
    while time() % 1 > 0.5 or time() % 1 < 0.1:
        passed += (await take(limiter)).allowed

    assert rate.burst <= passed <= rate.burst + rate.per_second * (perf_counter() - began) + 1


async def test_neither_callers_nor_buckets_share(make: Make) -> None:
    limiter = make({READS: Rate(0.01, 1), CHANGES: Rate(0.01, 1)})

    assert (await take(limiter, READS, "ana")).allowed
    assert (await take(limiter, READS, "bob")).allowed
    assert (await take(limiter, CHANGES, "ana")).allowed
    assert not (await take(limiter, READS, "ana")).allowed


async def test_a_bucket_without_a_rate_is_not_limited(make: Make) -> None:
    limiter = make({READS: Rate(1, 1)})

    assert await limiter.take(CHANGES, "ana") is None


@pytest.mark.parametrize("caller", ["", "\0", "a b\r\n", "{x}", "\ud800", "ñ" * 100_000, "2001:db8::1"])
async def test_a_caller_may_be_called_anything(make: Make, caller: str) -> None:
    limiter = make({READS: Rate(0.01, 1)})

    assert [await granted(limiter, 1, name) for name in (caller, caller, caller + "x")] == [1, 0, 1]


async def test_very_slow_and_very_fast_rates_hold(make: Make) -> None:
    limiter = make({READS: Rate(1e-6, 2), CHANGES: Rate(1e6, 1_000_000)})

    assert await granted(limiter, 5) == 2
    assert (await take(limiter)).retry_after == pytest.approx(1e6, rel=0.01)
    assert [(await take(limiter, CHANGES)).allowed for _ in range(20)] == [True] * 20


async def test_many_at_once_get_no_more_than_the_burst(make: Make) -> None:
    limiter = make({READS: Rate(0.01, 50)})

    quotas = await asyncio.gather(*(take(limiter) for _ in range(300)))

    assert sum(quota.allowed for quota in quotas) == 50


@given(
    st.integers(1, 20),
    st.floats(0.01, 1000),
    st.lists(st.tuples(st.floats(0, 5), st.integers(1, 30)), min_size=1, max_size=30),
)
async def test_whatever_the_rhythm_never_more_than_the_burst_and_the_rate_pass(
    burst: int, per_second: float, rhythm: list[tuple[float, int]]
) -> None:
    clock = Clock()
    limiter = LocalRateLimiter({READS: Rate(per_second, burst)}, now=clock)
    passed: list[tuple[float, int]] = []

    for pause, count in rhythm:
        clock.now += pause
        passed.append((clock.now, await granted(limiter, count)))

    for first, (began, _) in enumerate(passed):
        for last, (ended, _) in enumerate(passed[first:], first):
            count = sum(here for _, here in passed[first : last + 1])
            assert count <= burst + per_second * (ended - began) + 1e-3


@given(st.integers(1, 20), st.floats(0.01, 1000), st.integers(1, 40))
async def test_whoever_waits_as_told_is_let_through(burst: int, per_second: float, count: int) -> None:
    clock = Clock()
    limiter = LocalRateLimiter({READS: Rate(per_second, burst)}, now=clock)

    for _ in range(burst + count):
        quota = await take(limiter)
        clock.now += quota.retry_after

    assert quota.allowed or (await take(limiter)).allowed


@pytest.mark.redis_server
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 10), st.floats(1, 200), st.lists(st.tuples(st.floats(0, 0.02), st.integers(1, 8)), max_size=8))
async def test_in_redis_too_whatever_the_rhythm(
    shared_server: RedisServer, burst: int, per_second: float, rhythm: list[tuple[float, int]]
) -> None:
    with shared_server.client() as client:
        client.flushall()
    redis = Redis(shared_server.url)
    limiters = [redis.limiter({READS: Rate(per_second, burst)}) for _ in range(2)]
    passed = 0

    began = perf_counter()
    for number, (pause, count) in enumerate(rhythm):
        await asyncio.sleep(pause)
        passed += await granted(limiters[number % 2], count)
    took = perf_counter() - began
    await redis.aclose()

    assert passed <= burst + per_second * took
    assert redis.troubles == []


def test_of_too_many_callers_the_one_that_was_longest_silent_is_forgotten() -> None:
    limiter = LocalRateLimiter({READS: Rate(0.01, 1)}, most=2)
    for caller in ("ana", "bob", "ana", "eve"):
        limiter.take_at_once(READS, caller)

    left = {caller: limiter.take_at_once(READS, caller) for caller in ("ana", "eve", "bob")}

    assert {caller: quota.allowed for caller, quota in left.items() if quota} == {
        "ana": False,
        "eve": False,
        "bob": True,
    }


def test_whatever_is_learned_a_bucket_is_never_more_than_empty() -> None:
    clock = Clock()
    limiter = LocalRateLimiter({READS: Rate(1, 3)}, now=clock)

    limiter.learn(READS, "ana", 3600.0)
    at_once = limiter.take_at_once(READS, "ana")
    clock.now += 1
    later = limiter.take_at_once(READS, "ana")

    assert at_once is not None
    assert (at_once.allowed, at_once.retry_after) == (False, 1.0)
    assert later is not None
    assert later.allowed


@pytest.mark.redis_server
async def test_limiters_on_one_redis_share_a_bucket(redis: Redis) -> None:
    limiters = [redis.limiter({READS: Rate(0.01, 10)}) for _ in range(4)]

    counts = [await granted(limiter, 4) for limiter in limiters]

    assert counts == [4, 4, 2, 0]


@pytest.mark.redis_server
@pytest.mark.slow
async def test_processes_share_a_bucket(server: RedisServer) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, str(TAKE_TOKENS), server.url, "25", "0.001", "30"),
            stdout=asyncio.subprocess.PIPE,
            cwd=TAKE_TOKENS.parents[2],
            env={"PYTHONPATH": "."},
        )
        for _ in range(3)
    ]

    counts = [int((await process.communicate())[0]) for process in processes]

    assert sum(counts) == 30


@pytest.mark.redis_server
async def test_without_redis_each_process_counts_for_itself_and_says_so_once(redis: Redis, server: RedisServer) -> None:
    one, other = (redis.limiter({READS: Rate(0.01, 3)}) for _ in range(2))
    server.kill()

    counts = [await granted(one, 5), await granted(other, 5)]

    assert counts == [3, 3]
    assert len(redis.troubles) == 2
    assert all(trouble and "cannot be reached" in trouble for trouble in redis.troubles)


@pytest.mark.redis_server
async def test_when_redis_is_back_it_counts_again(redis: Redis, server: RedisServer) -> None:
    one, other = (redis.limiter({READS: Rate(0.01, 5)}) for _ in range(2))
    server.kill()
    await granted(one, 1)
    server.start()

    await asyncio.sleep(SOON)
    counts = [await granted(one, 1), await granted(other, 5)]

    assert counts == [1, 4]
    assert redis.troubles[1:] == [None]


@pytest.mark.redis_server
async def test_who_has_used_up_a_bucket_finds_no_full_one_when_redis_dies(redis: Redis, server: RedisServer) -> None:
    limiter = redis.limiter({READS: Rate(0.01, 3)})
    await granted(limiter, 3)

    server.kill()

    assert await granted(limiter, 3) == 0


@pytest.mark.redis_server
async def test_a_redis_that_is_silent_is_waited_for_once(redis: Redis, server: RedisServer) -> None:
    limiter = redis.limiter({READS: Rate(1, 100)}, timeout=0.2, pause=60)
    server.pause()
    began = perf_counter()

    await asyncio.gather(*(take(limiter) for _ in range(50)))
    first = perf_counter() - began
    await granted(limiter, 40)

    assert 0.2 <= first < 1.0
    assert perf_counter() - began - first < 2  # 8 s if each waited
    assert redis.troubles == ["no answer within 0.2 s"]


@pytest.mark.redis_server
async def test_one_request_at_a_time_tries_a_redis_that_is_silent(redis: Redis, server: RedisServer) -> None:
    limiter = redis.limiter({READS: Rate(1, 100)}, timeout=0.2, pause=0.3)
    server.pause()
    await take(limiter)
    await asyncio.sleep(0.3)
    before = redis.asked

    async def timed() -> float:
        began = perf_counter()
        await take(limiter)
        return perf_counter() - began

    waited = await asyncio.gather(*(timed() for _ in range(20)))

    assert redis.asked - before == 1
    assert [seconds for seconds in waited if seconds > 0.1] == waited[:1]


@pytest.mark.redis_server
async def test_answers_that_came_too_late_are_nobody_elses(redis: Redis, server: RedisServer) -> None:
    limiter = redis.limiter({READS: Rate(0.01, 10), CHANGES: Rate(0.01, 1000)}, timeout=0.2, pause=0.0)
    await asyncio.gather(*(take(limiter, CHANGES) for _ in range(20)))
    server.pause()
    await asyncio.gather(*(take(limiter, CHANGES) for _ in range(20)))
    server.resume()
    await asyncio.sleep(0.05)

    quotas = [await take(limiter) for _ in range(3)]

    assert [quota.remaining for quota in quotas] == [9, 8, 7]
    assert redis.troubles[-1] is None


@pytest.mark.redis_server
async def test_whoever_is_refused_here_costs_redis_nothing(redis: Redis) -> None:
    limiter = redis.limiter({READS: Rate(0.01, 3)})

    await granted(limiter, 100)

    assert redis.asked == 3


@pytest.mark.redis_server
async def test_what_others_have_used_up_is_known_here_when_redis_dies(redis: Redis, server: RedisServer) -> None:
    one, other = (redis.limiter({READS: Rate(0.01, 10)}) for _ in range(2))
    await granted(one, 7)
    await granted(other, 1)

    server.kill()

    assert await granted(other, 10) == 2


@pytest.mark.redis_server
async def test_a_search_never_asks_redis(redis: Redis) -> None:
    limiter = redis.limiter({SEARCH: Rate(0.01, 3)})

    quotas = [await take(limiter, SEARCH) for _ in range(4)]

    assert [quota.allowed for quota in quotas] == [True, True, True, False]
    assert redis.asked == 0


@pytest.mark.redis_server
async def test_something_else_in_its_place_breaks_no_request(redis: Redis, server: RedisServer) -> None:
    limiter = redis.limiter({READS: Rate(0.01, 3)}, pause=0.0)
    await take(limiter)
    with server.client() as client:
        key = client.keys("marquee:1:limits:*")[0]
        client.delete(key)
        client.lpush(key, "nonsense")

    assert await granted(limiter, 5) == 2
    assert "WRONGTYPE" in (redis.troubles[0] or "")


@pytest.mark.redis_server
async def test_what_redis_keeps_of_a_caller_is_short_says_no_name_and_runs_out(
    redis: Redis, server: RedisServer
) -> None:
    limiter = redis.limiter({READS: Rate(1, 30)})

    await take(limiter, caller="203.0.113.7")

    with server.client() as client:
        (key,) = client.keys("*")
        assert b"203.0.113.7" not in key
        assert len(key) < 80
        assert 0 < client.pttl(key) <= 2000


@pytest.mark.redis_server
async def test_a_request_that_is_given_up_leaves_the_others_alone(redis: Redis, server: RedisServer) -> None:
    limiter = redis.limiter({READS: Rate(0.01, 100)}, timeout=2.0)
    await take(limiter)
    server.pause()
    given_up = [asyncio.create_task(take(limiter)) for _ in range(40)]
    await asyncio.sleep(0.2)
    for task in given_up:
        task.cancel()
    await asyncio.gather(*given_up, return_exceptions=True)
    server.resume()

    assert (await take(limiter)).allowed
    assert redis.troubles == []
