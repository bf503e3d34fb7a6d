"""A circuit breaker around awaits, with its state shared between processes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import pybreaker

from app.adapters.machine.system_clock import SYSTEM_CLOCK
from app.application.ports.providers import CircuitOpenError, FeedRefusedError, FeedUnavailableError
from app.application.ports.system import CircuitState, CircuitStates, Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When to leave a provider alone, and for how long."""

    failures: int = 5
    """In a row."""
    reset_after: float = 60
    """Seconds until one call may try again."""


class SharedCircuitBreaker:
    """Guards the calls to one provider; pybreaker decides, on a state that is loaded before a call and saved after it.

    Only a FeedUnavailableError is a failure. A FeedRefusedError is an answer, and closes the circuit as any other one;
    what says nothing about the provider (a cancelled call, an error of our own) leaves the state as it was. One call
    may probe a circuit that was open; other processes know as soon as the state is saved.
    """

    def __init__(
        self, provider: str, states: CircuitStates, policy: BreakerPolicy, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._provider = provider
        self._states = states
        self._policy = policy
        self._clock = clock
        self._probing = False

    async def call(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Await the operation, unless the circuit is open.

        Raises:
            CircuitOpenError: it is; or it was closed until this failure, which the message then names.
        """
        before = await self._states.load(self._provider)
        if before.state == pybreaker.STATE_CLOSED:
            return await self._guarded(operation, before, admitted=before)
        wait = self._wait(before)
        if wait > 0 or self._probing:
            raise self._open(before, wait)
        self._probing = True
        try:
            probe = replace(before, state=pybreaker.STATE_HALF_OPEN, opened_at=self._clock.now())
            await self._states.save(self._provider, probe)
            return await self._guarded(operation, before, admitted=probe)
        finally:
            self._probing = False

    async def _guarded(
        self, operation: Callable[[], Awaitable[T]], before: CircuitState, *, admitted: CircuitState
    ) -> T:
        memory = _Memory(admitted, self._clock)
        reason = None
        try:
            with self._breaker(memory).calling():
                return await operation()
        except FeedUnavailableError as error:
            reason = str(error)
            if memory.state == pybreaker.STATE_OPEN:
                raise self._open(memory.snapshot(reason), self._policy.reset_after, tried=True) from error
            raise
        except FeedRefusedError:
            raise
        except BaseException:
            memory = _Memory(before, self._clock)
            reason = before.reason
            raise
        finally:
            after = memory.snapshot(reason)
            if after != admitted:
                await self._states.save(self._provider, after)

    def _breaker(self, memory: "_Memory") -> pybreaker.CircuitBreaker:
        return pybreaker.CircuitBreaker(
            fail_max=self._policy.failures,
            reset_timeout=self._policy.reset_after,
            exclude=[lambda error: not isinstance(error, FeedUnavailableError)],
            state_storage=memory,
            name=self._provider,
            throw_new_error_on_trip=False,
        )

    def _wait(self, state: CircuitState) -> float:
        """Seconds until one call may try again; none when it opened in the future, for some clock was wrong."""
        if state.opened_at is None:
            return 0.0
        passed = (self._clock.now() - state.opened_at).total_seconds()
        return max(self._policy.reset_after - passed, 0.0) if passed >= 0 else 0.0

    def _open(self, state: CircuitState, wait: float, *, tried: bool = False) -> CircuitOpenError:
        return CircuitOpenError(
            f"provider {self._provider!r} failed {state.failures} times in a row and is left alone "
            f"for another {wait:.0f} s; what failed: {state.reason}",
            retry_after=wait,
            tried=tried,
        )


class _Memory(pybreaker.CircuitMemoryStorage):
    """A CircuitState as pybreaker wants to have it during one call."""

    def __init__(self, state: CircuitState, clock: Clock) -> None:
        super().__init__(state.state)
        self._fail_counter = state.failures
        self._opened_at = state.opened_at
        self._clock = clock

    @property
    def opened_at(self) -> datetime | None:
        """Tell when it opened."""
        return self._opened_at

    @opened_at.setter
    def opened_at(self, datetime: datetime) -> None:  # noqa: ARG002 - pybreaker's name; it reads the machine's clock
        self._opened_at = self._clock.now()

    def snapshot(self, reason: str | None) -> CircuitState:
        """Give the state to share; a closed circuit has no time and no reason."""
        if self.state == pybreaker.STATE_CLOSED:
            return CircuitState(self.state, self.counter)
        return CircuitState(self.state, self.counter, self.opened_at, reason)
