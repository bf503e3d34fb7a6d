"""RateLimiter in the memory of one process: the reference, and what is left when Redis is down.

Our own bucket, because every search takes a token: in the memory store of throttled-py that costs 5.3 us, here 2.4.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from time import monotonic

from app.application.ports.limits import Bucket, Quota, Rate, RateLimiter

MOST_CALLERS = 10_000
"""Of one bucket, that are remembered; of more the one that was longest silent is forgotten, so its bucket is full."""
SLACK = 1e-6
"""Tokens: what binary floating point may lack at the very instant at which a token is due."""


class LocalRateLimiter(RateLimiter):
    """Token buckets that count to the microsecond; whoever does not ask for long has a full one."""

    def __init__(
        self, rates: Mapping[Bucket, Rate], *, most: int = MOST_CALLERS, now: Callable[[], float] = monotonic
    ) -> None:
        self._buckets = {bucket: _TokenBuckets(rate, most, now) for bucket, rate in rates.items()}

    async def take(self, bucket: Bucket, caller: str) -> Quota | None:
        """Take it; there is nothing to wait for."""
        return self.take_at_once(bucket, caller)

    def take_at_once(self, bucket: Bucket, caller: str) -> Quota | None:
        """Do the same without a coroutine, for the search."""
        buckets = self._buckets.get(bucket)
        return None if buckets is None else buckets.take(caller)

    def learn(self, bucket: Bucket, caller: str, reset_after: float) -> None:
        """Note that somebody who counts for others too sees a bucket full no sooner than so many seconds from now."""
        self._buckets[bucket].learn(caller, reset_after)


class _TokenBuckets:
    """One bucket for each caller, as the instant at which it will be full again."""

    def __init__(self, rate: Rate, most: int, now: Callable[[], float]) -> None:
        self._rate = rate
        self._interval = 1 / rate.per_second
        self._most = most
        self._now = now
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, caller: str) -> Quota:
        now, rate = self._now(), self._rate
        full_at = max(self._full_at.get(caller, now), now)
        left = rate.burst - (full_at - now) * rate.per_second
        if left < 1 - SLACK:
            self._remember(caller, full_at)
            return Quota(
                allowed=False,
                rate=rate,
                remaining=0,
                reset_after=full_at - now,
                retry_after=(1 - left) * self._interval,
            )
        full_at += self._interval
        self._remember(caller, full_at)
        return Quota(allowed=True, rate=rate, remaining=int(left - 1 + SLACK), reset_after=full_at - now)

    def learn(self, caller: str, reset_after: float) -> None:
        full_at = self._now() + min(reset_after, self._rate.burst * self._interval)  # more than empty none can be
        if full_at > self._full_at.get(caller, 0.0):
            self._remember(caller, full_at)

    def _remember(self, caller: str, full_at: float) -> None:
        self._full_at[caller] = full_at
        self._full_at.move_to_end(caller)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
