"""Patience with a provider of any kind: some more tries for what may pass, none at all while its circuit is open."""

from dataclasses import dataclass
from functools import partial

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from app.adapters.machine.system_clock import SYSTEM_CLOCK
from app.adapters.outbound.resilience.circuit_breaker import BreakerPolicy, SharedCircuitBreaker
from app.application.ports.providers import (
    CircuitOpenError,
    FeedMark,
    FeedSnapshot,
    FeedUnavailableError,
    FeedUnchanged,
    FeedWatcher,
    Provider,
)
from app.application.ports.system import CircuitStates, Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often to try, and how long to wait between two tries (seconds)."""

    attempts: int = 3
    """All of them, the first included."""
    initial: float = 0.5
    """The first wait; each one after it is twice as long, and up to this much longer by chance."""
    maximum: float = 30
    """The longest wait. A provider that asks (Retry-After) for a longer one is not tried again in the same fetch."""


class ResilientProvider(Provider):
    """A provider that is tried again, through a circuit breaker that counts every try."""

    def __init__(  # noqa: PLR0913 - most have a default
        self,
        provider: Provider,
        *,
        name: str,
        states: CircuitStates,
        retry: RetryPolicy | None = None,
        breaker: BreakerPolicy | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._provider = provider
        self._retry = retry or RetryPolicy()
        self._breaker = SharedCircuitBreaker(name, states, breaker or BreakerPolicy(), clock)
        self._backoff = wait_exponential_jitter(
            multiplier=self._retry.initial, max=self._retry.maximum, jitter=self._retry.initial
        )

    async def fetch(
        self, since: FeedMark | None, watcher: FeedWatcher | None = None
    ) -> FeedSnapshot | FeedUnchanged | None:
        """As the port says; a CircuitOpenError without a try while the circuit is open."""
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._retry.attempts),
            wait=self._wait,
            retry=retry_if_exception(self._is_worth_another_try),
            reraise=True,
        )
        fetched: FeedSnapshot | FeedUnchanged | None = await retrying(
            self._breaker.call, partial(self._provider.fetch, since, watcher)
        )
        return fetched

    def _is_worth_another_try(self, error: BaseException) -> bool:
        if not isinstance(error, FeedUnavailableError) or isinstance(error, CircuitOpenError):
            return False
        return (error.retry_after or 0.0) <= self._retry.maximum

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, FeedUnavailableError) else None
        return max(self._backoff(state), asked or 0.0)
