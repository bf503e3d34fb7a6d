"""The ports to the machinery around the use cases: time, leases, requests between processes."""

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class LiveStateUnavailableError(Exception):
    """What holds the present (catalog, queue, leases) cannot be reached or takes no writes; the message says why."""


class HistoryUnavailableError(Exception):
    """What holds the past (journal, activities, rollups) cannot be reached or takes no writes; the message says why."""


class Clock(Protocol):
    """What time it is."""

    @abstractmethod
    def now(self) -> datetime:
        """The present instant, aware, in UTC."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to sync one provider."""

    provider: str
    fence: int
    """Grows with every lease of the provider; the catalog refuses the writes of all but the highest."""


class LeaseTakenError(Exception):
    """Somebody else is syncing the provider; in `expires_in` seconds they lose the lease, or have renewed it."""

    def __init__(self, provider: str, expires_in: float) -> None:
        """Keep both for whoever decides to wait."""
        super().__init__(f"another process is syncing {provider!r}; its lease runs out in at most {expires_in:.0f} s")
        self.expires_in = expires_in


class Leases(Protocol):
    """Who may sync which provider: one process at a time, in the whole installation."""

    @abstractmethod
    def hold(self, provider: str) -> AbstractAsyncContextManager[Lease]:
        """Take the lease, keep it alive while the block runs, give it back after.

        A process that is stopped for longer than the lease lasts loses it without being told: `Lease.fence` protects.

        Raises:
            LeaseTakenError: at once, without waiting.
            LiveStateUnavailableError: leases live where the catalog lives.
        """


@dataclass(frozen=True, slots=True)
class CircuitState:
    """A provider's circuit breaker."""

    state: str
    """`closed`, `open` or `half-open`."""
    failures: int = 0
    """Failures in a row."""
    opened_at: datetime | None = None
    """When it opened; None while closed."""
    reason: str | None = None
    """The failure that opened it."""


class CircuitStates(Protocol):
    """Where breakers keep their state, so that other processes know."""

    @abstractmethod
    async def load(self, provider: str) -> CircuitState:
        """The state that was saved last, by any process; a closed circuit when there is none. Never raises."""

    @abstractmethod
    async def load_all(self, providers: Sequence[str]) -> Sequence[CircuitState]:
        """Load the states of many providers at once, in their order."""

    @abstractmethod
    async def save(self, provider: str, state: CircuitState) -> None:
        """Share a state. When nobody can be told, this process still remembers it. Never raises."""


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """Somebody wants a provider synced now."""

    provider: str
    run_id: str
    approve: bool = False
    full: bool = False


class SyncRequests(Protocol):
    """How an API process asks a scheduler for a sync."""

    @abstractmethod
    async def put(self, request: SyncRequest) -> bool:
        """Ask; False when no scheduler is there to hear (none gave a sign of life for some seconds).

        Raises:
            LiveStateUnavailableError: as in every method here.
        """

    @abstractmethod
    async def take(self) -> Sequence[SyncRequest]:
        """Wait up to a second for requests and take them, each once; also a scheduler's sign of life."""
