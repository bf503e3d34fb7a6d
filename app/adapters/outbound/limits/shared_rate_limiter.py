"""RateLimiter over all processes of the service: throttled-py's buckets in Redis, and local ones beside them.

Its `gcra` is the token bucket that counts in microseconds. Its `token_bucket` counts in whole seconds of the clock: of
50 a second with a burst of 100 it lets 150 through within 40 ms, as soon as a second ends in them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from hashlib import blake2b
from time import monotonic
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from throttled import types
from throttled.asyncio import rate_limiter as throttled
from throttled.asyncio.rate_limiter.gcra import GCRARateLimiter
from throttled.asyncio.store import RedisStore
from throttled.exceptions import StoreUnavailableError

from app.adapters.outbound.limits.local_rate_limiter import LocalRateLimiter
from app.application.ports.limits import Bucket, Quota, Rate, RateLimiter
from app.application.trouble import Tell, Trouble

PREFIX = "marquee:1:limits"
"""Of the keys; the library adds `:v1:gcra:`, we the bucket and a digest of the caller. A script has one key only."""
LOCAL_ONLY = frozenset({Bucket.SEARCH})
"""A search takes less time than asking Redis does."""

T = TypeVar("T")
RunScript = Callable[[Sequence[str], Sequence[float]], Awaitable[Any]]
"""Runs a script with its keys and its arguments."""
PrepareScript = Callable[[str], RunScript]
"""Makes of a Lua script what runs it, on a server or a cluster; it raises whatever it likes."""
AT_ONCE = 16
"""Requests that ask Redis at the same time; the others wait their turn, and open no more connections."""


class SharedRateLimiter(RateLimiter):
    """Takes a token of this process's own bucket, and then of the one that all processes share; the own one learns.

    So a caller who is refused here costs Redis nothing, and one who has used up a bucket finds no full one when Redis
    goes away. From the first request that fails or waits `timeout` seconds in vain the own buckets alone count; after
    `pause` seconds one request tries Redis again. While Redis is away, each process grants what all together should.

    `on_trouble` is told the reason when Redis stops counting, None when it counts again.
    """

    def __init__(
        self,
        rates: Mapping[Bucket, Rate],
        prepare: PrepareScript,
        on_trouble: Tell,
        *,
        timeout: float = 0.25,
        pause: float = 5.0,
    ) -> None:
        self._local = LocalRateLimiter(rates)
        self._rates = rates
        store = _Store(prepare)
        self._shared = {
            bucket: GCRARateLimiter(_quota(rate), store, key_prefix=PREFIX)
            for bucket, rate in rates.items()
            if bucket not in LOCAL_ONLY
        }
        self._trouble = Trouble(on_trouble)
        self._timeout = timeout
        self._pause = pause
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._asking: set[asyncio.Task[Any]] = set()
        self._local_until: float | None = None

    async def take(self, bucket: Bucket, caller: str) -> Quota | None:
        """Take it. Never fails: without Redis it is the token of this process that counts."""
        own = self.take_at_once(bucket, caller)
        limiter = self._shared.get(bucket)
        if own is None or not own.allowed or limiter is None or not self._may_ask_redis():
            return own
        return await self._take_shared(limiter, bucket, caller) or own

    def take_at_once(self, bucket: Bucket, caller: str) -> Quota | None:
        """Take a token of this process's own bucket only; for the search, which has no other."""
        return self._local.take_at_once(bucket, caller)

    def _may_ask_redis(self) -> bool:
        """Tell whether Redis counts, or it is this request's turn to find out; the others do not wait for it."""
        if self._local_until is None:
            return True
        if monotonic() < self._local_until:
            return False
        self._local_until = monotonic() + self._pause
        return True

    async def _take_shared(self, limiter: GCRARateLimiter, bucket: Bucket, caller: str) -> Quota | None:
        try:
            result = await self._within_timeout(self._in_turn(limiter, _key(bucket, caller), self._local_until))
        except Exception as error:  # noqa: BLE001 - whatever stops Redis from counting must stop no request
            self._note(self._reason(error))
            return None
        if result is None:
            return None
        self._note(None)
        state = result.state
        self._local.learn(bucket, caller, state.reset_after)
        return Quota(
            allowed=not result.limited,
            rate=self._rates[bucket],
            remaining=max(state.remaining, 0),
            reset_after=state.reset_after,
            retry_after=state.retry_after,
        )

    async def _in_turn(
        self, limiter: GCRARateLimiter, key: str, local_until: float | None
    ) -> throttled.RateLimitResult | None:
        """Ask Redis; not when another request has waited in vain while this one stood in line."""
        async with self._at_once:
            return await limiter.limit(key) if self._local_until == local_until else None

    async def _within_timeout(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for something to be done, but no longer than `timeout`, even if it does not let itself be cancelled.

        redis-py does not always: before Python 3.12 it forgets a cancellation that comes together with a result.
        """
        task = asyncio.create_task(work)
        self._asking.add(task)
        task.add_done_callback(self._asked)
        try:
            await asyncio.wait((task,), timeout=self._timeout)
            if not task.done():
                raise TimeoutError
            return task.result()
        finally:
            task.cancel()

    def _asked(self, task: asyncio.Task[Any]) -> None:
        self._asking.discard(task)
        if not task.cancelled():
            task.exception()  # whoever still waited for it has it; else nobody misses it

    def _reason(self, error: Exception) -> str:
        told = error.__cause__ if isinstance(error, StoreUnavailableError) else error  # whose own message says nothing
        return str(told) or f"no answer within {self._timeout:g} s"

    def _note(self, trouble: str | None) -> None:
        self._local_until = monotonic() + self._pause if trouble else None
        self._trouble.note(trouble)


def _key(bucket: Bucket, caller: str) -> str:
    """Name a bucket: short whatever the caller is called, and without addresses of people."""
    return f"{bucket}:{blake2b(caller.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


def _quota(rate: Rate) -> throttled.Quota:
    """Say a rate in the library's words, which know no fractions: the interval is set as it is."""
    quota = throttled.Quota(throttled.Rate(timedelta(seconds=1), limit=1), burst=rate.burst)
    quota.emission_interval = 1 / rate.per_second
    return quota


class _Store(RedisStore):
    """Over our connection instead of one that the library makes: it would wait as long as redis-py likes."""

    def __init__(self, prepare: PrepareScript) -> None:
        super().__init__()
        client = SimpleNamespace(register_script=prepare)  # all that the library's limiters need of it
        self._backend._client = cast("types.AsyncRedisClientP", client)  # noqa: SLF001 - there is no public way in
