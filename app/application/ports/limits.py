"""The port of the rate limits."""

from abc import abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.domain.access import Area


class Bucket(StrEnum):
    """What is limited together."""

    SEARCH = "search"
    INGEST = "ingest"
    READS = "reads"
    CHANGES = "changes"


BUCKETS = {
    Area.SEARCH: Bucket.SEARCH,
    Area.INGEST: Bucket.INGEST,
    Area.OPERATIONS: Bucket.CHANGES,
    Area.ADMIN: Bucket.CHANGES,
}
"""Of every area; READS of those that are not named. PAGE and HEALTH are never limited."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: so many requests a second on average, so many at once."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a bucket after one request."""

    allowed: bool
    rate: Rate
    remaining: int
    """Whole requests that may follow at once."""
    reset_after: float
    """Seconds until the bucket is full again."""
    retry_after: float = 0.0
    """Seconds after which a refused request may come again."""


class RateLimiter(Protocol):
    """Counts requests."""

    @abstractmethod
    async def take(self, bucket: Bucket, caller: str) -> Quota | None:
        """Take one token of a caller's bucket; None when it is not limited. Never fails: see the adapter."""
