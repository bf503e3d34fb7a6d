"""What an answer says of a rate limit: `RateLimit-Policy`, `RateLimit`, `Retry-After`.

The first two are structured fields (RFC 9651) of draft-ietf-httpapi-ratelimit-headers: a quoted name with parameters.
"""

from math import ceil

from app.adapters.inbound.http.describing.answers import Fields
from app.application.ports.limits import Bucket, Quota, Rate

LARGEST_INTEGER = 999_999_999_999_999
"""Of a structured field."""


def rate_limit_fields(bucket: Bucket, quota: Quota) -> Fields:
    """Say what is allowed and what is left; of a request that is refused, also when to come again."""
    left = f'"{bucket}";r={quota.remaining};t={_seconds(quota.reset_after)}'
    told = ((b"ratelimit-policy", policy(bucket, quota.rate).encode()), (b"ratelimit", left.encode()))
    return told if quota.allowed else (*told, (b"retry-after", b"%d" % retry_after(quota)))


def policy(bucket: Bucket, rate: Rate) -> str:
    """Say a token bucket as a quota: all that it holds (q), in the whole seconds in which it fills (w)."""
    return f'"{bucket}";q={rate.burst};w={max(_seconds(rate.burst / rate.per_second), 1)}'


def retry_after(quota: Quota) -> int:
    """Say after how many whole seconds a refused request is let through, if no other comes before."""
    return max(_seconds(quota.retry_after), 1)


def _seconds(exact: float) -> int:
    """Round up: whoever waits so long does not wait in vain."""
    return min(ceil(max(exact, 0)), LARGEST_INTEGER)
